"""Which public call is running, and the user's line of it: read from the stack when an error is made, so calls cost nothing.

Declare public functions and methods with `named`.  Of the frames between an error and the user's code, the outermost
declared one is the public call; the ops that it calls are inside it.
"""

import inspect
import re
import sys
from types import FunctionType

PACKAGE = __name__.partition(".")[0] + "."

_public = {}  # id of a code object: (public name, function)
_op_call = None  # id of the code object of Op.__call__
_op_function = None  # Op.__call__
_told = []  # functions that are told of each function declared
_inner = set()  # names of ops that a message may begin with
_LEADING = re.compile(r"([A-Za-z_]\w*)(\(\))?: ")

#: how to write a call of a special method
_WRITTEN = {"__getitem__": "x[index]", "__setitem__": "x[index] = value", "__bool__": "bool(x)", "__float__": "float(x)",
            "__int__": "int(x)", "__index__": "index of x", "__len__": "len(x)", "__iter__": "iter(x)",
            "__contains__": "value in x", "__deepcopy__": "deepcopy(x)", "__copy__": "copy(x)"}

#: names of parameters that hold indices, in the order to look for them
_INDICES = ("index", "indices", "target", "targets")


def named(fn, name):
    """Register fn as the public call `name` and return it.  A function made by a decorator gets its own copy of the code."""
    if id(fn.__code__) not in _public:
        if fn.__closure__ or fn.__code__.co_name == "<lambda>":
            fn.__code__ = fn.__code__.replace(co_name=name)
        _public[id(fn.__code__)] = name, fn
        _inner.add(name)
        for tell in _told:
            tell(fn)
    return fn


def placed(fn, module, name):
    """Let fn be pickled, and shown by help, as `name` of a module, where users find it; return fn."""
    fn.__module__, fn.__qualname__ = module, name
    return fn


def declared():
    """(name, function) of every public function and method declared so far."""
    return list(_public.values())


def tell_of_declarations(tell):
    """Call tell(function) for each function that is declared from now on."""
    _told.append(tell)


def applied(fn, first):
    """fn with its first argument given, like functools.partial, but a function, so that errors can name it."""

    def function(*args, **kwargs):
        return fn(first, *args, **kwargs)

    signature = inspect.signature(fn)
    function.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])
    return function


def named_all(namespace):
    """Name every public function of a module's namespace after itself, and place there what has no place of its own."""
    for name, fn in namespace.items():
        if isinstance(fn, FunctionType) and not name.startswith("_") and f"{fn.__module__}.".startswith(PACKAGE):
            named(fn, fn.__name__)
            if not at_home(fn):
                placed(fn, namespace.get("__name__", fn.__module__), name)


def at_home(thing):
    """Whether a function, class or op is what its own module and name lead to."""
    at = sys.modules.get(thing.__module__)
    for name in thing.__qualname__.split("."):
        at = getattr(at, name, None)
    return at is thing


def inner(name):
    """Allow `name`, an op's, at the start of a message to be replaced by the public call's name."""
    _inner.add(name)


def op_call(fn):
    """Register fn, the method that calls a public op (its `self`), and return it."""
    global _op_call, _op_function
    _op_call, _op_function = id(fn.__code__), fn
    return fn


def op_call_function():
    """The method that calls a public op."""
    return _op_function


def codes():
    """(what the package's frames run, outermost last: code objects or op names; (code, instruction) of the user's frame)."""
    found, frame = [], sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(PACKAGE):
        code = frame.f_code
        found.append(_owner(frame.f_locals["self"], None, "__call__") if id(code) == _op_call else code)
        frame = frame.f_back
    return found, None if frame is None else (frame.f_code, frame.f_lasti)


def places(until):
    """(code, instruction) of each of the user's frames, the innermost first, up to the frame that runs the code object `until`."""
    found, frame = [], sys._getframe(1)
    while frame is not None and frame.f_code is not until:
        if not frame.f_globals.get("__name__", "").startswith(PACKAGE):
            found.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return found


def public(found):
    """(name, function) of the outermost public call in what `codes` found, or (None, None)."""
    for code in reversed(found):
        if isinstance(code, str):
            return code, None
        call = _public.get(id(code))
        if call is not None:
            return call
    return None, None


def written(name):
    """How to write a call of a function or special method of this name."""
    return _WRITTEN.get(name, name)


def line(site):
    """"file:line" of the user's frame, as `codes` returns it."""
    code, at = site
    lines = [n for start, end, n in code.co_lines() if start <= at < end and n]
    return f"{code.co_filename}:{lines[0] if lines else code.co_firstlineno}"


def index_argument(fn):
    """The name of the parameter that holds indices: one of _INDICES, else the first."""
    names = list(inspect.signature(fn).parameters)
    return next((n for n in _INDICES if n in names), names[0] if names else "input")


def kind(value):
    """The name of a value's type, with its library unless that is Python or cltensor."""
    cls = type(value)
    root = cls.__module__.partition(".")[0]
    return cls.__name__ if root in ("builtins", PACKAGE[:-1]) else f"{root}.{cls.__name__}"


def attributed(message):
    """The message with the running public call at its start, in place of an inner op's name."""
    name, layer, frame = None, None, sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(PACKAGE):
        code = frame.f_code
        if id(code) in _public:
            name = _public[id(code)][0]
        elif code.co_name in ("__init__", "__new__", "__call__", "forward"):
            given = frame.f_locals
            found = _owner(given.get("self"), given.get("cls"), code.co_name)
            name, layer = (name, layer or found) if code.co_name == "forward" else (found or name, layer)
        frame = frame.f_back
    if name is None and layer is not None:
        leading = _LEADING.match(message)
        name = None if leading and leading[1] in _inner else layer
    return message if name is None else under(name, message)


def _owner(owner, cls, method):
    """The name of the class under construction or whose forward runs, or of the op called; None for anything else."""
    if method == "__call__":
        return getattr(owner, "name", None) if getattr(owner, "public", False) else None
    kind = cls if method == "__new__" else type(owner)
    if isinstance(owner, BaseException) or kind.__name__.startswith("_") or not kind.__module__.startswith(PACKAGE):
        return None
    return kind.__name__


def under(name, message):
    """The message with `name` at its start."""
    name = _WRITTEN.get(name) or name.strip("_") + "_" * (name.endswith("_") and not name.endswith("__"))
    if re.match(rf"(\w+\.)*{re.escape(name)}(?!\w)", message):
        return message
    leading = _LEADING.match(message)
    return f"{name}: {message[leading.end():] if leading and leading[1] in _inner else message}"
