"""cltensor.autograd.grad_mode: the modes of this thread, under PyTorch's path."""

from .modes import enable_grad, enforce_grad_layout_policy, inference_mode, no_grad, set_grad_enabled
from .variable import set_multithreading_enabled

__all__ = ["enable_grad", "enforce_grad_layout_policy", "inference_mode", "no_grad", "set_grad_enabled",
           "set_multithreading_enabled"]


def __dir__():
    return sorted(__all__)
