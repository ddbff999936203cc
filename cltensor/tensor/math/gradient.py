"""gradient: finite differences along dimensions."""

from ...base import dtypes
from ...base.errors import ArgumentError, ShapeError
from ...base.shapes import normalize_dim
from ...ops.kinds.precision import in_float32
from ..api.creation import arange
from ..core.public_api import function
from ..shape.joining import cat


@function(method=False, out=False)
@in_float32
def gradient(input, *, spacing=1, dim=None, edge_order=1) -> tuple:
    """Central differences of input along dims, with one-sided ones of edge_order 1 or 2 at the ends."""
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient only supports edge_order=1 and edge_order=2, got {edge_order}")
    dims = range(input.ndim) if dim is None else (dim,) if hasattr(dim, "__index__") else dim
    dims = [normalize_dim(d, input.ndim, "gradient") for d in dims]
    if len(set(dims)) < len(dims):
        raise ShapeError(f"gradient: dims must be unique, got {dims}")
    spacing = 1 if spacing is None else spacing
    steps = list(spacing) if isinstance(spacing, (tuple, list)) else [spacing] * len(dims)
    if len(steps) != len(dims):
        raise ArgumentError(f"gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'dim': "
                            f"{len(dims)}, got {len(steps)}")
    return tuple(_gradient_along(input, d, h, edge_order) for d, h in zip(dims, steps, strict=True))


def _gradient_along(x, d, h, edge_order):
    n = x.shape[d]
    if n < edge_order + 1:
        raise ShapeError(f"gradient expected each dimension size to be at least edge_order+1, got size {n} at dimension {d}")

    def at(a, k):
        return x.narrow(d, a, k)

    def gap(a, k):
        return gaps.narrow(d, a, k)

    if hasattr(h, "_spec"):
        if h.ndim != 1 or h.shape[0] != n:
            raise ShapeError(f"gradient: coordinates must be a vector of {n} elements, got {list(h.shape)}")
        points = h.to(x.dtype if x.dtype.is_inexact else dtypes.get_default_dtype())
        gaps = (points.narrow(0, 1, n - 1) - points.narrow(0, 0, n - 1)).reshape([-1 if i == d else 1 for i in range(x.ndim)])
    else:
        gaps = arange(n - 1, device=x.device).to(dtypes.get_default_dtype() if not x.dtype.is_inexact else x.dtype) * 0 + h
        gaps = gaps.reshape([-1 if i == d else 1 for i in range(x.ndim)])
    left, right = gap(0, n - 2), gap(1, n - 2)
    if hasattr(h, "_spec"):
        inner = (left * left * at(2, n - 2) + (right * right - left * left) * at(1, n - 2) - right * right * at(0, n - 2)) / (
            left * right * (left + right))
    else:
        inner = (at(2, n - 2) - at(0, n - 2)) / (left + right)
    if edge_order == 1:
        parts = [(at(1, 1) - at(0, 1)) / gap(0, 1), inner, (at(n - 1, 1) - at(n - 2, 1)) / gap(n - 2, 1)]
    else:
        a, b = gap(0, 1), gap(1, 1)
        first = -(2 * a + b) / (a * (a + b)) * at(0, 1) + (a + b) / (a * b) * at(1, 1) - a / (b * (a + b)) * at(2, 1)
        a, b = gap(n - 3, 1), gap(n - 2, 1)
        last = b / (a * (a + b)) * at(n - 3, 1) - (a + b) / (a * b) * at(n - 2, 1) + (2 * b + a) / (b * (a + b)) * at(n - 1, 1)
        parts = [first, inner, last]
    return cat(parts, d)
