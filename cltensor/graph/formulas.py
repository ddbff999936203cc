"""Formulas: numbers of a program as functions of the sizes of its arguments, found from what they were for a few sizes."""

import itertools
import math
from fractions import Fraction

import numpy as np

#: dtypes in which the bytes of a constant may be an arithmetic progression, such as arange's or a fill; the narrowest first
_PROGRESSIONS = tuple(map(np.dtype, ("uint8", "int32", "float32", "int64", "float64")))


class NotGeneral(Exception):
    """Why programs captured for several sizes are not one program for all sizes."""


class Symbols:
    """The sizes of arguments that differ between captures; sizes that always agree are one symbol.

    shapes: for each capture the shapes of all arguments.  values: for each capture what the symbols were; places: where each is
    found, as (argument, dimension).
    """

    def __init__(self, shapes):
        places = {}
        for i, found in enumerate(zip(*shapes, strict=True)):
            for d, sizes in enumerate(zip(*found, strict=True)):
                if len(set(sizes)) > 1:
                    places.setdefault(sizes, []).append((i, d))
        self.places, self.values = list(places.values()), list(zip(*places, strict=True)) or [()] * len(shapes)
        self._known = {}

    def of(self, shapes):
        """The symbols for arguments of these shapes; None where sizes that agreed differ, or one is 0 or 1."""
        found = [{shapes[i][d] for i, d in places} for places in self.places]  # the family's guards have told ndim
        return None if any(len(sizes) > 1 or min(sizes) < 2 for sizes in found) else tuple([sizes.pop() for sizes in found])

    def fit(self, numbers):
        """What gives these numbers, one for each capture: itself where all are equal, else a Formula.  Raises NotGeneral."""
        first = numbers[0]
        if all(type(n) is type(first) and (n == first or n != n) for n in numbers):
            return first
        key = tuple(numbers)
        if key not in self._known:
            self._known[key] = self._fitted(key)
        return self._known[key]

    def _fitted(self, numbers):
        if all(type(n) is int for n in numbers):
            return Formula(self._of_ints(numbers))
        if all(type(n) is float and math.isfinite(n) for n in numbers):
            for there, back, written in _forms():
                whole = [there(n) for n in numbers]
                if all(w and abs(w) < 2**53 and back(w) == n for w, n in zip(whole, numbers, strict=True)):
                    return Formula([_Float(term, back, written) for term in self._of_ints(whole)])
        raise NotGeneral(f"a number is {', '.join(map(repr, numbers))} for these sizes, by no rule that is known")

    def _of_ints(self, numbers):
        found = {}
        for term in (*self._products(numbers), *self._sums(numbers)):
            found.setdefault(tuple(term.at(probe) for probe in self._probes), term)
        if not found:
            raise NotGeneral(f"a number is {', '.join(map(str, numbers))} for these sizes, by no rule that is known")
        return list(found.values())

    @property
    def _probes(self):
        """Sizes that tell rules apart."""
        primes = (1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049)
        count = len(self.values[0])
        return [tuple(primes[(k + i) % len(primes)] * 720720 for i in range(count)) for k in (0, 3)]

    def _monomials(self):
        """Products of up to three symbols, as tuples of their positions, with their values."""
        for degree in (1, 2, 3):
            for at in itertools.combinations_with_replacement(range(len(self.values[0])), degree):
                yield at, [math.prod(v[i] for i in at) for v in self.values]

    def _products(self, numbers):
        for at, sizes in self._monomials():
            factor = Fraction(numbers[0], sizes[0])
            if (factor.denominator == 1 or (len(at) == 1 and factor.numerator == 1)) and all(
                    factor * s == n for s, n in zip(sizes, numbers, strict=True)):
                yield _Linear(at, factor, 0)

    def _sums(self, numbers):
        for at, sizes in self._monomials():
            if len(at) == 1:
                for sign in (1, -1):
                    if len({n - sign * s for s, n in zip(sizes, numbers, strict=True)}) == 1:
                        yield _Linear(at, Fraction(sign), numbers[0] - sign * sizes[0])
            if len(set(zip(sizes, numbers, strict=True))) > 2 and sizes[0] != sizes[1]:
                slope = Fraction(numbers[1] - numbers[0], sizes[1] - sizes[0])
                rest = numbers[0] - slope * sizes[0]
                if slope and all(slope * s + rest == n for s, n in zip(sizes, numbers, strict=True)):
                    yield _Linear(at, slope, rest)


class _Linear:
    """factor * (product of the symbols at these positions) + rest."""

    def __init__(self, at, factor, rest):
        self.positions, self.factor, self.rest = at, factor, rest

    @property
    def plain(self):
        """Whether it is a symbol itself."""
        return len(self.positions) == 1 and self.factor == 1 and not self.rest

    def at(self, sizes):
        """The number for these sizes: an int, or None where it would not be whole."""
        found = self.factor * math.prod(sizes[i] for i in self.positions) + self.rest
        return found.numerator if found.denominator == 1 else None


class _Float:
    """A float as a function of an int.  written: that function as (factor, power): factor * int ** power."""

    def __init__(self, whole, back, written):
        self.whole, self.back, self.written = whole, back, written

    def at(self, sizes):
        """The number for these sizes; None where the int would not be whole."""
        whole = self.whole.at(sizes)
        return None if not whole else self.back(whole)


class Formula:
    """A number as a function of the symbols.

    terms: the functions that give what was seen; more than one while that tells too little.
    """

    def __init__(self, terms):
        self._terms = terms

    def term(self):
        """The function, as (positions of symbols, factor, rest, written): (factor * their product + rest), then what _Float has
        written, None for an int.  Of several functions that give what was seen the one that is a symbol, else None."""
        terms = self._terms if len(self._terms) == 1 else [t for t in self._terms if isinstance(t, _Linear) and t.plain]
        if len(terms) != 1:
            return None
        term, written = terms[0], None
        if isinstance(term, _Float):
            term, written = term.whole, term.written
        return term.positions, term.factor, term.rest, written

    def at(self, sizes):
        """The number for these sizes; None where there is none, or where it is not known."""
        found = {term.at(sizes) for term in self._terms}
        return found.pop() if len(found) == 1 else None


def _forms():
    """(a float -> the int that it is made of, that int -> the float, the same as (factor, power)) of each form of a float."""
    yield round, float, (1.0, 1)
    for k in (1.0, 2.0, 3.0, 4.0, -1.0, -2.0):
        yield (lambda v, k=k: round(k / v) if v else 0), (lambda w, k=k: k / w), (k, -1)
    yield (lambda v: round(v * v)), (lambda w: math.sqrt(w)), (1.0, 0.5)
    yield (lambda v: round(1 / (v * v)) if v * v else 0), (lambda w: 1 / math.sqrt(w)), (1.0, -0.5)
    yield (lambda v: round(1 / (v * v)) if v * v else 0), (lambda w: w**-0.5), (1.0, -0.5)


def bytes_rule(found):
    """A function of a number of bytes that gives a constant's bytes, from what they were for each capture.  Raises NotGeneral.

    It gives None for more bytes than it knows.
    """
    longest = max(found, key=len)
    for dtype in _PROGRESSIONS:
        if any(len(b) % dtype.itemsize or not len(b) for b in found):
            continue
        values = longest.view(dtype)
        start, step = values[0], np.diff(values[:2])[0] if len(values) > 1 else dtype.type(0)
        if dtype.kind == "f" and not (float(start).is_integer() and float(step).is_integer()):
            continue
        if all(np.array_equal(b.view(dtype), _progression(start, step, len(b) // dtype.itemsize)) for b in found):
            return lambda n, start=start, step=step: _progression(start, step, n // start.itemsize).view(np.uint8)
    if any(not np.array_equal(b, longest[: len(b)]) for b in found):
        raise NotGeneral("a constant has other values for each size")
    return lambda n: longest[:n] if n <= len(longest) else None


def _progression(start, step, count):
    with np.errstate(all="ignore"):
        return (start + step * np.arange(count).astype(start.dtype)).astype(start.dtype)
