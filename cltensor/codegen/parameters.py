"""Parameters of templates: their defaults, what they mean, and the values with which a template renders right."""

from dataclasses import dataclass

from ..base import dtypes


@dataclass(frozen=True)
class Parameter:
    """A parameter of a template.

    default: its value where none is given; meaning: in words; allowed: what tells the right values (below), None for any of the
    default's type.
    """

    default: object
    meaning: str = ""
    allowed: object = None

    def check(self, value):
        """Why a value is wrong, in words; None if it is right."""
        return None if self.allowed is None or self.allowed.holds(value) else f"it is {self.allowed}"


class one_of:
    """A few values."""

    def __init__(self, *values):
        self.values = values

    def holds(self, value):
        """Whether a value is one of them."""
        return any(value is v or (type(value) is type(v) and value == v) for v in self.values)

    def __str__(self):
        *first, last = dict.fromkeys(repr(getattr(v, "name", v)) for v in self.values)
        return " or ".join(filter(None, [", ".join(first), last]))


class whole:
    """Whole numbers from low to high; multiples of `step`."""

    def __init__(self, low, high, step=1):
        self.low, self.high, self.step = low, high, step

    def holds(self, value):
        """Whether a value is one of them."""
        return type(value) is int and self.low <= value <= self.high and value % self.step == 0

    def __str__(self):
        return f"a whole number from {self.low} to {self.high}" + (f", a multiple of {self.step}" if self.step > 1 else "")


class powers:
    """Powers of 2 from low to high."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def holds(self, value):
        """Whether a value is one of them."""
        return type(value) is int and self.low <= value <= self.high and value & (value - 1) == 0

    def __str__(self):
        return f"a power of 2 from {self.low} to {self.high}"


class such:
    """Values that a test accepts, in words."""

    def __init__(self, words, test):
        self.words, self.holds = words, test

    def __str__(self):
        return self.words


class several:
    """A tuple of values, each as the one given; None too where `or_none`."""

    def __init__(self, each, or_none=False):
        self.each, self.or_none = each, or_none

    def holds(self, value):
        """Whether a value is such a tuple."""
        return (value is None and self.or_none) or (isinstance(value, tuple) and all(map(self.each.holds, value)))

    def __str__(self):
        return f"{'None or ' if self.or_none else ''}a tuple, each of it {self.each}"


class row:
    """A tuple with these parts, by name."""

    def __init__(self, **parts):
        self.parts = parts

    def holds(self, value):
        """Whether a value is such a tuple."""
        parts = self.parts.values()
        return isinstance(value, tuple) and len(value) == len(parts) and all(p.holds(v) for p, v in zip(parts, value, strict=True))

    def __str__(self):
        return f"({', '.join(f'{name}: {part}' for name, part in self.parts.items())})"


TRUTH = one_of(True, False)
NAME = such("a C name", lambda v: isinstance(v, str) and v.isidentifier())
TEXT = such("C text", lambda v: isinstance(v, str))
DTYPE = such("a dtype", lambda v: isinstance(v, dtypes.dtype) or v in dtypes.BY_NAME)
FLOATING = such("a floating dtype", lambda v: getattr(dtypes.BY_NAME.get(v, v), "category", None) == "float")
FLOATING_OR_NONE = such("None or a floating dtype", lambda v: v is None or FLOATING.holds(v))
TYPE = such("a C type", lambda v: isinstance(v, str) and v.isidentifier())
#: a tuple of C statements or expressions
TEXTS = several(TEXT)
