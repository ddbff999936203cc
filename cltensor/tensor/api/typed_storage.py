"""TypedStorage: a storage seen as elements of a dtype, for older PyTorch programs that call `tensor.storage()`."""

import numpy as np

from ...base import bfloat16, dtypes
from ...dispatch.storage import at
from ...dispatch.tensor_base import TensorBase
from ..core.public_api import method
from ..core.tensor import Tensor
from .creation import from_array


class TypedStorage:
    """The elements of a Storage, `untyped()`, independent of the tensors that view it."""

    def __init__(self, storage, dtype):
        self._storage, self.dtype = storage, dtype

    device = property(lambda self: self._storage.device)
    is_cuda = is_sparse = False

    def untyped(self):
        """The Storage."""
        return self._storage

    def nbytes(self):
        """The number of bytes."""
        return self._storage.extent

    def size(self):
        """The number of elements."""
        return self._storage.extent // self.dtype.itemsize

    __len__ = size

    def element_size(self):
        """The size of an element in bytes."""
        return self.dtype.itemsize

    def data_ptr(self):
        """See Storage."""
        return self._storage.data_ptr()

    def pickle_storage_type(self):
        """"FloatStorage" or the like."""
        return f"{dtypes.legacy_name(self.dtype)}Storage"

    def type(self):
        """"cltensor.FloatStorage" or the like."""
        return f"cltensor.{self.pickle_storage_type()}"

    def clone(self):
        """A copy, on the same device."""
        return TypedStorage(self._storage.clone(), self.dtype)

    def copy_(self, source, non_blocking=False):
        """Write the bytes of another storage of the same size."""
        self._storage.copy_(source)
        return self

    def resize_(self, size):
        """Change the number of elements; keep those that fit."""
        self._storage.resize_(size * self.dtype.itemsize)
        return self

    def _all(self):
        """A view of the elements as a vector."""
        return Tensor._make(self._storage, from_array(np.empty(0), self.dtype, self.device)._spec.dense((self.size(),)))

    def tolist(self):
        """The elements as a list of numbers."""
        return self._all().tolist()

    def fill_(self, value):
        """Set every element to one number."""
        self._all().fill_(value)
        return self

    def __iter__(self):
        return iter(self.tolist())

    def __getitem__(self, index):
        return at(self, self._all().numpy(force=True), index)

    def __setitem__(self, index, value):
        self._all()[index] = value if isinstance(value, TensorBase) or np.isscalar(value) else list(value)

    def __repr__(self):
        return f"<TypedStorage of {self.size()} elements of {self.dtype.name} on {self.device}>"


@method()
def storage(self):
    """The memory this tensor views, as elements of its dtype; prefer untyped_storage."""
    return TypedStorage(self._storage, self.dtype)


def _as(dtype):
    def convert(self):
        values = self._all().numpy(force=True)
        array = bfloat16.encode(values) if dtype is dtypes.bfloat16 else values.astype(dtype.numpy)
        return TypedStorage(from_array(array, dtype, self.device)._storage, dtype)

    convert.__doc__ = f"A copy as {dtype.name}."
    return convert


for _name, _dtype in dtypes.CONVERSIONS.items():
    setattr(TypedStorage, _name, _as(_dtype))
