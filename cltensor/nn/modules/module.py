"""Module: the base class of every layer and network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...base import calls
from ...base.errors import ArgumentError, ArgumentTypeError, CLTensorError, MissingError
from ...graph.compiled import Compiled
from ...tensor import Tensor
from .conversion import Conversion
from .global_hooks import register_module_backward_hook as register_module_backward_hook
from .global_hooks import register_module_buffer_registration_hook as register_module_buffer_registration_hook
from .global_hooks import register_module_forward_hook as register_module_forward_hook
from .global_hooks import register_module_forward_pre_hook as register_module_forward_pre_hook
from .global_hooks import register_module_full_backward_hook as register_module_full_backward_hook
from .global_hooks import register_module_full_backward_pre_hook as register_module_full_backward_pre_hook
from .global_hooks import register_module_module_registration_hook as register_module_module_registration_hook
from .global_hooks import register_module_parameter_registration_hook as register_module_parameter_registration_hook
from .hooks import Hooks
from .members import Members
from .state_dict import StateDict

__all__ = ["Module", "register_module_backward_hook", "register_module_buffer_registration_hook",
           "register_module_forward_hook", "register_module_forward_pre_hook", "register_module_full_backward_hook",
           "register_module_full_backward_pre_hook", "register_module_module_registration_hook",
           "register_module_parameter_registration_hook"]


class Module(Members, StateDict, Conversion, Hooks):
    """A part of a network: holds parameters, buffers and other Modules, assigned as attributes, and computes `forward`.

    Subclasses call super().__init__() first, then assign their members, and define forward(*inputs).  A class with call_super_init
    hands arguments on to the class after Module among its bases.
    """

    call_super_init = False
    #: of no effect, as in PyTorch
    dump_patches = False

    def __init__(self, *args, **kwargs):
        if (args or kwargs) and not self.call_super_init:
            given = f"argument {next(iter(kwargs))!r}" if kwargs else f"{len(args)} positional arguments"
            raise ArgumentTypeError(f"{self._get_name()}: Module.__init__() takes no arguments, but got {given}; set "
                                    "call_super_init to hand them on")
        Members.__init__(self)
        Hooks.__init__(self)
        if self.call_super_init:
            super(Hooks, self).__init__(*args, **kwargs)

    _compiled = None  # what a call runs after compile()

    def __call__(self, *args, **kwargs):
        if self._compiled is not None:
            return self._compiled(*args, **kwargs)
        return self._called(*args, **kwargs)

    def _called(self, *args, **kwargs):
        if self._is_hooked():
            return self._call_with_hooks(args, kwargs)
        try:
            return self.forward(*args, **kwargs)
        except AttributeError as error:
            foreign = next((x for x in args if hasattr(type(x), "__torch_function__") and not isinstance(x, Tensor)),
                           None)
            if foreign is None or isinstance(error, CLTensorError):
                raise
            raise ArgumentTypeError(f"{self._get_name()}: expected Tensors, got {calls.kind(foreign)}; make a tensor of it with "
                                    "cltensor.tensor(x.numpy())") from None

    def _called_as(self, forward, *args, **kwargs):
        """A call with another function for its forward."""
        return self._call_with_hooks(args, kwargs, forward) if self._is_hooked() else forward(*args, **kwargs)

    def forward(self, *args, **kwargs):
        """Compute the module's output; every subclass defines it.  Raises MissingError if it does not."""
        raise MissingError(f'Module [{self._get_name()}] is missing the required "forward" function')

    # --- modes -------------------------------------------------------------------------------------------------------

    def train(self, mode: bool = True):
        """Set training mode (batch statistics, dropout) for this module and all below it."""
        if not isinstance(mode, bool):
            raise ArgumentError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """Set evaluation mode: train(False)."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True):
        """Set whether gradients are collected for the parameters."""
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True):
        """Drop the gradients of the parameters, or fill them with zeros."""
        for p in self.parameters():
            if p.grad is not None:
                if set_to_none:
                    p.grad = None
                else:
                    p.grad = p.grad.detach().zero_()

    def apply(self, fn: Callable[..., Any]):
        """Call fn(module) on every module below, then on this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def compile(self, *, fullgraph: bool = False, dynamic: bool | None = None, backend: str = "cltensor", mode: str | None = None,
                options: dict[str, Any] | None = None, disable: bool = False):
        """Capture calls of this module from now on, and replay them; see cltensor.compile for the arguments.

        Tensors of any shape and dtype.  Raises CaptureError at a call that fullgraph=True does not allow.
        Source: torch.nn.Module.compile.

            >>> net = ct.nn.Linear(2, 3)
            >>> net.compile()
            >>> net(ct.ones(4, 2)).shape
            cltensor.Size([4, 3])
        """
        self.__dict__["_compiled"] = None if disable else Compiled(self._called, fullgraph, bool((options or {}).get("wait")))

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_compiled"}

    # --- text --------------------------------------------------------------------------------------------------------

    def extra_repr(self):
        """The text between the parentheses of repr; layers list their sizes and settings."""
        return ""

    def __repr__(self):
        extra = self.extra_repr().split("\n") if self.extra_repr() else []
        children = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        if len(extra) == 1 and not children:
            return f"{self._get_name()}({extra[0]})"
        lines = extra + children
        return f"{self._get_name()}(" + ("\n  " + "\n  ".join(lines) + "\n" if lines else "") + ")"


def _indented(text):
    return text.replace("\n", "\n  ")


_plain_call = Module.__call__


def observe_calls(profile):
    """Tell an Observer of the calls of all modules from now on; None: nobody."""
    Module.__call__ = _plain_call if profile is None else _observed_call(profile)


def _observed_call(profile):

    def __call__(self, *args, **kwargs):
        frame = profile.module(self)
        try:
            return _plain_call(self, *args, **kwargs)
        finally:
            profile.leave(frame)

    return __call__


def __dir__():
    return sorted(__all__)
