"""The op registry: one declaration per op, from which everything else follows."""

from . import (
    convolution,
    indexing,
    joining,
    matmul,
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
    convolution,
    indexing,
    joining,
    matmul,
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
