"""Mixtures of distributions of one family."""

from collections.abc import Sequence
from typing import Any

from ..autograd.modes import no_grad
from ..base.errors import ArgumentError, MismatchError, ShapeError
from ..base.shapes import broadcast_shapes
from ..tensor import Tensor
from . import constraints
from .categorical import Categorical
from .constraints import MixtureSameFamilyConstraint
from .distribution import Distribution, SampleShape
from .parameters import as_size


class MixtureSameFamily(Distribution):
    """A mixture: mixture_distribution picks one of the components, the last batch dimension of component_distribution.

    mixture_distribution: a Categorical of K categories; component_distribution: of batch_shape (*batch_shape, K), any event_shape
    and floating dtype.  Samples have no gradients.  Raises ArgumentError for distributions that do not fit.  Source: standard
    definition.

        weights = Categorical(cltensor.ones(2))
        MixtureSameFamily(weights, Normal(cltensor.tensor([-1.0, 1.0]), 0.5)).mean   # tensor(0.)
    """

    arg_constraints: dict[str, constraints.Constraint] = {}
    has_rsample = False

    def __init__(self, mixture_distribution: Categorical, component_distribution: Distribution, validate_args: bool | None = None):
        _check(mixture_distribution, component_distribution)
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._num_component = component_distribution.batch_shape[-1]
        super().__init__(component_distribution.batch_shape[:-1], component_distribution.event_shape, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """See Distribution."""
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        components = self._component_distribution.expand((*batch_shape, self._num_component))
        MixtureSameFamily.__init__(new, self._mixture_distribution.expand(batch_shape), components, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property
    def support(self) -> constraints.Constraint:
        """Where all components have theirs."""
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components."""
        return self._component_distribution

    def _weights(self):
        """The probabilities of the components, (*batch_shape, K, 1 ...) as means and variances have them."""
        probs = self._mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1,) * len(self._event_shape))

    def _averaged(self, value):
        return (self._weights() * value).sum(-1 - len(self._event_shape))

    @property
    def mean(self) -> Tensor:
        """The mean of the components' means."""
        return self._averaged(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the components' variances and the variance of their means."""
        means = self._component_distribution.mean
        spread = means - self.mean.unsqueeze(-1 - len(self._event_shape))
        return self._averaged(self._component_distribution.variance + spread**2)

    def _padded(self, value):
        return value.unsqueeze(-1 - len(self._event_shape))

    def cdf(self, x: Tensor) -> Tensor:
        """See Distribution; the argument's name is PyTorch's."""
        return super().cdf(x)

    def log_prob(self, x: Tensor) -> Tensor:
        """See Distribution; the argument's name is PyTorch's."""
        return super().log_prob(x)

    def _cdf(self, value):
        return (self._component_distribution.cdf(self._padded(value)) * self._mixture_distribution.probs).sum(-1)

    def _log_prob(self, value):
        log_probs = self._component_distribution.log_prob(self._padded(value))
        return (log_probs + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        sample_shape, n = as_size(sample_shape), len(self._event_shape)
        with no_grad():
            drawn = self._component_distribution.sample(sample_shape)
            which = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            which = which.reshape(*which.shape, 1, *(1,) * n).expand(*which.shape, 1, *self._event_shape)
            return drawn.gather(-1 - n, which).squeeze(-1 - n)

    def __repr__(self):
        return f"{type(self).__name__}(\n  {self._mixture_distribution!r},\n  {self._component_distribution!r})"


def _check(mixture, components):
    if not isinstance(mixture, Categorical):
        raise ArgumentError(f"The mixture_distribution needs to be an instance of Categorical, not {type(mixture).__name__}")
    if not isinstance(components, Distribution):
        raise ArgumentError(f"The component_distribution needs to be an instance of Distribution, not {type(components).__name__}")
    km, kc = mixture.probs.shape[-1], components.batch_shape[-1:]
    if tuple(kc) != (km,):
        raise MismatchError(f"`mixture_distribution component` ({km}) does not equal `component_distribution.batch_shape[-1]` "
                            f"({kc[-1] if kc else 'none'})")
    try:
        broadcast_shapes(tuple(mixture.batch_shape), tuple(components.batch_shape[:-1]))
    except ShapeError:
        raise MismatchError(f"`mixture_distribution.batch_shape` ({mixture.batch_shape}) is not compatible with "
                            f"`component_distribution.batch_shape` ({components.batch_shape})") from None
