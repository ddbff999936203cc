"""Tensors for forked workers' copies of a dataset, read from the device before the fork, since a child cannot read it."""

import ctypes
import gc
import sys
import types

import numpy as np

from ...dispatch.spec import spec
from ...runtime import device as devices
from ...runtime.host_buffers import HostBuffer
from ...tensor import Tensor

_LIBRARY = "cltensor."
_WALKED = ("cltensor.nn.", "cltensor.utils.data.", "cltensor.vision.")  # library modules that may hold a user's tensors
_LEAVES = (types.ModuleType, types.FrameType, types.CodeType, types.GeneratorType, devices.device, np.ndarray)


class Held:
    """The tensors found in a program's objects, and the bytes of their storages."""

    def __init__(self, tensors=(), values=()):
        self.tensors, self.values = list(tensors), dict(values)

    @classmethod
    def by(cls, *objects, before=None):
        """The tensors reachable from objects; reuse what `before` (another Held) read unless it was written to since."""
        old = before.values if before is not None else {}
        tensors = [t for t in reachable(objects) if not (t._storage.device.host or t._storage.device.meta)]
        values = {}
        for storage in {id(t._storage): t._storage for t in tensors}.values():
            version, found = old.get(storage, (None, None))
            values[storage] = (storage.version, found if version == storage.version else _read(storage))
        return cls(tensors, values)

    def adopt(self):
        """In the child: move the tensors to host memory."""
        for storage, (_, values) in self.values.items():
            # the child must not release what belongs to the parent
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(storage.buffer))
            storage.device, storage.buffer = devices.on_host(storage.device), HostBuffer(values)
        for t in self.tensors:
            s = t._spec
            t._spec = spec(tuple(s.shape), s.strides, s.dtype, devices.on_host(s.device))


def _read(storage):
    values = np.empty(storage.extent, np.uint8)
    storage.device.read(storage.buffer, 0, values)
    return values


def reachable(objects):
    """The tensors that objects hold: in attributes, containers, closures, methods and the global names their functions use."""
    found, seen, stack = [], set(), list(objects)
    while stack:
        o = stack.pop()
        if id(o) in seen:
            continue
        seen.add(id(o))
        if isinstance(o, Tensor):
            found.append(o)
            stack += [x for x in (o._base, o._grad) if x is not None]
        else:
            stack += _inside(o)
    return found


def _inside(o):
    """The objects inside an object that may lead to tensors."""
    if isinstance(o, types.FunctionType):
        return [] if _of_library(o) else _of_function(o)
    if isinstance(o, type):
        return [] if _of_library(o) else [*filter(gc.is_tracked, vars(o).values()), *o.__bases__]
    if isinstance(o, _LEAVES) or _of_cltensor(type(o)):
        return []
    return list(filter(gc.is_tracked, gc.get_referents(o)))


def _of_cltensor(o):
    """Whether a class or function is the library's own, other than a layer or dataset."""
    module = f"{o.__module__}."
    return module.startswith(_LIBRARY) and not module.startswith(_WALKED)


def _of_library(o):
    """Whether a class or function is part of cltensor, NumPy or Python, whose globals hold nothing of a user's."""
    top = (o.__module__ or "").partition(".")[0]
    return _of_cltensor(o) or top == "numpy" or (top in sys.stdlib_module_names and top != "__main__")


def _of_function(f):
    held = [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
    held += [c.cell_contents for c in f.__closure__ or () if _filled(c)]
    names = _names(f.__code__)
    values = [f.__globals__[n] for n in names if n in f.__globals__]
    for module in filter(lambda v: isinstance(v, types.ModuleType), values):
        held += [vars(module)[n] for n in names if isinstance(vars(module).get(n), Tensor)]
    return held + values


def _filled(cell):
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name not bound yet
        return False


def _names(code):
    """The global names and attributes that code, and the functions inside it, use."""
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    return {*code.co_names, *(n for c in inner for n in _names(c))}
