"""The multivariate normal distribution whose covariance is a diagonal and a few directions."""

import math
from functools import cached_property

from ..base.errors import MismatchError, ShapeError
from ..base.shapes import broadcast_shapes
from ..tensor import Tensor
from ..tensor.api.creation import eye
from ..tensor.linalg.linalg import cholesky, solve_triangular
from ..tensor.shape.diagonals import diag_embed
from . import constraints
from .distribution import Distribution, SampleShape
from .multivariate_normal import half_log_det
from .noise import standard_normal


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of mean loc and covariance cov_factor cov_factor^T + diag(cov_diag).

    loc: (*batch_shape, n), cov_factor (*batch_shape, n, m), cov_diag (*batch_shape, n), of float32 or float64; shapes broadcast.
    Solves systems of size m only.  Raises MismatchError for shapes that do not fit, ArgumentError for a cov_diag that is not
    positive.  Source: the identity of Woodbury (1950).

        LowRankMultivariateNormal(cltensor.zeros(2), cltensor.ones(2, 1), cltensor.ones(2)).variance   # tensor([2., 2.])
    """

    arg_constraints = {"loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
                       "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None):
        batch = _batch(loc, cov_factor, cov_diag)
        self._keep({"loc": loc.expand(*batch, loc.shape[-1]), "cov_factor": cov_factor.expand(*batch, *cov_factor.shape[-2:]),
                    "cov_diag": cov_diag.expand(*batch, cov_diag.shape[-1])})
        super().__init__(batch, loc.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @cached_property
    def variance(self) -> Tensor:
        """The diagonal of the covariance."""
        return (self.cov_factor**2).sum(-1) + self.cov_diag

    @cached_property
    def _weighted(self):
        """cov_factor^T over cov_diag."""
        return self.cov_factor.mT / self.cov_diag.unsqueeze(-2)

    @cached_property
    def _capacitance_tril(self):
        """The factor of 1 + W^T D^-1 W."""
        inner = self._weighted @ self.cov_factor
        return cholesky(inner + eye(inner.shape[-1], dtype=inner.dtype, device=inner.device))

    @cached_property
    def scale_tril(self) -> Tensor:
        """The lower triangular L (*batch_shape, n, n) with the covariance L L^T."""
        return cholesky(self.covariance_matrix)

    @cached_property
    def covariance_matrix(self) -> Tensor:
        """The covariance (*batch_shape, n, n)."""
        return self.cov_factor @ self.cov_factor.mT + diag_embed(self.cov_diag)

    @cached_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance (*batch_shape, n, n)."""
        a = solve_triangular(self._capacitance_tril, self._weighted, upper=False)
        return diag_embed(self.cov_diag.reciprocal()) - a.mT @ a

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        shape = self._extended_shape(sample_shape)
        few, each = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc), standard_normal(shape, self.loc)
        return self.loc + (self.cov_factor @ few.unsqueeze(-1)).squeeze(-1) + self.cov_diag.sqrt() * each

    def _log_det(self):
        return 2 * half_log_det(self._capacitance_tril) + self.cov_diag.log().sum(-1)

    def _mahalanobis(self, difference):
        inner = (self._weighted @ difference.unsqueeze(-1))
        tril = self._capacitance_tril.expand(*inner.shape[:-2], *self._capacitance_tril.shape[-2:])
        few = solve_triangular(tril, inner, upper=False)
        return (difference**2 / self.cov_diag).sum(-1) - (few**2).sum((-2, -1))

    def _log_prob(self, value):
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + self._log_det() + self._mahalanobis(value - self.loc))

    def entropy(self) -> Tensor:
        """n (1 + log(2 pi)) / 2 and half the logarithm of the covariance's determinant."""
        return 0.5 * (self._event_shape[0] * (1 + math.log(2 * math.pi)) + self._log_det())


def _batch(loc, cov_factor, cov_diag):
    if loc.ndim < 1:
        raise MismatchError("loc must be at least one-dimensional.")
    n = loc.shape[-1]
    if cov_factor.ndim < 2:
        raise MismatchError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
    if cov_factor.shape[-2] != n:
        raise MismatchError(f"cov_factor must be a batch of matrices with shape {n} x m, but its shape is {cov_factor.shape}")
    if tuple(cov_diag.shape[-1:]) != (n,):
        raise MismatchError(f"cov_diag must be a batch of vectors with shape ({n},), but its shape is {cov_diag.shape}")
    try:
        return broadcast_shapes(tuple(loc.shape[:-1]), tuple(cov_factor.shape[:-2]), tuple(cov_diag.shape[:-1]))
    except ShapeError:
        raise MismatchError(f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, cov_diag "
                            f"{cov_diag.shape}") from None
