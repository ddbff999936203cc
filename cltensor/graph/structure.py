"""Nested values as a flat list of leaves and a template to put them back."""

from typing import NamedTuple

_LEAF = object()


class _Branch(NamedTuple):
    kind: type
    keys: tuple  # of a dict; else ()
    parts: tuple


_EMPTY = {kind: _Branch(kind, (), ()) for kind in (tuple, dict)}


def flatten(value):
    """(leaves, template) of a value: lists, tuples and dicts are branches, everything else is a leaf."""
    leaves = []
    return leaves, _template(value, leaves)


def _template(value, leaves):
    kind = type(value)
    if (kind is tuple or kind is dict) and not value:
        return _EMPTY[kind]
    if kind in (list, tuple) or (isinstance(value, tuple) and hasattr(value, "_fields")):
        return _Branch(kind, (), tuple([_template(v, leaves) for v in value]))
    if isinstance(value, dict):
        return _Branch(kind, tuple(value), tuple([_template(v, leaves) for v in value.values()]))
    leaves.append(value)
    return _LEAF


def unflatten(template, leaves):
    """The value of a template with these leaves (an iterator)."""
    if template is _LEAF:
        return next(leaves)
    parts = [unflatten(p, leaves) for p in template.parts]
    if template.keys:
        return template.kind(zip(template.keys, parts, strict=True))
    return template.kind(*parts) if hasattr(template.kind, "_fields") else template.kind(parts)
