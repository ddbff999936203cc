"""Module: the base class of every layer and network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...base import calls, dtypes
from ...base.dtypes import dtype
from ...base.errors import ArgumentError, ArgumentTypeError, CLTensorError, MissingError
from ...runtime.device import device
from ...tensor import Tensor
from .hooks import Hooks
from .members import Members
from .state_dict import StateDict


class Module(Members, StateDict, Hooks):
    """A part of a network: holds parameters, buffers and other Modules, assigned as attributes, and computes `forward`.

    Subclasses call super().__init__() first, then assign their members, and define forward(*inputs).
    """

    def __init__(self):
        Members.__init__(self)
        Hooks.__init__(self)

    def __call__(self, *args, **kwargs):
        if self._is_hooked():
            return self._call_with_hooks(args, kwargs)
        try:
            return self.forward(*args, **kwargs)
        except AttributeError as error:
            foreign = next((x for x in args if hasattr(type(x), "__torch_function__")), None)
            if foreign is None or isinstance(error, CLTensorError):
                raise
            raise ArgumentTypeError(f"{self._get_name()}: expected Tensors, got {calls.kind(foreign)}; make a tensor of it with "
                                    "cltensor.tensor(x.numpy())") from None

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

    # --- conversion --------------------------------------------------------------------------------------------------

    def _apply(self, fn):
        """Replace the memory of every parameter, gradient and buffer by that of fn(tensor)."""
        for module in self.children():
            module._apply(fn)
        for t in self._parameters.values():
            if t is not None:
                g, t.grad = t.grad, None
                t.data = fn(t.detach())
                t.grad = None if g is None else fn(g.detach())
        for name, t in self._buffers.items():
            if t is not None:
                self._buffers[name] = fn(t)
        return self

    def to(self, *args, device: device | str | int | None = None, dtype: dtype | None = None, non_blocking: bool = False):
        """Move to a device and convert floating tensors: to(device), to(dtype), to(device, dtype), to(tensor).

        Raises ArgumentTypeError for a dtype that is not floating.
        """
        for a in args:
            if isinstance(a, Tensor):
                device, dtype = a.device, a.dtype
            elif isinstance(a, dtypes.dtype) or a in (bool, int, float):
                dtype = a
            elif a is not None and not isinstance(a, bool):
                device = a
        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        if dtype is not None and not dtype.is_floating_point:
            raise ArgumentTypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        return self._apply(lambda t: t.to(device=device, dtype=dtype if t.is_floating_point() else None))

    def type(self, dst_type):
        """Convert every parameter and buffer to dst_type."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self):
        """Convert floating parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self):
        """Convert floating parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self):
        """Convert floating parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def bfloat16(self):
        """Convert floating parameters and buffers to bfloat16."""
        return self.to(dtypes.bfloat16)

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
