"""Emitter: the pickle of nested data and tensors in which every name is one of PyTorch's, which need not be installed.

Source: the instructions' descriptions in the standard library's pickletools, protocol 2.
"""

import pickle
import struct
from collections import Counter, OrderedDict

import numpy as np

from ...base import dtypes, layouts
from ...base.errors import SerializationError
from ...base.shapes import Size
from ...dispatch.storage import Storage
from ...dispatch.tensor_base import SparseBase
from ...nn.parameter import Buffer, Parameter
from ...runtime.device import device
from ...tensor import Tensor
from ...tensor.api.exchange import attributes_of
from ...tensor.api.typed_storage import TypedStorage
from ..safetensors.structure import MAX_DEPTH, cure, place
from ..sparse_parts import parts_of
from .storages import STORAGE_DTYPES, UNTYPED

_CLASSES = {d: name for name, d in STORAGE_DTYPES.items()}
_LONGEST = 1 << 31


class Emitter:
    """Writes pickles; `storages` are those they name, by their place in the list."""

    def __init__(self):
        self.storages, self.keys = [], {}
        self.out, self.memo, self.kept = [], {}, []
        self.writers = {
            type(None): self._none, bool: self._bool, int: self._int, float: self._float, complex: self._complex, str: self._str,
            bytes: self._bytes, bytearray: self._bytearray, list: self._list, tuple: self._tuple, dict: self._dict,
            OrderedDict: self._ordered, Counter: self._counter, set: self._set, Size: self._size, dtypes.dtype: self._dtype,
            layouts.layout: self._layout, layouts.memory_format: self._named, Tensor: self._tensor, Parameter: self._parameter,
            Buffer: self._tensor, Storage: self._storage_alone, TypedStorage: self._storage_alone}

    def pickled(self, obj):
        """The bytes of obj's pickle.  Raises SerializationError naming the place of what cannot be written."""
        self.emit(pickle.PROTO + b"\x02")
        self.write(obj, (), 0)
        self.emit(pickle.STOP)
        return b"".join(self.out)

    def emit(self, *parts):
        """Append instructions."""
        self.out.extend(parts)

    def write(self, value, path, depth):
        """Append what makes a value, or takes it from the memo."""
        at = self.memo.get(id(value))
        if at is not None:
            self.emit(pickle.LONG_BINGET, struct.pack("<I", at))
            return
        if depth > MAX_DEPTH:
            raise SerializationError(f"save: {place(path[:8])}... is nested more than {MAX_DEPTH} deep; does a container hold "
                                     "itself?")
        writer = self.writers.get(type(value))
        if writer is None:
            writer = self._other(value, path)
        writer(value, path, depth + 1)

    def _other(self, value, path):
        """The writer of a value whose type is not listed."""
        if isinstance(value, device):
            return self._device
        if isinstance(value, Tensor):
            return self._tensor
        if isinstance(value, SparseBase):
            return self._sparse
        if isinstance(value, (np.bool_, np.integer, np.floating, np.complexfloating)) and not isinstance(value, (np.longdouble,
                                                                                                                np.clongdouble)):
            return lambda value, path, depth: self.write(value.item(), path, depth)
        raise SerializationError(f"save: {place(path)} is of type {type(value).__module__}.{type(value).__qualname__}, which "
                                 f"PyTorch does not read with weights_only=True; {cure(value)}")

    def _remember(self, value):
        self.kept.append(value)  # its id belongs to it as long as it lives
        self.memo[id(value)] = n = len(self.memo)
        self.emit(pickle.LONG_BINPUT, struct.pack("<I", n))

    # --- plain values ------------------------------------------------------------------------------------------------

    def _none(self, value, path, depth):
        self.emit(pickle.NONE)

    def _bool(self, value, path, depth):
        self.emit(pickle.NEWTRUE if value else pickle.NEWFALSE)

    def _int(self, value, path, depth):
        if 0 <= value < 256:
            self.emit(pickle.BININT1, bytes([value]))
        elif -(1 << 31) <= value < 1 << 31:
            self.emit(pickle.BININT, struct.pack("<i", value))
        else:
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            self.emit(*((pickle.LONG1, bytes([len(raw)])) if len(raw) < 256 else (pickle.LONG4, struct.pack("<i", len(raw)))), raw)

    def _float(self, value, path, depth):
        self.emit(pickle.BINFLOAT, struct.pack(">d", value))

    def _complex(self, value, path, depth):
        self._called("__builtin__", "complex", lambda: self._values(path, depth, value.real, value.imag))

    def _str(self, value, path, depth):
        raw = value.encode("utf-8", "surrogatepass")
        if len(raw) >= _LONGEST:
            raise SerializationError(f"save: {place(path)} is a text of {len(raw)} bytes; keep it in a file of its own")
        self.emit(pickle.BINUNICODE, struct.pack("<I", len(raw)), raw)
        self._remember(value)

    def _bytes(self, value, path, depth):
        self._called("_codecs", "encode", lambda: self._values(path, depth, value.decode("latin1"), "latin1"))

    def _bytearray(self, value, path, depth):
        self._called("__builtin__", "bytearray", lambda: self._values(path, depth, bytes(value)))
        self._remember(value)

    # --- containers --------------------------------------------------------------------------------------------------

    def _list(self, value, path, depth):
        self.emit(pickle.EMPTY_LIST)
        self._remember(value)
        self._items(value, path, depth)

    def _items(self, values, path, depth):
        self.emit(pickle.MARK)
        for i, item in enumerate(values):
            self.write(item, (*path, i), depth)
        self.emit(pickle.APPENDS)

    def _tuple(self, value, path, depth):
        self._values(path, depth, *value)
        if value:
            self._remember(value)

    def _values(self, path, depth, *values):
        """A tuple of values."""
        self.emit(pickle.MARK)
        for i, item in enumerate(values):
            self.write(item, (*path, i), depth)
        self.emit(pickle.TUPLE)

    def _dict(self, value, path, depth):
        self.emit(pickle.EMPTY_DICT)
        self._remember(value)
        self._pairs(value, path, depth)

    def _pairs(self, value, path, depth):
        self.emit(pickle.MARK)
        for key, item in value.items():
            self.write(key, path, depth)
            self.write(item, (*path, key), depth)
        self.emit(pickle.SETITEMS)

    def _ordered(self, value, path, depth):
        self._called("collections", "OrderedDict", lambda: self.emit(pickle.EMPTY_TUPLE))
        self._remember(value)
        self._pairs(value, path, depth)
        if vars(value):
            self._dict(vars(value), (*path, "__dict__"), depth)
            self.emit(pickle.BUILD)

    def _counter(self, value, path, depth):
        self._called("collections", "Counter", lambda: self._values(path, depth, dict(value)))
        self._remember(value)

    def _set(self, value, path, depth):
        self._called("__builtin__", "set", lambda: self._values(path, depth, list(value)))
        self._remember(value)

    def _size(self, value, path, depth):
        self._called("torch", "Size", lambda: self._values(path, depth, tuple(value)))

    # --- PyTorch's objects -------------------------------------------------------------------------------------------

    def _global(self, module, name):
        self.emit(pickle.GLOBAL, f"{module}\n{name}\n".encode())

    def _called(self, module, name, arguments):
        """A call of a global; arguments: a function that appends the tuple of its arguments."""
        self._global(module, name)
        arguments()
        self.emit(pickle.REDUCE)

    def _dtype(self, value, path, depth):
        self._global("torch", value.name)

    def _named(self, value, path, depth):
        self._global("torch", value.name)

    def _layout(self, value, path, depth):
        self._called("torch.serialization", "_get_layout", lambda: self._values(path, depth, f"torch.{value.name}"))

    def _device(self, value, path, depth):
        self._called("torch", "device", lambda: self._values(path, depth, "cpu"))

    def _storage_alone(self, value, path, depth):
        dtype = value.dtype if isinstance(value, TypedStorage) else None
        self._storage(value.untyped(), dtype, path, depth)

    def _storage(self, storage, dtype, path, depth):
        """The persistent id of a storage; dtype: of its elements, None for bytes."""
        key, first = self._key(storage, dtype)
        cls = _CLASSES.get(dtype) if dtype is first else None
        self.emit(pickle.MARK)
        self.write("storage", path, depth)
        self._global(*(("torch", cls) if cls else ("torch.storage", UNTYPED)))
        for value in (str(key), "cpu", storage.nbytes() // (dtype.itemsize if cls else 1)):
            self.write(value, path, depth)
        self.emit(pickle.TUPLE, pickle.BINPERSID)

    def _key(self, storage, dtype):
        """(number of a storage, the dtype that it is first named with): PyTorch gives all its names that one."""
        if id(storage) not in self.keys:
            self.keys[id(storage)] = len(self.storages), dtype
            self.storages.append(storage)
        return self.keys[id(storage)]

    def _sparse(self, value, path, depth):
        layout, tensors, size, coalesced = parts_of(value)
        flag = (coalesced,) if value.is_sparse else ()
        self._called("torch._utils", "_rebuild_sparse_tensor",
                     lambda: self._values(path, depth, layout, (*tensors, size, *flag)))
        self._remember(value)

    def _tensor(self, value, path, depth):
        state = attributes_of(value)
        if isinstance(value, Buffer):
            state = {**state, "_is_buffer": True}
        if not state:
            self._plain(value, value.requires_grad, path, depth)
        else:
            self._global("torch._tensor", "_rebuild_from_type_v2")
            self.emit(pickle.MARK)
            function = self._function(value)
            self._global("torch._utils", function)
            self._global("torch", "Tensor")
            self._arguments(value, function, value.requires_grad, path, depth)
            self._dict(state, (*path, "__dict__"), depth)
            self.emit(pickle.TUPLE, pickle.REDUCE)
        self._remember(value)

    def _plain(self, value, requires_grad, path, depth):
        """A tensor without attributes."""
        function = self._function(value)
        self._global("torch._utils", function)
        self._arguments(value, function, requires_grad, path, depth)
        self.emit(pickle.REDUCE)

    def _function(self, value):
        """PyTorch's function that makes a tensor: another one where the storage has another dtype, or none that has a class."""
        storage, dtype = value.untyped_storage(), value.dtype
        whole = storage.nbytes() % dtype.itemsize == 0
        same = dtype in _CLASSES and whole and self._key(storage, dtype)[1] is dtype
        return "_rebuild_tensor_v2" if same else "_rebuild_tensor_v3"

    def _arguments(self, value, function, requires_grad, path, depth):
        """A tensor's storage and layout."""
        typed = function == "_rebuild_tensor_v2"
        self.emit(pickle.MARK)
        self._storage(value.untyped_storage(), value.dtype if typed else None, path, depth)
        for part in (value.storage_offset(), tuple(value.shape), tuple(value.stride()), requires_grad):
            self.write(part, path, depth)
        self._hooks()
        if not typed:
            self._dtype(value.dtype, path, depth)
        self.emit(pickle.TUPLE)

    def _hooks(self):
        """An empty OrderedDict, where PyTorch keeps a tensor's hooks."""
        self._called("collections", "OrderedDict", lambda: self.emit(pickle.EMPTY_TUPLE))

    def _parameter(self, value, path, depth):
        state = attributes_of(value)
        self._global("torch._utils", "_rebuild_parameter_with_state" if state else "_rebuild_parameter")
        self.emit(pickle.MARK)
        self._plain(value, False, path, depth)
        self.write(value.requires_grad, path, depth)
        self._hooks()
        if state:
            self._dict(state, (*path, "__dict__"), depth)
        self.emit(pickle.TUPLE, pickle.REDUCE)
        self._remember(value)
