"""Independent: dimensions of a batch as dimensions of one event."""

from collections.abc import Sequence
from typing import Any

from ..base.errors import ArgumentError, MissingError
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, SampleShape
from .parameters import sum_rightmost


class Independent(Distribution):
    """base_distribution, with its last reinterpreted_batch_ndims batch dimensions as part of one event.

    log_prob is summed over them.  Of any shapes and the base's dtype.  Raises ArgumentError for more dimensions than the base's
    batch_shape has.  Source: standard definition.

        Independent(Normal(cltensor.zeros(3), 1.0), 1).event_shape   # (3,)
    """

    arg_constraints = {}

    def __init__(self, base_distribution: Distribution, reinterpreted_batch_ndims: int, validate_args: bool | None = None):
        n = len(base_distribution.batch_shape) - reinterpreted_batch_ndims
        if n < 0:
            raise ArgumentError("Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), actual "
                                f"{reinterpreted_batch_ndims} vs {len(base_distribution.batch_shape)}")
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        super().__init__(shape[:n], shape[n:], validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """See Distribution."""
        new = self._get_checked_instance(Independent, _instance)
        base = self.base_dist.expand((*batch_shape, *self._event_shape[: self.reinterpreted_batch_ndims]))
        Independent.__init__(new, base, self.reinterpreted_batch_ndims, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def has_rsample(self) -> bool:
        """As of the base."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:
        """Whether the base has, and no dimension is reinterpreted."""
        return self.reinterpreted_batch_ndims == 0 and self.base_dist.has_enumerate_support

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        """The base's, with more dimensions."""
        more = self.reinterpreted_batch_ndims
        return constraints.independent(self.base_dist.support, more) if more else self.base_dist.support

    @property
    def mean(self) -> Tensor:
        """The base's."""
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        """The base's."""
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        """The base's."""
        return self.base_dist.variance

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """See Distribution."""
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        """See Distribution."""
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """See Distribution.  Raises MissingError where dimensions are reinterpreted: there would be too many values."""
        if self.reinterpreted_batch_ndims:
            raise MissingError("Enumeration over cartesian product is not implemented; enumerate base_dist")
        return self.base_dist.enumerate_support(expand=expand)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
