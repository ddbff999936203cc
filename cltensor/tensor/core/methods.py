"""The methods of Tensor that are declared elsewhere: by ops of the registry, and by @function and @method."""

import inspect

from ...base.calls import named, placed
from ...base.explaining import without_out
from .public_api import HOME, METHODS, registered


def declared(existing):
    """{name: method} of all declared methods; an op of the registry adds one unless `existing` or a method has its name."""
    found = {}
    for name, op in registered():
        if op.method and name not in existing:
            found[name] = _method(op, name)
        if op.inplace and f"{name}_" not in existing:
            found[f"{name}_"] = _inplace(op, f"{name}_")
    return found | METHODS


def _inplace(op, name):
    def method(self, *args, **attrs):
        return op(self, *args, out=self, inplace=True, **attrs)

    method.__doc__ = f"{op.name} in place: {op.doc}"
    return _declared(method, op, name)


def _method(op, name):
    def method(self, *args, **attrs):
        if attrs.get("out") is not None:
            raise without_out(name)
        return op(self, *args, **attrs)

    method.__doc__ = op.doc
    return _declared(method, op, name)


def _declared(method, op, name):
    method.__name__, method.__signature__ = name, inspect.Signature(op.parameters("self"))
    return placed(named(method, name), HOME, f"Tensor.{name}")
