"""Classes and functions that the program allows in files, besides those that are always allowed."""

import threading

_listed = []
_lock = threading.Lock()


def listed():
    """What was added, in order."""
    with _lock:
        return list(_listed)


def replace(values):
    """Make these the whole list."""
    with _lock:
        _listed[:] = values


def extend(values):
    """Add those that are not there yet."""
    with _lock:
        _listed.extend(v for v in values if v not in _listed)


def added():
    """{full name in files: class or function}."""
    return dict(_named(value) for value in listed())


def _named(value):
    if isinstance(value, tuple):
        return value[1], value[0]
    return f"{value.__module__}.{value.__qualname__}", value
