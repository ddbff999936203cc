"""What a constraint is; constraints that depend on others, or hold along dimensions."""

from collections.abc import Callable
from typing import Any

from ...base.errors import ArgumentError, MissingError
from ...tensor import Tensor


class Constraint:
    """A set of values: `check` says which values lie in it.

    A value's last `event_dim` dimensions are one element of the set; `is_discrete` says whether the set is countable.  Values
    are tensors of any shape and dtype.  Raises NotImplementedError from `check` of a subclass that does not define it.
    Source: the standard notion of a support.

        class Even(Constraint):
            is_discrete = True

            def check(self, value):
                return value % 2 == 0
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each element of value lies in the set: bools of value's shape without its last event_dim dimensions."""
        raise MissingError(f"{type(self).__name__}: define check(value), which returns bools")

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in self._shown)})"

    _shown = ()


class Dependent(Constraint):
    """The set depends on other variables; instances that know whether it is discrete, or its event_dim, say so."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented):
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> bool:
        """Whether the set is countable.  Raises NotImplementedError where that depends on parameters."""
        return self._known("is_discrete")

    @property
    def event_dim(self) -> int:
        """How many dimensions one element has.  Raises NotImplementedError where that depends on parameters."""
        return self._known("event_dim")

    def _known(self, name):
        value = getattr(self, f"_{name}")
        if value is NotImplemented:
            raise MissingError(f".{name} cannot be determined statically; ask an instance of the distribution")
        return value

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> "Dependent":
        """A copy that knows more."""
        return Dependent(is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
                         event_dim=self._event_dim if event_dim is NotImplemented else event_dim)

    def check(self, x: Tensor) -> Tensor:
        """Raises ArgumentError: nothing is known of the set."""
        raise ArgumentError("Cannot determine validity of dependent constraint; ask that of a distribution instead")


class DependentProperty(property, Dependent):
    """A property that returns a constraint of an instance, and is a dependent constraint of the class.

        @constraints.dependent_property(is_discrete=False, event_dim=0)
        def support(self):
            return constraints.interval(self.low, self.high)
    """

    def __init__(self, fn: Callable[..., Any] | None = None, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented):
        property.__init__(self, fn)
        Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable[..., Any]) -> "DependentProperty":
        """Decorate fn."""
        return DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


def is_dependent(constraint: Constraint) -> bool:
    """Whether constraint is a dependent one.  It may have any shape and dtype.  Never raises.  Source: the standard notion.

        is_dependent(Uniform.support)   # True
    """
    return isinstance(constraint, Dependent)


class IndependentConstraint(Constraint):
    """base_constraint holds for all elements along the last reinterpreted_batch_ndims dimensions of what it checks."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int):
        self.base_constraint, self.reinterpreted_batch_ndims = base_constraint, reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> bool:
        """As of the base."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        """The base's and the reinterpreted dimensions."""
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        """See Constraint.  Raises ArgumentError for a value of too few dimensions."""
        result = self.base_constraint.check(value)
        if result.ndim < self.reinterpreted_batch_ndims:
            raise ArgumentError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        return all_of_last(result, self.reinterpreted_batch_ndims)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


def all_of_last(result, n):
    return result.reshape(*result.shape[: result.ndim - n], -1).all(-1) if n else result


class MixtureSameFamilyConstraint(Constraint):
    """The support of a mixture: value lies in base_constraint, the components' support, for every component."""

    def __init__(self, base_constraint: Constraint):
        if not isinstance(base_constraint, Constraint):
            raise ArgumentError(f"base_constraint: {base_constraint} is not a `Constraint`")
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:
        """As of the base."""
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> int:
        """As of the base."""
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        """See Constraint.  Raises ArgumentError for a value of too few dimensions."""
        if value.ndim < self.event_dim:
            raise ArgumentError(f"Expected value.dim() >= {self.event_dim} but got {value.ndim}")
        kept = value.ndim - self.event_dim
        result = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return result.reshape(*result.shape[:kept], -1).all(-1)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_constraint!r})"
