"""Traced numbers: Python's arithmetic on numbers of a program, followed as expressions of the file's grammar."""

import contextlib
import math
import operator
from contextvars import ContextVar

from ..base.errors import CaptureError

_WRAP = 1 << 64  # integers have 64 bits: what is taken modulo this stays what it is
_MOST = 4096  # characters of an expression
_path = ContextVar("path", default=None)


class Untraceable(CaptureError):
    """A number is used in a way that no expression describes."""


class Path:
    """The outcomes of the questions that a trace asks: those given first, then what the values say."""

    def __init__(self, given=()):
        self.given, self.asked = tuple(given), []  # asked: (expression, outcome)

    def __enter__(self):
        self._token = _path.set(self)
        return self

    def __exit__(self, *exc):
        _path.reset(self._token)

    def decide(self, text, outcome):
        """The outcome of a question."""
        for known, answer in self.asked:
            if known == text:
                return answer
        at = len(self.asked)
        outcome = self.given[at] if at < len(self.given) else bool(outcome)
        self.asked.append((text, outcome))
        return outcome


class Traced:
    """A number with the expression that it follows from.  value: what it is now; text: the expression."""

    __slots__ = ("text", "value")

    def __init__(self, value, text):
        if len(text) > _MOST:
            raise Untraceable("a number follows from the program's numbers by too long an expression")
        self.value, self.text = value, text

    def __hash__(self):
        return hash(self.text)

    def __bool__(self):
        return _decided(f"{self.text} != 0", self.value != 0)

    def __neg__(self):
        return Traced(-self.value, f"(-{self.text})")

    def __pos__(self):
        return self

    def __abs__(self):
        return -self if self < 0 else self

    def __mod__(self, other):
        return self if _value(other) == _WRAP else _binary(operator.mod, "%", self, other)

    def _refuse(self, *args):
        raise Untraceable("Python turns a number of the program, such as a learning rate or a count of steps, into a plain one")

    __float__ = __int__ = __index__ = __complex__ = __round__ = __trunc__ = __floor__ = __ceil__ = _refuse

    def __repr__(self):
        return f"Traced({self.value!r}, {self.text!r})"


def text_of(number):
    """The expression of a number, traced or plain."""
    if isinstance(number, Traced):
        return number.text
    if isinstance(number, bool):
        return str(int(number))
    return f"({number!r})" if number < 0 else repr(number)


def _value(number):
    return number.value if isinstance(number, Traced) else number


def _decided(text, outcome):
    path = _path.get()
    if path is None:
        raise Untraceable("what a program does depends on one of its numbers")
    return path.decide(text, outcome)


def _binary(compute, sign, left, right):
    with contextlib.suppress(ArithmeticError, ValueError):
        return Traced(compute(_value(left), _value(right)), f"({text_of(left)} {sign} {text_of(right)})")
    return Traced(math.nan, f"({text_of(left)} {sign} {text_of(right)})")


def _operation(compute, sign, turned):
    def method(self, other):
        if not isinstance(other, (int, float, Traced)):
            return NotImplemented
        return _binary(compute, sign, *((other, self) if turned else (self, other)))
    return method


def _comparison(compute, sign):
    def method(self, other):
        if not isinstance(other, (int, float, Traced)):
            return NotImplemented
        if isinstance(other, Traced) and other.text == self.text:
            return compute(0, 0)
        if isinstance(other, int) and abs(other) >= _WRAP // 2:
            return compute(0, other)
        value = _value(self)
        outcome = not isinstance(value, complex) and compute(value, _value(other))
        return _decided(f"{self.text} {sign} {text_of(other)}", outcome)
    return method


for _name, _sign in (("add", "+"), ("sub", "-"), ("mul", "*"), ("truediv", "/"), ("floordiv", "//"), ("mod", "%"), ("pow", "**")):
    _compute = getattr(operator, _name)
    if _name != "mod":
        setattr(Traced, f"__{_name}__", _operation(_compute, _sign, False))
    setattr(Traced, f"__r{_name}__", _operation(_compute, _sign, True))
for _name, _sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "=="), ("ne", "!=")):
    setattr(Traced, f"__{_name}__", _comparison(getattr(operator, _name), _sign))
