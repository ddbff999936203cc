"""Write any object by Python's pickle, its storages beside it; loading it imports classes and runs their code."""

import io
import pickle

from ...base import dtypes
from ...base.errors import SerializationError
from ...dispatch.storage import Storage
from ...tensor import Tensor
from ...tensor.api.exchange import attributes_of
from .rebuild import view
from .storages import UNTYPED, StorageType
from .write import archive_of

_DAMAGED = (pickle.PicklingError, TypeError, AttributeError, RecursionError, NotImplementedError)
_BYTES = StorageType(UNTYPED, dtypes.uint8)


def prepared(obj):
    """A function of a binary file that writes obj to it.  Raises SerializationError for what cannot be pickled."""
    out = io.BytesIO()
    pickler = _Pickler(out)
    try:
        pickler.dump(obj)
    except _DAMAGED as error:
        raise SerializationError(f"save: the object cannot be pickled: {error}; lambdas, classes inside functions, generators and "
                                 "open files cannot be") from error
    return archive_of(out.getvalue(), pickler.storages)


class _Pickler(pickle.Pickler):
    """Writes tensors as views of storages, which are named by their number."""

    def __init__(self, out):
        super().__init__(out, protocol=2)
        self.storages, self.keys = [], {}

    def persistent_id(self, value):
        """The name of a storage; None for everything else, which is pickled where it stands."""
        if not isinstance(value, Storage):
            return None
        if id(value) not in self.keys:
            self.keys[id(value)] = len(self.storages)
            self.storages.append(value)
        return "storage", _BYTES, str(self.keys[id(value)]), "cpu", value.nbytes()

    def reducer_override(self, value):
        """How a tensor is made again."""
        if not isinstance(value, Tensor):
            return NotImplemented
        return made, (type(value), value.untyped_storage(), value.dtype.name, value.storage_offset(), tuple(value.shape),
                      tuple(value.stride()), value.requires_grad, attributes_of(value))


def made(cls, storage, dtype, offset, size, stride, requires_grad, attributes):
    """A tensor of a class over a storage."""
    plain = view(storage, dtypes.BY_NAME[dtype], offset, size, stride)
    found = plain if cls is Tensor else plain._as(cls)
    vars(found).update(attributes)
    return found.requires_grad_() if requires_grad else found
