"""RMSprop: steps scaled by a running mean of the squared gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.optim import updates as ops
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, not_negative

__all__ = ["RMSprop"]

_STEPS = {(False, False): ops.rmsprop_step, (False, True): ops.rmsprop_momentum_step,
          (True, False): ops.rmsprop_centered_step, (True, True): ops.rmsprop_centered_momentum_step}


class RMSprop(Optimizer):
    """p -= lr * g / (sqrt(v) + eps), v a running mean of g squared with decay alpha.

    centered subtracts the square of g's running mean, so v is a variance; with momentum, b = momentum * b + the step before lr.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Tieleman and Hinton 2012; Graves 2013 (centered).

        optimizer = optim.RMSprop(model.parameters(), lr=1e-2, momentum=0.9)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False, capturable: bool = False,
                 foreach: bool | None = None, maximize: bool = False, differentiable: bool = False):
        super().__init__(params, {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                                  "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable})

    def check_group(self, group: dict[str, Any]):
        check(group, **dict.fromkeys(("lr", "eps", "momentum", "weight_decay", "alpha"), not_negative))

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        for name in _kept(group):
            if name not in state:
                state[name] = zeros_like(p)
        state["step"] = state.get("step", 0) + 1

    def update_rule(self, step, group: dict[str, Any]):
        return _STEPS[bool(group["centered"]), group["momentum"] > 0], _kept(group), {
            "lr": group["lr"], "alpha": group["alpha"], "take": 1 - group["alpha"], "eps": group["eps"],
            "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0, "momentum": group["momentum"]}


def _kept(group):
    return ["square_avg", *["grad_avg"] * bool(group["centered"]), *["momentum_buffer"] * (group["momentum"] > 0)]


def __dir__():
    return sorted(__all__)
