"""The layouts: by coordinates, where values at one place add up, and of matrices by rows."""

import math

from ...base import dtypes
from ...base.errors import CLTensorError, DimensionError, ShapeError
from ...base.layouts import sparse_coo, sparse_csr
from ...base.shapes import contiguous_strides, normalize_dim
from ..api.creation import arange
from ..index.searching import searchsorted
from ..index.unique import unique
from ..shape.joining import cat, stack
from .places import row_starts, summed
from .sparse_tensor import SparseTensor


class SparseCOO(SparseTensor):
    """A sparse tensor of coordinates (sparse dimensions, n) and values (n, *dense dimensions); see SparseTensor."""

    layout, is_sparse = sparse_coo, True

    def __init__(self, indices, values, shape, coalesced=False):
        super().__init__(values, shape)
        self._places, self._coalesced = indices, coalesced or indices.shape[1] < 2

    def _like(self, values):
        return SparseCOO(self._places.to(values.device), values, self.shape, self._coalesced)

    # --- parts -------------------------------------------------------------------------------------------------------

    def _indices(self):
        """The coordinates as they are kept."""
        return self._places

    def _values(self):
        """The values as they are kept."""
        return self._kept

    def indices(self):
        """The coordinates (sparse dimensions, n), in order, each once.  Raises CLTensorError before coalesce()."""
        self._check_coalesced("indices")
        return self._places

    def values(self):
        """The values (n, *dense dimensions), in the order of the indices.  Raises CLTensorError before coalesce()."""
        self._check_coalesced("values")
        return self._kept

    def _check_coalesced(self, what):
        if not self._coalesced:
            raise CLTensorError(f"Cannot get {what} on an uncoalesced tensor, please call .coalesce() first")

    def is_coalesced(self):
        """Whether the coordinates are in order, each once."""
        return self._coalesced

    def _coalesced_(self, flag):
        """Say whether they are."""
        self._coalesced = flag
        return self

    def sparse_dim(self):
        """The number of dimensions that the coordinates have."""
        return self._places.shape[0]

    def dense_dim(self):
        """The number of dimensions of each value."""
        return self._kept.ndim - 1

    def crow_indices(self):
        """Refused: CSR tensors have them.  Raises CLTensorError."""
        raise CLTensorError("crow_indices expected sparse row compressed tensor layout but got Sparse; use to_sparse_csr()")

    col_indices = crow_indices

    def __repr__(self):
        tensors, size, layout = self._text((("indices", self._places), ("values", self._kept)))
        return f"tensor({tensors},\n       {size}, {layout})"

    # --- layouts -----------------------------------------------------------------------------------------------------

    def _flat(self, dims=None):
        """The coordinates in these sparse dimensions (all) as one number each, in the order of memory."""
        dims = range(self.sparse_dim()) if dims is None else dims
        strides = contiguous_strides([self.shape[d] for d in dims])
        total = self._places.new_zeros(self._nnz())
        for d, s in zip(dims, strides, strict=True):
            total = total + self._places[d] * s
        return total

    def _coordinates(self, flat, dims=None):
        """The coordinates of such numbers."""
        dims = range(self.sparse_dim()) if dims is None else dims
        strides = contiguous_strides([self.shape[d] for d in dims])
        rows = [flat // s % max(self.shape[d], 1) for d, s in zip(dims, strides, strict=True)]
        return stack(rows) if rows else flat.new_zeros((0, flat.shape[0]))

    def coalesce(self):
        """The tensor with its coordinates in order, each once; values at one place are added up."""
        if self._coalesced:
            return self
        flat, place = unique(self._flat(), return_inverse=True)
        return SparseCOO(self._coordinates(flat), summed(self._kept, place, flat.shape[0]), self.shape, True)

    def to_sparse(self, sparse_dim=None):
        """The tensor itself."""
        if sparse_dim not in (None, self.sparse_dim()):
            return self.to_dense().to_sparse(sparse_dim)
        return self

    to_sparse_coo = to_sparse

    def to_sparse_csr(self, dense_dim=None):
        """The matrix in the compressed row layout.  Raises ShapeError for anything but a matrix."""
        if self.sparse_dim() != 2:
            raise ShapeError(f"to_sparse_csr: expected 2 sparse dimensions, this tensor has {self.sparse_dim()}")
        x = self.coalesce()
        return SparseCSR(row_starts(x._places[0], self.shape[0]), x._places[1], x._kept, self.shape)

    def _dense(self):
        count, rest = self.sparse_dim(), self.shape[self.sparse_dim() :]
        return summed(self._kept, self._flat(), math.prod(self.shape[:count])).reshape((*self.shape[:count], *rest))

    def _none(self):
        """The tensor without any element."""
        return SparseCOO(self._places[:, :0], self._kept.detach()[:0], self.shape, True)

    # --- arithmetic --------------------------------------------------------------------------------------------------

    def _plus(self, other, alpha):
        if other.sparse_dim() != self.sparse_dim():
            other = other.to_dense().to_sparse(self.sparse_dim())
        values = other._kept if alpha == 1 else other._kept * alpha
        dtype = dtypes.promote_types(self.dtype, values.dtype)
        return SparseCOO(cat([self._places, other._places], 1), cat([self._kept.to(dtype), values.to(dtype)]), self.shape)

    def _times_dense(self, other):
        other = other.broadcast_to(self.shape)
        return self._like(self._kept * other[tuple(self._places.unbind(0))])

    def _times_sparse(self, other):
        a, b = self.coalesce(), other.coalesce()
        if b.sparse_dim() != a.sparse_dim():
            return a._times_dense(b.to_dense())
        if not a._nnz() or not b._nnz():
            return a._none()
        keys, wanted = b._flat(), a._flat()
        at = searchsorted(keys, wanted).clamp(max=keys.shape[0] - 1)
        kept = (keys[at] == wanted).nonzero().squeeze(1)
        return SparseCOO(a._places.index_select(1, kept), a._kept[kept] * b._kept[at[kept]], self.shape, True)

    def _add_to(self, target, alpha):
        """target, a dense tensor, plus alpha times this, in place."""
        return target.index_put_(tuple(self._places.unbind(0)), self._kept.to(target.dtype) * alpha, accumulate=True)

    def __getitem__(self, index):
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise ShapeError(f"x[index]: a sparse tensor takes an int, got {index!r}; use to_dense()")
        return self.select(0, index)

    def select(self, dim, index):
        """The part at one index of a sparse dimension; dense if no sparse dimension is left."""
        dim, n = self._sparse_dim_of(dim, "select"), self.shape[dim]
        at = index.__index__()
        if not -n <= at < n:
            raise DimensionError(f"select: index {at} is out of range for dimension {dim} of size {n}")
        x = self.coalesce()
        kept = (x._places[dim] == at % n).nonzero().squeeze(1)
        return self._without((dim,), x._places.index_select(1, kept), x._kept.index_select(0, kept))

    def _sparse_dim_of(self, dim, op):
        dim = normalize_dim(dim, self.ndim, op)
        if dim >= self.sparse_dim():
            raise DimensionError(f"{op}: dimension {dim} is a dense one of this tensor; use values() or to_dense()")
        return dim

    def _without(self, dims, places, values):
        """A tensor without these sparse dimensions; the sum over them, dense, where none is left."""
        left = [d for d in range(self.sparse_dim()) if d not in dims]
        shape = [n for d, n in enumerate(self.shape) if d not in dims]
        if not left:
            return values.sum(0)
        return SparseCOO(cat([places[d : d + 1] for d in left]), values, shape)

    def transpose(self, dim0, dim1):
        """The tensor with two sparse dimensions exchanged."""
        order = list(range(self.ndim))
        a, b = (self._sparse_dim_of(d, "transpose") for d in (dim0, dim1))
        order[a], order[b] = b, a
        return self.permute(order)

    def permute(self, *dims):
        """The tensor with its sparse dimensions in another order."""
        dims = dims[0] if len(dims) == 1 and not hasattr(dims[0], "__index__") else dims
        order, count = [normalize_dim(d, self.ndim, "permute") for d in dims], self.sparse_dim()
        if sorted(order) != list(range(self.ndim)) or order[count:] != list(range(count, self.ndim)):
            raise ShapeError(f"permute: {list(dims)} must hold each of the {self.ndim} dimensions once, dense ones in their places")
        places = cat([self._places[d : d + 1] for d in order[:count]])
        return SparseCOO(places, self._kept, [self.shape[d] for d in order], order == sorted(order) and self._coalesced)

    def t(self):
        """The transpose of a matrix; a vector itself."""
        if self.ndim > 2:
            raise ShapeError(f"t: expected a tensor of at most 2 dimensions, got {self.ndim}")
        return self if self.ndim < 2 else self.transpose(0, 1)

    def unsqueeze(self, dim):
        """The tensor with a sparse dimension of size 1."""
        dim = normalize_dim(dim, self.ndim + 1, "unsqueeze")
        if dim > self.sparse_dim():
            raise DimensionError(f"unsqueeze: dimension {dim} would be among the dense ones; use to_dense()")
        places = cat([self._places[:dim], self._places.new_zeros((1, self._nnz())), self._places[dim:]])
        return SparseCOO(places, self._kept, [*self.shape[:dim], 1, *self.shape[dim:]], self._coalesced)

    def __reduce__(self):
        return SparseCOO, (self._places, self._kept, tuple(self.shape), self._coalesced)


class SparseCSR(SparseTensor):
    """A sparse matrix of the places where rows start, columns and values; see SparseTensor."""

    layout, is_sparse_csr = sparse_csr, True

    def __init__(self, crow, columns, values, shape):
        super().__init__(values, shape)
        self._crow, self._columns = crow, columns

    def _like(self, values):
        return SparseCSR(self._crow.to(values.device), self._columns.to(values.device), values, self.shape)

    def crow_indices(self):
        """Where each row starts, and the end: (rows + 1,)."""
        return self._crow

    def col_indices(self):
        """The column of each value."""
        return self._columns

    def values(self):
        """The values, row after row."""
        return self._kept

    def indices(self):
        """Refused: COO tensors have them.  Raises CLTensorError."""
        raise CLTensorError("indices expected sparse coordinate tensor layout but got SparseCsr; use to_sparse()")

    _indices = indices

    def _values(self):
        return self._kept

    def sparse_dim(self):
        """2."""
        return 2

    def dense_dim(self):
        """0."""
        return 0

    def rows(self):
        """The row of each value."""
        starts = self._crow.long()
        return arange(self.shape[0], device=self.device).repeat_interleave(starts[1:] - starts[:-1], output_size=self._nnz())

    def to_sparse(self, sparse_dim=None):
        """The matrix in the coordinate layout."""
        return SparseCOO(stack([self.rows(), self._columns.long()]), self._kept, self.shape, True)

    to_sparse_coo = to_sparse

    def to_sparse_csr(self, dense_dim=None):
        """The matrix itself."""
        return self

    def t(self):
        """The transpose, in the compressed row layout too (PyTorch's is compressed by columns)."""
        return self.to_sparse().t().to_sparse_csr()

    def transpose(self, dim0, dim1):
        """The matrix with its dimensions exchanged; itself where both are the same."""
        return self.t() if (dim0 - dim1) % 2 else self

    def __repr__(self):
        tensors, size, layout = self._text((("crow_indices", self._crow), ("col_indices", self._columns), ("values", self._kept)))
        return f"tensor({tensors}, {size},\n       {layout})"

    def __reduce__(self):
        return SparseCSR, (self._crow, self._columns, self._kept, tuple(self.shape))
