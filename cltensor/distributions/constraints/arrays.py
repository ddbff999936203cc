"""Sets of vectors and matrices."""

from typing import Any

from ...base.dtypes import finfo
from ...tensor import Tensor, namespace
from ...tensor.linalg.factor_info import cholesky_ex
from ...tensor.linalg.linalg import eigvalsh
from .constraint import Constraint, all_of_last

isclose = namespace()["isclose"]


class OneHot(Constraint):
    """Vectors of one 1 among zeros."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class Simplex(Constraint):
    """Vectors of numbers that are not negative and whose sum is 1, to 1e-6."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class Multinomial(Constraint):
    """Vectors of numbers that are not negative and whose sum is at most upper_bound."""

    is_discrete = True
    event_dim = 1

    def __init__(self, upper_bound: Any):
        self.upper_bound = upper_bound

    def check(self, x: Tensor) -> Tensor:
        """See Constraint."""
        return (x >= 0).all(-1) & (x.sum(-1) <= self.upper_bound)


class LowerTriangular(Constraint):
    """Square matrices that are zero above the diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return all_of_last(value.tril() == value, 2)


class LowerCholesky(Constraint):
    """Lower triangular matrices with a positive diagonal."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return LowerTriangular().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class CorrCholesky(Constraint):
    """Lower triangular matrices with a positive diagonal and rows of length 1: factors of correlation matrices."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        length = (value.detach() ** 2).sum(-1).sqrt()
        near = (length - 1).abs() <= 10 * finfo(value.dtype).eps * value.shape[-1]
        return near.all(-1) & LowerCholesky().check(value)


class Square(Constraint):
    """Square matrices."""

    event_dim = 2

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        return value.new_full(value.shape[:-2], value.shape[-2] == value.shape[-1]).bool()


class Symmetric(Square):
    """Symmetric square matrices, to 1e-6."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        if value.shape[-2] != value.shape[-1]:
            return super().check(value)
        return all_of_last(isclose(value, value.mT, atol=1e-6), 2)


class PositiveSemidefinite(Symmetric):
    """Symmetric matrices without negative eigenvalues."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        found = super().check(value)
        return found & (eigvalsh(value.detach()) >= 0).all(-1) if bool(found.all()) else found


class PositiveDefinite(Symmetric):
    """Symmetric matrices whose eigenvalues are positive."""

    def check(self, value: Tensor) -> Tensor:
        """See Constraint."""
        found = super().check(value)
        return found & (cholesky_ex(value.detach()).info == 0) if bool(found.all()) else found
