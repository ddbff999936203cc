"""Muon: momentum made orthogonal, for the weight matrices of hidden layers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ..base import dtypes
from ..base.errors import ArgumentError, CLTensorError
from ..ops.optim.updates import averaging_step, decayed_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import tensors_in

_RATES = {None: lambda rows, columns: math.sqrt(max(1, rows / columns)),
          "match_rms_adamw": lambda rows, columns: 0.2 * math.sqrt(max(rows, columns))}
_RATES["original"] = _RATES[None]


class Muon(Optimizer):
    """p -= lr * O after p has shrunk by lr * weight_decay, with O the momentum b's nearest orthogonal matrix, about.

    b = momentum * b + (1 - momentum) * g; with nesterov, g moved towards b by `momentum` takes its place.  O comes of ns_steps
    Newton-Schulz steps x <- a x + b (x x') x + c (x x')^2 x with ns_coefficients (a, b, c), in bfloat16, from x of norm 1
    (of at least eps before it is divided by).

    params: matrices of a floating dtype, or groups.  lr: a number or a one-element tensor.  adjust_lr_fn: how lr depends on the
    shape (rows, columns): None or "original" multiply by sqrt(max(1, rows / columns)), "match_rms_adamw" by
    0.2 * sqrt(max(rows, columns)).

    Raises ArgumentError for parameters that are no matrices and for settings out of range; `step` raises CLTensorError for complex
    parameters.  Source: Jordan et al. 2024; Liu et al. 2025 (match_rms_adamw).

        optimizer = optim.Muon([p for p in model.parameters() if p.ndim == 2], lr=1e-3)
    """

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
                 nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7,
                 ns_steps: int = 5, adjust_lr_fn: str | None = None):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
                                  "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps,
                                  "adjust_lr_fn": adjust_lr_fn})

    def check_group(self, group: dict[str, Any]):
        for name, label in (("lr", "Learning rate"), ("momentum", "momentum"), ("weight_decay", "weight decay")):
            if group[name] < 0:
                raise ArgumentError(f"{label} should be >= 0 but is: {group[name]}")
        if group["adjust_lr_fn"] not in _RATES:
            raise ArgumentError(f"Adjust learning rate function {group['adjust_lr_fn']} is not supported; use 'original' or "
                                "'match_rms_adamw'")
        if group["ns_steps"] >= 100:
            raise ArgumentError(f"Number of steps must be less than 100 for computational efficiency, but is: {group['ns_steps']}")
        if len(group["ns_coefficients"]) != 3:
            raise ArgumentError(f"Coefficients must be a tuple of exactly 3 values, but are: {group['ns_coefficients']}")
        for p in group["params"]:
            if p.dim() != 2:
                raise ArgumentError(f"Muon only supports 2D parameters whereas we found a parameter with size: {tuple(p.shape)}; "
                                    "give the others to another optimiser, such as AdamW")

    def next_step(self, p: Tensor, state: dict[str, Any], group: dict[str, Any]):
        if p.is_complex():
            raise CLTensorError("Muon does not support complex parameters; optimise their real and imaginary parts")
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = zeros_like(p)

    def _update(self, number, group):
        params, moves = [p for p in group["params"] if p.grad is not None], {}
        factors = [_RATES[group["adjust_lr_fn"]](*p.shape) for p in params]
        places = {factor: place for place, factor in enumerate(dict.fromkeys(factors))}

        def numbers_of_step():
            now = self._settings(number)
            for p in params:
                self._next(p, now)
            return (1 - now["momentum"], now["momentum"], 1 - now["lr"] * now["weight_decay"], *(now["lr"] * f for f in places))

        take, momentum, decay_factor, *rates = self._anew(numbers_of_step, tensors_in(group))
        buffers = [self._state[p]["momentum_buffer"] for p in params]
        self._apply(number, averaging_step, [(b, p.grad) for b, p in zip(buffers, params, strict=True)], {"take": take})
        for p, direction, factor in zip(params, buffers, factors, strict=True):
            if group["nesterov"]:
                direction = averaging_step(p.grad, direction, take=momentum)
            moves.setdefault(places[factor], []).append((p, _orthogonal(direction, group).to(p.dtype)))
        for place, members in moves.items():
            self._apply((number, place), decayed_step, members, {"step_size": rates[place], "decay_factor": decay_factor},
                        fresh=("u",))


def _orthogonal(x, group):
    """Newton-Schulz iteration on a matrix, its shorter side first, in bfloat16."""
    a, b, c = group["ns_coefficients"]
    wide = x.shape[0] <= x.shape[1]
    x = (x if wide else x.T).to(dtypes.bfloat16)
    x = x / x.norm().clamp(min=group["eps"])
    for _ in range(group["ns_steps"]):
        gram = x @ x.T
        x = (gram @ gram * c + gram * b) @ x + x * a
    return x if wide else x.T
