"""What a pickle may name: PyTorch's functions for tensors and storages, its dtypes, and Python's and NumPy's plain data.

Each name stands for a function of ours that checks its arguments; none leads to an import.
"""

import codecs
from collections import Counter, OrderedDict, defaultdict

import numpy as np

from ...base import dtypes, layouts
from ...base.errors import PickleError, SerializationError
from ...base.shapes import Size
from ...tensor import Tensor
from ..placement import Placement
from . import numpy_values, rebuild
from .machine import Maker, shown
from .safe_globals import added
from .storages import STORAGE_DTYPES, UNTYPED, StorageType

_CURE = ("Loading it as it is would import and run that. If you trust it, allow it with "
         "cltensor.serialization.add_safe_globals, or load the file with weights_only=False")
_CODE = {"cltensor": "If you trust where it comes from, load it with weights_only=False",
         "torch": "Its code is PyTorch's: load it where PyTorch is installed, and save its state_dict()"}
_REFUSED = {
    ("torch._utils", "_rebuild_qtensor"): "a quantized tensor; save it dequantized",
    ("torch._utils", "_rebuild_nested_tensor"): "a nested tensor; save its parts, or pad it with to_padded_tensor",
    ("torch._utils", "_rebuild_wrapper_subclass"): "a tensor subclass; save the tensors in it",
    ("torch._utils", "_rebuild_meta_tensor_no_storage"): "a tensor without data; fill it before saving",
    ("torch.jit._pickle", "build_tensor_from_id"): "a part of a TorchScript program; save its state_dict()",
}
_RENAMED = {"__builtin__": "builtins", "numpy.core.multiarray": "numpy._core.multiarray",
            "numpy.core.numeric": "numpy._core.numeric", "torch.tensor": "torch._tensor"}
_PACKAGES = ("torch", "torch.cuda", "torch.storage")
_NAMES_OF_DTYPES = frozenset(
    "qint8 quint8 qint32 quint4x2 quint2x4 bits8 bits16 bits1x8 bits2x4 bits4x2 complex32 complex64 complex128 uint16 "
    "uint32 uint64 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2 int1 int2 int3 int4 "
    "int5 int6 int7 uint1 uint2 uint3 uint4 uint5 uint6 uint7".split())


class Allowed:
    """The names that one file may use, for a Placement; makes are counted by `machine`, which is set before the first use."""

    machine = None

    def __init__(self, placement):
        self.placement = placement
        self.makers = {key: Maker(shown(*key), *_both(made)) for key, made in self._functions().items()}

    def find(self, module, name):
        """What a global stands for.  Raises PickleError for one that is not allowed."""
        module = _RENAMED.get(module, module)
        found = self.makers.get((module, name))
        if found is None:
            found = constant(module, name)
        if found is None and (mine := added().get(f"{module}.{name}")) is not None:
            found = Maker(shown(module, name), mine, getattr(mine, "__new__", None) and _new_of(mine))
        if found is None:
            refuse(module, name)
        return found

    def _functions(self):
        """{(module, name): function, or (function, function that makes an instance)}."""
        utils = {"_rebuild_tensor": rebuild.tensor_v1, "_rebuild_tensor_v2": rebuild.tensor_v2,
                 "_rebuild_tensor_v3": rebuild.tensor_v3, "_rebuild_parameter": rebuild.parameter,
                 "_rebuild_parameter_with_state": rebuild.parameter_with_state,
                 "_rebuild_sparse_tensor": rebuild.sparse, "_rebuild_device_tensor_from_numpy": rebuild.of_array,
                 "_rebuild_device_tensor_from_cpu_tensor": rebuild.of_tensor}
        plain = {"set": self._set, "frozenset": self._frozenset, "bytearray": self._bytearray, "bytes": self._bytes,
                 "complex": complex, "list": self._list, "dict": self._dict, "tuple": tuple, "int": int, "float": float, "str": str,
                 "bool": bool}
        return {
            **{("torch._utils", name): fn for name, fn in utils.items()},
            **{("builtins", name): fn for name, fn in plain.items()},
            ("torch._tensor", "_rebuild_from_type_v2"): rebuild.buffer_or_tensor,
            **{("torch.nn.parameter", name): (rebuild.parameter, None) for name in ("Parameter", "Buffer")},
            ("torch", "Tensor"): _no_call, ("torch", "Size"): self._size, ("torch", "device"): self._device,
            ("torch.serialization", "_get_layout"): rebuild.layout,
            ("collections", "OrderedDict"): (self._ordered, OrderedDict), ("collections", "Counter"): self._counter,
            ("collections", "defaultdict"): self._default, ("_codecs", "encode"): self._encoded,
            ("numpy", "dtype"): numpy_values.dtype, ("numpy", "ndarray"): _no_call,
            ("numpy._core.multiarray", "_reconstruct"): numpy_values.array,
            ("numpy._core.multiarray", "scalar"): numpy_values.scalar,
            ("numpy._core.numeric", "_frombuffer"): numpy_values.from_buffer,
        }

    def built(self, made, state):
        """An object with the state that a pickle gives it."""
        if isinstance(made, OrderedDict):
            return _with_state(made, state, OrderedDict)
        if isinstance(made, np.ndarray):
            return numpy_values.array_with_state(made, state)
        if isinstance(made, np.dtype):
            return numpy_values.dtype_with_order(made, state)
        if isinstance(made, Tensor):
            return rebuild.with_attributes(made, state)
        if any(type(made) is value for value in added().values()):
            return _with_own_state(made, state)
        raise PickleError(f"it gives a state to {type(made).__name__}, which has none in a checkpoint")

    # --- Python's data -----------------------------------------------------------------------------------------------

    def _size(self, values=()):
        self.machine.spend(8 * len(values))
        if not all(type(n) is int for n in values):
            raise SerializationError("a Size in it holds something else than ints")
        return Size(values)

    def _device(self, kind, index=None):
        return self.placement.device(str(kind) if index is None else f"{kind}:{index}")

    def _set(self, values=()):
        return self.machine.set_of(list(values))

    def _frozenset(self, values=()):
        return self.machine.set_of(list(values), frozenset)

    def _list(self, values=()):
        self.machine.spend(8 * len(values))
        return list(values)

    def _dict(self, values=()):
        return self._filled({}, values)

    def _ordered(self, values=()):
        self.machine.spend(400)
        return self._filled(OrderedDict(), values)

    def _counter(self, values=()):
        self.machine.spend(100)
        return self._filled(Counter(), values)

    def _filled(self, target, values):
        pairs = list(values.items() if isinstance(values, dict) else values)
        self.machine.spend(100 * len(pairs))
        for pair in pairs:
            key, value = pair
            self.machine.key(target, key)
            dict.__setitem__(target, key, value) if type(target) is Counter else target.__setitem__(key, value)
        return target

    def _default(self, factory=None):
        kinds = {"list": list, "dict": dict, "tuple": tuple, "int": int, "float": float, "str": str, "bool": bool, "set": set}
        kind = kinds.get(factory.name.removeprefix("builtins.")) if isinstance(factory, Maker) else None
        if factory is not None and kind is None:
            raise PickleError(f"it holds a defaultdict of {str(factory)[:80]}, which checkpoints may not")
        self.machine.spend(100)
        return defaultdict(kind)

    def _bytes(self, *values):
        if values:
            raise SerializationError("bytes in it are made of something else than text")
        return b""

    def _bytearray(self, values=b"", encoding=None):
        if encoding is not None:
            values = self._encoded(values, encoding)
        if not isinstance(values, (bytes, bytearray)):
            raise SerializationError("a bytearray in it is made of something else than bytes")
        self.machine.spend(len(values))
        return bytearray(values)

    def _encoded(self, text, encoding="latin1"):
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
            raise SerializationError(f"bytes in it are encoded as {str(encoding)[:80]!r}")
        self.machine.spend(len(text))
        return codecs.encode(text, encoding)


def _both(made):
    return made if isinstance(made, tuple) else (made,)


def _no_call(*args):
    raise PickleError("it calls a class that is only named in checkpoints")


def _new_of(cls):
    """The function that makes an instance of a class that the program has allowed."""
    return lambda *args, **named: cls.__new__(cls, *args, **named)


def _with_state(made, state, base):
    if not isinstance(state, dict) or any(type(name) is not str or hasattr(base, name) for name in state):
        raise SerializationError(f"{base.__name__} in it has attributes that are none")
    vars(made).update(state)
    return made


def _with_own_state(made, state):
    """As pickle gives objects their state."""
    if hasattr(made, "__setstate__"):
        made.__setstate__(state)
        return made
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    if attributes:
        vars(made).update(attributes)
    for name, value in (slots or {}).items():
        setattr(made, name, value)
    return made


def constant(module, name):
    """A dtype, storage class, layout or memory format of PyTorch's, or None."""
    if name in STORAGE_DTYPES and module in _PACKAGES:
        return StorageType(name, STORAGE_DTYPES[name])
    if (module, name) in (("torch.storage", UNTYPED), ("torch", UNTYPED)):
        return StorageType(UNTYPED, dtypes.uint8)
    if module == "torch":
        return dtypes.BY_NAME.get(name) or layouts.BY_NAME.get(name)
    return None


def refuse(module, name):
    """Raise PickleError, with what the global is and what to do."""
    full = shown(module, name)
    if (module, name) in _REFUSED:
        raise PickleError(f"it holds {_REFUSED[module, name]}")
    if module in _PACKAGES and (name in _NAMES_OF_DTYPES or name.endswith("Storage")):
        raise PickleError(f"it holds data of {full}, which has no counterpart here; convert it to another dtype before saving")
    if module.startswith(("torch.jit", "__torch__")):
        raise PickleError(f"it names {full}, a part of a TorchScript program; save its state_dict() where PyTorch is installed")
    if module.startswith(("torch.nn.modules", "cltensor.nn")):
        raise PickleError(f"it holds a whole module ({full}), which is code. {_CODE[module.partition('.')[0]]}")
    raise PickleError(f"it names {full}, which is not among what a file of weights may use. {_CURE}")



def is_allowed(module, name):
    """Whether files may name a global."""
    try:
        Allowed(Placement(None)).find(module, name)
    except PickleError:
        return False
    return True
