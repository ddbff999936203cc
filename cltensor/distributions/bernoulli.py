"""The Bernoulli distribution."""

import math

from ..autograd.modes import no_grad
from ..tensor import Tensor
from ..tensor.api.creation import arange
from ..tensor.random.sampling import bernoulli
from . import constraints
from .distribution import SampleShape
from .exp_family import ExponentialFamily
from .parameters import softplus
from .probability import OfProbability, binary_entropy


class Bernoulli(OfProbability, ExponentialFamily):
    """1 with probability probs, else 0.

    probs or logits: a number, or a tensor of any shape and a floating dtype; samples have its dtype.  The mode at 1/2 is NaN, as in
    PyTorch.  Raises ArgumentError unless exactly one is given, and for a probability outside [0, 1].  Source: standard definition.

        Bernoulli(0.25).variance   # tensor(0.1875)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None):
        self._begin_with(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        """probs."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The more probable of 0 and 1."""
        return (self.probs >= 0.5).to(self.probs.dtype).where(self.probs != 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        """probs (1 - probs)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        with no_grad():
            return bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def _log_prob(self, value):
        return value * self.logits - softplus(self.logits)

    def entropy(self) -> Tensor:
        """See Distribution."""
        return binary_entropy(self.logits, self.probs)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 and 1."""
        return enumerated(self, 2, expand)

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        return softplus(x)


def enumerated(distribution, n, expand):
    """0 ... n - 1 along a new first dimension, in the dtype of a distribution's probabilities."""
    like, batch = distribution._param, distribution.batch_shape
    values = arange(n, dtype=like.dtype, device=like.device).reshape(-1, *(1,) * len(batch))
    return values.expand(n, *batch) if expand else values
