"""Hooks: functions to call around a Module's forward and backward pass, and around saving and loading its state."""

import warnings

from ...base.errors import CLTensorError
from ...dispatch.node import Handle
from .backward_hooks import BackwardHooks
from .global_hooks import BACKWARD, BACKWARD_PRE, FORWARD, FORWARD_PRE

_TABLES = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks", "_state_dict_pre_hooks",
           "_state_dict_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")


def _registered(table, hook, prepend=False):
    earlier = dict(table) if prepend else {}
    if prepend:
        table.clear()
    handle = Handle(table, hook)
    table.update(earlier)
    return handle


class Hooks:
    """Registration of hooks, and the call that runs them; a base of Module."""

    def __init__(self):
        for table in _TABLES:
            self.__dict__[table] = {}

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Call hook(module, args) before forward; its result, a tuple or one value, replaces the arguments.

        with_kwargs: call hook(module, args, kwargs), which returns None or (args, kwargs).
        """
        return _registered(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Call hook(module, args, output) after forward; its result, unless None, replaces the output.

        with_kwargs: call hook(module, args, kwargs, output).  always_call: call it, with None as output, even where forward
        or a hook raises.
        """
        return _registered(self._forward_hooks, (hook, with_kwargs, always_call), prepend)

    def register_backward_hook(self, hook):
        """register_full_backward_hook under its older name; a module takes hooks of one of the two kinds."""
        self._claim_backward_hooks(False)
        return _registered(self._backward_hooks, hook)

    def _claim_backward_hooks(self, full):
        """Raise CLTensorError if the module has backward hooks of the other kind."""
        if not self._backward_hooks:
            self.__dict__["_is_full_backward_hook"] = full
        elif self.__dict__.get("_is_full_backward_hook", True) is not full:
            raise CLTensorError("Cannot use both regular backward hooks and full backward hooks on a single Module. Please use "
                                "only one of them.")

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Call hook(module, grad_output) before the module's gradients; a tuple it returns replaces grad_output."""
        return _registered(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Call hook(module, grad_input, grad_output) once both are known; a tuple it returns replaces grad_input."""
        self._claim_backward_hooks(True)
        return _registered(self._backward_hooks, hook, prepend)

    def register_state_dict_pre_hook(self, hook):
        """Call hook(module, prefix, keep_vars) before state_dict gathers this module's tensors."""
        return _registered(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """Call hook(module, state_dict, prefix, local_metadata) after state_dict gathered this module's tensors."""
        return _registered(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook):
        """Call a hook before load_state_dict reads this module's tensors.

        It gets (module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs).
        """
        return _registered(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook):
        """Call hook(module, incompatible_keys) after load_state_dict; the hook may change the lists of keys."""
        return _registered(self._load_state_dict_post_hooks, hook)

    def _is_hooked(self):
        """Whether a call must run hooks, or the instance's own forward."""
        own = self.__dict__
        return (own["_forward_pre_hooks"] or own["_forward_hooks"] or own["_backward_hooks"] or own["_backward_pre_hooks"]
                or "forward" in own or FORWARD or FORWARD_PRE or BACKWARD or BACKWARD_PRE)

    def _running_hooks(self):
        """The tables of the hooks that a call runs."""
        return (FORWARD_PRE, self._forward_pre_hooks, BACKWARD_PRE, self._backward_pre_hooks, BACKWARD, self._backward_hooks,
                FORWARD, self._forward_hooks)

    def _call_with_hooks(self, args, kwargs, forward=None):
        for hook, with_kwargs in [*FORWARD_PRE.values(), *self._forward_pre_hooks.values()]:
            args, kwargs = self._prepared(hook, with_kwargs, args, kwargs)
        pre, after = ([*BACKWARD_PRE.values(), *self._backward_pre_hooks.values()],
                      [*BACKWARD.values(), *self._backward_hooks.values()])
        backward = BackwardHooks(self, pre, after) if pre or after else None
        if backward:
            args = backward.on_inputs(args)
        left = [*FORWARD.values(), *self._forward_hooks.values()]
        try:
            output = (forward or self.forward)(*args, **kwargs)
            while left:
                changed = self._after(left.pop(0), args, kwargs, output)
                output = output if changed is None else changed
        except Exception:
            for given in left:
                if given[2]:
                    self._after_error(given, args, kwargs)
            raise
        return backward.on_outputs(output) if backward else output

    def _after(self, given, args, kwargs, output):
        """The result of one forward hook."""
        hook, with_kwargs, _ = given
        return hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)

    def _after_error(self, given, args, kwargs):
        """Call a forward hook where an error is on its way; what it raises is only warned of."""
        try:
            self._after(given, args, kwargs, None)
        except Exception as error:
            warnings.warn(f"forward hook with `always_call=True` raised an exception that was silenced as another error was "
                          f"raised in forward: {error}", stacklevel=3)

    def _prepared(self, hook, with_kwargs, args, kwargs):
        """The arguments after one forward pre-hook."""
        if with_kwargs:
            changed = hook(self, args, kwargs)
            return (args, kwargs) if changed is None else changed
        changed = hook(self, args)
        if changed is None:
            return args, kwargs
        return changed if isinstance(changed, tuple) else (changed,), kwargs
