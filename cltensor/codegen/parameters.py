"""Parameters of templates: their defaults, what they mean, and the values with which a template renders right."""

from dataclasses import dataclass


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
