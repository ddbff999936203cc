"""__torch_function__: classes that say themselves what public functions do with their objects, and modes that say it for all.

Asking costs nothing until there is someone to ask: then, once, the code of every public function (calls.py knows them) is replaced
by code that asks first.  The function objects stay the same, wherever they were imported.
"""

import inspect
from functools import cache
from types import FunctionType

from . import calls
from .context import context
from .errors import ArgumentTypeError

_NUMBERS = (int, float, bool)


def disabled(func, types, args=(), kwargs=None):
    """The `__torch_function__` of a subclass of Tensor whose objects are treated as plain tensors."""
    return func(*args, **(kwargs or {}))


def overrides(cls):
    """Whether objects of a class are asked: it has a `__torch_function__` of its own, or is a subclass of Tensor."""
    ask = getattr(cls, "__torch_function__", None)
    if ask is None or ask is disabled or getattr(cls, "_plain", None) is cls:
        return False
    return cls.__module__.partition(".")[0] != "torch"  # PyTorch's own tensors know nothing of the functions here


def overriding(args):
    """The objects among args, and inside its lists and tuples, whose classes are asked: one of each class, subclasses first."""
    found = {}
    for a in args:
        for x in a if type(a) in (list, tuple) else (a,):
            cls = type(x)
            if cls in _NUMBERS:  # a list that begins with a number holds numbers
                break
            if cls not in found and overrides(cls):
                found[cls] = x
    ordered = []
    for cls, x in found.items():
        at = next((i for i, y in enumerate(ordered) if issubclass(cls, type(y))), len(ordered))
        ordered.insert(at, x)
    return ordered


class Asking:
    """What a public function does once someone may be asked.  fn: what is handed to whom is asked; plain: what it does itself."""

    def __init__(self, fn, plain):
        self.fn, self.plain = fn, plain

    def __call__(self, /, *args, **kwargs):
        if context.asking is None:
            return self.plain(*args, **kwargs)
        found = overriding((*args, *kwargs.values())) if context.asking else ()
        if not found and not context.modes:
            return self.plain(*args, **kwargs)
        return ask(self.fn, found, args, kwargs, self.plain)


class AskingOp:
    """Asking for Op.__call__, whose first argument is the op."""

    def __init__(self, plain):
        self.plain = plain

    def __call__(self, op, /, *args, **kwargs):
        if context.asking is None or not getattr(op, "public", True):
            return self.plain(op, *args, **kwargs)
        return Asking(op, lambda *a, **k: self.plain(op, *a, **k))(*args, **kwargs)


def ask(fn, found, args, kwargs, plain):
    """The result of the innermost mode, or of the first of the objects found that knows one.  Raises ArgumentTypeError."""
    types = tuple(map(type, found))
    if context.modes:
        with without_last_mode() as mode:
            result = mode.__torch_function__(fn, types, args, kwargs)
        if result is not NotImplemented:
            return result
    for x in found:
        result = type(x).__torch_function__(fn, types, args, kwargs)
        if result is not NotImplemented:
            return result
    if not found:
        return plain(*args, **kwargs)
    name = getattr(fn, "__name__", repr(fn))
    raise ArgumentTypeError(f"{name}: no implementation found: each of {', '.join(t.__name__ for t in types)} returned "
                            "NotImplemented from __torch_function__")


class without_last_mode:
    """Inside, the innermost mode is not asked; gives that mode."""

    def __enter__(self):
        self.modes = context.modes
        context.modes = self.modes[:-1]
        return self.modes[-1]

    def __exit__(self, *exc):
        context.modes = self.modes


class Quiet:
    """Inside, subclasses are not asked; nor modes, where `modes` is False."""

    def __init__(self, modes):
        self.value, self.before = (False if modes else None), []

    def __enter__(self):
        self.before.append(context.asking)
        context.asking = None if context.asking is None else self.value
        return self

    def __exit__(self, *exc):
        context.asking = self.before.pop()


# --- putting the question into the public functions ------------------------------------------------------------------


class _Armed:
    """Whether public functions ask."""

    yes = False


_armed = _Armed()
_handed = {}  # an operator's method: the method of a name that whom is asked gets in its place
_plain = {}  # a public function that asks: what it does itself


def hand_over(fn, instead):
    """Give whom is asked about fn another function of the same arguments: Tensor.add for Tensor.__add__."""
    _handed[fn] = instead


def plain(fn):
    """What a public function does without asking about its own arguments; other callables themselves."""
    return _plain.get(fn, fn)


def arm():
    """Let every public function ask from now on, those that are declared later included."""
    if _armed.yes:
        return
    _armed.yes = True
    for _, fn in calls.declared():
        _arm(fn)
    call = calls.op_call_function()
    _plain[call] = own = _copy(call)
    _replace(call, AskingOp(own))
    calls.tell_of_declarations(_arm)


def _arm(fn):
    if not hasattr(fn, "__signature__"):
        fn.__signature__ = inspect.signature(fn)
    _plain[fn] = own = _copy(fn)
    _replace(fn, Asking(_handed.get(fn, fn), own))


def _copy(fn):
    """A function of fn's code, under its name."""
    made = FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)
    made.__kwdefaults__, made.__qualname__ = fn.__kwdefaults__, fn.__qualname__
    return made


def _replace(fn, asking):
    """Let fn call `asking` with all its arguments."""
    code = _template(len(fn.__code__.co_freevars))
    fn.__code__ = code.replace(co_consts=tuple(asking if c == _PLACE else c for c in code.co_consts), co_name=fn.__code__.co_name)
    fn.__defaults__ = fn.__kwdefaults__ = None


_PLACE = "what is called"


@cache
def _template(n):
    """The code of a function of any arguments that passes them to a constant, with n cells as a closure."""
    names = [f"c{i}" for i in range(n)]
    lines = ["def make():", *(f"    {name} = None" for name in names), "    def function(*args, **kwargs):",
             *(f"        {name}" for name in names), f"        called = {_PLACE!r}", "        return called(*args, **kwargs)",
             "    return function"]
    made = {}
    exec(compile("\n".join(lines), "<a public function that asks first>", "exec"), made)
    return made["make"]().__code__
