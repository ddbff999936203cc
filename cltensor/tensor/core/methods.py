"""The methods of Tensor that are declared elsewhere: by ops of the registry, and by @function and @method."""

import inspect

from ...base.calls import named
from .public_api import METHODS, registered


def declared(existing):
    """{name: method} of all declared methods; an op of the registry adds one unless `existing` or a method has its name."""
    found = {}
    for name, op in registered():
        if op.method and name not in existing:
            found[name] = _method(op)
        if op.inplace and f"{name}_" not in existing:
            found[f"{name}_"] = _inplace(op)
    return found | METHODS


def _inplace(op):
    def method(self, *args, **attrs):
        return op(self, *args, out=self, inplace=True, **attrs)

    named(method, f"{op.name}_").__name__ = f"{op.name}_"
    method.__doc__ = f"{op.name} in place: {op.doc}"
    method.__signature__ = inspect.Signature(op.parameters("self"))
    return method


def _method(op):
    def method(self, *args, **attrs):
        return op(self, *args, **attrs)

    method.__name__, method.__doc__, method.__signature__ = op.name, op.doc, inspect.Signature(op.parameters("self"))
    return named(method, op.name)
