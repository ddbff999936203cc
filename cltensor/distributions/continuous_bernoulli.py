"""The continuous Bernoulli distribution."""

import math

from ..base.errors import ArgumentError
from ..tensor import Tensor
from . import constraints
from .distribution import SampleShape
from .exp_family import ExponentialFamily
from .noise import uniform
from .parameters import clamp_probs, softplus
from .probability import OfProbability


class ContinuousBernoulli(OfProbability, ExponentialFamily):
    """Numbers x in [0, 1] with density proportional to probs**x (1 - probs)**(1 - x).

    probs or logits: a number, or a tensor of any shape and a floating dtype.  For probs within lims, around 1/2, where the formulas
    divide 0 by 0, the first terms of their series are used.  Raises ArgumentError unless exactly one is given, and for probs
    outside [0, 1].  Source: Loaiza-Ganem and Cunningham 2019, "The continuous Bernoulli".

        ContinuousBernoulli(0.5).mean   # tensor(0.5000)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 lims: tuple[float, float] = (0.499, 0.501), validate_args: bool | None = None):
        self._begin_with(probs, logits, validate_args)
        if probs is not None:
            if self._validate_args and not bool(self.arg_constraints["probs"].check(self.probs).all()):
                raise ArgumentError("The parameter probs has invalid values")
            self.probs = self._given["probs"] = clamp_probs(self.probs)
        self._lims = lims
        self._settings = {"lims": lims}

    def _away(self):
        """(whether probs lies outside lims, probs there, else a number that is safe in the formulas)."""
        away = (self.probs <= self._lims[0]) | (self.probs > self._lims[1])
        return away, self.probs.where(away, self._lims[0])

    def _log_norm(self):
        """The logarithm of 2 atanh(1 - 2 p) / (1 - 2 p)."""
        away, p = self._away()
        x = self.probs - 0.5
        odds = p.log() - (-p).log1p()
        exact = (odds / (2 * p - 1)).log()
        return exact.where(away, math.log(2) + (4 / 3 + 104 / 45 * x**2) * x**2)

    @property
    def mean(self) -> Tensor:
        """p / (2 p - 1) + 1 / (2 atanh(1 - 2 p))."""
        away, p = self._away()
        x = self.probs - 0.5
        exact = p / (2 * p - 1) + 1 / ((-p).log1p() - p.log())
        return exact.where(away, 0.5 + (1 / 3 + 16 / 45 * x**2) * x)

    @property
    def variance(self) -> Tensor:
        """p (p - 1) / (1 - 2 p)**2 + 1 / (2 atanh(1 - 2 p))**2."""
        away, p = self._away()
        x = self.probs - 0.5
        exact = p * (p - 1) / (1 - 2 * p) ** 2 + 1 / ((-p).log1p() - p.log()) ** 2
        return exact.where(away, 1 / 12 - (1 / 15 - 128 / 945 * x**2) * x**2)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self._icdf(uniform(self._extended_shape(sample_shape), self.probs))

    def _log_prob(self, value):
        return value * self.logits - softplus(self.logits) + self._log_norm()

    def _cdf(self, value):
        away, p = self._away()
        exact = (p**value * (1 - p) ** (1 - value) + p - 1) / (2 * p - 1)
        inside = exact.where(away, value)
        return inside.clamp(min=0, max=1)

    def _icdf(self, value):
        away, p = self._away()
        exact = ((-p + value * (2 * p - 1)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return exact.where(away, value)

    def entropy(self) -> Tensor:
        """See Distribution."""
        return -(self.mean * self.logits - softplus(self.logits) + self._log_norm())

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        """log((exp(x) - 1) / x), by its series near 0."""
        away = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        y = x.where(away, (self._lims[0] - 0.5))
        return (y.expm1() / y).log().where(away, 0.5 * x + x**2 / 24 - x**4 / 2880)
