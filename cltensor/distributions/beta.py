"""The beta distribution."""

from ..tensor import Tensor
from ..tensor.shape.joining import stack
from . import constraints
from .dirichlet import Dirichlet
from .distribution import Distribution, SampleShape
from .exp_family import ExponentialFamily
from .parameters import broadcast_all


class Beta(ExponentialFamily):
    """The beta distribution on [0, 1], with density proportional to x**(concentration1 - 1) (1 - x)**(concentration0 - 1).

    Both concentrations: numbers, or tensors of shapes that broadcast and a floating dtype.  Samples follow both by implicit
    gradients, to about 1e-5 in float32.  Raises ArgumentError for concentrations that are not positive.  Source: Figurnov et al.
    2018, "Implicit reparameterization gradients".

        Beta(2.0, 6.0).mean   # tensor(0.2500)
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Tensor | float, concentration0: Tensor | float, validate_args: bool | None = None):
        one, zero = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(stack([one, zero], -1), validate_args=False)
        self._given = {"concentration1": one, "concentration0": zero}
        Distribution.__init__(self, one.shape, validate_args=validate_args)

    @property
    def concentration1(self) -> Tensor:
        """The exponent of x plus 1."""
        return self._given["concentration1"]

    @property
    def concentration0(self) -> Tensor:
        """The exponent of 1 - x plus 1."""
        return self._given["concentration0"]

    @property
    def mean(self) -> Tensor:
        """concentration1 over the sum of both."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """Where the density is largest; an end where it is infinite."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        """a b / ((a + b)**2 (a + b + 1))."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total**2 * (total + 1))

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def _log_prob(self, value):
        return self._dirichlet._log_prob(stack([value, 1 - value], -1))

    def entropy(self) -> Tensor:
        """See Distribution."""
        return self._dirichlet.entropy()

    @property
    def _natural_params(self):
        return self.concentration1, self.concentration0

    def _log_normalizer(self, x, y):
        return x.lgamma() + y.lgamma() - (x + y).lgamma()

    def __repr__(self):
        return Distribution.__repr__(self)
