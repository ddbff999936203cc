"""Adadelta: steps as large as the previous ones, relative to the gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.optim.updates import adadelta_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, not_negative

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """p -= lr * sqrt(u + eps) / sqrt(v + eps) * g, with running means v of g squared and u of the squared steps, decay rho.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Zeiler 2012.

        optimizer = optim.Adadelta(model.parameters())
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1.0, rho: float = 0.9, eps: float = 1e-6,
                 weight_decay: float = 0, foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False,
                 differentiable: bool = False):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                                  "capturable": capturable, "foreach": foreach, "differentiable": differentiable})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative, rho=lambda rho: 0 <= rho <= 1, eps=not_negative, weight_decay=not_negative)

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if not state:
            state.update(step=0, square_avg=zeros_like(p), acc_delta=zeros_like(p))
        state["step"] += 1

    def update_rule(self, step, group: dict[str, Any]):
        return adadelta_step, ("square_avg", "acc_delta"), {
            "lr": group["lr"], "rho": group["rho"], "take": 1 - group["rho"], "eps": group["eps"],
            "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0}


def __dir__():
    return sorted(__all__)
