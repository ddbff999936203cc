"""Make sparse tensors: of indices and values, and of dense tensors."""

from ...base import dtypes
from ...base.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from ..api.creation import as_tensor, zeros
from ..core.public_api import function, method
from . import products
from .layouts import SparseCOO, SparseCSR
from .places import no_places
from .sparse_tensor import SparseTensor, check_floating


def _values(values, dtype, device, requires_grad):
    values = as_tensor(values, dtype=dtype, device=device)
    check_floating(values, requires_grad)
    return values.detach().requires_grad_() if requires_grad else values


def _places(indices, device, name):
    indices = as_tensor(indices, device=device)
    if indices.dtype.category != "int" and indices.numel():
        raise ArgumentTypeError(f"{name}: indices must be an integer tensor, got {indices.dtype.name}")
    return indices.detach().to(dtypes.int64)


@function(method=False, out=False)
def sparse_coo_tensor(indices=None, values=None, size=None, *, dtype=None, device=None, pin_memory=False, requires_grad=False,
                      check_invariants=None, is_coalesced=None):
    """A sparse tensor of values (n, *dense) at coordinates (dimensions, n); values at one place add up.

    size: its shape, by default as small as the indices allow; without indices and values, a tensor in which everything is 0.
    dtype: of the values, by default theirs.  is_coalesced: whether indices are in order, each once.  Indices are always
    checked, whatever check_invariants is.
    Raises ShapeError where sizes do not fit, DimensionError for a coordinate outside size, ArgumentError where is_coalesced does
    not hold, DTypeError for ints that require grad.
    Source: the coordinate format, as PyTorch 2.13 has it.

    Example::

        a = cltensor.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
    """
    if indices is None:
        if size is None:
            raise ArgumentError("sparse_coo_tensor: give indices and values, or a size")
        values = zeros((0,), dtype=dtype, device=device)
        return SparseCOO(no_places(len(size), values.device), _values(values, None, None, requires_grad), size, True)
    values = _values(values, dtype, device, requires_grad)
    indices = _places(indices, values.device, "sparse_coo_tensor")
    if indices.ndim != 2:
        raise ShapeError(f"sparse_coo_tensor: indices must be sparse_dim x nnz, but got: {list(indices.shape)}")
    if values.ndim == 0 or indices.shape[1] != values.shape[0]:
        raise ShapeError("sparse_coo_tensor: indices and values must have same nnz, but got nnz from indices: "
                         f"{indices.shape[1]}, nnz from values: {values.shape[0] if values.ndim else 'none'}")
    size = _inferred(indices, values) if size is None else tuple(size)
    if len(size) != indices.shape[0] + values.ndim - 1:
        raise ShapeError(f"sparse_coo_tensor: 'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, "
                         f"sparse_dim = {indices.shape[0]}, dense_dim = {values.ndim - 1}")
    if size[indices.shape[0] :] != tuple(values.shape[1:]):
        raise ShapeError(f"sparse_coo_tensor: values must have the dense sizes {list(size[indices.shape[0]:])}, got "
                         f"{list(values.shape[1:])}")
    for d in range(indices.shape[0]):
        _check_range(indices[d], size[d], f"sparse_coo_tensor: size is inconsistent with indices: for dim {d}")
    made = SparseCOO(indices, values, size, bool(is_coalesced))
    if is_coalesced and not bool((made._flat().diff() > 0).all()):
        raise ArgumentError("sparse_coo_tensor: is_coalesced=True, but the indices are not in order, each once")
    return made


def _inferred(indices, values):
    """The smallest shape of these coordinates."""
    tops = [] if not indices.shape[1] else [n + 1 for n in indices.amax(1).tolist()]
    return (*(tops or [0] * indices.shape[0]), *values.shape[1:])


def _check_range(indices, n, what):
    """Raise DimensionError for an index outside [0, n)."""
    if indices.numel():
        least, most = int(indices.amin()), int(indices.amax())
        if least < 0 or most >= n:
            raise DimensionError(f"{what}, size is {n} but found index {least if least < 0 else most}")


@function(method=False, out=False)
def sparse_csr_tensor(crow_indices, col_indices, values, size=None, *, dtype=None, device=None, pin_memory=False,
                      requires_grad=False, check_invariants=None):
    """A sparse matrix of values (n,) by rows: crow_indices (rows + 1,) says where each row starts, col_indices (n,) its columns.

    size: its shape, by default as small as the indices allow.  dtype: of the values, by default theirs.  The indices are always
    checked, whatever check_invariants is.
    Raises ShapeError where sizes do not fit, DimensionError for a column outside size, DTypeError for ints that require grad.
    Source: the compressed row format, as PyTorch 2.13 has it.

    Example::

        a = cltensor.sparse_csr_tensor([0, 1, 2], [2, 0], [3.0, 4.0], (2, 3))
    """
    values = _values(values, dtype, device, requires_grad)
    crow = _places(crow_indices, values.device, "sparse_csr_tensor")
    columns = _places(col_indices, values.device, "sparse_csr_tensor")
    if (crow.ndim, columns.ndim, values.ndim) != (1, 1, 1) or columns.shape != values.shape or not crow.numel():
        raise ShapeError("sparse_csr_tensor: expected vectors, as many columns as values, and a row start more than rows, got "
                         f"shapes {list(crow.shape)}, {list(columns.shape)} and {list(values.shape)}; batches are not supported")
    size = (crow.numel() - 1, int(columns.amax()) + 1 if columns.numel() else 0) if size is None else tuple(size)
    if len(size) != 2 or size[0] != crow.numel() - 1:
        raise ShapeError(f"sparse_csr_tensor: crow_indices of {crow.numel()} elements fit {crow.numel() - 1} rows, size is "
                         f"{list(size)}")
    starts = crow.tolist()
    if starts[0] != 0 or starts[-1] != columns.numel() or sorted(starts) != starts:
        raise ShapeError(f"sparse_csr_tensor: crow_indices must rise from 0 to the number of values, {columns.numel()}, got "
                         f"{str(starts)[:60]}")
    _check_range(columns, size[1], "sparse_csr_tensor: size is inconsistent with col_indices")
    return SparseCSR(crow, columns, values, size)


@function(method=False, out=False)
def spmm(input, mat2):
    """input (M, K) @ mat2 (K, N), sparse or dense; of sparse ones the same as sparse.mm, which see for dtypes.

    Raises ShapeError for shapes that do not fit.  Source: the definition of the product.

    Example::

        cltensor.spmm(cltensor.eye(3).to_sparse(), cltensor.ones(3, 2))
    """
    return products.matmul(input, mat2) if isinstance(input, SparseTensor) or isinstance(mat2, SparseTensor) else input.mm(mat2)


@method()
def to_sparse_coo(self):
    """to_sparse, of all dimensions."""
    return self.to_sparse()


@method()
def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
    """The elements that are not 0, as a sparse tensor whose first sparse_dim dimensions (all) are sparse ones.

    layout: cltensor.sparse_coo, or sparse_csr for a matrix.  Waits for the number of elements.  Gradients reach the elements kept.
    Raises DimensionError for a sparse_dim that is none.  Shapes (*), any dtype.  Source: as in PyTorch 2.13.

    Example::

        cltensor.eye(3).to_sparse()
    """
    if layout is not None and layout is not SparseCOO.layout:
        if layout is SparseCSR.layout:
            return to_sparse_csr(self)
        raise ArgumentError(f"to_sparse: layout {layout!r} is none of cltensor.sparse_coo and cltensor.sparse_csr")
    dims = self.ndim if sparse_dim is None else sparse_dim
    if not 0 <= dims <= self.ndim or (not dims and self.ndim):
        raise DimensionError(f"to_sparse: sparse_dim must be in [1, {self.ndim}], got {dims}")
    held = self.detach() != 0
    if dims < self.ndim:
        held = held.reshape(*self.shape[:dims], -1).any(-1)
    places = held.nonzero()
    values = self[tuple(places.unbind(1))] if dims else self.reshape(1)[held.reshape(1)]
    return SparseCOO(places.t().contiguous(), values, self.shape, True)


@method()
def to_sparse_csr(self, dense_dim=None):
    """The elements of a matrix that are not 0, by rows; see to_sparse.  Raises ShapeError for anything but a matrix.

    Shape (M, N), any dtype.  Source: as in PyTorch 2.13.

    Example::

        cltensor.eye(3).to_sparse_csr()
    """
    if self.ndim != 2:
        raise ShapeError(f"to_sparse_csr: expected a matrix, got {self.ndim} dimensions; batches are not supported")
    return to_sparse(self).to_sparse_csr()


@method()
def to_dense(self, dtype=None, *, masked_grad=None):
    """The tensor itself, which is dense, in the given dtype.  Shapes (*).  Never raises.  Source: as in PyTorch 2.13.

    Example::

        cltensor.ones(2).to_dense()
    """
    return self if dtype is None else self.to(dtype)


@method()
def sparse_mask(self, mask):
    """The elements at the places of a sparse tensor of the same shape, sparse.  Raises ShapeError, ArgumentTypeError.

    Shapes (*), any dtype.  Source: as in PyTorch 2.13.

    Example::

        cltensor.ones(3, 3).sparse_mask(cltensor.eye(3).to_sparse())
    """
    if not isinstance(mask, SparseTensor):
        raise ArgumentTypeError(f"sparse_mask: expected a sparse mask, got {type(mask).__name__}; use to_sparse()")
    if mask.shape != self.shape:
        raise ShapeError(f"sparse_mask: operands have incompatible sizes; self has size {list(self.shape)} but mask has size "
                         f"{list(mask.shape)}")
    places = mask.to_sparse().coalesce()
    return mask._in_layout(places._like(self[tuple(places._indices().unbind(0))]))


@method()
def coalesce(self):
    """Refused: a dense tensor has no coordinates.  Raises ShapeError.  Shapes (*), any dtype.  Source: as in PyTorch 2.13.

    Example::

        cltensor.eye(3).to_sparse().coalesce()
    """
    raise ShapeError("coalesce expected sparse coordinate tensor layout but got Strided; use to_sparse()")
