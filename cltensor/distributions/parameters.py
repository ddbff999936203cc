"""Parameters of distributions: numbers and tensors broadcast together, probabilities and their logits."""

from numbers import Number

from ..base import dtypes
from ..base.errors import ArgumentError
from ..base.shapes import Size
from ..tensor import Tensor
from ..tensor.api.creation import tensor
from ..tensor.shape.shape import broadcast_tensors


def as_size(shape):
    """A shape given as any sequence of ints, or one int, as a Size."""
    return Size((shape,)) if hasattr(shape, "__index__") else Size(shape)


def broadcast_all(*values: Tensor | float) -> tuple[Tensor, ...]:
    """The values as tensors of one shape; numbers take dtype and device of the first tensor, else the default ones.

    Raises ArgumentError for what is neither a number nor a tensor, ShapeError for shapes that do not broadcast.
    """
    if not all(isinstance(v, (Tensor, Number)) for v in values):
        kinds = ", ".join(type(v).__name__ for v in values)
        raise ArgumentError(f"Input arguments must all be instances of Number or Tensor, got {kinds}; convert with cltensor.tensor")
    first = next((v for v in values if isinstance(v, Tensor)), None)
    made = [v if isinstance(v, Tensor) else number_like(v, first) for v in values]
    return tuple(broadcast_tensors(*made)) if len(made) > 1 else tuple(made)


def number_like(value, like):
    """A 0-d tensor of a number, in the dtype and on the device of the tensor like, or the default ones for None."""
    if like is None:
        return tensor(float(value), dtype=dtypes.get_default_dtype())
    return tensor(value, dtype=like.dtype, device=like.device)


def clamp_probs(probs: Tensor) -> Tensor:
    """probs kept a rounding error away from 0 and 1."""
    eps = dtypes.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities (*, K) from logits along the last dimension; elementwise, of one of two outcomes, with is_binary."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """The inverse of logits_to_probs, for probabilities kept away from 0 and 1."""
    safe = clamp_probs(probs)
    return safe.log() - (-safe).log1p() if is_binary else safe.log()


def one_of_two(first, second, names):
    """Raise ArgumentError unless exactly one of two arguments is given."""
    if (first is None) == (second is None):
        raise ArgumentError(f"Either {names} must be specified, but not both.")


def sum_rightmost(value, n):
    """value summed over its last n dimensions."""
    return value.reshape(*value.shape[: value.ndim - n], -1).sum(-1) if n else value


def softplus(x):
    """log(1 + exp(x)), for logits of any size."""
    return x.logaddexp(x.new_zeros(()))
