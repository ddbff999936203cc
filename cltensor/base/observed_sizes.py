"""Observed sizes: what a program asks about the sizes of its tensors while it is captured for more than one size.

While Observations are open, `Tensor.shape` and its like give ObservedInts.  They are ints; arithmetic on them is remembered as a
formula, and each comparison that the program's own code makes is noted with its outcome.  For other sizes the program holds if
every outcome would be the same.
"""

import operator
import sys
import threading

from .shapes import Size

#: the Observations that are open, in all threads
observing = []

#: the parts of this library whose comparisons tell nothing: their rules are asked again for other sizes
_RULES = tuple(f"{__name__.partition('.')[0]}.{part}" for part in (
    "autograd", "base", "codegen", "dispatch", "graph", "ops", "runtime", "tensor", "tune"))

_COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")
_ARITHMETIC = ("add", "sub", "mul", "floordiv", "mod", "truediv", "pow")


class Observations:
    """The sizes that this thread's program was told of, from `with` on, and what it asked about them.

    sizes: the sizes, in the order in which they were asked for; answers: {(comparison, left, right): outcome}, where left and right
    are numbers or formulas: ("size", position) or (operation, *its operands).
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
        """Note the outcome of a comparison, unless the library's own rules ask.  depth: how many calls up it is made."""
        if self in observing and not sys._getframe(depth).f_globals.get("__name__", "").startswith(_RULES):
            self.answers[name, formula(left), formula(right)] = outcome

    def compared_sizes(self):
        """The positions of the sizes on which the answers depend."""
        return sorted({k for _, *sides in self.answers for side in sides for k in _positions(side)})

    def hold(self, sizes):
        """Whether all answers would be the same for other sizes: {position: size} for `compared_sizes`."""
        return all(getattr(operator, name)(_value(left, sizes), _value(right, sizes)) == outcome
                   for (name, left, right), outcome in self.answers.items())


def observed(shape):
    """A shape as what the program of this thread sees: of ObservedInts while it is observed."""
    found = _observations()
    return shape if found is None else Size(map(found.size, shape))


def observed_length(n):
    """The size that len() is to give, of which Python makes a plain int: the program depends on it."""
    found = _observations()
    if found is not None and n > 1:
        found.compared("eq", found.size(n), n, True, depth=3)
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
        return value.plain()
    return tuple([plain(v) for v in value]) if type(value) is tuple else value


def _positions(form):
    if not isinstance(form, tuple):
        return []
    return form[1:] if form[0] == "size" else [k for operand in form[1:] for k in _positions(operand)]


def _value(form, sizes):
    if not isinstance(form, tuple):
        return form
    name, *operands = form
    if name == "size":
        return sizes[operands[0]]
    return getattr(operator, name)(*(_value(o, sizes) for o in operands))


class _Observed:
    """What ObservedInt and ObservedFloat share: `observations` that hear of comparisons, and a `formula`."""

    def __bool__(self):
        outcome = self.plain() != 0
        self.observations.compared("ne", self, 0, outcome)
        return outcome

    def __float__(self):
        value = float(self.plain())
        self.observations.compared("eq", self, self.plain(), True)
        return value

    def __neg__(self):
        return _tracked(-self.plain(), self.observations, ("neg", self.formula))

    def __divmod__(self, other):
        return self // other, self % other

    def __reduce__(self):
        return type(self).plain_type, (self.plain(),)


class ObservedInt(_Observed, int):
    """A size, or what a program has computed from sizes."""

    plain_type = int

    def plain(self):
        """The number."""
        return int.__index__(self) + 0

    __hash__ = int.__hash__


class ObservedFloat(_Observed, float):
    """A float that a program has computed from sizes."""

    plain_type = float

    def plain(self):
        """The number."""
        return float.__float__(self) + 0.0

    def __int__(self):
        self.observations.compared("eq", self, self.plain(), True)
        return int(self.plain())

    __hash__ = float.__hash__


def _tracked(value, observations, form):
    kind = {int: ObservedInt, float: ObservedFloat}.get(type(value))
    if kind is None:
        return value
    made = kind.__new__(kind, value)
    made.observations, made.formula = observations, form
    return made


def _comparison(name):
    compute = getattr(operator, name)

    def method(self, other):
        outcome = compute(self.plain(), plain(other))
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
        return _tracked(compute(plain(left), plain(right)), self.observations, (name, formula(left), formula(right)))

    return method


for _kind in (ObservedInt, ObservedFloat):
    for _name in _COMPARISONS:
        setattr(_kind, f"__{_name}__", _comparison(_name))
    for _name in _ARITHMETIC:
        setattr(_kind, f"__{_name}__", _operation(_name, False))
        setattr(_kind, f"__r{_name}__", _operation(_name, True))
