"""The negative binomial distribution."""

from ..autograd.modes import no_grad
from ..tensor import Tensor
from ..tensor.random.implicit import standard_gamma
from ..tensor.random.sampling import poisson
from . import constraints
from .distribution import SampleShape
from .parameters import softplus
from .probability import OfProbability


class NegativeBinomial(OfProbability):
    """The number of successes before total_count failures, where each trial succeeds with probability probs.

    total_count (any number from 0 on) and probs or logits: numbers, or tensors of shapes that broadcast; of a floating dtype, which
    samples have.  Raises ArgumentError unless exactly one of probs and logits is given, and for values out of range.  Source:
    standard definition; samples are Poisson numbers of gamma distributed rates.

        NegativeBinomial(3.0, 0.5).mean   # tensor(3.)
    """

    arg_constraints = {"total_count": constraints.greater_than_eq(0), "probs": constraints.half_open_interval(0.0, 1.0),
                       "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, total_count: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None):
        self._begin_with(probs, logits, validate_args, total_count=total_count)
        self.total_count = self.total_count.to(self._param.dtype)
        self._given["total_count"] = self.total_count

    @property
    def mean(self) -> Tensor:
        """total_count times the odds."""
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        """(total_count - 1) times the odds, rounded down, or 0."""
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """The mean over 1 - probs."""
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        with no_grad():
            return poisson(standard_gamma(self.total_count.expand(self._extended_shape(sample_shape))) * self.logits.exp())

    def _log_prob(self, value):
        n = self.total_count
        ways = (n + value).lgamma() - (1 + value).lgamma() - n.lgamma()
        return ways.where(n + value != 0, 0.0) - n * softplus(self.logits) - value * softplus(-self.logits)
