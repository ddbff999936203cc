"""Sparse tensors in files: the dense tensors and sizes that they are made of, and back, checked."""

from ..base import layouts
from ..base.errors import CLTensorError, SerializationError
from ..dispatch.tensor_base import SparseBase
from ..tensor import Tensor
from ..tensor.sparse.creation import sparse_coo_tensor, sparse_csr_tensor

#: layout -> how many dense tensors a tensor of it is made of
TENSORS = {layouts.sparse_coo: 2, layouts.sparse_csr: 3}


def parts_of(x):
    """(layout, dense tensors, size, whether coalesced) of a sparse tensor; None for anything else."""
    if not isinstance(x, SparseBase):
        return None
    if x.is_sparse:
        return x.layout, (x._indices(), x._values()), x.shape, x.is_coalesced()
    return x.layout, (x.crow_indices(), x.col_indices(), x.values()), x.shape, True


def made(layout, tensors, size, coalesced):
    """The sparse tensor.  Raises SerializationError unless the parts fit together."""
    if len(tensors) != TENSORS.get(layout) or not all(isinstance(t, Tensor) for t in tensors):
        raise SerializationError(f"a sparse tensor of layout {str(layout)[:40]} is made of the wrong parts")
    if not isinstance(size, (tuple, list)) or not all(type(n) is int and 0 <= n < 1 << 62 for n in size):
        raise SerializationError(f"a sparse tensor has the size {str(size)[:80]}, which is none")
    try:
        if layout is layouts.sparse_coo:
            return sparse_coo_tensor(*tensors, tuple(size), is_coalesced=coalesced is True)
        return sparse_csr_tensor(*tensors, tuple(size))
    except CLTensorError as error:
        raise SerializationError(f"a sparse tensor's parts do not fit together: {error}") from None
