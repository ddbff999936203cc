"""The ops: one declaration each, from which everything else follows; importing this package loads them all."""

from .conv import convolution, pooling
from .gemm import matmul
from .index import concat, indexing, view_ops
from .nn import attention, cells, normalization, recurrent, softmax
from .optim import updates
from .pointwise import bessel, elementary, orthogonal_polynomials, special
from .random import distributions
from .reduce import reduction_ops, scan_ops, sorting
