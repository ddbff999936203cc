"""Target: the Python function that a callable runs in the end, and the callable with another function in its place."""

import functools
from types import CellType, FunctionType, MethodType

from ..base.calls import PACKAGE
from .guards import is_module


def target(fn):
    """(the user's function that fn runs, a function that gives fn with another one in its place); (None, None) if there is none.

    fn: a function, a method, a Module, a partial, an object with __call__, or one of these in this package's decorators.
    """
    if isinstance(fn, functools.partial):
        return _around(fn.func, lambda new: functools.partial(new, *fn.args, **fn.keywords))
    if isinstance(fn, MethodType):
        if is_module(fn.__self__) and fn.__func__ is getattr(type(fn.__self__), "_called", None):
            return target(fn.__self__)
        return _around(fn.__func__, lambda new: MethodType(new, fn.__self__))
    if is_module(fn):
        return _around(fn.forward, lambda new: functools.partial(fn._called_as, new))
    if not isinstance(fn, FunctionType):
        call = type(fn).__dict__.get("__call__") if callable(fn) else None
        return target(MethodType(call, fn)) if isinstance(call, FunctionType) else (None, None)
    if not fn.__globals__.get("__name__", "").startswith(PACKAGE):
        return fn, lambda new: new
    inner = getattr(fn, "__wrapped__", None)
    places = [i for i, cell in enumerate(fn.__closure__ or ()) if inner is not None and cell.cell_contents is inner]
    return _around(inner, functools.partial(_rewrapped, fn, places[0])) if places else (None, None)


def _around(inner, remade):
    found, remake = target(inner)
    return found, found and (lambda new: remade(remake(new)))


def _rewrapped(fn, place, new):
    """A decorated function with another one inside."""
    cells = [CellType(new) if i == place else cell for i, cell in enumerate(fn.__closure__)]
    made = FunctionType(fn.__code__, fn.__globals__, fn.__name__, fn.__defaults__, tuple(cells))
    made.__kwdefaults__ = fn.__kwdefaults__
    return made
