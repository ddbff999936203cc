"""The geometric distribution."""

from ..autograd.modes import no_grad
from ..base.errors import ArgumentError
from ..special import xlog1py
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from . import constraints
from .distribution import SampleShape
from .noise import inner_uniform
from .probability import OfProbability, binary_entropy


class Geometric(OfProbability):
    """The number of failures before the first success, where each trial succeeds with probability probs.

    probs or logits: a number, or a tensor of any shape and a floating dtype; samples have its dtype.  Raises ArgumentError unless
    exactly one is given, and for a probability outside (0, 1].  Source: standard definition.

        Geometric(0.25).mean   # tensor(3.)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None):
        self._begin_with(probs, logits, validate_args)
        if self._validate_args and probs is not None and not bool((self.probs > 0).all()):
            raise ArgumentError(f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of distribution {self!r} to "
                                f"be positive but found invalid values:\n{self.probs.detach()}")

    @property
    def mean(self) -> Tensor:
        """1 / probs - 1."""
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        """(1 / probs - 1) / probs."""
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        with no_grad():
            u = inner_uniform(self._extended_shape(sample_shape), self.probs)
            return (u.log() / (-self.probs).log1p()).floor()

    def _log_prob(self, value):
        return xlog1py(value, -self.probs) + self.probs.log()

    def entropy(self) -> Tensor:
        """See Distribution."""
        return binary_entropy(self.logits, self.probs) / self.probs
