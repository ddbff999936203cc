"""The F distribution."""

import math

from ..tensor import Tensor
from . import constraints
from .distribution import Distribution, SampleShape
from .gamma import Gamma


class FisherSnedecor(Distribution):
    """The F distribution: the ratio of two chi-squared numbers, each over its degrees of freedom, df1 and df2.

    df1 and df2: numbers, or tensors of shapes that broadcast and a floating dtype.  The mean is NaN for df2 <= 2, the variance for
    df2 <= 4.  Raises ArgumentError for parameters that are not positive.  Source: standard definition.

        FisherSnedecor(2.0, 4.0).mean   # tensor(2.)
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Tensor | float, df2: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, df1=df1, df2=df2)

    @property
    def mean(self) -> Tensor:
        """df2 / (df2 - 2)."""
        return (self.df2 / (self.df2 - 2)).where(self.df2 > 2, math.nan)

    @property
    def mode(self) -> Tensor:
        """(df1 - 2) / df1 df2 / (df2 + 2), NaN for df1 <= 2."""
        return ((self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)).where(self.df1 > 2, math.nan)

    @property
    def variance(self) -> Tensor:
        """See Distribution."""
        a, b = self.df1, self.df2
        return (2 * b**2 * (a + b - 2) / (a * (b - 2) ** 2 * (b - 4))).where(b > 4, math.nan)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        above, below = (Gamma(df / 2, df / 2, validate_args=False).rsample(sample_shape) for df in (self.df1, self.df2))
        return above / below

    def _log_prob(self, value):
        a, b, ratio = self.df1 / 2, self.df2 / 2, self.df1 / self.df2
        scale = (a + b).lgamma() - a.lgamma() - b.lgamma()
        return scale + a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p()
