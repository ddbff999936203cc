"""Containers of parameters: ParameterList and ParameterDict.  Tensors put into them become Parameters."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

from ...base.errors import ArgumentTypeError, DimensionError
from ...tensor import Tensor
from ..parameter import Parameter
from .module import Module


def _as_parameter(value):
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(name, value):
    if isinstance(value, Tensor):
        size = "x".join(map(str, value.shape))
        kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
        return f"  ({name}): {kind} containing: [{value.dtype} of size {size}]"
    return f"  ({name}): Object of type: {type(value).__name__}"


class ParameterList(Module):
    """A list of Parameters (and of any other values, which stay as they are)."""

    def __init__(self, values: Iterable[Any] | None = None):
        super().__init__()
        self._size = 0
        self.extend([] if values is None else values)

    def _name_at(self, index):
        index = operator.index(index)
        if not -self._size <= index < self._size:
            raise DimensionError(f"index {index} is out of range")
        return str(index % self._size)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(*index.indices(self._size))])
        return getattr(self, self._name_at(index))

    def __setitem__(self, index, value):
        setattr(self, self._name_at(index), _as_parameter(value))

    def __len__(self):
        return self._size

    def __iter__(self):
        return (self[i] for i in range(self._size))

    def __iadd__(self, values):
        return self.extend(values)

    def append(self, value):
        """Add a value at the end."""
        self._size += 1
        self[self._size - 1] = value
        return self

    def extend(self, values):
        """Add values at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise ArgumentTypeError(f"ParameterList.extend should be called with an iterable, but got "
                                    f"{type(values).__name__}")
        for value in values:
            self.append(value)
        return self

    def extra_repr(self):
        return "\n".join(_described(i, v) for i, v in enumerate(self))


class ParameterDict(Module):
    """A dict of Parameters (and of any other values, which stay as they are), in the order they were added."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[Any] | None = None):
        super().__init__()
        self._keys = {}
        self.update({} if parameters is None else parameters)

    def __getitem__(self, key):
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __reversed__(self):
        return reversed(self._keys)

    def __or__(self, other):
        return self.copy()._with(other)

    def __ror__(self, other):
        return type(self)(other)._with(self)

    def __ior__(self, other):
        return self._with(other)

    def _with(self, parameters):
        self.update(parameters)
        return self

    def __setitem__(self, key, value):
        if not isinstance(key, str):
            raise ArgumentTypeError("Index given to ParameterDict cannot be used as a key as it is not a string (type "
                                    f"is '{type(key).__name__}')")
        self._keys[key] = None
        setattr(self, key, _as_parameter(value))

    def __delitem__(self, key):
        del self._keys[key]
        delattr(self, key)

    def __len__(self):
        return len(self._keys)

    def __iter__(self):
        return iter(self._keys)

    def __contains__(self, key):
        return key in self._keys

    def keys(self):
        """The names."""
        return self._keys.keys()

    def values(self):
        """The values."""
        return (self[k] for k in self._keys)

    def items(self):
        """(name, value) pairs."""
        return ((k, self[k]) for k in self._keys)

    def get(self, key: str, default=None):
        """The value of key, or default."""
        return getattr(self, key) if key in self._keys else default

    def setdefault(self, key: str, default=None):
        """The value of key; where there is none, default is added and returned."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def copy(self):
        """A ParameterDict of the same values."""
        return type(self)(self)

    def fromkeys(self, keys: Iterable[str], default=None):
        """A ParameterDict with default under each of the keys."""
        return type(self)((key, default) for key in keys)

    def popitem(self):
        """Remove the last (name, value) pair and return it.  Raises KeyError if there is none."""
        if not self._keys:
            raise KeyError("popitem: the ParameterDict is empty")
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def pop(self, key: str):
        """Remove key and return its value."""
        value = self[key]
        del self[key]
        return value

    def clear(self):
        """Remove all values."""
        for key in list(self._keys):
            del self[key]

    def update(self, parameters: Mapping[str, Any] | Iterable[Any]):
        """Add values from a mapping or (name, value) pairs."""
        for key, value in parameters.items() if isinstance(parameters, (Mapping, ParameterDict)) else parameters:
            self[key] = value

    def extra_repr(self):
        return "\n".join(_described(k, v) for k, v in self.items())
