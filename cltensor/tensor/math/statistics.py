"""Extremes with indices, log-sums, norms, sums that skip NaN, counts."""

import math

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...base.shapes import normalize_dim, normalize_dims
from ...dispatch.autocast import FLOAT32_ON_GPU, autocasts
from ...dispatch.binding import check_tensor
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.tensor_base import TensorBase
from ...ops.kinds.precision import in_float32
from ...ops.pointwise import elementary
from ...ops.reduce.reduction_ops import dot
from ..core.public_api import function
from ..core.results import result
from ..core.values import any_true
from ..shape.joining import cat
from ..shape.shape import broadcast_to
from .arithmetic import convert
from .complex_numbers import view_as_complex, view_as_real
from .reduce import amax, amin, argmax, argmin, mean, sum_

Max = result("max", "values indices")
Min = result("min", "values indices")
AMinMax = result("aminmax", "min max")


def _extreme(x, dim, keepdim, whole, arg, pair, pairwise):
    check_tensor(pair.__name__, "input", 1, x)
    if isinstance(dim, TensorBase):
        return run_elementwise(pairwise, (x, dim))
    if dim is None:
        if not x.numel():
            raise ShapeError(f"{pair.__name__}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
                             "reduction dim with the 'dim' argument.")
        return whole(x)
    indices = arg(x, dim, True)
    if not x.ndim:
        return pair(x.clone(), indices.reshape(()))
    d = normalize_dim(dim, x.ndim, pair.__name__)
    values = x.gather(d, indices)
    return pair(values, indices) if keepdim else pair(values.squeeze(d), indices.squeeze(d))


@function()
def max_(input, dim=None, keepdim=False, *, other=None) -> object:
    """The largest element; with dim (values, indices), the first one on a tie; with a tensor, the larger of two."""
    return _extreme(input, dim if other is None else other, keepdim, amax, argmax, Max, elementary.maximum)


@function()
def min_(input, dim=None, keepdim=False, *, other=None) -> object:
    """The smallest element; with dim (values, indices), the first one on a tie; with a tensor, the smaller of two."""
    return _extreme(input, dim if other is None else other, keepdim, amin, argmin, Min, elementary.minimum)


@function(exact=True)
def aminmax(input, *, dim=None, keepdim=False) -> AMinMax:
    """(min, max) of all elements, or over dim."""
    if dim is None and not input.numel():
        raise ShapeError("aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.")
    return AMinMax(amin(input, () if dim is None else dim, keepdim), amax(input, () if dim is None else dim, keepdim))


@function()
@in_float32
def logsumexp(input, dim=None, keepdim=False):
    """log(sum(exp(input))) over dim; the largest value is subtracted first, so nothing overflows."""
    x = input if input.dtype.is_inexact else convert(input, dtypes.get_default_dtype())
    dims = normalize_dims(dim, x.ndim, "logsumexp")
    if any(x.shape[d] == 0 for d in dims):
        return x.exp().sum(dims, keepdim).log()
    top = amax(x.detach().real, dims, True)
    top = top.masked_fill(top.isinf(), 0)
    total = (x - top).exp().sum(dims, True).log() + top
    return total if keepdim else total.reshape([n for d, n in enumerate(x.shape) if d not in dims])


@function()
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """Sum of the elements that are not NaN."""
    x = input if dtype is None else convert(input, dtypes.as_dtype(dtype))
    return sum_(x.masked_fill(x.isnan(), 0) if x.dtype.is_inexact else x, dim, keepdim)


@function()
def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """Mean of the elements that are not NaN."""
    x = input if dtype is None else convert(input, dtypes.as_dtype(dtype))
    if not x.dtype.is_inexact:
        raise DTypeError(f"nanmean(): expected input to have floating point or complex dtype but got {x.dtype.name}")
    return _nanmean(x, dim, keepdim)


@in_float32
def _nanmean(x, dim, keepdim):
    return nansum(x, dim, keepdim) / (~x.isnan()).sum(dim, keepdim)


@function(out=False)
def count_nonzero(input, dim=None):
    """How many elements are not 0."""
    return sum_(input != 0, dim)


def norm_root(x, exponent):
    """x ** exponent with slope 0 at 0, PyTorch's subgradient for norms."""
    return run_elementwise(elementary.norm_root, (x,), (exponent,))


# --- norms -----------------------------------------------------------------------------------------------------------


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """(sum |x| ** ord) ** (1 / ord) over dim; inf and -inf give the largest and smallest; 0 counts the non-zero elements."""
    if dtype is not None:
        x = convert(x, dtypes.as_dtype(dtype))
    if not x.dtype.is_inexact:
        raise DTypeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.dtype.name}")
    if not isinstance(ord, (int, float)):
        raise ArgumentError(f"linalg.vector_norm: ord must be a number, got {ord!r}")
    x = x.abs() if x.dtype.is_complex else x
    dims = normalize_dims(dim, x.ndim, "linalg.vector_norm")
    empty = any(x.shape[d] == 0 for d in dims)
    if empty and (ord < 0 or ord == math.inf):
        raise ShapeError(f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not have "
                         "an identity")
    return _vector_norm(x, ord, dims, keepdim)


@in_float32
def _vector_norm(x, ord, dims, keepdim):
    if ord == 2:
        return run_elementwise(elementary.norm_sqrt, (dot(x, x, dims, keepdim),)) if dims else x.abs()
    if ord == 1:
        return x.abs().sum(dims, keepdim)
    if ord == math.inf:
        return amax(x.abs(), dims, keepdim) if dims else x.abs()
    if ord == -math.inf:
        return amin(x.abs(), dims, keepdim) if dims else x.abs()
    if ord == 0:
        return x.sign().abs().masked_fill(x.isnan(), 1.0).sum(dims, keepdim)
    return norm_root(norm_root(x.abs(), ord).sum(dims, keepdim), 1.0 / ord)


@function(out=False)
@autocasts(FLOAT32_ON_GPU)
@in_float32
def dist(input, other, p=2):
    """The p-norm of input - other."""
    check_tensor("dist", "other", 2, other)
    return vector_norm(input - other, p)


@function(inplace="writing", contiguous=True)
@autocasts(FLOAT32_ON_GPU)
@in_float32
def renorm(input, p, dim, maxnorm):
    """Scale slices along dim down to p-norm maxnorm where theirs is larger."""
    if p <= 0:
        raise ArgumentError(f"renorm: non-positive-norm not supported, got p={p}")
    if maxnorm < 0:
        raise ArgumentError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if input.ndim < 2:
        raise ShapeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    d = normalize_dim(dim, input.ndim, "renorm")
    sizes = vector_norm(input, p, [i for i in range(input.ndim) if i != d], True)
    return input * (maxnorm / (sizes + 1e-7)).where(sizes > maxnorm, sizes.new_ones(()))


@function(method=False, out=False)
@in_float32
def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of y along dim by the trapezoid rule, at points x or dx apart.

    Numerics: for points dx apart, sum all and subtract half of the two ends, so an infinity at an end gives NaN, as in PyTorch.
    """
    if x is not None:
        return _trapezoids(y, x, dx, dim).sum(dim)
    d = normalize_dim(dim, y.ndim, "trapezoid")
    if not y.shape[d]:
        return y.new_zeros([n for i, n in enumerate(y.shape) if i != d])
    return (y.sum(d) - (y.select(d, 0) + y.select(d, -1)) * 0.5) * dx


@function(method=False, out=False)
def trapz(y, x=None, *, dx=1, dim=-1):
    """trapezoid."""
    return trapezoid(y, x, dx=dx, dim=dim)


@function(method=False, out=False)
@in_float32
def cumulative_trapezoid(y, x=None, *, dx=1, dim=-1):
    """The running integral of y along dim by the trapezoid rule."""
    return _trapezoids(y, x, dx, dim).cumsum(dim)


def _trapezoids(y, x, dx, dim):
    d = normalize_dim(dim, y.ndim, "trapezoid")
    n = y.shape[d]
    pair = y.narrow(d, 1, max(n - 1, 0)) + y.narrow(d, 0, max(n - 1, 0)) if n else y
    if x is None:
        return pair * (dx / 2.0) if not isinstance(dx, TensorBase) else pair * dx / 2.0
    if x.ndim == 1:
        if x.shape[0] != n:
            raise ShapeError(f"trapezoid: There must be one `x` value for each sample point: {x.shape[0]} for {n}")
        x = x.reshape([n if i == d else 1 for i in range(y.ndim)])
    else:
        x = broadcast_to(x, y.shape) if x.ndim < y.ndim else x
    m = x.shape[d]
    return pair * (x.narrow(d, 1, m - 1) - x.narrow(d, 0, m - 1)) / 2.0


@function()
def diff(input, n=1, dim=-1, prepend=None, append=None):
    """Differences of neighbours along dim, n times."""
    if not input.ndim:
        raise ShapeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise ArgumentError(f"order must be non-negative but got {n}")
    d = normalize_dim(dim, input.ndim, "diff")
    parts = [p for p in (prepend, input, append) if p is not None]
    if n == 0:
        return input.clone()
    x = cat(parts, d) if len(parts) > 1 else input
    for _ in range(min(n, x.shape[d])):
        m = x.shape[d]
        later, earlier = x.narrow(d, 1, m - 1), x.narrow(d, 0, m - 1)
        x = later.logical_xor(earlier) if x.dtype is dtypes.bool_ else later - earlier
    return x


@function(out=False)
@in_float32
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariance matrix of variables in rows and observations in columns."""
    if input.ndim > 2:
        raise ShapeError(f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions")
    if input.dtype is dtypes.bool_:
        raise DTypeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if input.ndim < 2 else input
    x = x if x.dtype.is_inexact else convert(x, dtypes.get_default_dtype())
    weights = None
    for w in (fweights, aweights):
        if w is not None:
            if w.ndim > 1 or w.numel() != x.shape[1]:
                raise ShapeError(f"cov(): weights must be a vector of {x.shape[1]} elements, got {list(w.shape)}")
            if (w.dtype.category != "int") if w is fweights else not w.dtype.is_floating_point:
                kind = "fweights to have integral" if w is fweights else "aweights to have floating point"
                raise DTypeError(f"cov(): expected {kind} dtype but got {w.dtype.name}")
            if any_true(w < 0):
                raise ArgumentError("cov(): fweights and aweights cannot be negative")
            w = w.to(x.dtype.to_real())
            weights = w if weights is None else weights * w
    if weights is None:
        total, center, weighted = float(x.shape[1]), mean(x, 1, True), None
        spread = total - correction
    else:
        total = weights.sum()
        center = (x * weights).sum(1, True) / total
        weighted = weights
        if aweights is None:
            spread = total - correction
        else:
            spread = total - correction * (weights * aweights.to(x.dtype.to_real())).sum() / total if correction else total
    c = x - center
    spread = max(spread, 0.0) if isinstance(spread, float) else spread.clamp(min=0)
    right = c if weighted is None else c * weighted
    result = right.matmul(c.mH) / spread
    return result.squeeze()


@function(out=False)
@in_float32
def corrcoef(input):
    """The matrix of correlation coefficients of variables in rows."""
    if input.ndim > 2:
        raise ShapeError(f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} "
                         f"dimensions")
    c = cov(input)
    if not c.ndim:
        return c / c
    s = c.diagonal().real.sqrt()
    scaled = c / s.unsqueeze(1) / s.unsqueeze(0)
    if scaled.dtype.is_complex:
        return view_as_complex(view_as_real(scaled).clamp(-1, 1))
    return scaled.clamp(-1, 1)
