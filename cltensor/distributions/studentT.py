"""Student's t distribution."""

import math

from ..tensor import Tensor
from ..tensor.api.creation import full_like
from . import constraints
from .chi2 import Chi2
from .distribution import Distribution, SampleShape
from .noise import standard_normal


class StudentT(Distribution):
    """Student's t distribution of df degrees of freedom around loc, stretched by scale.

    df, loc and scale: numbers, or tensors of shapes that broadcast and a floating dtype.  The mean is NaN for df <= 1, the variance
    infinite for df <= 2 and NaN for df <= 1.  Raises ArgumentError for a df or scale that is not positive.  Source: standard
    definition.

        StudentT(4.0).variance   # tensor(2.)
    """

    arg_constraints = {"df": constraints.positive, "loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, df: Tensor | float, loc: Tensor | float = 0.0, scale: Tensor | float = 1.0,
                 validate_args: bool | None = None):
        self._begin(validate_args, df=df, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc.where(self.df > 1, math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """scale**2 df / (df - 2)."""
        finite = self.scale**2 * self.df / (self.df - 2)
        return finite.where(self.df > 2, full_like(self.df, math.inf)).where(self.df > 1, math.nan)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        squares = Chi2(self.df, validate_args=False).rsample(sample_shape)
        normal = standard_normal(self._extended_shape(sample_shape), self.df)
        return self.loc + self.scale * normal * (squares / self.df).rsqrt()

    def _log_prob(self, value):
        df, z = self.df, (value - self.loc) / self.scale
        scale = self.scale.log() + 0.5 * (df.log() + math.log(math.pi)) + (0.5 * df).lgamma() - (0.5 * (df + 1)).lgamma()
        return -0.5 * (df + 1) * (z**2 / df).log1p() - scale

    def entropy(self) -> Tensor:
        """See Distribution."""
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        log_beta = half.lgamma() + math.lgamma(0.5) - more.lgamma()
        return self.scale.log() + more * (more.digamma() - half.digamma()) + 0.5 * self.df.log() + log_beta
