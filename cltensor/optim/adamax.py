"""Adamax: Adam with the largest gradient instead of the mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.optim.updates import adamax_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, check_betas, not_negative

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """p -= lr / (1 - beta1 ** step) * m / u; m: running mean of g; u: decaying maximum of |g|.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Kingma and Ba 2015.

        optimizer = optim.Adamax(model.parameters(), lr=1e-3)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, capturable: bool = False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable, "capturable": capturable})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative, eps=not_negative, weight_decay=not_negative)
        check_betas(group["betas"])

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if not state:
            state.update(step=0, exp_avg=zeros_like(p), exp_inf=zeros_like(p))
        state["step"] += 1
        return state["step"]

    def update_rule(self, step, group: dict[str, Any]):
        beta1, beta2 = group["betas"]
        return adamax_step, ("exp_avg", "exp_inf"), {
            "one_minus_beta1": 1 - beta1, "beta2": beta2, "eps": group["eps"], "step_size": group["lr"] / (1 - beta1**step),
            "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0}


def __dir__():
    return sorted(__all__)
