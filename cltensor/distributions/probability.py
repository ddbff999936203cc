"""Distributions given by probabilities or by their logits, of which the other follows."""

from functools import cached_property

from ..base.errors import MismatchError
from ..tensor import Tensor
from .distribution import Distribution
from .parameters import logits_to_probs, one_of_two, probs_to_logits, softplus


class OfProbability(Distribution):
    """A distribution of numbers with `probs`, or `logits`, the logarithms of the odds, as parameter."""

    _binary = True

    def _begin_with(self, probs, logits, validate_args, **others):
        """Broadcast whichever of both is given with other parameters, keep them, and initialise."""
        one_of_two(probs, logits, "`probs` or `logits`")
        given = {"logits": logits} if probs is None else {"probs": probs}
        self._begin(validate_args, **others, **given)

    @cached_property
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits, self._binary)

    @cached_property
    def logits(self) -> Tensor:
        """The logits."""
        return probs_to_logits(self.probs, self._binary)

    @property
    def _param(self):
        return next(self._given[name] for name in ("probs", "logits") if name in self._given)

    @property
    def param_shape(self):
        """The shape of probs and logits."""
        return self._param.shape


class OfCategories(OfProbability):
    """A distribution over K categories with `probs` or `logits` (*batch_shape, K); both are normalised."""

    _binary = False

    def _begin_with_categories(self, probs, logits, validate_args, event_shape=(), **settings):
        one_of_two(probs, logits, "`probs` or `logits`")
        name, value = ("logits", logits) if probs is None else ("probs", probs)
        if value.ndim < 1:
            raise MismatchError(f"`{name}` parameter must be at least one-dimensional.")
        made = value / value.sum(-1, True) if name == "probs" else value - value.logsumexp(-1, True)
        self._keep({name: made}, **settings)
        Distribution.__init__(self, value.shape[:-1], event_shape, validate_args)

    @property
    def _num_events(self):
        return self._param.shape[-1]


def binary_entropy(logits, probs):
    """The entropy of one of two outcomes."""
    return softplus(logits) - probs * logits


