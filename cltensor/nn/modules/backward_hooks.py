"""Backward hooks of one Module call: identities around the call see the gradients of its outputs and inputs."""

from ...autograd.function import Function
from ...base.context import context
from ...base.errors import AutogradError
from ...tensor import Tensor


class _Passage(Function):
    """The identity on tensors; on_gradients, a function of the tuple of gradients, changes their gradients."""

    @staticmethod
    def forward(ctx, on_gradients, *tensors):
        ctx.set_materialize_grads(False)
        ctx.on_gradients = on_gradients
        return tensors

    @staticmethod
    def backward(ctx, *gs):
        return None, *ctx.on_gradients(gs)


def _through(values, on_gradients):
    """Pass the values that require grad through an identity; return all values, and whether any passed.

    on_gradients takes a tuple with one gradient (or None) per value, and returns one.
    """
    at = [i for i, v in enumerate(values) if isinstance(v, Tensor) and v.requires_grad]
    if not (at and context.grad):
        return tuple(values), False

    count = len(values)  # the history keeps this function, which must not keep the values

    def on_tensor_gradients(gs):
        full = [None] * count
        for i, g in zip(at, gs, strict=True):
            full[i] = g
        full = on_gradients(tuple(full))
        return [full[i] for i in at]

    passed = list(values)
    for i, t in zip(at, _Passage.apply(on_tensor_gradients, *(values[i] for i in at)), strict=True):
        passed[i] = t
    return tuple(passed), True


class BackwardHooks:
    """A module's full backward hooks and pre-hooks, for one call of it."""

    def __init__(self, module, pre_hooks, hooks):
        self.module, self.pre_hooks, self.hooks = module, pre_hooks, hooks
        self.grad_output = None
        self.n_inputs, self.inputs_seen = 0, False

    def on_inputs(self, args):
        """Watch the arguments: the hooks run once their gradients are known."""
        self.n_inputs = len(args)
        args, self.inputs_seen = _through(args, self._input_gradients)
        return args

    def on_outputs(self, output):
        """Watch the output, a tensor or a tuple of tensors: the pre-hooks run once its gradient is known."""
        many = isinstance(output, tuple)
        watched, _ = _through(output if many else (output,), self._output_gradients)
        return watched if many else watched[0]

    def _output_gradients(self, gs):
        for hook in self.pre_hooks:
            gs = self._replaced(hook(self.module, gs), gs, "full backward pre-hook")
        if self.inputs_seen:
            self.grad_output = gs
        else:
            for hook in self.hooks:
                if hook(self.module, (None,) * self.n_inputs, gs) is not None:
                    raise AutogradError("full backward hook: no input of the module requires grad, so the hook must "
                                        "return None")
        return gs

    def _input_gradients(self, gs):
        for hook in self.hooks:
            gs = self._replaced(hook(self.module, gs, self.grad_output), gs, "full backward hook")
        self.grad_output = None
        return gs

    def _replaced(self, changed, gs, what):
        if changed is None:
            return gs
        changed = changed if isinstance(changed, tuple) else (changed,)
        if len(changed) != len(gs):
            raise AutogradError(f"Backward hook returned an invalid number of grad_input, got {len(changed)}, but "
                                f"expected {len(gs)}; a {what} of {self.module._get_name()} returns None, or one "
                                "gradient for each")
        return changed
