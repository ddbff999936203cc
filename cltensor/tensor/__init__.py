"""The tensor layer: Storage, Tensor, dispatch, and the public functions."""

from ..ops import REGISTRY_MODULES as _declared  # declares every op
from . import (  # declare functions and methods
    affine,
    aliases,
    applying,
    arithmetic,
    creation,
    custom,
    diagonals,
    exchange,
    gradient,
    grids,
    histogram,
    householder,
    indexing,
    interop,
    joining,
    kinds,
    ldl,
    linalg,
    lowrank,
    lu,
    norms,
    operators,
    padding,
    picking,
    pointwise,
    products,
    random,
    rearrange,
    rebinding,
    reduce,
    rehearsal,
    scanning,
    scattering,
    shape,
    softmax,
    sorting,
    statistics,
    typed_storage,
)
from .random import Generator, default_generator
from .storage import Storage
from .surface import FUNCTIONS, registered
from .tensor import Tensor

operators.install()
aliases.install()
kinds.install()


def namespace():
    """Every public function by name: declared functions first, then the registry's ops."""
    found = dict(registered())
    found.update(FUNCTIONS)
    return found


__all__ = ["Generator", "Storage", "Tensor", "default_generator", "namespace"]
