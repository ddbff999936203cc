"""A tensor's values on the host: as a NumPy array, as lists, as Python's numbers."""

import numpy as np

from ...base import dtypes
from ...base.context import context
from ...base.errors import ArgumentError, ArgumentTypeError, AutogradError, DTypeError, MismatchError, NoDataError, ShapeError
from ...dispatch import faults
from ...dispatch.tensor_base import TensorBase
from ...runtime import host_memory

_MANY = 1 << 23  # values; a copy of fewer needs no memory check


class HostValues(TensorBase):
    """The methods of Tensor that read its values.  Each waits for the device."""

    def numpy(self, *, force=False) -> np.ndarray:
        """The values as a NumPy array, copied from the device (this waits for it).

        Raises AutogradError for a tensor that requires grad, unless `force`; DTypeError for bfloat16, which NumPy lacks.
        """
        if self.requires_grad and not force:
            raise AutogradError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead")
        if self.dtype is not dtypes.numpy_form(self.dtype) and not force:
            cure = "cfloat" if self.dtype.is_complex else "float"
            raise DTypeError(f"numpy(): NumPy has no {self.dtype.name}; use tensor.{cure}().numpy()")
        return self._values()

    def _values(self):
        """The values as an array, in the nearest dtype that NumPy has."""
        return self.detach().to(dtypes.numpy_form(self.dtype))._read()

    def _read(self):
        if context.recorder is not None:
            context.recorder.read(self)
        if self._spec.device.meta:
            self._spec.device.read()
        source = self if self._spec.contiguous else self.detach().contiguous()
        out = np.empty(self.shape, self.dtype.numpy)
        if out.size:
            if out.size > _MANY:
                host_memory.require(out.nbytes, "reading a tensor")
            self.device.read(source._storage.buffer, source._offset * self.itemsize, out)
        faults.check(self.device)
        return out

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ArgumentError("__array__: the values live on a device, so a NumPy array of them is always a copy")
        values = self.numpy()
        return values if dtype is None else values.astype(dtype)

    __array_priority__ = 1000

    def item(self) -> object:
        """The value of a one-element tensor as a Python number."""
        if self._spec.numel != 1:
            raise ShapeError(f"item: a Tensor with {self._spec.numel} elements cannot be converted to Scalar; it needs exactly 1")
        if self._spec.device.meta:
            raise NoDataError("item: Tensor.item() cannot be called on meta tensors, which have no values; use a real device")
        return self.detach().reshape(()).tolist()

    def tolist(self) -> object:
        """The values as nested lists of Python numbers; a number for a 0-d tensor."""
        return self._values().tolist()

    def _number(self, kind):
        if self._spec.numel != 1:
            raise MismatchError("only one element tensors can be converted to Python scalars, this one has shape "
                                f"{list(self.shape)}")
        value = self.item()
        if isinstance(value, complex) and kind is not complex:
            if value.imag:
                raise ArgumentError(f"{kind.__name__}: value {value} cannot be converted to a real number: its imaginary part is "
                                    "not 0; use .real or abs()")
            value = value.real
        return kind(value)

    def __complex__(self) -> complex:
        return self._number(complex)

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __bool__(self) -> bool:
        if self._spec.numel != 1:
            what = "no values" if self._spec.numel == 0 else "more than one value"
            raise ShapeError(f"Boolean value of Tensor with {what} is ambiguous (shape {list(self.shape)}); use .any() or .all()")
        return bool(self.item())

    def __index__(self) -> int:
        if self._spec.numel != 1 or self.dtype.is_inexact:
            raise ArgumentTypeError("only integer tensors of a single element can be converted to an index, this one is "
                                    f"{self.dtype.name} {list(self.shape)}")
        return int(self.item())
