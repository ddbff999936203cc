"""Adagrad: steps that shrink with the sum of the squared gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..base.errors import CLTensorError
from ..dispatch.tensor_base import SparseBase
from ..ops.optim.updates import adagrad_step
from ..tensor import Tensor
from ..tensor.api.creation import full_like
from .optimizer import Optimizer
from .settings import check, not_negative

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """p -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(sum of g squared) + eps).

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable, fused: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Duchi et al. 2011.

        optimizer = optim.Adagrad(model.parameters(), lr=1e-2)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
                 maximize: bool = False, differentiable: bool = False, fused: bool | None = None):
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                                  "initial_accumulator_value": initial_accumulator_value, "foreach": foreach,
                                  "maximize": maximize, "differentiable": differentiable, "fused": fused})

    def add_param_group(self, param_group):
        """See Optimizer; the sums start immediately, at initial_accumulator_value."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            value = group["initial_accumulator_value"]
            value = complex(value, value) if p.dtype.is_complex else value
            self.state[p].update(step=0, sum=full_like(p.detach(), value))

    def check_group(self, group: dict[str, Any]):
        check(group, **dict.fromkeys(("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"), not_negative))

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        state["step"] += 1
        return state["step"]

    def update_sparse(self, p: Tensor, g: SparseBase, group: dict[str, Any]):
        if group["weight_decay"] != 0:
            raise CLTensorError("Adagrad: weight_decay is not compatible with sparse gradients: it moves every row; leave it out")
        g, state = g.coalesce(), self._state[p]
        step = self.next_step(p, state, group)
        at, values = tuple(g.indices().unbind(0)), -g.values() if group["maximize"] else g.values()
        sums = state["sum"][at] + values * values
        state["sum"].index_put_(at, sums)
        rate = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        p.detach().index_put_(at, values / (sums.sqrt() + group["eps"]) * -rate, accumulate=True)

    def update_rule(self, step, group: dict[str, Any]):
        return adagrad_step, ("sum",), {"lr": group["lr"] / (1 + (step - 1) * group["lr_decay"]), "eps": group["eps"],
                                        "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0}


def __dir__():
    return sorted(__all__)
