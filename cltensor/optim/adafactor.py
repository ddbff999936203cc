"""Adafactor: Adam's scaling from one number a row and one a column, without momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..base.context import Notes
from ..base.dtypes import finfo
from ..base.errors import ArgumentError, CLTensorError
from ..ops.optim import updates as ops
from ..tensor import Tensor
from ..tensor.api.creation import zeros
from .optimizer import Optimizer
from .settings import tensors_in


class Adafactor(Optimizer):
    """Steps by g over the root of its mean square v, in proportion to the parameter's own size.

    For matrices (and the last two dimensions of larger shapes) v is the outer product of running means over rows and over
    columns, divided by their mean; for vectors v itself is kept.  The running means move by step ** beta2_decay.  A step is
    cut where its root mean square exceeds d, and is min(lr, 1 / sqrt(step)) times the parameter's root mean square, which counts
    as at least eps[1].

    params: tensors of any shape and floating dtype, or groups.  lr: a number or a one-element tensor.  eps: the least mean square
    (None: the dtype's eps) and the least size of a parameter.  foreach: see Optimizer.

    Raises ArgumentError for settings out of range; `step` raises CLTensorError for complex parameters.
    Source: Shazeer and Stern 2018.

        optimizer = optim.Adafactor(model.parameters(), lr=1e-2)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-2, beta2_decay: float = -0.8,
                 eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
                 foreach: bool | None = None, maximize: bool = False):
        super().__init__(params, {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
                                  "foreach": foreach, "maximize": maximize})

    def check_group(self, group: dict[str, Any]):
        eps1, eps2 = group["eps"]
        for holds, words in ((group["lr"] >= 0, f"Learning rate should be >= 0 but is: {group['lr']}"),
                             (group["beta2_decay"] <= 0, f"beta2_decay should be <= 0 but is: {group['beta2_decay']}"),
                             (eps1 is None or eps1 >= 0, f"epsilon1 should be >= 0 but is: {eps1}"),
                             (eps2 >= 0, f"epsilon2 should be >= 0 but is: {eps2}"),
                             (group["d"] >= 1, f"Clipping threshold d should be >= 1 but is: {group['d']}"),
                             (group["weight_decay"] >= 0, f"weight_decay should be >= 0 but is: {group['weight_decay']}")):
            if not holds:
                raise ArgumentError(words)

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if p.is_complex():
            raise CLTensorError("Adafactor does not support complex parameters; optimise their real and imaginary parts")
        if not state:
            state.update(step=0, **_means(p))
        state["step"] += 1
        return state["step"]

    def _update(self, number, group):
        params, steps = [p for p in group["params"] if p.grad is not None], Notes()

        def numbers_of_step():
            now, found = self._settings(number), {}
            for p in params:
                found.setdefault(self._next(p, now), []).append(p)
            steps[:] = found.items()
            return tuple(n for step in found for n in (step ** now["beta2_decay"], *_numbers(step, now).values()))

        values = iter(self._anew(numbers_of_step, tensors_in(group)))
        for place, (_, found) in enumerate(steps):
            members = [(p, p.grad, self._state[p]) for p in found]
            pairs = [pair for p, g, state in members for pair in _moving(g, state)]
            self._apply((number, place), ops.averaging_step, pairs, {"take": next(values)})
            rows = [(p, direction, _size(p), _size(direction)) for p, g, state in members
                    for direction in [_direction(g, state, _least(p, group))]]
            self._apply((number, place), ops.adafactor_step, rows, dict(zip(_NUMBERS, values, strict=False)),
                        fresh=("u", "size", "length"))


def _means(p):
    """The state of a new parameter: its mean squares over rows and columns, or whole."""
    if p.dim() < 2:
        return {"variance": zeros(p.shape, dtype=p.dtype, device=p.device)}
    row, column = (*p.shape[:-1], 1), (*p.shape[:-2], 1, p.shape[-1])
    return {name: zeros(shape, dtype=p.dtype, device=p.device) for name, shape in (("row_var", row), ("col_var", column))}


def _moving(g, state):
    """(running mean, what it moves towards) of one parameter."""
    square = g * g
    if "variance" in state:
        return [(state["variance"], square)]
    return [(state["row_var"], square.mean(-1, keepdim=True)), (state["col_var"], square.mean(-2, keepdim=True))]


def _least(p, group):
    return finfo(p.dtype).eps if group["eps"][0] is None else group["eps"][0]


def _direction(g, state, least):
    if "variance" in state:
        return ops.adafactor_direction_dense(g, state["variance"], least=least)
    row = state["row_var"]
    return ops.adafactor_direction(g, row, state["col_var"], row.mean(-2, keepdim=True), least=least)


def _size(x):
    """The root mean square, a 0-d tensor."""
    return x.norm() / x.numel() ** 0.5


_NUMBERS = ("step_size", "decay_factor", "least", "threshold", "sign")


def _numbers(step, group):
    return {"step_size": min(group["lr"], step**-0.5), "decay_factor": 1 - group["lr"] * group["weight_decay"],
            "least": group["eps"][1], "threshold": group["d"], "sign": -1.0 if group["maximize"] else 1.0}
