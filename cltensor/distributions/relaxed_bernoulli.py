"""The relaxed Bernoulli distribution."""

from ..tensor import Tensor
from . import constraints
from .distribution import SampleShape
from .noise import inner_uniform
from .parameters import number_like, probs_to_logits, softplus
from .probability import OfProbability
from .transformed_distribution import TransformedDistribution
from .transforms import SigmoidTransform


class LogitRelaxedBernoulli(OfProbability):
    """The logits of RelaxedBernoulli's numbers, which keep more digits near 0 and 1.

    temperature: a number or a 0-d tensor; probs or logits: a number, or a tensor of any shape and a floating dtype.  Raises
    ArgumentError unless exactly one is given, and for a probability outside [0, 1].  Source: Maddison et al. 2017, "The concrete
    distribution".

        LogitRelaxedBernoulli(0.5, probs=0.3).sample((4,))
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(self, temperature: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None):
        self._begin_with(probs, logits, validate_args)
        self.temperature = temperature
        self._settings = {"temperature": temperature}

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        noise = probs_to_logits(inner_uniform(self._extended_shape(sample_shape), self._param), is_binary=True)
        return (noise + self.logits) / self.temperature

    def _log_prob(self, value):
        t = self.temperature if isinstance(self.temperature, Tensor) else number_like(self.temperature, self._param)
        difference = self.logits - value * t
        return t.log() + difference - 2 * softplus(difference)


class RelaxedBernoulli(TransformedDistribution):
    """Numbers between 0 and 1 that approach Bernoulli's as the temperature falls to 0, with gradients for probs.

    temperature: a number or a 0-d tensor; probs or logits: a number, or a tensor of any shape and a floating dtype.  Raises
    ArgumentError unless exactly one is given, and for a probability outside [0, 1].  Source: Maddison et al. 2017, "The concrete
    distribution"; Jang et al. 2017, "Categorical reparameterization with Gumbel-Softmax".

        RelaxedBernoulli(0.5, probs=0.3).rsample((4,))
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, temperature: Tensor | float, probs: Tensor | float | None = None, logits: Tensor | float | None = None,
                 validate_args: bool | None = None):
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        self._given, self._settings = base._given, base._settings
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor | float:
        """How far from 0 and 1 the numbers are."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The logits of probs."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probability of 1."""
        return self.base_dist.probs
