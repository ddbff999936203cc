"""The op registry: one declaration per op, from which everything else follows."""

from . import (
    bessel,
    convolution,
    indexing,
    joining,
    matmul,
    orthogonal,
    pointwise,
    pooling,
    random,
    reductions,
    scans,
    softmax,
    sorting,
    special,
    views,
)

REGISTRY_MODULES = (
    bessel,
    convolution,
    indexing,
    joining,
    matmul,
    orthogonal,
    pointwise,
    pooling,
    random,
    reductions,
    scans,
    softmax,
    sorting,
    special,
    views,
)
