"""All parameters as one vector, and back."""

from ...autograd.modes import no_grad
from ...base.errors import ShapeError
from ...tensor.shape.shape import cat


def parameters_to_vector(parameters):
    """The parameters, flattened and joined, as one vector."""
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec, parameters):
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
