"""Distances between the rows of matrices."""

from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...dispatch.autocast import FLOAT32, FLOAT32_ON_GPU, autocasts
from ...ops.kinds.precision import in_float32
from ..core.public_api import function
from ..shape.diagonals import triu_indices
from .statistics import vector_norm

_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@function(method=False, out=False)
@autocasts(FLOAT32)
@in_float32
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """p-norm distances between all pairs of rows of (..., P, M) and (..., R, M).

    compute_mode: one of PyTorch's three names; the sums of powers are always computed directly, without a matrix product.
    """
    if compute_mode not in _MODES:
        raise ArgumentError(f"cdist: {compute_mode} is not a valid value for compute_mode; it must be one of {', '.join(_MODES)}")
    for i, x in ((1, x1), (2, x2)):
        if x.ndim < 2:
            raise ShapeError(f"cdist only supports at least 2D tensors, X{i} got: {x.ndim}D")
        if not x.dtype.is_floating_point:
            raise DTypeError(f"cdist only supports floating-point dtypes, X{i} got: {x.dtype.name}")
    if x1.shape[-1] != x2.shape[-1]:
        raise ShapeError(f"cdist: X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise ArgumentError(f"cdist only supports non-negative p values, got {p}")
    difference = x1.unsqueeze(-2) - x2.unsqueeze(-3)
    if not difference.shape[-1]:
        return difference.sum(-1)
    return vector_norm(difference, p, -1)


@function(method=False, out=False)
@autocasts(FLOAT32_ON_GPU)
@in_float32
def pdist(input, p=2.0):
    """p-norm distances between all pairs of rows of a matrix, in one dimension."""
    if input.ndim != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    n = input.shape[0]
    i, j = triu_indices(n, n, 1, device=input.device).unbind(0)
    return vector_norm(input.index_select(0, i) - input.index_select(0, j), p, -1)
