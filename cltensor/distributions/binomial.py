"""The binomial distribution."""

from ..autograd.modes import no_grad
from ..base.errors import MissingError
from ..tensor import Tensor
from ..tensor.random.sampling import binomial
from . import constraints
from .bernoulli import enumerated
from .distribution import SampleShape
from .parameters import softplus
from .probability import OfProbability


class Binomial(OfProbability):
    """How many of total_count trials succeed, each with probability probs.

    total_count (whole numbers) and probs or logits: numbers, or tensors of shapes that broadcast; probs of a floating dtype, which
    samples have.  `entropy` and `enumerate_support` need one total_count for all.  Raises ArgumentError unless exactly one of probs
    and logits is given, and for values out of range.  Source: standard definition; Hörmann 1993 for samples.

        Binomial(10, 0.5).log_prob(cltensor.tensor(5.0))   # tensor(-1.4020)
    """

    arg_constraints = {"total_count": constraints.nonnegative_integer, "probs": constraints.unit_interval,
                       "logits": constraints.real}
    has_enumerate_support = True

    def __init__(self, total_count: Tensor | int = 1, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None):
        self._begin_with(probs, logits, validate_args, total_count=total_count)
        self.total_count = self.total_count.to(self._param.dtype)
        self._given["total_count"] = self.total_count

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        """0 to total_count."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        """total_count probs."""
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        """(total_count + 1) probs rounded down, at most total_count."""
        return ((self.total_count + 1) * self.probs).floor().minimum(self.total_count)

    @property
    def variance(self) -> Tensor:
        """total_count probs (1 - probs)."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def _log_prob(self, value):
        n = self.total_count
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        return ways + value * self.logits - n * softplus(self.logits)

    def _one_count(self, name):
        n = int(self.total_count.max())
        if int(self.total_count.min()) != n:
            raise MissingError(f"Inhomogeneous total count not supported by `{name}`.")
        return n

    def entropy(self) -> Tensor:
        """See Distribution; it reads total_count."""
        self._one_count("entropy")
        log_prob = self._log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 to total_count."""
        return enumerated(self, self._one_count("enumerate_support") + 1, expand)
