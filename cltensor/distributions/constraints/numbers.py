"""Sets of numbers."""

from typing import Any

from ...tensor import Tensor
from .constraint import Constraint


class Boolean(Constraint):
    """0 or 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return (value == 0) | (value == 1)


class _Bounded(Constraint):
    _shown = ("lower_bound", "upper_bound")

    def __init__(self, lower_bound: Any, upper_bound: Any):
        self.lower_bound, self.upper_bound = lower_bound, upper_bound


class _Above(Constraint):
    _shown = ("lower_bound",)

    def __init__(self, lower_bound: Any):
        self.lower_bound = lower_bound


class _Below(Constraint):
    _shown = ("upper_bound",)

    def __init__(self, upper_bound: Any):
        self.upper_bound = upper_bound


class IntegerInterval(_Bounded):
    """Whole numbers from lower_bound to upper_bound, both included."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return (value % 1 == 0) & (value >= self.lower_bound) & (value <= self.upper_bound)


class IntegerGreaterThan(_Above):
    """Whole numbers from lower_bound on."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return (value % 1 == 0) & (value >= self.lower_bound)


class Real(Constraint):
    """All numbers but NaN."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return value == value


class GreaterThan(_Above):
    """Numbers above lower_bound."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return value > self.lower_bound


class GreaterThanEq(_Above):
    """Numbers from lower_bound on."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return value >= self.lower_bound


class LessThan(_Below):
    """Numbers below upper_bound."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return value < self.upper_bound


class Interval(_Bounded):
    """Numbers from lower_bound to upper_bound, both included."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class HalfOpenInterval(_Bounded):
    """Numbers from lower_bound to below upper_bound."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return (value >= self.lower_bound) & (value < self.upper_bound)
