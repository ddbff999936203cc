"""The von Mises distribution."""

import math

from ..special import i0e, i1e
from ..tensor import Tensor
from ..tensor.random.implicit import von_mises
from . import constraints
from .distribution import Distribution, SampleShape


class VonMises(Distribution):
    """The von Mises distribution of angles around loc, narrower for a larger concentration.

    loc (in radians) and concentration: numbers, or tensors of shapes that broadcast and a floating dtype.  Samples lie in
    [-pi, pi] and have no gradients.  `variance` is the circular one, 1 - I1(k) / I0(k).  Raises ArgumentError for a concentration
    that is not positive.  Source: Best and Fisher 1979, "Efficient simulation of the von Mises distribution".

        VonMises(0.0, 2.0).log_prob(cltensor.tensor(0.0))   # tensor(-0.6619)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Tensor | float, concentration: Tensor | float, validate_args: bool | None = None):
        self._begin(validate_args, loc=loc, concentration=concentration)

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        angle = von_mises(self.concentration.detach().expand(self._extended_shape(sample_shape)))
        return (angle + self.loc.detach() + math.pi) % (2 * math.pi) - math.pi

    def _log_prob(self, value):
        k = self.concentration
        return k * ((value - self.loc).cos() - 1) - math.log(2 * math.pi) - i0e(k).log()

    @property
    def mean(self) -> Tensor:
        """loc, as a direction."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance, between 0 and 1."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)
