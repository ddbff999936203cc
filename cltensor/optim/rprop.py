"""Rprop: steps by the sign of the gradient only, each element with its own step size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..base.errors import ArgumentError
from ..ops.optim.updates import rprop_step
from ..tensor import Tensor
from ..tensor.api.creation import full_like, zeros_like
from .optimizer import Optimizer
from .settings import check, not_negative

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """p -= sign(g) * size; size grows by etas[1] while the sign stays, shrinks by etas[0] when it flips, within step_sizes.

    For full batches.

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  foreach, capturable,
    differentiable: see Optimizer.

    Raises ArgumentError for settings out of range.  Source: Riedmiller and Braun 1993.

        optimizer = optim.Rprop(model.parameters(), lr=1e-3)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
                 step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
                 maximize: bool = False, differentiable: bool = False):
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
                                  "differentiable": differentiable, "capturable": capturable})

    def check_group(self, group: dict[str, Any]):
        check(group, lr=not_negative)
        if not 0 < group["etas"][0] < 1 < group["etas"][1]:
            raise ArgumentError(f"Invalid eta values: {group['etas'][0]}, {group['etas'][1]}; need 0 < etas[0] < 1 < etas[1]")

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if not state:
            lr = group["lr"]
            state.update(step=0, prev=zeros_like(p), step_size=full_like(p, complex(lr, lr) if p.dtype.is_complex else lr))
        state["step"] += 1

    def update_rule(self, step, group: dict[str, Any]):
        (shrink, grow), (least, most) = group["etas"], group["step_sizes"]
        return rprop_step, ("prev", "step_size"), {"shrink": shrink, "grow": grow, "least": least, "most": most,
                                                   "sign": -1.0 if group["maximize"] else 1.0}


def __dir__():
    return sorted(__all__)
