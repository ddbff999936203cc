"""TypedStorage: a storage seen as elements of a dtype, for older PyTorch programs that call `tensor.storage()`."""

import functools

import numpy as np

from ...base import bfloat16, calls, dtypes
from ...base.errors import ArgumentTypeError
from ...dispatch.storage import Storage, at
from ...dispatch.tensor_base import TensorBase
from ...runtime.device import real_default
from ..core.public_api import method
from ..core.tensor import Tensor
from .creation import empty, from_array, from_values, pick_device


class TypedStorage:
    """The elements of a Storage, `untyped()`, independent of the tensors that view it.

    data: a Storage, a size, which leaves the memory uninitialised, or a sequence of numbers.  dtype: of an element, the default
    floating one unless given; there is no shape.
    Raises ArgumentTypeError for other data.  Source: PyTorch 2.13's TypedStorage.

        storage = cltensor.TypedStorage([1, 2], dtype=cltensor.float32)
    """

    def __init__(self, data=0, dtype=None, *, wrap_storage=None, device=None):
        self.dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
        self._storage = _storage_of(data if wrap_storage is None else wrap_storage, self.dtype, device)

    device = property(lambda self: self._storage.device)
    is_cuda = is_sparse = False

    def __copy__(self):
        return self.clone()

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


def _storage_of(data, dtype, device):
    """The Storage given, or a new one of a size or a sequence."""
    if isinstance(data, Storage):
        return data
    if hasattr(data, "__index__"):
        return empty(data, dtype=dtype, device=device or real_default())._storage
    if not hasattr(data, "__len__"):
        raise ArgumentTypeError(f"TypedStorage: expected a size, a sequence or a Storage, got {calls.kind(data)}")
    return from_values(np.asarray(data), dtype, pick_device(device or real_default()))._storage


class _OfDtype(type):
    """The metaclass of FloatStorage and its like: calling one makes a TypedStorage; those of its dtype are instances."""

    def __call__(cls, data=0, *, device=None):
        return TypedStorage(data, cls.dtype, device=device)

    def __instancecheck__(cls, obj):
        return isinstance(obj, TypedStorage) and obj.dtype is cls.dtype


class _Untyped(type):
    """The metaclass of UntypedStorage: calling it makes a Storage; every Storage is an instance."""

    def __call__(cls, data=0, *, device=None):
        return _storage_of(data, dtypes.uint8, device)

    def __instancecheck__(cls, obj):
        return isinstance(obj, Storage)


class UntypedStorage(metaclass=_Untyped):
    """The bytes that tensors of any shape and dtype view, made of a size or a sequence of ints.

    Raises ArgumentTypeError for other data.  Source: PyTorch 2.13's UntypedStorage.

        storage = cltensor.UntypedStorage([1, 2])
    """


def __getattr__(name):
    """FloatStorage and its like, made when asked for."""
    kind = dtypes.LEGACY.get(name.removesuffix("Storage")) if name.endswith("Storage") else None
    if kind is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _of_dtype(kind, name)


@functools.cache
def _of_dtype(kind, name):
    doc = (f"Elements of {kind.name} in a storage without a shape, made of a size or a sequence.\n\nRaises ArgumentTypeError for "
           f"other data.  Source: PyTorch 2.13's {name}.\n\n    storage = cltensor.{name}([1, 0])\n")
    return _OfDtype(name, (), {"dtype": kind, "__doc__": doc, "__module__": "cltensor"})


@method()
def storage_type(self):
    """The class of this tensor's storage(): FloatStorage for float32, and so on; of any shape.

    Never raises.  Source: PyTorch 2.13's Tensor.storage_type.

        cltensor.ones(2).storage_type() is cltensor.FloatStorage
    """
    return _of_dtype(self.dtype, f"{dtypes.legacy_name(self.dtype)}Storage")


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
