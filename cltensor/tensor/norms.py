"""cltensor.norm: vector and matrix norms under one name."""

from ..base.errors import ArgumentError
from .linalg import matrix_norm
from .statistics import vector_norm
from .surface import function


@function()
def norm(input, p="fro", dim=None, keepdim=False, *, dtype=None):
    """The p-norm of all elements, or over dim; "fro" is 2, "nuc" the sum of singular values."""
    if p == "nuc":
        return matrix_norm(input, "nuc", (-2, -1) if dim is None else tuple(dim), keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise ArgumentError(f"norm: p must be a number, 'fro' or 'nuc', got {p!r}")
    return vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)
