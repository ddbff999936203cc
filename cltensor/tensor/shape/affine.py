"""Diagonals and windows: views whose indices are sums of multiples of steps."""

from ...base.errors import ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.run_planned import run_view
from ...ops.index import view_ops
from ..core.public_api import function, method


def _step(ndim, length, *dims):
    """The index with `length` in dims and 0 elsewhere."""
    return tuple(length if i in dims else 0 for i in range(ndim))


@function(out=False)
def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonal of two dimensions as a new last dimension; a view."""
    a, b = normalize_dim(dim1, input.ndim, "diagonal"), normalize_dim(dim2, input.ndim, "diagonal")
    if a == b:
        raise ShapeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    shape, ndim = input.shape, input.ndim
    n = max(0, min(shape[a] + min(offset, 0), shape[b] - max(offset, 0)))
    rest = [i for i in range(ndim) if i not in (a, b)]
    size = (*(shape[i] for i in rest), n)
    steps = (*(_step(ndim, 1, i) for i in rest), _step(ndim, 1, a, b))
    start = _step(ndim, -offset, a) if offset < 0 else _step(ndim, offset, b)
    return run_view(view_ops.affine_index, input, (size, steps, start))


@method()
def unfold(self, dimension, size, step):
    """Windows of `size` elements every `step` along a dimension, as a new last dimension; a view."""
    ndim = self.ndim
    d = normalize_dim(dimension, ndim, "unfold")
    n = self.shape[d] if ndim else 1
    if size < 0 or step <= 0 or size > n:
        raise ShapeError(f"unfold: maximum size for tensor at dimension {d} is {n} but size is {size}; step is {step} and must "
                         "be > 0")
    if not ndim:
        return self.reshape(1)[:size]
    shape = tuple((n - size) // step + 1 if i == d else k for i, k in enumerate(self.shape))
    steps = tuple(_step(ndim, step if i == d else 1, i) for i in range(ndim))
    return run_view(view_ops.affine_index, self, ((*shape, size), (*steps, _step(ndim, 1, d)), _step(ndim, 0)))
