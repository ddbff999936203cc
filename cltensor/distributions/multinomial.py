"""The multinomial distribution."""

from ..autograd.modes import no_grad
from ..base.errors import MissingError
from ..tensor import Tensor
from ..tensor.api.creation import ones_like, zeros
from . import constraints
from .binomial import Binomial
from .categorical import Categorical
from .distribution import Distribution, SampleShape
from .parameters import as_size


class Multinomial(Distribution):
    """How many of total_count trials fall into each of K categories with the probabilities probs.

    total_count: an int, the same for all.  probs or logits: (*batch_shape, K), tensors of a floating dtype, which samples have.
    Raises MissingError for a total_count that is no int, ArgumentError unless exactly one of probs and logits is given.  Source:
    standard definition.

        Multinomial(8, cltensor.tensor([1.0, 3.0])).mean   # tensor([2., 6.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(self, total_count: int = 1, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None):
        if not isinstance(total_count, int):
            raise MissingError(f"inhomogeneous total_count is not supported: give one int, not {type(total_count).__name__}")
        self._categorical = Categorical(probs, logits)
        self._given, self._settings = self._categorical._given, {"total_count": total_count}
        self.total_count = total_count
        Distribution.__init__(self, self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> constraints.Constraint:
        """Vectors of counts."""
        return constraints.multinomial(self.total_count)

    @property
    def probs(self) -> Tensor:
        """The probabilities (*batch_shape, K), normalised."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities (*batch_shape, K)."""
        return self._categorical.logits

    @property
    def param_shape(self):
        """The shape of probs and logits."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        """total_count probs."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        """total_count probs (1 - probs)."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        with no_grad():
            drawn = self._categorical.sample((self.total_count, *as_size(sample_shape))).movedim(0, -1)
            like = self._categorical._param
            counts = zeros(self._extended_shape(sample_shape), dtype=like.dtype, device=like.device)
            return counts.scatter_add(-1, drawn, ones_like(drawn, dtype=like.dtype))

    def _log_prob(self, value):
        logits = self.logits.where((value != 0) | (self.logits > float("-inf")), 0.0)
        ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        return ways + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        """See Distribution: the mean of each count's part, by the binomial distributions of the counts."""
        counts = Binomial(self.total_count, probs=self.probs)
        support = counts.enumerate_support(expand=False)[1:]
        parts = counts._log_prob(support).exp() * (support + 1).lgamma()
        one = self.probs.new_tensor(self.total_count + 1.0).lgamma()
        return self.total_count * self._categorical.entropy() - one + parts.sum((0, -1))

    def __repr__(self):
        return f"{type(self).__name__}()"
