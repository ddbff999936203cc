"""The relaxed categorical distribution."""

import math

from ..tensor import Tensor
from . import constraints, noise
from .categorical import Categorical
from .distribution import Distribution, SampleShape
from .parameters import number_like
from .transformed_distribution import TransformedDistribution
from .transforms import ExpTransform


class ExpRelaxedCategorical(Distribution):
    """The logarithms of RelaxedOneHotCategorical's numbers, which do not underflow.

    temperature: a number or a 0-d tensor; probs or logits: (*batch_shape, K), tensors of a floating dtype.  Raises ArgumentError
    unless exactly one is given.  Source: Maddison et al. 2017, "The concrete distribution".

        ExpRelaxedCategorical(0.5, probs=cltensor.tensor([1.0, 3.0])).sample()
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector  # of numbers whose exponentials sum to 1
    has_rsample = True

    def __init__(self, temperature: Tensor | float, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None):
        self._categorical = Categorical(probs, logits)
        self._given, self._settings = self._categorical._given, {"temperature": temperature}
        self.temperature = temperature
        super().__init__(self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args)

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

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        scores = (self.logits + noise.gumbel(self._extended_shape(sample_shape), self.logits)) / self.temperature
        return scores - scores.logsumexp(-1, True)

    def _log_prob(self, value):
        t = self.temperature if isinstance(self.temperature, Tensor) else number_like(self.temperature, self.logits)
        k = self._event_shape[0]
        scores = self.logits - value * t
        return (scores - scores.logsumexp(-1, True)).sum(-1) + math.lgamma(k) + (k - 1) * t.log()

    def __repr__(self):
        return f"{type(self).__name__}()"


class RelaxedOneHotCategorical(TransformedDistribution):
    """Fractions that approach OneHotCategorical's vectors as the temperature falls to 0, with gradients for probs.

    temperature: a number or a 0-d tensor; probs or logits: (*batch_shape, K), tensors of a floating dtype.  Raises ArgumentError
    unless exactly one is given.  Source: Maddison et al. 2017, "The concrete distribution"; Jang et al. 2017, "Categorical
    reparameterization with Gumbel-Softmax".

        RelaxedOneHotCategorical(0.5, probs=cltensor.tensor([1.0, 3.0])).rsample()
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, temperature: Tensor | float, probs: Tensor | None = None, logits: Tensor | None = None,
                 validate_args: bool | None = None):
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        self._given, self._settings = base._given, base._settings
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor | float:
        """How far from the corners the numbers are."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities (*batch_shape, K)."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities (*batch_shape, K), normalised."""
        return self.base_dist.probs
