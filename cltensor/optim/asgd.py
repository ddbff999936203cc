"""ASGD: gradient descent that also keeps the mean of all parameters it has been at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.optim.updates import asgd_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, not_negative

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """p -= eta * g after p has shrunk by lambd * eta; state[p]["ax"] is the mean of p over the steps after t0.

    eta = lr / (1 + lambd * lr * step) ** alpha; the mean moves by the fraction 1 / max(1, step - t0).

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable: see Optimizer.

    Raises ArgumentError for a negative lr or weight_decay.  Source: Polyak and Juditsky 1992; Bottou 2010.

        optimizer = optim.ASGD(model.parameters(), lr=1e-2, t0=100)
    """

    counts = ("step", "eta", "mu")

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
                 weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
                 capturable: bool = False):
        super().__init__(params, {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                                  "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                                  "capturable": capturable})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative, weight_decay=not_negative)

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if not state:
            state.update(step=0, eta=group["lr"], mu=1.0, ax=zeros_like(p))
        used = state["eta"], state["mu"]
        step = state["step"] = state["step"] + 1
        state["eta"] = group["lr"] / (1 + group["lambd"] * group["lr"] * step) ** group["alpha"]
        state["mu"] = 1 / max(1, step - group["t0"])
        return used

    def update_rule(self, step, group: dict[str, Any]):
        eta, mu = step
        return asgd_step, ("ax",), {"eta": eta, "shrink": 1 - group["lambd"] * eta, "mu": mu,
                                    "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0}


def __dir__():
    return sorted(__all__)
