"""Host values: numbers in objects of Python that change from call to call, which an exported program keeps for itself.

An object that a recorder's Actions compute with says which they are: `_host_values` gives HostValues; `_host_state` gives what
`_restore_host_state` puts back after they were set.
"""

from collections.abc import Callable
from typing import NamedTuple


class HostValue(NamedTuple):
    """A number.  path: what it is called under its owner; shared: equal for those that are one number; get, set: access to it."""

    path: str
    shared: object
    get: Callable
    set: Callable


def of_item(path, container, key, shared=None):
    """The HostValue of an item of a dict."""
    return HostValue(path, path if shared is None else shared, lambda: container[key], lambda n: container.__setitem__(key, n))


def of_attribute(path, owner, name, get=None):
    """The HostValue of an attribute.  get: gives its value where it is not kept as it is exported."""
    return HostValue(path, path, get or (lambda: getattr(owner, name)), lambda n: setattr(owner, name, n))
