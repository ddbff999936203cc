"""Storages of a PyTorch file: what its persistent ids name, each made once, however many tensors view it."""

import numpy as np

from ...base import dtypes
from ...base.errors import SerializationError
from ...tensor.api.typed_storage import TypedStorage

UNTYPED = "UntypedStorage"
#: dtypes by the names of PyTorch's storage classes; those that have no tensors here are missing
STORAGE_DTYPES = {f"{name}Storage": d for name, d in dtypes.LEGACY.items()}
_COMPLEX = {"ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128"}
STORAGE_DTYPES.update({name: dtypes.BY_NAME[d] for name, d in _COMPLEX.items() if d in dtypes.BY_NAME})
_LARGEST = 1 << 62


class StorageType:
    """The class of a storage in a pickle: its name, and the dtype of its elements, uint8 for untyped bytes."""

    __slots__ = ("dtype", "name")

    def __init__(self, name, dtype):
        self.name, self.dtype = name, dtype

    def __reduce__(self):
        return StorageType, (self.name, self.dtype)

    def __repr__(self):
        return f"<torch.{self.name} of a pickle>"


def named(pid):
    """(StorageType, key, location, number of elements, the rest) of a persistent id.  Raises SerializationError for any other."""
    if not isinstance(pid, tuple) or len(pid) < 5 or plain(pid[0]) != "storage" or not isinstance(pid[1], StorageType):
        raise SerializationError(f"it refers to something outside the pickle that is no storage: {str(pid)[:80]}")
    kind, key, location, numel, *rest = pid[1:]
    key, location = plain(key), plain(location)
    if not isinstance(key, str) or not isinstance(location, str) or type(numel) is not int or not 0 <= numel < _LARGEST:
        raise SerializationError(f"it refers to a storage with a key, location or size that is none: {str(pid[2:])[:80]}")
    return kind, key, location, numel, rest


def plain(text):
    """Text that Python 2 wrote as bytes, as text."""
    return text.decode("ascii", "replace") if isinstance(text, bytes) else text


def bytes_of(raw, dtype, swapped):
    """An array of bytes as it has to be in memory: in this machine's order, bools 0 or 1."""
    if dtype is dtypes.bool_:
        return (raw != 0).view(np.uint8)
    size = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    if swapped and size > 1 and raw.size % size == 0:
        return raw.view(f"u{size}").byteswap().view(np.uint8)
    return raw


class Storages:
    """Storages by their keys.  Subclasses define `_bytes(key, dtype, numel)`, which reads and checks one."""

    def __init__(self, placement, swapped):
        self.placement, self.swapped, self.made = placement, swapped, {}

    def __call__(self, pid):
        """The TypedStorage, or Storage, of a persistent id."""
        kind, key, location, numel, rest = named(pid)
        if key not in self.made:
            raw = self._bytes(key, kind.dtype, numel)
            self.made[key] = self.placement.store(bytes_of(raw, kind.dtype, self.swapped), location)
        storage = self.made[key]
        if storage.nbytes() != numel * kind.dtype.itemsize:
            raise SerializationError(f"storage {key!r} has {storage.nbytes()} bytes, it is named as one of {numel} "
                                     f"{kind.dtype.name}")
        if rest and rest[0] is not None and rest[0][1:] != (0, numel):
            raise SerializationError("it has a storage that is a part of another, as PyTorch before 0.4 wrote; save it again with "
                                     "a later PyTorch")
        return storage if kind.name == UNTYPED else TypedStorage(storage, kind.dtype)


class ArchiveStorages(Storages):
    """Storages that are members of an archive."""

    def __init__(self, archive, root, placement, swapped):
        super().__init__(placement, swapped)
        self.archive, self.root = archive, root

    def _bytes(self, key, dtype, numel):
        name = f"{self.root}/data/{key}"
        member = self.archive.members.get(name)
        if member is None:
            raise SerializationError(f"it refers to the storage {name!r}, which the archive does not hold")
        if member.size != numel * dtype.itemsize:
            raise SerializationError(f"storage {key!r} should hold {numel} {dtype.name}, {numel * dtype.itemsize} bytes, but its "
                                     f"entry in the archive has {member.size}")
        return self.archive.read(name)


class FollowingStorages(Storages):
    """Storages that follow the pickle in a Source, each after the number of its elements."""

    def __init__(self, source, placement, swapped):
        super().__init__(placement, swapped)
        self.source, self.starts, self.counts = source, {}, {}

    def find(self, keys, kinds, at):
        """Find them from position `at` on.  keys: in their order; kinds: {key: StorageType}."""
        if not isinstance(keys, list) or sorted(map(str, map(plain, keys))) != sorted(kinds):
            raise SerializationError("the list of its storages is not that of the storages that are used")
        for key in map(plain, keys):
            n = int.from_bytes(self.source.read(at, 8).tobytes(), "big" if self.swapped else "little", signed=True)
            if n < 0:
                raise SerializationError(f"storage {key!r} holds {n} elements")
            self.starts[key], self.counts[key] = at + 8, n
            at += 8 + n * kinds[key].dtype.itemsize

    def _bytes(self, key, dtype, numel):
        if key not in self.starts or self.counts[key] != numel:
            raise SerializationError(f"storage {key!r} holds {self.counts.get(key)} elements, it is used as one of {numel}")
        return self.source.read(self.starts[key], numel * dtype.itemsize)
