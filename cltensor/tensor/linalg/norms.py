"""cltensor.norm: vector and matrix norms under one name."""

from ...base.errors import ArgumentError, ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.autocast import FLOAT32_ON_GPU, autocasts
from ...dispatch.out import write_out
from ..core.public_api import function, method
from ..math.statistics import vector_norm
from .linalg import matrix_norm


@function(method=False)
@autocasts(FLOAT32_ON_GPU)
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The p-norm of all elements, or over dim; "fro" is 2, "nuc" the sum of singular values."""
    found = input.norm(p, dim, keepdim, dtype)
    return found if out is None else write_out("norm", found, out)


@method("norm")
@autocasts(FLOAT32_ON_GPU)
def _norm(self, p="fro", dim=None, keepdim=False, dtype=None):
    """See cltensor.norm."""
    if p == "nuc":
        return matrix_norm(self, "nuc", (-2, -1) if dim is None else tuple(dim), keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise ArgumentError(f"norm: p must be a number, 'fro' or 'nuc', got {p!r}")
    return vector_norm(self, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)


@function(method=False)
def frobenius_norm(input, dim, keepdim=False):
    """The square root of the sum of squares over dim."""
    return vector_norm(input, 2, dim, keepdim)


@function(method=False)
def nuclear_norm(input, dim=None, keepdim=False):
    """The sum of the singular values of the matrices in the two dimensions dim (by default the only two)."""
    if isinstance(dim, bool):  # nuclear_norm(input, keepdim)
        dim, keepdim = None, dim
    if dim is None and input.ndim != 2:
        raise ShapeError(f"nuclear_norm: Expected a tensor with 2 dimensions, but got {list(input.shape)}; give dim")
    return matrix_norm(input, "nuc", (-2, -1) if dim is None else tuple(dim), keepdim)


@function(method=False, out=False)
def norm_except_dim(v, pow=2, dim=0):
    """The norm over all dimensions but dim; they keep size 1; for dim -1, over all dimensions, as a 0-d tensor."""
    if dim == -1:
        return vector_norm(v, pow)
    rest = tuple(d for d in range(v.ndim) if d != normalize_dim(dim, v.ndim, "norm_except_dim"))
    return vector_norm(v, pow, rest, True) if rest else v.abs()
