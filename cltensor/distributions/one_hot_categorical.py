"""Categories as vectors of one 1 among zeros."""

from ..nn.functional import one_hot
from ..tensor import Tensor
from ..tensor.api.creation import eye
from . import constraints
from .categorical import Categorical
from .distribution import Distribution, SampleShape
from .modes import one_hot_of_largest


class OneHotCategorical(Distribution):
    """Vectors of K numbers: 1 at a category drawn with the probabilities probs, 0 elsewhere.

    probs or logits: (*batch_shape, K), tensors of a floating dtype, which samples have.  Raises ArgumentError unless exactly one
    is given and for negative probs, MismatchError for a number.  Source: standard definition.

        OneHotCategorical(cltensor.tensor([1.0, 3.0])).mode   # tensor([0., 1.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None):
        self._categorical = Categorical(probs, logits, validate_args=validate_args)
        self._given = self._categorical._given
        Distribution.__init__(self, self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

    @property
    def _param(self):
        return self._categorical._param

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
        """probs."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """1 at the most probable category."""
        return one_hot_of_largest(self.probs)

    @property
    def variance(self) -> Tensor:
        """probs (1 - probs)."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return one_hot(self._categorical.sample(sample_shape), self._event_shape[0]).to(self._param.dtype)

    def _log_prob(self, value):
        return self._categorical._log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        """See Distribution."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """The rows of an identity matrix."""
        k = self._event_shape[0]
        values = eye(k, dtype=self._param.dtype, device=self._param.device).reshape(k, *(1,) * len(self._batch_shape), k)
        return values.expand(k, *self._batch_shape, k) if expand else values

    def __repr__(self):
        return f"{type(self).__name__}()"


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """OneHotCategorical whose samples pass gradients to probs as if they were the probabilities.

    probs or logits: (*batch_shape, K), tensors of a floating dtype.  Raises as OneHotCategorical does.  Source: Bengio et al. 2013,
    "Estimating or propagating gradients through stochastic neurons".

        OneHotCategoricalStraightThrough(cltensor.tensor([1.0, 3.0])).rsample()
    """

    has_rsample = True

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
