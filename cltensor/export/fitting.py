"""Fitting: plans for several sizes of one dimension as one plan, whose numbers are expressions of it."""

import math
import re

import numpy as np

from ..base.errors import SerializationError
from .expressions import expression

_UNITS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 24, 28, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192,
          16384)
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.])")
#: entries that are numbers of parts, which are equal for all sizes
_PARTS = {"source", "input", "memory", "buffer"}
#: entries that say what a device must have: the most of all sizes
_MOST = {"work_group", "local_memory", "fp64", "fp16", "int64_atomics"}


class Unlike(Exception):
    """Plans that are not one."""


class Fitting:
    """Expressions of a dimension, `name`, from what numbers are for some of its sizes."""

    def __init__(self, name, sizes):
        self.name, self.sizes, self._known = name, tuple(sizes), {}

    def merged(self, found, key=None, kind=None):
        """One part for all sizes.  found: the part for each size; kind: of a number among arguments."""
        first = found[0]
        if any(type(x) is not type(first) for x in found):
            raise Unlike(key)
        if type(first) is dict:
            if any(list(x) != list(first) for x in found):
                raise Unlike(key)
            return {k: self.merged([x[k] for x in found], k) for k in first}
        if type(first) is list:
            return self._list(found, key)
        if all(x == first for x in found):
            return first
        if key in _MOST:
            return max(found)
        if key in _PARTS or type(first) is bool:
            raise Unlike(key)
        if type(first) is int:
            return self.whole(found)
        return self.text(found) if type(first) is str else self.float(found, kind)

    def _list(self, found, key):
        first = found[0]
        if any(len(x) != len(first) for x in found):
            raise Unlike(key)
        if key == "arguments":
            return [self._argument([x[i] for x in found]) for i in range(len(first))]
        return [self.merged([x[i] for x in found], key) for i in range(len(first))]

    def _argument(self, found):
        first = found[0]
        if any(x[0] != first[0] or len(x) != len(first) for x in found):
            raise Unlike("arguments")
        start = 2 if first[0] in ("tensor", "buffer") else 1
        if any(x[:start] != first[:start] for x in found):
            raise Unlike("arguments")
        return [*first[:start], *(self.merged([x[i] for x in found], "argument", first[0]) for i in range(start, len(first)))]

    def text(self, found):
        """A text whose whole numbers differ."""
        frames = {_NUMBER.sub("#", x) for x in found}
        if len(frames) > 1:
            raise Unlike("text")
        numbers = [[int(n) for n in _NUMBER.findall(x)] for x in found]
        parts = iter([self.merged(list(ns)) for ns in zip(*numbers, strict=True)])
        return _NUMBER.sub(lambda m: f"({n})" if type(n := next(parts)) is str else str(n), found[0])

    def whole(self, found):
        """The expression of whole numbers."""
        found = tuple(found)
        if found not in self._known:
            self._known[found] = self._whole(found)
        if self._known[found] is None:
            raise Unlike("number")
        return self._known[found]

    def _whole(self, found):
        unit = math.gcd(*found) or 1
        parts = [v // unit for v in found]
        (n0, v0), (n1, v1) = (self.sizes[0], parts[0]), (self.sizes[-1], parts[-1])
        slope = (v1 - v0) / (n1 - n0)
        for c in _UNITS:
            for p in sorted({round(slope * c) + d for d in (0, -1, 1, -2, 2)}, key=lambda p: abs(p - slope * c)):
                q = self._rest(parts, p, c)
                if q is not None and p:
                    return _written(self.name, unit, p, q, c)
        return None

    def _rest(self, parts, p, c):
        """q with ceil(p * n + q, c) for all parts, the one nearest to 0; None if there is none."""
        low = max(c * (v - 1) - p * n + 1 for n, v in zip(self.sizes, parts, strict=True))
        high = min(c * v - p * n for n, v in zip(self.sizes, parts, strict=True))
        return None if low > high else min(max(low, 0), high)

    def float(self, found, kind):
        """The expression of floats: of a whole number, or of one divided by another."""
        if not all(type(x) is float and math.isfinite(x) and x for x in found):
            raise Unlike("float")
        for there, form in _FORMS:
            whole = [round(there(x)) if abs(there(x)) < 2**53 else 0 for x in found]
            if 0 in whole:
                continue
            try:
                text = self.merged(whole)
                exact = [_rounded(_value(form.replace("#", str(w))), kind) for w in whole]
            except (Unlike, SerializationError):  # one divided by nothing is no number
                continue
            if all(a == _rounded(x, kind) for a, x in zip(exact, found, strict=True)):
                return form.replace("#", f"({text})")
        raise Unlike("float")


def _inverse(x):
    return 1 / x


def _one_less(x):
    return x / (x - 1) if x != 1 else math.inf


_FORMS = ((float, "#"), (_inverse, "1 / #"), (_one_less, "# / (# - 1)"), (lambda x: 1 / (x * x), "1 / # ** 0.5"),
          (lambda x: -x, "-#"), (lambda x: -1 / x, "-1 / #"), (lambda x: x * x, "# ** 0.5"))


def _value(text):
    return float(expression(text)({}))


def _rounded(x, kind):
    return float({"f32": np.float32, "f16": np.float16}.get(kind, np.float64)(x))


def _written(name, unit, p, q, c):
    """unit * ceil(p * name + q, c) as text."""
    inner = name if p == 1 else f"-{-p} * {name}" if p < 0 else f"{p} * {name}"
    if q:
        inner = f"{inner} {'+' if q > 0 else '-'} {abs(q)}"
    if c > 1:
        inner = f"ceil({inner}, {c})"
    elif unit > 1 and (q or p != 1):
        inner = f"({inner})"
    return inner if unit == 1 else f"{unit} * {inner}"
