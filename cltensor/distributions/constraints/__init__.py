"""Constraints: sets of values, such as the support of a distribution or what a parameter may be.

    constraints.positive.check(cltensor.tensor([-1.0, 2.0]))   # tensor([False, True])
"""

from .arrays import (
    CorrCholesky,
    LowerCholesky,
    LowerTriangular,
    Multinomial,
    OneHot,
    PositiveDefinite,
    PositiveSemidefinite,
    Simplex,
    Square,
    Symmetric,
)
from .constraint import Constraint, Dependent, DependentProperty, IndependentConstraint, MixtureSameFamilyConstraint, is_dependent
from .joined import Cat, Stack
from .numbers import (
    Boolean,
    GreaterThan,
    GreaterThanEq,
    HalfOpenInterval,
    IntegerGreaterThan,
    IntegerInterval,
    Interval,
    LessThan,
    Real,
)

dependent, dependent_property, independent = Dependent(), DependentProperty, IndependentConstraint
boolean, one_hot, real, simplex = Boolean(), OneHot(), Real(), Simplex()
nonnegative_integer, positive_integer = IntegerGreaterThan(0), IntegerGreaterThan(1)
nonnegative, positive, unit_interval = GreaterThanEq(0.0), GreaterThan(0.0), Interval(0.0, 1.0)
real_vector = independent(real, 1)
lower_triangular, lower_cholesky, corr_cholesky = LowerTriangular(), LowerCholesky(), CorrCholesky()
square, symmetric = Square(), Symmetric()
positive_semidefinite, positive_definite = PositiveSemidefinite(), PositiveDefinite()
integer_interval, interval, half_open_interval = IntegerInterval, Interval, HalfOpenInterval
greater_than, greater_than_eq, less_than, multinomial, cat, stack = GreaterThan, GreaterThanEq, LessThan, Multinomial, Cat, Stack

__all__ = ["Constraint", "MixtureSameFamilyConstraint", "boolean", "cat", "corr_cholesky", "dependent", "dependent_property",
    "greater_than", "greater_than_eq", "half_open_interval", "independent", "integer_interval", "interval", "is_dependent",
    "less_than", "lower_cholesky", "lower_triangular", "multinomial", "nonnegative", "nonnegative_integer", "one_hot",
    "positive", "positive_definite", "positive_integer", "positive_semidefinite", "real", "real_vector", "simplex", "square",
    "stack", "symmetric", "unit_interval"]


def __dir__():
    return sorted(__all__)
