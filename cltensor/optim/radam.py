"""RAdam: Adam that uses its scaling only once it has enough steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.optim.updates import radam_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, check_betas, not_negative

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Adam with its scaling rectified by the number of steps in its running mean, and left out at first.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Liu et al. 2020.

        optimizer = optim.RAdam(model.parameters(), lr=1e-3)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False, differentiable: bool = False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                                  "foreach": foreach, "capturable": capturable,
                                  "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative, eps=not_negative, weight_decay=not_negative)
        check_betas(group["betas"])

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if not state:
            state.update(step=0, exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
        state["step"] += 1
        return state["step"]

    def update_rule(self, step, group: dict[str, Any]):
        return radam_step, ("exp_avg", "exp_avg_sq"), self._scalars(step, group)

    @staticmethod
    def _scalars(step, group):
        """The numbers of one step, computed in double precision; rectified is 0 while the scaling is left out."""
        (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
        bias2, most = 1 - beta2**step, 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / bias2
        rectified = 0.0
        if length > 5:
            rectified = (bias2 * (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) ** 0.5
        decoupled = group["decoupled_weight_decay"]
        return {"one_minus_beta1": 1 - beta1, "beta2": beta2, "one_minus_beta2": 1 - beta2, "eps": group["eps"],
                "step_size": lr / (1 - beta1**step), "rectified": rectified, "weight_decay": 0.0 if decoupled else decay,
                "decay_factor": 1 - lr * decay if decoupled else 1.0, "sign": -1.0 if group["maximize"] else 1.0}


def __dir__():
    return sorted(__all__)
