"""Limit gradients, by their common norm or one by one."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

from ...autograd.modes import no_grad
from ...base.errors import CLTensorError
from ...dispatch.promotion import result_type
from ...ops.kinds.precision import wide
from ...tensor import Tensor
from ...tensor.api.creation import scalar_tensor
from ...tensor.math.statistics import vector_norm
from ...tensor.shape.joining import stack

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _gradients(parameters):
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False,
                   foreach: bool | None = None):
    """The norm of all tensors together, as a 0-d tensor.  error_if_nonfinite: raises CLTensorError for NaN or infinity.

    foreach: accepted; all tensors are read in as few launches as possible in any case.
    """
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
                    error_if_nonfinite: bool = False, foreach: bool | None = None):
    """Scale all gradients down, in place, so that their common norm is at most max_norm; return the norm before.

    Nothing waits for the device, unless error_if_nonfinite is set.  foreach: accepted.
    """
    gradients = _gradients(parameters)
    if not gradients:
        return scalar_tensor(0.0)
    total = _total_norm(gradients, float(norm_type), error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return total.to(result_type([g._spec for g in gradients]))


def _scale(gradients, max_norm, total):
    with no_grad():
        scale = (max_norm / (total + 1e-6)).clamp_max(1.0)
        for g in gradients:
            g.mul_(scale.to(device=g.device))


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor,
                          foreach: bool | None = None):
    """Scale all gradients, of any shapes and floating dtypes, by max_norm / total_norm in place, where that is below 1.

    total_norm: a 0-d tensor, as get_total_norm gives.  foreach: accepted.  Never raises.  Source: Pascanu et al. 2013.

        >>> from cltensor import nn, ones
        >>> p = nn.Parameter(ones(4))
        >>> p.grad = ones(4)
        >>> nn.utils.clip_grads_with_norm_(p, 1.0, nn.utils.get_total_norm([p.grad]))
        >>> round(p.grad[0].item(), 4)
        0.5
    """
    _scale(_gradients(parameters), max_norm, total_norm)


def clip_grad_norm(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                   error_if_nonfinite: bool = False, foreach: bool | None = None):
    """clip_grad_norm_ under its older name, with a warning: limits the 0-d norm of all gradients, of any floating dtypes.

    Raises CLTensorError for a norm that is not finite where error_if_nonfinite is set.  Source: Pascanu et al. 2013.

        >>> import warnings
        >>> from cltensor import nn, ones
        >>> p = nn.Parameter(ones(4))
        >>> p.grad = ones(4)
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     nn.utils.clip_grad_norm(p, 1.0)
        tensor(2.)
    """
    warnings.warn("`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.", FutureWarning,
                  stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None):
    """Limit every element of the gradients to [-clip_value, clip_value], in place.  foreach: accepted."""
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-float(clip_value), float(clip_value))


def __dir__():
    return sorted(__all__)
