"""Reverse-mode differentiation of recorded ops: nodes, the engine, modes, Function and gradcheck."""

from . import forward_ad, functional, grad_mode, graph
from .api import backward, grad
from .function import Function
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .modes import (
    detect_anomaly,
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from .variable import Variable, is_multithreading_enabled, is_view_replay_enabled, set_multithreading_enabled

__all__ = ["Function", "GradcheckError", "Variable", "backward", "detect_anomaly", "enable_grad", "enforce_grad_layout_policy",
           "forward_ad", "function", "functional", "grad", "grad_mode", "gradcheck", "gradgradcheck", "graph", "inference_mode",
           "is_grad_enabled", "is_multithreading_enabled", "is_view_replay_enabled", "no_grad", "set_detect_anomaly",
           "set_grad_enabled", "set_multithreading_enabled", "variable"]


def __dir__():
    return sorted(__all__)
