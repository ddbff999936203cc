"""Guards: what a captured program depends on besides the contents of tensors, as values that can be compared."""

import argparse
import collections
import dis
import functools
import inspect
import itertools
import operator
import os
import random
import sys
import zlib
from collections.abc import Iterator
from types import CodeType, FunctionType, GeneratorType, MethodType, SimpleNamespace

import numpy as np

from ..base import dtypes
from ..base.context import context
from ..dispatch.tensor_base import TensorBase
from .unchanged import Term, of_dict, of_gradient, of_list, of_module, of_tensor, of_watch, same

_PLAIN = (int, float, bool, str, bytes, type(None), complex)
_MOST = 256  # parts of a list or dict that are looked at
_DEPTH = 6  # objects inside objects that are looked at
_LARGE = 1 << 20  # bytes of NumPy's arrays that are looked at
_NAMESPACES = (SimpleNamespace, argparse.Namespace)


def described(leaves):
    """The arguments' guards: tensors by layout and by which of them share memory, numbers by value, other objects by identity."""
    places, found = {}, []
    storages = [id(x._storage) for x in leaves if isinstance(x, TensorBase)]
    distinct = len(set(storages)) == len(storages)
    for x in leaves:
        if isinstance(x, TensorBase):
            place = places.setdefault(id(x._storage), len(places))
            offset = None if distinct or storages.count(id(x._storage)) == 1 else x._offset
            found.append((type(x), x._spec, x.requires_grad, x._node is not None, place, offset, _grad(x)))
        elif isinstance(x, _PLAIN):
            found.append((type(x), x if x == x else repr(x)))
        else:
            found.append(_Same(x))
    return tuple(found)


class _Same:
    """An object that equals itself only."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self):
        return id(self.value)


def ordinary():
    """Whether the thread is in no mode that changes what ops do beside computing: only then are programs captured and replayed."""
    c = context
    return (c.recorder is None and c.rules is None and c.saving is None and c.mutation is None and c.made is None
            and not (c.forward or c.modes or c.anomaly))


def modes(device):
    """The guards of the thread's context."""
    c, low = context, context.autocast
    autocast = low and (low.kind, low.low, low.cached), c.autocast_cache, tuple(c.autocasts.items())
    return c.grad, c.inference, dtypes.get_default_dtype(), c.device, c.streams.get(device), autocast


def _grad(t):
    g = t._grad
    return None if g is None else (g._spec, g._offset)


class Environment:
    """What a function can see: its closure, the globals that it names, objects among its arguments, and what lies in those."""

    def __init__(self, fn, arguments=()):
        self._seen, self._watches, self._leaves = set(), [], []
        self._identities = []  # for each watch a function that gives its Terms, or None
        self._named, self._classes, self._streams = set(), {}, {}  # names in code; classes and what is known of each; see `drawn`
        self.members = set()  # the storages of modules' parameters and buffers, and of tensors that require grad
        self._function(fn, _DEPTH)
        for value in arguments:
            if not isinstance(value, TensorBase):
                self._visit(value, _DEPTH)
        if not self._named.isdisjoint(("environ", "getenv")):
            self._watch(lambda: dict(os.environ))
        while sum(map(self._attributes, list(self._classes))):
            pass

    def drawn(self):
        """What iterators and sources of random numbers would give next.  A program that draws from them cannot be repeated."""
        return [random.getstate(), repr(np.random.get_state(legacy=False)), *(stream() for stream in self._streams.values())]

    def state(self):
        """All of it as a list; equal lists mean that nothing has changed."""
        return [watch() for watch in self._watches]

    def gradients(self):
        """The layouts of the .grad of all tensors seen."""
        return [_grad(t) for t in self._leaves]

    def storages(self):
        """The Storages of all tensors seen."""
        return [t._storage for t in self._leaves]

    def terms(self):
        """Terms, see unchanged.py: while all of them hold, `state` and `gradients` give what they give now."""
        found = [(watch, identities and identities()) for watch, identities in zip(self._watches, self._identities, strict=True)]
        of_state = [t for watch, terms in found for t in ([of_watch(watch, watch())] if terms is None else terms)]
        return of_state + [term for t in self._leaves for term in of_gradient(t)]

    def _watch(self, watch, identities=None):
        self._watches.append(watch)
        self._identities.append(identities)

    def _function(self, fn, depth):
        if isinstance(fn, MethodType):
            self._visit(fn.__self__, depth)
            fn = fn.__func__
        fn = inspect.unwrap(fn)
        if not isinstance(fn, FunctionType):
            self._visit(fn, depth)
            return
        if id(fn) in self._seen:
            return
        self._seen.add(id(fn))
        for cell in fn.__closure__ or ():
            self._reached(lambda cell=cell: _content(cell), "{}.cell_contents", cell, depth)
        self._visit(vars(fn), depth - 1)
        names, read = _names(fn.__code__)
        self._named.update(names)
        for name in read:
            value = fn.__globals__.get(name)
            if inspect.ismodule(value) and _own(value):
                for inner in names:
                    if hasattr(value, inner):
                        self._reached(lambda inner=inner, module=value: getattr(module, inner, None), f"{{}}.{inner}", value, depth)
            elif name in fn.__globals__:
                space = fn.__globals__
                self._reached(lambda name=name, space=space: space.get(name), f"{{}}['{name}']", space, depth)
        for value in (*(fn.__defaults__ or ()), *(fn.__kwdefaults__ or {}).values()):
            self._visit(value, depth)

    def _reached(self, get, text, owner, depth):
        """Watch what a variable refers to.  text: of an expression of its owner that gives the same."""
        value = get()
        if isinstance(value, _PLAIN):
            self._watch(lambda: (type(now := get()), now if isinstance(now, _PLAIN) else id(now)),
                        lambda: [same(text, owner, get())])
        elif inspect.ismodule(value) or isinstance(value, type):
            self._visit(value, depth)
        else:
            self._watch(lambda: id(get()), lambda: [same(text, owner, get())])
            self._visit(value, depth)

    def _visit(self, value, depth):
        if isinstance(value, _PLAIN) or id(value) in self._seen or depth < 0:
            return
        if isinstance(value, (FunctionType, MethodType)):
            if _own(value):
                self._function(value, depth - _installed(value))
            return
        if isinstance(value, type):
            self._class(value)
            return
        self._seen.add(id(value))
        if hasattr(type(value), "_captured_by"):
            self._watch(value._captured_by)
        if isinstance(value, TensorBase):
            self._leaves.append(value)
            self.members.update([value._storage] if value.requires_grad else ())
            self._watch(lambda: (id(value._storage), value._spec, value._offset, value.requires_grad, _hooked(value)),
                        lambda: of_tensor(value))
            self._called((value._hooks, value._post_hooks, value._end_hooks), depth)
        elif is_module(value):
            self._module(value, depth)
        elif "param_groups" in getattr(value, "__dict__", ()):
            self._watch(lambda: _settings(value))
            self._called((value._hooks["step_pre"], value._hooks["step_post"]), depth)
            for group in value.param_groups:
                for p in group["params"]:
                    self._visit(p, depth)
        elif isinstance(value, (list, tuple, set, frozenset, collections.deque)):
            self._watch(lambda: _Contents(value), lambda: _of_items(value))
            for v in list(value)[:_MOST]:
                self._visit(v, depth - 1)
        elif isinstance(value, dict):
            self._watch(lambda: (_Contents(value), _Contents(value.values())), lambda: _of_entries(value))
            for v in list(value.values())[:_MOST]:
                self._visit(v, depth - 1)
        elif isinstance(value, functools.partial):
            self._visit((value.func, value.args, value.keywords), depth)
        elif isinstance(value, (np.ndarray, bytearray)):
            if memoryview(value).nbytes <= _LARGE:
                self._watch(lambda: zlib.crc32(np.ascontiguousarray(value)))
        elif (stream := _stream_of(value)) is not None:
            self._streams[id(value)] = stream
        elif _own(type(value)) or type(value) in _NAMESPACES:
            self._class(type(value))
            self._visit(getattr(value, "__dict__", None), depth - 1)
            for name in _slots(type(value)):
                self._reached(lambda name=name: getattr(value, name, None), f"{{}}.{name}", value, depth - 1)

    def _class(self, cls):
        """Look at what instances of a class find in it."""
        for c in cls.__mro__:
            if _own(c) and not _installed(c):
                self._classes.setdefault(c, set())

    def _attributes(self, cls):
        """Look at the attributes of a class that code names, and at its special methods.  Returns whether there were new ones."""
        new = [name for name in vars(cls) if (name in self._named or name[:2] == "__") and name not in self._classes[cls]]
        self._classes[cls].update(new)
        for name in new:
            value = vars(cls)[name]
            for fn in (value, *(getattr(value, part, None) for part in ("fget", "__func__", "func"))):
                if isinstance(fn, FunctionType) and name != "__init__":
                    self._visit(fn, _DEPTH)
            if name[:2] != "__" and not hasattr(value, "__get__"):
                self._reached(lambda name=name: getattr(cls, name, None), f"{{}}.{name}", cls, _DEPTH - 1)
        return bool(new)

    def _called(self, tables, depth):
        """Watch what hooks see: they are called on the way, and may do what cannot be repeated."""
        for hook in (f for hooks in tables if hooks for f in hooks.values()):
            self._visit(hook, depth - 1)

    def _module(self, module, depth):
        for m in module.modules():
            self._seen.add(id(m))
            self._watch(lambda m=m: _fields(m), lambda m=m: of_module(m))
            self._called(m._running_hooks(), depth)
            for t in (*m._parameters.values(), *m._buffers.values()):
                if t is not None:
                    self._visit(t, depth)
                    self.members.add(t._storage)
            for name, value in vars(m).items():
                if not name.startswith("_") and not (isinstance(value, TensorBase) or is_module(value)):
                    self._visit(value, depth - 1)
            self._class(type(m))
            if _own(type(m).forward):
                self._function(type(m).forward, depth)


def is_module(value):
    """Whether a value is a Module."""
    return not isinstance(value, type) and "_parameters" in getattr(value, "__dict__", ())


class _Contents:
    """What a container holds; equals another where that holds the same objects, or equal plain values, in the same order."""

    def __init__(self, values):
        self.values = list(values)

    def __eq__(self, other):
        mine, others = self.values, other.values
        return len(mine) == len(others) and (all(map(operator.is_, mine, others)) or all(
            x is y or _token(x) == _token(y) for x, y in zip(mine, others, strict=True)))

    __hash__ = None


def _stream_of(value):
    """A function that says what an iterator or a source of random numbers would give next; None for other objects."""
    if isinstance(value, random.Random):
        return value.getstate
    if isinstance(value, (np.random.Generator, np.random.RandomState)):
        bits = value.bit_generator if isinstance(value, np.random.Generator) else value._bit_generator
        return lambda: repr(bits.state)
    if isinstance(value, GeneratorType):
        return lambda: value.gi_frame and (value.gi_frame.f_lasti, _Contents(value.gi_frame.f_locals.values()))
    if isinstance(value, itertools.count):
        return lambda: repr(value)
    if isinstance(value, Iterator) and not _own(type(value)):
        return object if operator.length_hint(value, -1) < 0 else lambda: operator.length_hint(value)  # object(): always another
    return None


def _slots(cls):
    """The names of what instances of a class keep beside their __dict__."""
    found = [names for c in cls.__mro__ if (names := vars(c).get("__slots__"))]
    return [n for names in found for n in ((names,) if isinstance(names, str) else names) if not n.startswith("__")]


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:
        return None


@functools.lru_cache(1024)
def _names(code):
    """(all names in a function's code, those of them that it reads as global variables), each in order."""
    found, read = set(code.co_names), {i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for const in code.co_consts:
        if isinstance(const, CodeType):
            names, inner = _names(const)
            found.update(names)
            read.update(inner)
    return sorted(found), sorted(read)


def _own(thing):
    """Whether a function, class or module belongs to the user's program, rather than to this library or to Python's."""
    name = (thing.__name__ if inspect.ismodule(thing) else getattr(thing, "__module__", None)) or ""
    root = name.partition(".")[0]
    return root not in ("cltensor", "numpy") and (root == "__main__" or root not in sys.stdlib_module_names)


def _installed(thing):
    """Whether a function or class is of a package that was installed: those call much that has nothing to do with tensors."""
    return _is_installed((getattr(thing, "__module__", None) or "").partition(".")[0])


@functools.lru_cache(1024)
def _is_installed(root):
    path = getattr(sys.modules.get(root), "__file__", None) or ""
    return "site-packages" in path or "dist-packages" in path


def _token(value):
    return (type(value), value) if isinstance(value, _PLAIN) else id(value)


def _of_items(value):
    """The Terms of a list; none of what cannot change; None for a set."""
    return [] if type(value) in (tuple, frozenset) else of_list(value) if type(value) is list and len(value) <= _MOST else None


def _of_entries(d):
    """The Terms of a dict, with the order of its keys; None for one that says itself what it holds."""
    terms = of_dict(d) if type(d) is dict and len(d) <= _MOST else None
    return terms and [*terms, Term(f"[*{{}}] == {list(d)}", (d,))]


def _hooked(t):
    """The hooks of a tensor."""
    return (t._hooks or t._post_hooks or t._end_hooks or None) and [
        f for hooks in (t._hooks, t._post_hooks, t._end_hooks) for f in (hooks or {}).values()]


def _fields(m):
    own = [(name, _token(value)) for name, value in vars(m).items() if isinstance(value, _PLAIN)]
    hooks = bool(m._is_hooked()) and [list(hooks.values()) for hooks in m._running_hooks()]
    return own, hooks, [id(t) for t in (*m._parameters.values(), *m._buffers.values(), *m._modules.values())]


def _settings(optimizer):
    """The settings of an optimiser that select its update.  Its numbers are computed anew at each replay."""
    own = _own(type(optimizer))
    hooks = [f for name in ("step_pre", "step_post") for f in optimizer._hooks[name].values()]
    return optimizer._replaced, hooks, [
        [(name, _token(v)) for name, v in group.items() if isinstance(v, _PLAIN) and (own or not isinstance(v, float))]
        for group in optimizer.param_groups]
