"""The categorical distribution."""

import math

from ..autograd.modes import no_grad
from ..base.dtypes import finfo
from ..base.shapes import Size
from ..tensor import Tensor
from ..tensor.api.creation import arange, full
from ..tensor.index.searching import searchsorted
from ..tensor.shape.shape import broadcast_tensors
from . import constraints
from .distribution import SampleShape
from .noise import uniform
from .parameters import as_size
from .probability import OfCategories


class Categorical(OfCategories):
    """Categories 0 ... K - 1 with the probabilities probs.

    probs or logits: (*batch_shape, K), tensors of a floating dtype; probs need not sum to 1.  Samples are int64.  Mean and variance
    are NaN.  Raises ArgumentError unless exactly one is given and for negative probs, MismatchError for a number.  Source: standard
    definition; samples invert the distribution function.

        Categorical(cltensor.tensor([1.0, 3.0])).probs   # tensor([0.2500, 0.7500])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None):
        self._begin_with_categories(probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> constraints.Constraint:
        """0 to K - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        """NaN."""
        return full(self._batch_shape, math.nan, dtype=self.probs.dtype, device=self.probs.device)

    @property
    def mode(self) -> Tensor:
        """The most probable category, int64."""
        return self._param.argmax(-1)

    @property
    def variance(self) -> Tensor:
        """NaN."""
        return self.mean

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        sample_shape = as_size(sample_shape)
        with no_grad():
            total = self.probs.reshape(-1, self._num_events).cumsum(-1)
            draws = uniform((total.shape[0], sample_shape.numel()), total)
            below = (draws * total[:, -1:]).minimum(total[:, -1:] * (1 - finfo(total.dtype).eps))
            found = searchsorted(total, below, right=True)
            return found.T.reshape(Size((*sample_shape, *self._batch_shape)))

    def _log_prob(self, value):
        value, log_pmf = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return log_pmf.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        """See Distribution."""
        return -(self.logits.clamp(min=finfo(self.logits.dtype).min) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 to K - 1, int64."""
        values = arange(self._num_events, device=self._param.device).reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values
