"""Limit gradients, by their common norm or one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ...autograd.modes import no_grad
from ...base.errors import CLTensorError
from ...dispatch.promotion import result_type
from ...ops.kinds.precision import wide
from ...tensor import Tensor
from ...tensor.api.creation import scalar_tensor
from ...tensor.math.statistics import vector_norm
from ...tensor.shape.joining import stack


def _gradients(parameters):
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(tensors: Sequence[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False):
    """The norm of all tensors together, as a 0-d tensor.  error_if_nonfinite: raises CLTensorError for NaN or infinity."""
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not tensors:
        return scalar_tensor(0.0)
    total = _total_norm(tensors, float(norm_type), error_if_nonfinite)
    return total.to(result_type([t._spec for t in tensors]))


def _total_norm(tensors, norm_type, error_if_nonfinite):
    """get_total_norm, computed in float32 for narrower tensors."""
    with no_grad():
        norms = [vector_norm(wide(t.detach()), norm_type).to(device=tensors[0].device) for t in tensors]
        total = vector_norm(stack(norms), norm_type if norm_type else 1.0)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise CLTensorError(f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it "
                            "cannot be clipped. To scale the gradients by it anyway, set `error_if_nonfinite=False`")
    return total


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False):
    """Scale all gradients down, in place, so that their common norm is at most max_norm; return the norm before.

    Nothing waits for the device, unless error_if_nonfinite is set.
    """
    gradients = _gradients(parameters)
    if not gradients:
        return scalar_tensor(0.0)
    total = _total_norm(gradients, float(norm_type), error_if_nonfinite)
    with no_grad():
        scale = (max_norm / (total + 1e-6)).clamp_max(1.0)
        for g in gradients:
            g.mul_(scale.to(device=g.device))
    return total.to(result_type([g._spec for g in gradients]))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float):
    """Limit every element of the gradients to [-clip_value, clip_value], in place."""
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-float(clip_value), float(clip_value))
