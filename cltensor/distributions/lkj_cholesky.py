"""The LKJ distribution of Cholesky factors of correlation matrices."""

import math

from ..autograd.modes import no_grad
from ..base.dtypes import finfo
from ..base.errors import ArgumentError
from ..nn.functional import pad
from ..tensor import Tensor
from ..tensor.api.creation import arange
from ..tensor.shape.diagonals import diag_embed
from . import constraints
from .beta import Beta
from .distribution import Distribution, SampleShape
from .noise import standard_normal
from .parameters import broadcast_all


class LKJCholesky(Distribution):
    """Lower triangular factors (dim, dim) of correlation matrices whose density is proportional to det**(concentration - 1).

    dim: an int from 2 on.  concentration: a number, or a tensor (*batch_shape) of a floating dtype; 1 makes all matrices
    as probable.  Raises ArgumentError for a smaller dim and for a concentration that is not positive.  Source:
    Lewandowski, Kurowicka and Joe 2009, "Generating random correlation matrices based on vines and extended onion method".

        LKJCholesky(3, 1.0).sample()
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Tensor | float = 1.0, validate_args: bool | None = None):
        if dim < 2:
            raise ArgumentError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        concentration, = broadcast_all(concentration)
        self._keep({"concentration": concentration}, dim=dim)
        super().__init__(concentration.shape, (dim, dim), validate_args)

    def sample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution: each row's length below the diagonal has a beta distribution, its direction is uniform."""
        c, n = self.concentration, self.dim
        with no_grad():
            row = arange(1, n, dtype=c.dtype, device=c.device)
            lengths = Beta(0.5 * row, c.unsqueeze(-1) + 0.5 * (n - 1 - row), validate_args=False).sample(sample_shape)
            direction = standard_normal(self._extended_shape(sample_shape), c).tril(-1)[..., 1:, :]
            direction = direction / (direction**2).sum(-1, True).sqrt()
            below = pad(lengths.sqrt().unsqueeze(-1) * direction, [0, 0, 1, 0])
            return below + diag_embed((1 - pad(lengths, [1, 0])).clamp(min=finfo(c.dtype).tiny).sqrt())

    def _log_prob(self, value):
        c, n = self.concentration, self.dim
        order = 2 * (c.unsqueeze(-1) - 1) + n - arange(2, n + 1, dtype=c.dtype, device=c.device)
        unnormalised = (order * value.diagonal(dim1=-1, dim2=-2)[..., 1:].log()).sum(-1)
        alpha = c + 0.5 * (n - 1)
        log_normalizer = 0.5 * (n - 1) * math.log(math.pi) + (alpha - 0.5).mvlgamma(n - 1) - alpha.lgamma() * (n - 1)
        return unnormalised - log_normalizer
