"""The generalized Pareto distribution."""

import math

from ..tensor import Tensor
from ..tensor.shape.shape import broadcast_tensors
from . import constraints
from .distribution import Distribution, SampleShape
from .noise import uniform


class GeneralizedPareto(Distribution):
    """The generalized Pareto distribution from loc on, of a scale and a concentration; its tail is exponential for concentration 0.

    loc, scale and concentration: numbers, or tensors of shapes that broadcast and a floating dtype.  For a negative concentration
    values end at loc - scale / concentration.  Raises ArgumentError for a scale that is not positive.  Source: Pickands 1975,
    "Statistical inference using extreme order statistics".

        GeneralizedPareto(0.0, 1.0, 0.5).mean   # tensor(2.)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc: Tensor | float, scale: Tensor | float, concentration: Tensor | float,
                 validate_args: bool | None = None):
        self._begin(validate_args, loc=loc, scale=scale, concentration=concentration)

    def _curved(self, value):
        """(value, whether concentration is not 0, a concentration to divide by), of one shape."""
        value, k = broadcast_tensors(value, self.concentration)
        curved = k.abs() > 1e-8
        return value, curved, k.where(curved, 1.0)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self._icdf(uniform(self._extended_shape(sample_shape), self.loc))

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of more than value, a tensor of shape (*, *batch_shape).  Raises as log_prob does."""
        z, curved, k = self._curved((value - self.loc) / self.scale)
        return (-(k * z).log1p() / k).where(curved, -z)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of cdf, for a tensor of shape (*, *batch_shape).  Raises as log_prob does."""
        return (-self.log_survival_function(value).exp()).log1p()

    def _log_prob(self, value):
        z, curved, k = self._curved((value - self.loc) / self.scale)
        return (-(1 + 1 / k) * (k * z).log1p()).where(curved, -z) - self.scale.log()

    def _cdf(self, value):
        return -self.log_survival_function(value).expm1()

    def _icdf(self, value):
        t, curved, k = self._curved((-value).log1p())
        return self.loc + self.scale * ((-k * t).expm1() / k).where(curved, -t)

    @property
    def mean(self) -> Tensor:
        """loc + scale / (1 - concentration), NaN from concentration 1 on."""
        return (self.loc + self.scale / (1 - self.concentration)).where(self.concentration < 1, math.nan)

    @property
    def variance(self) -> Tensor:
        """scale**2 / ((1 - k)**2 (1 - 2 k)) for the concentration k, NaN from 1/2 on."""
        k = self.concentration
        return (self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k))).where(k < 0.5, math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    def entropy(self) -> Tensor:
        """1 + log(scale) + concentration."""
        return 1 + self.scale.log() + self.concentration

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> constraints.Constraint:
        """From loc on, to loc - scale / concentration where that is negative."""
        k = self.concentration
        return constraints.interval(self.loc, (self.loc - self.scale / k).where(k < 0, math.inf))
