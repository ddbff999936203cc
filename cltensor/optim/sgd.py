"""SGD: gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..base.errors import ArgumentError, CLTensorError
from ..dispatch.tensor_base import SparseBase
from ..ops.optim.updates import sgd_momentum_step, sgd_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check, not_negative

__all__ = ["SGD"]


class SGD(Optimizer):
    """p -= lr * d, with d = g + weight_decay * p.

    With momentum, b = momentum * b + (1 - dampening) * d replaces d; with nesterov, d + momentum * b does.  The
    first b is the first d.  maximize ascends instead of descending.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable, fused: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Robbins and Monro 1951; Sutskever et al. 2013.

        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: float | Tensor = 0, nesterov: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, differentiable: bool = False, fused: bool | None = None):
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                                  "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
                                  "differentiable": differentiable, "fused": fused})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative, momentum=not_negative, weight_decay=not_negative)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError("Nesterov momentum requires a momentum and zero dampening")

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        first = group["momentum"] != 0 and state.get("momentum_buffer") is None
        if first:
            state["momentum_buffer"] = zeros_like(p)
        return first

    def update_sparse(self, p: Tensor, g: SparseBase, group: dict[str, Any]):
        if group["weight_decay"] != 0:
            raise CLTensorError("SGD: weight_decay is not compatible with sparse gradients: it moves every row; leave it out")
        d = -g if group["maximize"] else g
        if group["momentum"] != 0:
            before = self._state[p].get("momentum_buffer")
            b = d.clone() if before is None else (before * group["momentum"] + d * (1 - group["dampening"])).coalesce()
            self._state[p]["momentum_buffer"] = b
            d = d + b * group["momentum"] if group["nesterov"] else b
        d._add_to(p.detach(), -group["lr"])

    def update_rule(self, first, group: dict[str, Any]):
        momentum = group["momentum"]
        numbers = {"lr": group["lr"], "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0}
        if momentum == 0:
            return sgd_step, (), numbers
        keep, take = (0.0, 1.0) if first else (momentum, 1 - group["dampening"])
        return sgd_momentum_step, ("momentum_buffer",), {**numbers, "momentum": momentum, "keep": keep, "take": take,
                                                         "nesterov": float(group["nesterov"])}


def __dir__():
    return sorted(__all__)
