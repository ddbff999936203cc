"""Observed sizes: what a program asks about the sizes of its tensors while it is captured for more than one size.

While Observations are open, `Tensor.shape` and its like give ObservedInts.  They pass for ints; arithmetic on them is remembered
as a formula, and each comparison is noted with its outcome.  Where Python needs the number itself, as in range() or as a key, it
is noted that the program depends on it.  For other sizes the program holds if every outcome would be the same.
"""

import functools
import math
import operator
import sys
import threading

import numpy as np

from .shapes import Size

#: the Observations that are open, in all threads
observing = []

#: the parts of this library whose questions tell nothing: the rules of ops are asked again for other sizes
_RULES = tuple(f"{__name__.partition('.')[0]}.{part}" for part in ("base", "codegen", "dispatch", "graph", "runtime", "tune"))

_COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
_ROUNDED = ("ceil", "floor", "trunc")
_ARITHMETIC = ("add", "sub", "mul", "floordiv", "mod", "truediv", "pow")
_COMPUTED = {name: getattr(math, name) for name in _ROUNDED} | {
    "is": operator.eq, "given": functools.partial(math.isclose, rel_tol=1e-14)}  # the others are operators


class Observations:
    """The sizes that this thread's program was told of, from `with` on, and what it asked about them.

    sizes: the sizes, in the order in which they were asked for; answers: {(comparison, left, right): outcome}, where left and right
    are numbers or formulas: ("size", position) or (operation, *its operands).  The comparison "is" stands for the need of a number
    itself, "given" for one that an op was given.
    """

    def __init__(self):
        self.sizes, self.answers, self._thread = [], {}, threading.get_ident()

    def __enter__(self):
        observing.append(self)
        return self

    def __exit__(self, *exc):
        observing.remove(self)

    def size(self, n):
        """One size, as an ObservedInt; 0 and 1 as they are, since they are other cases."""
        self.sizes.append(n)
        return _tracked(n, self, ("size", len(self.sizes) - 1)) if n > 1 else n

    def compared(self, name, left, right, outcome, depth=2):
        """Note the outcome of a comparison, unless the rules of an op ask.  depth: how many calls up it is made."""
        if self in observing and not _asks(depth + 1):
            self.answers[name, formula(left), formula(right)] = outcome

    def known(self, number):
        """Note that the program needs an observed number itself; a rule of an op takes it."""
        if self in observing:
            if _asks(4):
                self.given(number)
            else:
                self.needed(number)

    def needed(self, number):
        """Note that the program needs an observed number itself."""
        self.answers["is", number.formula, number.value] = True

    def given(self, number):
        """Note that an op is given an observed number."""
        if self in observing and number.formula[0] != "size":
            self.answers["given", number.formula, number.value] = True

    def questions(self):
        """What was asked and answered, in order: (comparison, left, right, outcome)."""
        return tuple([(*asked, outcome) for asked, outcome in self.answers.items()])

    def way(self):
        """The questions without numbers but for those that the program needs; equal where it may have gone the same way."""
        return [q if q[0] == "is" else tuple(map(_without_numbers, q[:3])) + q[3:] for q in self.questions()]

    def places(self):
        """The positions of the sizes that the questions are about."""
        return sorted({k for _, *sides in self.answers for side in sides for k in positions(side)})


def hold(questions, sizes):
    """Whether all answers would be the same for other sizes, {position: size}."""
    return all(_COMPUTED.get(name, getattr(operator, name, None))(computed(left, sizes), computed(right, sizes)) == outcome
               for name, left, right, outcome in questions)


def _asks(depth):
    """Whether the code some calls up is that of a rule."""
    return sys._getframe(depth).f_globals.get("__name__", "").startswith(_RULES)


def observed(shape):
    """A shape as what the program of this thread sees: of ObservedInts while it is observed."""
    found = _observations()
    return shape if found is None else Size(map(found.size, shape))


def observed_length(n):
    """The size that len() is to give, of which Python makes a plain int: the program depends on it."""
    found = _observations()
    if found is not None and n > 1:
        found.needed(found.size(n))
    return n


def _observations():
    thread = threading.get_ident()
    return next((o for o in observing if o._thread == thread), None)


def formula(number):
    """The formula of an observed number; any other number stands for itself."""
    return getattr(number, "formula", number)


def plain(value):
    """A number, or a tuple of them and other values, without what was observed."""
    if isinstance(value, _Observed):
        value.observations.given(value)
        return value.value
    return tuple([plain(v) for v in value]) if type(value) is tuple else value


def as_index(n):
    """An object that has __index__ as an int; an observed one stays as it is."""
    return n if isinstance(n, _Observed) else n.__index__()


def _without_numbers(form):
    if not isinstance(form, tuple):
        return form if isinstance(form, str) else None
    return form if form[0] == "size" else tuple(map(_without_numbers, form))


def positions(form):
    """The positions of the sizes in a formula."""
    if not isinstance(form, tuple):
        return []
    return form[1:] if form[0] == "size" else [k for operand in form[1:] for k in positions(operand)]


def computed(form, sizes):
    """What a formula gives for sizes, {position: size}."""
    if not isinstance(form, tuple):
        return form
    name, *operands = form
    if name == "size":
        return sizes[operands[0]]
    return _COMPUTED.get(name, getattr(operator, name, None))(*(computed(o, sizes) for o in operands))


class _Observed:
    """A number that passes for one of the class `plain_type`.

    It is none, since C code would take the number out of one unseen.  value: the number; observations: what hears of questions;
    formula: how it follows from sizes.
    """

    __slots__ = ("formula", "observations", "value")

    def __init__(self, value, observations, form):
        self.value, self.observations, self.formula = value, observations, form

    real = property(operator.pos)

    @property
    def __class__(self):
        return self.plain_type

    def _known(self):
        self.observations.known(self)
        return self.value

    def __bool__(self):
        outcome = self.value != 0
        self.observations.compared("ne", self, 0, outcome)
        return outcome

    def __neg__(self):
        return _tracked(-self.value, self.observations, ("neg", self.formula))

    def __pos__(self):
        return self

    def __abs__(self):
        return _tracked(abs(self.value), self.observations, ("abs", self.formula))

    def __pow__(self, other, modulus=None):
        return _power(self, other) if modulus is None else pow(self._known(), other, modulus)

    def __divmod__(self, other):
        return self // other, self % other

    def __rdivmod__(self, other):
        return other // self, other % self

    def __reduce__(self):
        return self.plain_type, (self._known(),)

    def __format__(self, text):
        return format(self._known(), text)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._known(), dtype)


class ObservedInt(_Observed):
    """A size, or what a program has computed from sizes."""

    __slots__ = ()
    plain_type = int

    numerator, denominator, imag = property(operator.pos), 1, 0


class ObservedFloat(_Observed):
    """A float that a program has computed from sizes."""

    __slots__ = ()
    plain_type, imag = float, 0.0


def _tracked(value, observations, form):
    kind = {int: ObservedInt, float: ObservedFloat}.get(type(value))
    return value if kind is None else kind(value, observations, form)


def _number(value):
    """A number without what was observed; nothing is noted."""
    return value.value if isinstance(value, _Observed) else value


def _comparison(name):
    compute = getattr(operator, name)

    def method(self, other):
        outcome = compute(self.value, _number(other))
        if outcome is True or outcome is False:
            self.observations.compared(name, self, other, outcome)
        return outcome

    return method


def _operation(name, turned):
    compute = getattr(operator, name)

    def method(self, other):
        if not isinstance(other, (int, float)):
            return NotImplemented
        left, right = (other, self) if turned else (self, other)
        return _tracked(compute(_number(left), _number(right)), self.observations, (name, formula(left), formula(right)))

    return method


_power = _operation("pow", False)


def _rounding(name):
    compute = getattr(math, name)

    def method(self):
        return _tracked(compute(self.value), self.observations, (name, self.formula))

    return method


def _through(name):
    """A method of the number itself."""
    def method(self, *args, **kwargs):
        return getattr(self._known(), name)(*map(_number, args), **kwargs)

    return method


for _kind in (ObservedInt, ObservedFloat):
    for _name in _COMPARISONS:
        setattr(_kind, f"__{_name}__", _comparison(_name))
    for _name in _ARITHMETIC:
        setattr(_kind, f"__r{_name}__", _operation(_name, True))
        if _name != "pow":
            setattr(_kind, f"__{_name}__", _operation(_name, False))
    for _name in _ROUNDED:
        setattr(_kind, f"__{_name}__", _rounding(_name))
    for _name in dir(_kind.plain_type):
        if not hasattr(_kind, _name) or _name in ("__hash__", "__repr__", "__str__"):
            setattr(_kind, _name, _through(_name))
