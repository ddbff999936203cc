"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd.modes import no_grad
from ...base.errors import ShapeError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Any]):
    """The parameters, flattened and joined, as one vector."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Any]):
    """Write consecutive parts of a vector into the parameters.  Raises ShapeError when the sizes differ."""
    parameters = list(parameters)
    total = sum(p.numel() for p in parameters)
    if tuple(vec.shape) != (total,):
        raise ShapeError(f"vector_to_parameters: the parameters have {total} elements, the vector has shape {list(vec.shape)}")
    at = 0
    with no_grad():
        for p in parameters:
            p.copy_(vec[at:at + p.numel()].reshape(p.shape))
            at += p.numel()


def __dir__():
    return sorted(__all__)
