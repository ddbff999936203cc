"""What PyTorch keeps in torch.distributions.utils."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..base.errors import ArgumentError
from ..tensor import Tensor
from ..tensor.shape.diagonals import tril_indices
from .parameters import broadcast_all, clamp_probs, logits_to_probs, probs_to_logits

__all__ = ["broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec",
           "vec_to_tril_matrix"]


class lazy_property(cached_property):
    """A property that is computed when it is first read, and kept as an attribute.  wrapped: the method that computes it."""

    def __init__(self, wrapped: Callable[[Any], Any]):
        super().__init__(wrapped)


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Lower triangular matrices (*, n, n) from the elements (*, k) on and below diagonal `diag`, row by row.

    Raises ArgumentError if k is not the number of such elements.
    """
    n = tril_size(vec.shape[-1], diag)
    made = vec.new_zeros((*vec.shape[:-1], n, n))
    rows, columns = tril_indices(n, n, diag)
    made[..., rows, columns] = vec
    return made


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The elements (*, k) on and below diagonal `diag` of matrices (*, n, n), row by row.

    Raises ArgumentError for a diagonal outside the matrix.
    """
    n = mat.shape[-1]
    if not -n <= diag < n:
        raise ArgumentError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    rows, columns = tril_indices(n, n, diag)
    return mat[..., rows, columns]


def tril_size(k, diag):
    """n such that matrices (n, n) have k elements on and below diagonal diag.  Raises ArgumentError if there is none."""
    n = round(((1 + 2 * diag) ** 2 + 8 * k + 4 * abs(diag) * (diag + 1)) ** 0.5 - 1 - 2 * diag) // 2
    if n < 1 or sum(min(max(row + diag + 1, 0), n) for row in range(n)) != k:
        raise ArgumentError(f"The size of last dimension is {k} which cannot be expressed as the lower triangular part of a square "
                            f"D x D matrix.")
    return n


def __dir__():
    return sorted(__all__)
