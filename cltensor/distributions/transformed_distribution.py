"""TransformedDistribution: a distribution seen through transforms."""

from collections.abc import Sequence
from typing import Any

from ..autograd.modes import no_grad
from ..base.errors import ArgumentError, MismatchError
from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, SampleShape
from .independent import Independent
from .parameters import sum_rightmost
from .transforms import ComposeTransform, Transform


class TransformedDistribution(Distribution):
    """What base_distribution draws, put through transforms, one or a list of them; its density by the change of variables.

    Of the base's shapes and dtype, as the transforms change them.  `cdf` and `icdf` need transforms that increase or decrease.
    Raises ArgumentError for what are no transforms, MismatchError for a base with fewer dimensions than they need.  Source: the
    standard change of variables.

        TransformedDistribution(Normal(0.0, 1.0), transforms.ExpTransform())   # a log-normal distribution
    """

    arg_constraints: dict[str, constraints.Constraint] = {}

    def __init__(self, base_distribution: Distribution, transforms: Transform | Sequence[Transform],
                 validate_args: bool | None = None):
        self.transforms = _listed(transforms)
        joint = ComposeTransform(self.transforms)
        whole = tuple(base_distribution.batch_shape + base_distribution.event_shape)
        if len(whole) < joint.domain.event_dim:
            raise MismatchError(f"base_distribution needs to have shape with size at least {joint.domain.event_dim}, but got "
                                f"{whole}.")
        after = joint.forward_shape(whole)
        before = joint.inverse_shape(after)
        if tuple(before) != whole:
            batch = before[: len(before) - len(base_distribution.event_shape)]
            base_distribution = base_distribution.expand(batch)
        reinterpreted = joint.domain.event_dim - len(base_distribution.event_shape)
        if reinterpreted > 0:
            base_distribution = Independent(base_distribution, reinterpreted)
        self.base_dist = base_distribution
        event_dim = joint.codomain.event_dim + max(len(base_distribution.event_shape) - joint.domain.event_dim, 0)
        cut = len(after) - event_dim
        super().__init__(after[:cut], after[cut:], validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """See Distribution."""
        if self._given:
            return super().expand(batch_shape, _instance)
        new = self._get_checked_instance(TransformedDistribution, _instance)
        shape = ComposeTransform(self.transforms).inverse_shape((*batch_shape, *self._event_shape))
        base = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        TransformedDistribution.__init__(new, base, self.transforms, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> constraints.Constraint:
        """The last transform's codomain."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        more = len(self._event_shape) - found.event_dim
        return constraints.independent(found, more) if more > 0 else found

    @property
    def has_rsample(self) -> bool:
        """As of the base."""
        return self.base_dist.has_rsample

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        with no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self._through(self.base_dist.rsample(sample_shape))

    def _through(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

    def _log_prob(self, value):
        y, event_dim, total = value, len(self._event_shape), 0
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(transform.log_abs_det_jacobian(x, y), event_dim - transform.domain.event_dim)
            y = x
        return total + sum_rightmost(self.base_dist.log_prob(y), event_dim - len(self.base_dist.event_shape))

    def _sign(self):
        sign = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return sign

    def _turned(self, probability):
        """The probability, or its complement where the transforms decrease."""
        sign = self._sign()
        return probability if isinstance(sign, int) and sign == 1 else sign * (probability - 0.5) + 0.5

    def _cdf(self, value):
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._turned(self.base_dist.cdf(value))

    def _icdf(self, value):
        return self._through(self.base_dist.icdf(self._turned(value)))


def _listed(transforms):
    if isinstance(transforms, Transform):
        return [transforms]
    if not isinstance(transforms, list):
        raise ArgumentError(f"transforms must be a Transform or list, but was {transforms}")
    if not all(isinstance(t, Transform) for t in transforms):
        raise ArgumentError("transforms must be a Transform or a list of Transforms")
    return transforms
