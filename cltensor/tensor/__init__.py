"""The tensor layer: Storage, Tensor, dispatch, and the public functions."""

from .. import ops  # declares every op
from ..dispatch.storage import Storage
from .api import applying, attributes, creation, custom, exchange, rebinding, typed_storage
from .core import aliases, backward_precompile, interop, methods
from .core.public_api import FUNCTIONS, registered
from .core.results import RESULTS
from .core.tensor import Tensor
from .index import histogram, indexing, masking, picking, resizing, scattering, searching, sorting, unique
from .linalg import householder, ldl, linalg, lowrank, lu, norms
from .math import (
    arithmetic,
    complex_numbers,
    distance,
    einsum,
    gradient,
    pointwise,
    products,
    reduce,
    scanning,
    short_time,
    softmax,
    statistics,
)
from .random import implicit, sampling
from .random.sampling import Generator, default_generator
from .shape import affine, diagonals, grids, joining, padding, rearrange, shape
from .sparse import creation as sparse_creation

Tensor._attach(methods.declared(existing=dir(Tensor)))
aliases.declare()


def namespace():
    """Every public function by name: declared functions first, then the registry's ops."""
    found = dict(registered())
    found.update(FUNCTIONS)
    return found


def results():
    """Every class of named tuples that functions return, by its name in return_types."""
    return dict(RESULTS)


__all__ = ["Generator", "Storage", "Tensor", "default_generator", "namespace", "results"]
