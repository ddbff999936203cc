"""Nested Python data as JSON, with tensors by name.

Numbers, strings, None and lists stay as they are; everything else is an object with one kind and its content:
    {"dict": [[key, value], ...]}   {"OrderedDict": [...]}   {"tuple": [...]}   {"float": "nan"}
    {"sparse_coo": [[indices, values], size, whether coalesced]}   {"sparse_csr": [[row starts, columns, values], size, true]}
    {"tensor": name}   {"parameter": name}   {"dtype": "float32"}   {"Size": [2, 3]}
with "requires_grad" beside a tensor or parameter if it is not the default, and "metadata" beside an OrderedDict that
holds a module's version numbers.
"""

import json
import math
import re
from collections import Counter, OrderedDict

import numpy as np

from ...base import dtypes
from ...base.errors import SerializationError
from ...base.layouts import sparse_coo, sparse_csr
from ...base.shapes import Size
from ..sparse_parts import made, parts_of

STRUCTURE = "cltensor"  # the metadata entry that holds the nesting
VERSION = 1
MAX_DEPTH = 200
MOST = 1 << 22  # values outside tensors; each takes some 70 bytes of memory
_MOST_ALIKE = 100  # keys with one hash; strings have random hashes, but numbers and tuples do not
_PLAIN = (bool, int, str, type(None))


class Encoder:
    """Turns an object into JSON data; `tensor(value, path)` returns that of a tensor, or None for other values."""

    def __init__(self, tensor):
        self.tensor = tensor

    def encode(self, value, path=(), depth=0):
        """The JSON data of value.  Raises SerializationError naming the place of a value that cannot be saved."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if depth > MAX_DEPTH:
            raise SerializationError(f"save: {place(path[:8])}... is nested more than {MAX_DEPTH} deep; does a "
                                     "container hold itself?")
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind in (list, tuple):
            items = [self.encode(v, (*path, i), depth + 1) for i, v in enumerate(value)]
            return items if kind is list else {"tuple": items}
        if kind in (dict, OrderedDict):
            return self._encode_dict(value, path, depth)
        return self._encode_leaf(value, path, depth)

    def _encode_dict(self, value, path, depth):
        pairs = [[self._encode_key(k, path), self.encode(v, (*path, k), depth + 1)] for k, v in value.items()]
        coded = {type(value).__name__: pairs}
        if hasattr(value, "_metadata"):
            coded["metadata"] = self.encode(dict(value._metadata), (*path, "_metadata"), depth + 1)
        return coded

    def _encode_key(self, key, path):
        parts = key if type(key) is tuple else (key,)
        if not all(type(p) in (*_PLAIN, float) for p in parts):
            raise SerializationError(f"save: {place(path)} has the key {key!r} of type {type(key).__name__}; keys must "
                                     "be str, int, float, bool, None or tuples of these")
        return self.encode(key)

    def _encode_leaf(self, value, path, depth):
        coded = self.tensor(value, path)
        if coded is not None:
            return coded
        if isinstance(value, dtypes.dtype):
            return {"dtype": value.name}
        sparse = parts_of(value)
        if sparse is not None:
            layout, tensors, size, coalesced = sparse
            return {layout.name: [self.encode(list(tensors), path, depth), list(size), coalesced]}
        if type(value) is Size:
            return {"Size": list(value)}
        if isinstance(value, (np.bool_, np.integer, np.floating)) and not isinstance(value, np.longdouble):
            return self.encode(value.item(), path, depth)
        raise SerializationError(f"save: {place(path)} is of type {type(value).__module__}.{type(value).__qualname__}, "
                                 f"which a file that never runs code cannot hold; {cure(value)}")


def cure(value):
    """What to do with a value that no file of data holds."""
    if isinstance(value, np.ndarray):
        return "make it a tensor with cltensor.from_numpy"
    if isinstance(value, (dict, tuple, list)):
        return "convert it to a plain dict, tuple or list"
    if hasattr(value, "state_dict"):
        return "save its state_dict() instead, or the whole of it with format='pickle', which only load(weights_only=False) reads"
    return ("save tensors, numbers, strings, None, dtypes, and lists, tuples and dicts of them")


def place(path):
    """The Python expression for a place inside the saved object: obj['state'][0]."""
    return "obj" + "".join(f"[{key!r}]" for key in path)


def parse(text):
    """The JSON data of a structure's text.  Raises SerializationError, also for more than MOST values."""
    if values_in(text) > MOST:
        raise SerializationError(f"the description of the object has more than {MOST} values")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SerializationError(f"the description of the object is not valid JSON: {error}") from None


def values_in(text):
    """An upper bound of the number of values in a JSON text, exact enough for large texts."""
    count = sum(map(text.count, ",[{"))
    if count > MOST:  # many may be inside strings
        outside = re.sub(r'\\.', "", text).split('"')[::2]
        count = sum(sum(map(part.count, ",[{")) for part in outside)
    return count


def _refuse_collisions(keys):
    """Raise SerializationError for keys whose hashes collide so often that building a dict takes quadratic time."""
    most = max(Counter(map(hash, keys)).values(), default=0)
    if most > _MOST_ALIKE:
        raise SerializationError(f"a dict in the object's description has {most} keys with the same hash, chosen to take very long")


class Decoder:
    """Turns JSON data back into the object; `tensor(kind, name, requires_grad)` returns the tensor of that name."""

    def __init__(self, tensor):
        self.tensor = tensor
        self.kinds = {"dict": self._dict, "OrderedDict": self._ordered, "tuple": self._tuple, "float": self._float,
                      "dtype": self._dtype, "Size": self._size, "sparse_coo": self._coo, "sparse_csr": self._csr}

    def decode(self, data, depth=0):
        """The object.  Raises SerializationError for anything Encoder does not write."""
        if depth > 2 * MAX_DEPTH:
            raise SerializationError(f"the object is nested more than {2 * MAX_DEPTH} deep")
        if type(data) in (*_PLAIN, float):
            return data
        if isinstance(data, list):
            return [self.decode(v, depth + 1) for v in data]
        for kind in ("tensor", "parameter"):
            if kind in data:
                return self._tensor(kind, data)
        for kind, build in self.kinds.items():
            if kind in data:
                value = build(data[kind], depth + 1)
                if kind == "OrderedDict" and "metadata" in data:
                    value._metadata = self._expect(self.decode(data["metadata"], depth + 1), dict, "metadata")
                return value
        raise SerializationError(f"the object holds something of an unknown kind: {', '.join(map(repr, data)) or '{}'}")

    @staticmethod
    def _expect(value, kind, what):
        if not isinstance(value, kind):
            raise SerializationError(f"a {what} in the object's description is no {kind.__name__}")
        return value

    def _tensor(self, kind, data):
        name = self._expect(data[kind], str, f"{kind} name")
        requires_grad = self._expect(data.get("requires_grad", kind == "parameter"), bool, "requires_grad")
        return self.tensor(kind, name, requires_grad)

    def _dict(self, pairs, depth):
        return dict(self._pairs(pairs, depth))

    def _ordered(self, pairs, depth):
        return OrderedDict(self._pairs(pairs, depth))

    def _pairs(self, pairs, depth):
        found = list(self._each_pair(pairs, depth))
        _refuse_collisions([key for key, _ in found])
        return found

    def _each_pair(self, pairs, depth):
        for pair in self._expect(pairs, list, "dict"):
            if not (isinstance(pair, list) and len(pair) == 2):
                raise SerializationError("a dict in the object's description is no list of pairs")
            key = self.decode(pair[0], depth)
            if not all(type(p) in (*_PLAIN, float) for p in (key if type(key) is tuple else (key,))):
                raise SerializationError(f"a dict in the object's description has a key of type {type(key).__name__}")
            yield key, self.decode(pair[1], depth)

    def _tuple(self, items, depth):
        return tuple(self.decode(v, depth) for v in self._expect(items, list, "tuple"))

    def _float(self, text, depth):
        if text not in ("nan", "inf", "-inf"):
            raise SerializationError("a float in the object's description is none of nan, inf, -inf")
        return float(text)

    def _dtype(self, name, depth):
        if not isinstance(name, str) or name not in dtypes.BY_NAME:
            raise SerializationError(f"the object holds an unknown dtype {name!r}")
        return dtypes.BY_NAME[name]

    def _size(self, sizes, depth):
        if not (isinstance(sizes, list) and all(type(n) is int for n in sizes)):
            raise SerializationError("a Size in the object's description is no list of ints")
        return Size(sizes)

    def _coo(self, parts, depth):
        return self._sparse(sparse_coo, parts, depth)

    def _csr(self, parts, depth):
        return self._sparse(sparse_csr, parts, depth)

    def _sparse(self, layout, parts, depth):
        if not (isinstance(parts, list) and len(parts) == 3 and isinstance(parts[0], list)):
            raise SerializationError("a sparse tensor in the object's description is no list of parts, size and a flag")
        tensors = [self.decode(part, depth) for part in parts[0]]
        return None if None in tensors else made(layout, tensors, *parts[1:])  # None: while the description is checked
