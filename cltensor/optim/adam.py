"""Adam and AdamW: steps scaled by running means of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.optim.updates import adam_step, amsgrad_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, check_betas, check_tensors_in_foreach, not_negative

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """p -= lr * m' / (sqrt(v') + eps), with bias-corrected running means m' of g and v' of g squared.

    weight_decay is added to the gradient, or, with decoupled_weight_decay, subtracted from the parameter; amsgrad divides by
    the largest v so far.  betas may be two one-element tensors.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable, fused: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Kingma and Ba 2015; Loshchilov and Hutter 2019; Reddi et al. 2018.

        optimizer = optim.Adam(model.parameters(), lr=1e-3)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3,
                 betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
                 amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False, fused: bool | None = None, decoupled_weight_decay: bool = False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
                                  "maximize": maximize, "foreach": foreach, "capturable": capturable,
                                  "differentiable": differentiable, "fused": fused,
                                  "decoupled_weight_decay": decoupled_weight_decay})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative, eps=not_negative, weight_decay=not_negative)
        check_betas(group["betas"])
        check_tensors_in_foreach(group)

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if not state:
            state.update(step=0, exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(p)
        state["step"] += 1
        return state["step"]

    def update_rule(self, step, group: dict[str, Any]):
        moments = "exp_avg", "exp_avg_sq"
        if group["amsgrad"]:
            return amsgrad_step, (*moments, "max_exp_avg_sq"), _scalars(step, group)
        return adam_step, moments, _scalars(step, group)


def _scalars(step, group):
    """The numbers of one step, computed in double precision."""
    beta1, beta2 = group["betas"]
    decay, decoupled = group["weight_decay"], group["decoupled_weight_decay"]
    return {"one_minus_beta1": 1 - beta1, "beta2": beta2, "one_minus_beta2": 1 - beta2, "eps": group["eps"],
            "step_size": group["lr"] / (1 - beta1**step), "bias2_sqrt": (1 - beta2**step) ** 0.5,
            "weight_decay": 0.0 if decoupled else decay, "decay_factor": 1 - group["lr"] * decay if decoupled else 1.0,
            "sign": -1.0 if group["maximize"] else 1.0}


class AdamW(Adam):
    """Adam with decoupled weight decay: p shrinks by lr * weight_decay each step, outside the running means.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable, fused: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Loshchilov and Hutter 2019.

        optimizer = optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3,
                 betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2,
                 amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None, capturable: bool = False,
                 differentiable: bool = False, fused: bool | None = None):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
                         differentiable=differentiable, fused=fused, decoupled_weight_decay=True)


def __dir__():
    return sorted(__all__)
