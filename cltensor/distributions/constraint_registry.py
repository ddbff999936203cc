"""Registries from constraints to transforms: `biject_to` and `transform_to`.

Both give a transform from all numbers to the set of a constraint; that of biject_to is bijective and has a Jacobian, that of
transform_to may have more inputs than the set has dimensions, which suits optimisers.
"""

from collections.abc import Callable
from numbers import Number
from typing import Any

from ..base.errors import ArgumentTypeError, MissingError
from . import constraints, transforms
from .constraints import Constraint
from .transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Factories of transforms by the class of a constraint.

    Any shapes and floating dtypes.  Raises MissingError for a constraint without a factory.  Source: standard definition.

        registry = ConstraintRegistry()
        registry.register(constraints.positive, lambda constraint: ExpTransform())
        registry(constraints.positive)   # ExpTransform()
    """

    def __init__(self):
        self._factories: dict[type, Callable[[Any], Transform]] = {}

    def register(self, constraint: Constraint | type, factory: Callable[[Any], Transform] | None = None) -> Any:
        """Register a function from a constraint to a transform; a decorator without factory.

        Raises ArgumentTypeError for what is neither a constraint nor a class of constraints.
        """
        if factory is None:
            return lambda given: self.register(constraint, given)
        kind = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, Constraint)):
            raise ArgumentTypeError(f"Expected constraint to be either a Constraint subclass or instance, but got {constraint}")
        self._factories[kind] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform to the set of constraint."""
        factory = self._factories.get(type(constraint))
        if factory is None:
            raise MissingError(f"Cannot transform {type(constraint).__name__} constraints; register a factory for them")
        return factory(constraint)


biject_to, transform_to = ConstraintRegistry(), ConstraintRegistry()


def _both(*kinds):
    """Register a factory with both registries."""

    def declare(factory):
        for kind in kinds:
            biject_to.register(kind, factory)
            transform_to.register(kind, factory)
        return factory

    return declare


@_both(constraints.Real)
def _to_real(constraint):
    return transforms.identity_transform


@biject_to.register(constraints.IndependentConstraint)
def _biject_to_independent(constraint):
    base = biject_to(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


@transform_to.register(constraints.IndependentConstraint)
def _transform_to_independent(constraint):
    base = transform_to(constraint.base_constraint)
    return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)


@_both(constraints.GreaterThan, constraints.GreaterThanEq)
def _to_above(constraint):
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(constraint.lower_bound, 1)])


@_both(constraints.LessThan)
def _to_below(constraint):
    return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(constraint.upper_bound, -1)])


@_both(constraints.Interval, constraints.HalfOpenInterval)
def _to_interval(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, Number) and isinstance(high, Number) and low == 0 and high == 1:
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


@biject_to.register(constraints.simplex)
def _biject_to_simplex(constraint):
    return transforms.StickBreakingTransform()


@transform_to.register(constraints.simplex)
def _transform_to_simplex(constraint):
    return transforms.SoftmaxTransform()


@transform_to.register(constraints.lower_cholesky)
def _transform_to_lower_cholesky(constraint):
    return transforms.LowerCholeskyTransform()


@transform_to.register(constraints.PositiveSemidefinite)
@transform_to.register(constraints.PositiveDefinite)
def _transform_to_positive_definite(constraint):
    return transforms.PositiveDefiniteTransform()


@_both(constraints.CorrCholesky)
def _to_corr_cholesky(constraint):
    return transforms.CorrCholeskyTransform()


@biject_to.register(constraints.cat)
def _biject_to_cat(constraint):
    return transforms.CatTransform([biject_to(c) for c in constraint.cseq], constraint.dim, constraint.lengths)


@transform_to.register(constraints.cat)
def _transform_to_cat(constraint):
    return transforms.CatTransform([transform_to(c) for c in constraint.cseq], constraint.dim, constraint.lengths)


@biject_to.register(constraints.stack)
def _biject_to_stack(constraint):
    return transforms.StackTransform([biject_to(c) for c in constraint.cseq], constraint.dim)


@transform_to.register(constraints.stack)
def _transform_to_stack(constraint):
    return transforms.StackTransform([transform_to(c) for c in constraint.cseq], constraint.dim)


def __dir__():
    return sorted(__all__)
