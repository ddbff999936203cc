"""The multivariate normal distribution."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..base.errors import ArgumentError, MismatchError
from ..base.shapes import broadcast_shapes
from ..tensor import Tensor
from ..tensor.api.creation import eye
from ..tensor.linalg.linalg import cholesky, solve_triangular
from . import constraints
from .distribution import Distribution, SampleShape
from .noise import standard_normal


def precision_to_scale_tril(precision):
    """The lower triangular L, L L^T the inverse of precision matrices (*, n, n)."""
    flipped = cholesky(precision.flip(-2, -1))
    upper = flipped.flip(-2, -1).mT
    one = eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return solve_triangular(upper, one.expand(upper.shape), upper=False)


def half_log_det(scale_tril):
    """Half the logarithm of the determinant of L L^T."""
    return scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def mahalanobis(scale_tril, difference):
    """x^T (L L^T)^-1 x for x (*, n), which broadcasts with L (*, n, n)."""
    n, batch = difference.shape[-1], scale_tril.shape[:-2]
    if difference.shape[:-1] == batch:
        return (solve_triangular(scale_tril, difference.unsqueeze(-1), upper=False) ** 2).sum((-2, -1))
    shape = broadcast_shapes(tuple(difference.shape[:-1]), tuple(batch))
    x, cut = difference.expand(*shape, n), len(shape) - len(batch)
    columns = x.reshape(-1, *batch, n) if cut and tuple(shape[cut:]) == tuple(batch) else None
    if columns is None:
        return mahalanobis(scale_tril.expand(*shape, n, n), x)
    columns = columns.movedim(0, -1)  # many vectors for each matrix: columns of one system
    return (solve_triangular(scale_tril, columns, upper=False) ** 2).sum(-2).movedim(-1, 0).reshape(shape)


class OfCovariance(Distribution):
    """A distribution given by one of covariance_matrix, precision_matrix and scale_tril, of which the others follow."""

    _MATRICES = ("covariance_matrix", "precision_matrix", "scale_tril")

    @staticmethod
    def _one_matrix(matrices):
        """(name, value) of the one matrix that is given."""
        given = [(name, value) for name, value in matrices.items() if value is not None]
        if len(given) != 1:
            raise ArgumentError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        name, value = given[0]
        if value.ndim < 2:
            raise MismatchError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        return name, value

    @cached_property
    def _factor(self) -> Tensor:
        """scale_tril, without the batch dimensions that a given matrix does not have."""
        name, value = self._matrix
        if name == "scale_tril":
            return value
        return cholesky(value) if name == "covariance_matrix" else precision_to_scale_tril(value)

    def _whole(self, matrix):
        return matrix.expand(*self._batch_shape, *matrix.shape[-2:])

    @cached_property
    def scale_tril(self) -> Tensor:
        """The lower triangular L (*batch_shape, n, n) with the covariance L L^T."""
        return self._whole(self._factor)

    @cached_property
    def covariance_matrix(self) -> Tensor:
        """The covariance (*batch_shape, n, n)."""
        return self._whole(self._factor @ self._factor.mT)

    @cached_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance (*batch_shape, n, n)."""
        one = eye(self._factor.shape[-1], dtype=self._factor.dtype, device=self._factor.device)
        inverse = solve_triangular(self._factor, one.expand(self._factor.shape), upper=False)
        return self._whole(inverse.mT @ inverse)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """See Distribution."""
        new = super().expand(batch_shape, _instance)
        new.__dict__["_factor"] = self._factor
        return new


class MultivariateNormal(OfCovariance):
    """The normal distribution of vectors, of mean loc and a covariance_matrix.

    Instead of the covariance_matrix give its inverse, precision_matrix, or its lower triangular factor, scale_tril.  loc:
    (*batch_shape, n), the matrix (*batch_shape, n, n), of float32 or float64; shapes broadcast.  Raises ArgumentError unless
    exactly one matrix is given, and for one that is not positive definite.  Source: standard definition.

        MultivariateNormal(cltensor.zeros(2), cltensor.eye(2)).log_prob(cltensor.zeros(2))   # tensor(-1.8379)
    """

    arg_constraints = {"loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
                       "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc: Tensor, covariance_matrix: Tensor | None = None, precision_matrix: Tensor | None = None,
                 scale_tril: Tensor | None = None, validate_args: bool | None = None):
        if loc.ndim < 1:
            raise MismatchError("loc must be at least one-dimensional.")
        name, matrix = self._one_matrix({"covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix,
                                         "scale_tril": scale_tril})
        batch = broadcast_shapes(tuple(matrix.shape[:-2]), tuple(loc.shape[:-1]))
        self._matrix = name, matrix
        self._keep({"loc": loc.expand(*batch, loc.shape[-1]), name: matrix.expand(*batch, *matrix.shape[-2:])})
        super().__init__(batch, loc.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The diagonal of the covariance."""
        return (self._factor**2).sum(-1).expand(self.loc.shape)

    def rsample(self, sample_shape: SampleShape = ()) -> Tensor:
        """See Distribution."""
        noise = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + (self._factor @ noise.unsqueeze(-1)).squeeze(-1)

    def _log_prob(self, value):
        n = self._event_shape[0]
        return -0.5 * (n * math.log(2 * math.pi) + mahalanobis(self._factor, value - self.loc)) - half_log_det(self._factor)

    def entropy(self) -> Tensor:
        """n (1 + log(2 pi)) / 2 and half the logarithm of the covariance's determinant."""
        n = self._event_shape[0]
        return (0.5 * n * (1 + math.log(2 * math.pi)) + half_log_det(self._factor)).expand(self._batch_shape)
