"""The normal distribution."""

import math

from ..special import ndtr, ndtri
from ..tensor import Tensor
from . import constraints
from .distribution import SampleShape
from .exp_family import ExponentialFamily
from .noise import standard_normal

_LOG_ROOT_2_PI = 0.5 * math.log(2 * math.pi)


class Normal(ExponentialFamily):
    """The normal distribution of mean loc and standard deviation scale.

    loc and scale: numbers, or tensors of shapes that broadcast and a floating dtype.  Raises ArgumentError for a scale that is not
    positive.  Samples by Box and Muller; `icdf` is accurate in both tails.  Source: standard definition.

        Normal(0.0, 1.0).log_prob(cltensor.tensor(0.0))   # tensor(-0.9189)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale squared."""
        return self.scale**2

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self.loc + self.scale * standard_normal(self._extended_shape(sample_shape), self.loc)

    def _standard(self, value):
        return (value - self.loc) / self.scale

    def _log_prob(self, value):
        return -0.5 * self._standard(value) ** 2 - self.scale.log() - _LOG_ROOT_2_PI

    def _cdf(self, value):
        return ndtr(self._standard(value))

    def _icdf(self, value):
        return self.loc + self.scale * ndtri(value)

    def entropy(self) -> Tensor:
        """log(scale) + log(2 pi e) / 2."""
        return self.scale.log() + (0.5 + _LOG_ROOT_2_PI)

    @property
    def _natural_params(self):
        return self.loc / self.scale**2, -0.5 * self.scale**-2

    def _log_normalizer(self, x, y):
        return -0.25 * x**2 / y + 0.5 * (-math.pi / y).log()
