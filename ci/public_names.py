"""The names that users import from the public modules of cltensor; checks of docstrings and of annotations walk them."""

import importlib
import inspect


def module(name):
    """A public module by its name without the package's own; "" is the package."""
    return importlib.import_module(f"cltensor.{name}".rstrip("."))


def members(name):
    """{name: value} of the public functions, ops and classes of a module, without errors."""
    found = module(name)
    values = {n: getattr(found, n) for n in getattr(found, "__all__", None) or dir(found) if not n.startswith("_")}
    return {n: v for n, v in values.items() if callable(v) and not inspect.ismodule(v) and not _is_error(v)}


def functions(name):
    """{name: function} of the functions of a module, and of the methods that its classes define."""
    found = {}
    for public, value in members(name).items():
        if inspect.isfunction(value):
            found[public] = value
        elif isinstance(value, type) and value.__module__.startswith("cltensor."):
            found |= {f"{public}.{method}": fn for method, fn in vars(value).items()
                      if inspect.isfunction(fn) and (method == "__init__" or not method.startswith("_"))}
    return found


def _is_error(value):
    return isinstance(value, type) and issubclass(value, BaseException)
