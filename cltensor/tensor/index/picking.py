"""Read and write elements by their position."""

from ...base import dtypes
from ...base.errors import DimensionError, DTypeError, ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.run_planned import run_planned
from ...ops.index import indexing as index_ops
from ..core.public_api import function, method


@function(apart=True, exact=True)
def take(input, index):
    """Elements of the flattened tensor at index; negative ones count from the end.

    Raises DimensionError for an index out of range, where values are read.
    """
    if not input.numel() and index.numel():
        raise ShapeError("take(): tried to take from an empty tensor")
    return run_planned(index_ops.index_select, (input.reshape(-1), index.reshape(-1)), (0, True)).reshape(index.shape)


@method()
def put_(self, index, source, accumulate=False):
    """Write source's elements at index of the flattened tensor; negative ones count from the end; accumulate adds instead.

    Raises as take; ShapeError, DTypeError for a source that does not fit.
    """
    if index.numel() != source.numel():
        raise DimensionError(f"put_(): Expected source and index to have the same number of elements, got {source.numel()} and "
                         f"{index.numel()}")
    if source.dtype is not self.dtype:
        raise DTypeError(f"put_(): self and source expected to have the same dtype, got {self.dtype.name} and {source.dtype.name}")
    flat = run_planned(index_ops.index_combine, (self.reshape(-1), index.reshape(-1), source.reshape(-1)),
                       (0, "add" if accumulate else "set", True))
    return self.copy_(flat.reshape(self.shape))


@function(out=False)
def put(input, index, source, accumulate=False):
    """A copy of input with source's elements at index of the flattened tensor."""
    return input.clone().put_(index, source, accumulate)


@function()
def take_along_dim(input, indices, dim=None):
    """gather with broadcasting; negative indices count from the end; without dim, plain gather of the flattened tensors.

    Raises DimensionError for an index out of range, where values are read.
    """
    if indices.dtype is not dtypes.int64:
        raise DTypeError(f"take_along_dim(): dtype of indices should be Long but got {indices.dtype.name}")
    if dim is None:
        return input.reshape(-1).gather(0, indices.reshape(-1))
    if input.ndim != indices.ndim:
        raise ShapeError(f"take_along_dim(): input and indices should have the same number of dimensions, but got {input.ndim} "
                         f"dimensions for input, and {indices.ndim} dimensions for indices")
    d = normalize_dim(dim, input.ndim, "take_along_dim")
    pairs = enumerate(zip(input.shape, indices.shape, strict=True))
    rest = [1 if i == d else max(a, b) if 0 not in (a, b) else 0 for i, (a, b) in pairs]
    wide = input.expand([input.shape[d] if i == d else n for i, n in enumerate(rest)])
    index = indices.expand([indices.shape[d] if i == d else n for i, n in enumerate(rest)])
    return run_planned(index_ops.gather, (wide, index), (d, True))
