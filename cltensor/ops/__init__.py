"""The ops: one declaration each; everything else is derived from it.  Importing this package loads all ops."""

from .conv import convolution, fractional_pooling, pooling
from .gemm import matmul
from .index import concat, indexing, reverse, view_ops
from .nn import (
    activations,
    attention_gradient,
    cross_entropy,
    ctc,
    embedding,
    losses,
    normalized,
    recurrent_gradient,
    softmax,
)
from .optim import updates
from .pointwise import bessel, elementary, orthogonal_polynomials, special
from .random import distributions, rejection
from .reduce import reduction_ops, scan_ops, sorting
