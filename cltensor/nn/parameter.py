"""Parameter and Buffer: tensors that a Module registers when they are assigned to it, and those that have no shape yet."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import calls
from ..base.dtypes import as_dtype, dtype, get_default_dtype
from ..base.errors import ArgumentError, ArgumentTypeError, CLTensorError
from ..base.overriding import disabled
from ..runtime.device import device
from ..tensor import Tensor
from ..tensor.api.creation import empty
from ..tensor.api.exchange import attributes_of
from ..tensor.core.values import pick_device

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "UninitializedTensorMixin", "is_lazy"]


def _rebuilt(data, requires_grad):
    return Parameter(data, requires_grad)


class Parameter(Tensor):
    """A tensor to train: a Module to which it is assigned registers it as a parameter.

    data: a tensor, whose memory is shared; requires_grad needs a floating dtype.
    """

    __torch_function__ = disabled

    def __new__(cls, data=None, requires_grad=True):
        data = empty(0) if data is None else data
        if not isinstance(data, Tensor):
            raise ArgumentTypeError(f"Parameter: expected a Tensor, got {calls.kind(data)}")
        return data.detach()._as(cls).requires_grad_(requires_grad)

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return _rebuilt, (self.detach(), self.requires_grad), attributes_of(self) or None


class Buffer(Tensor):
    """A tensor that belongs to a Module but is not trained; persistent ones are part of its state_dict."""

    __torch_function__ = disabled

    def __new__(cls, data=None, *, persistent=True):
        buffer = (empty(0) if data is None else data).detach()._as(cls)
        buffer.persistent = persistent
        return buffer

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), persistent=self.persistent)
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return _rebuilt_buffer, (self.detach(), self.persistent)


def _rebuilt_buffer(data, persistent):
    return Buffer(data, persistent=persistent)


# --- of a shape that is not known yet --------------------------------------------------------------------------------

_PARTS = ("_storage", "_spec", "_offset")


def is_lazy(param) -> bool:
    """Whether a value is a parameter or buffer that has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedTensorMixin:
    """A tensor without shape and memory: it has a dtype and a device, and nothing can be computed with it before materialize."""

    def _begin(self, device, dtype, requires_grad):
        self._place = pick_device(device), get_default_dtype() if dtype is None else as_dtype(dtype)
        self._req = bool(requires_grad)

    def materialize(self, shape: Sequence[int], device: device | str | int | None = None, dtype: dtype | None = None):
        """Give the tensor a shape, and memory with no particular values, after which it is a plain Parameter or Buffer.

        device, dtype: None keeps those it was made with.
        """
        own_device, own_dtype = self._place
        made = empty(tuple(shape), device=own_device if device is None else device, dtype=own_dtype if dtype is None else dtype)
        self.__class__ = self.cls_to_become
        self.data = made

    def _apply(self, fn):
        """Take on the device and dtype that fn, a conversion, would give the tensor."""
        own_device, own_dtype = self._place
        converted = fn(empty(0, device=own_device, dtype=own_dtype))
        self._place = converted.device, converted.dtype

    def __getattr__(self, name):
        if name in _PARTS:
            raise ArgumentError("Attempted to use an uninitialized parameter. This error happens when you are using a `LazyModule` "
                                "or explicitly manipulating `UninitializedParameter` objects. When using LazyModules call "
                                "`forward` with a dummy batch to initialize the parameters first")
        return super().__getattr__(name)

    @property
    def shape(self):
        raise CLTensorError("Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
                            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call "
                            "`forward` to initialize the parameters before accessing their attributes.")

    @property
    def device(self):
        return self._place[0]

    @property
    def dtype(self):
        return self._place[1]

    def is_floating_point(self):
        return self._place[1].is_floating_point

    def requires_grad_(self, requires_grad=True):
        self._req = bool(requires_grad)
        return self

    def share_memory_(self):
        raise CLTensorError("Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the "
                            "parameters before calling `module.share_memory()`.")

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = self._again()
        return memo[id(self)]

    def __copy__(self):
        return self._again()

    def __reduce_ex__(self, protocol):
        return _rebuilt_lazy, (type(self), *self._place, self._options())

    def _again(self):
        return type(self)(device=self.device, dtype=self.dtype, **self._options())


def _rebuilt_lazy(cls, device, dtype, options):
    return cls(device=device, dtype=dtype, **options)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter whose shape is not known yet, as those of lazy modules before the first call.

    It has a dtype and a device.  materialize makes it a Parameter; before that nothing can be computed with it.
    Raises ArgumentError from ops, CLTensorError for its shape.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> weight = nn.UninitializedParameter()
        >>> weight.materialize((2, 3))
        >>> weight.shape
        cltensor.Size([2, 3])
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: device | str | int | None = None, dtype: dtype | None = None):
        parameter = object.__new__(cls)
        parameter._begin(device, dtype, requires_grad)
        return parameter

    def _options(self):
        return {"requires_grad": self._req}


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A Buffer whose shape is not known yet, as those of lazy modules before the first call.

    It has a dtype and a device.  materialize makes it a Buffer; before that nothing can be computed with it.
    Raises ArgumentError from ops, CLTensorError for its shape.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.UninitializedBuffer()
        <UninitializedBuffer>
    """

    cls_to_become = Buffer

    def __new__(cls, requires_grad: bool = False, device: device | str | int | None = None, dtype: dtype | None = None,
                persistent: bool = True):
        buffer = object.__new__(cls)
        buffer._begin(device, dtype, requires_grad)
        buffer.persistent = persistent
        return buffer

    def _options(self):
        return {"requires_grad": self._req, "persistent": self.persistent}


def __dir__():
    return sorted(__all__)
