"""The Dirichlet distribution."""

from ..base.errors import MismatchError
from ..special import xlogy
from ..tensor import Tensor
from ..tensor.random.implicit import dirichlet
from . import constraints
from .distribution import Distribution, SampleShape
from .exp_family import ExponentialFamily
from .modes import one_hot_of_largest


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution: fractions, whose sum is 1.

    concentration: (*batch_shape, K), a tensor of a floating dtype.  Samples follow it by implicit gradients, to about 1e-5 in
    float32; they are drawn by way of logarithms, so small concentrations do not underflow together.  Raises MismatchError for a
    number, ArgumentError for a concentration that is not positive.  Source: Figurnov et al. 2018, "Implicit reparameterization
    gradients".

        Dirichlet(cltensor.tensor([1.0, 3.0])).mean   # tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None):
        if concentration.ndim < 1:
            raise MismatchError("`concentration` parameter must be at least one-dimensional.")
        self._keep({"concentration": concentration})
        Distribution.__init__(self, concentration.shape[:-1], concentration.shape[-1:], validate_args)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def _log_prob(self, value):
        a = self.concentration
        return xlogy(a - 1, value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    @property
    def mean(self) -> Tensor:
        """concentration over its sum."""
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        """concentration - 1 over its sum; a corner, the first of the largest, where all are below 1."""
        above = (self.concentration - 1).clamp(min=0)
        fractions = above / above.sum(-1, True)
        return one_hot_of_largest(fractions.nan_to_num()).where((self.concentration < 1).all(-1, True), fractions)

    @property
    def variance(self) -> Tensor:
        """m (1 - m) / (sum + 1) for the mean m."""
        mean = self.mean
        return mean * (1 - mean) / (self.concentration.sum(-1, True) + 1)

    def entropy(self) -> Tensor:
        """See Distribution."""
        a, total, k = self.concentration, self.concentration.sum(-1), self.concentration.shape[-1]
        return a.lgamma().sum(-1) - total.lgamma() - (k - total) * total.digamma() - ((a - 1) * a.digamma()).sum(-1)

    @property
    def _natural_params(self):
        return (self.concentration,)

    def _log_normalizer(self, x):
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
