"""The ops: one declaration each; everything else is derived from it.  Importing this package loads all ops."""

from .complex import convolution as complex_convolution
from .complex import products as complex_products
from .conv import convolution, fractional_pooling, pooling
from .fft import fourier
from .gemm import matmul
from .index import concat, indexing, parts, reverse, view_ops
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
from .pointwise import bessel, complex_numbers, elementary, orthogonal_polynomials, special
from .random import distributions, rejection
from .reduce import reduction_ops, scan_ops, sorting
from .vision import deform, nms, roi
