"""Conversion: a Module's parameters and buffers on another device, in another dtype."""

from __future__ import annotations

from ...base import dtypes
from ...base.dtypes import dtype
from ...base.errors import ArgumentTypeError
from ...base.layouts import memory_format
from ...runtime.device import device
from ...tensor import Tensor
from ...tensor.api.creation import empty_like
from ..parameter import is_lazy


class Conversion:
    """Moving and converting; a base of Module."""

    def _apply(self, fn, recurse=True):
        """Replace the memory of every parameter, gradient and buffer by that of fn(tensor)."""
        for module in self.children() if recurse else ():
            module._apply(fn)
        for t in self._parameters.values():
            if is_lazy(t):
                t._apply(fn)
            elif t is not None:
                g, t.grad = t.grad, None
                t.data = fn(t.detach())
                t.grad = None if g is None else fn(g.detach())
        for name, t in self._buffers.items():
            if is_lazy(t):
                t._apply(fn)
            elif t is not None:
                self._buffers[name] = fn(t)
        return self

    def to(self, *args, device: device | str | int | None = None, dtype: dtype | None = None, non_blocking: bool = False,
           memory_format: memory_format | None = None):
        """Move to a device and convert floating tensors: to(device), to(dtype), to(device, dtype), to(tensor).

        memory_format: lays out what has four or five dimensions.  non_blocking is accepted; nothing waits anyway.
        Raises ArgumentTypeError for a dtype that is not floating.
        """
        for a in args:
            if isinstance(a, Tensor):
                device, dtype = a.device, a.dtype
            elif isinstance(a, dtypes.dtype) or a in (bool, int, float, complex):
                dtype = a
            elif a is not None and not isinstance(a, bool):
                device = a
        dtype = None if dtype is None else dtypes.as_dtype(dtype)
        if dtype is not None and not dtype.is_inexact:
            raise ArgumentTypeError(f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}")

        def moved(t):
            t = t.to(device=device, dtype=dtype if t.dtype.is_inexact else None)
            return t.contiguous(memory_format=memory_format) if memory_format is not None and t.ndim in (4, 5) else t

        return self._apply(moved)

    def cpu(self):
        """Move every parameter and buffer to the CPU."""
        return self._apply(lambda t: t.cpu())

    def to_empty(self, *, device: device | str | int | None, recurse: bool = True):
        """Give every parameter and buffer memory on a device, without copying the values.

        device: None keeps each on its own.  recurse: those of submodules too.
        """
        return self._apply(lambda t: empty_like(t, device=device), recurse)

    def share_memory(self):
        """Tensor.share_memory_ of every parameter and buffer."""
        return self._apply(lambda t: t.share_memory_())

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
