"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..ops.optim.updates import nadam_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, check_betas, not_negative

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam whose momentum looks one step ahead, with a schedule mu = beta1 * (1 - 0.96 ** (step * momentum_decay) / 2).

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Dozat 2016.

        optimizer = optim.NAdam(model.parameters(), lr=1e-3)
    """

    counts = ("step", "mu_product")

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 2e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
                 foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
                                  "maximize": maximize, "foreach": foreach, "capturable": capturable,
                                  "differentiable": differentiable})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative, eps=not_negative, weight_decay=not_negative, momentum_decay=not_negative)
        check_betas(group["betas"])

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if not state:
            state.update(step=0, mu_product=1.0, exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
        state["step"] += 1
        state["mu_product"] *= _mu(state["step"], group)
        return state["step"], state["mu_product"]

    def update_rule(self, step, group: dict[str, Any]):
        return nadam_step, ("exp_avg", "exp_avg_sq"), self._scalars(*step, group)

    @staticmethod
    def _scalars(step, product, group):
        """The numbers of one step, computed in double precision; product: of mu over all steps so far."""
        (beta1, beta2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
        mu, ahead, decoupled = _mu(step, group), _mu(step + 1, group), group["decoupled_weight_decay"]
        return {"one_minus_beta1": 1 - beta1, "beta2": beta2, "one_minus_beta2": 1 - beta2, "eps": group["eps"],
                "bias2": 1 - beta2**step,
                "gradient_step": lr * (1 - mu) / (1 - product),
                "momentum_step": lr * ahead / (1 - product * ahead), "weight_decay": 0.0 if decoupled else decay,
                "decay_factor": 1 - lr * decay if decoupled else 1.0, "sign": -1.0 if group["maximize"] else 1.0}


def _mu(step, group):
    return group["betas"][0] * (1 - 0.5 * 0.96 ** (step * group["momentum_decay"]))


def __dir__():
    return sorted(__all__)
