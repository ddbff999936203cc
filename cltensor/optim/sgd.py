"""SGD: gradient descent, with momentum."""

from ..base.errors import ArgumentError
from ..ops.optim.updates import sgd_momentum_step, sgd_step
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer, check, not_negative


class SGD(Optimizer):
    """p -= lr * d, with d = g + weight_decay * p.

    With momentum, b = momentum * b + (1 - dampening) * d replaces d; with nesterov, d + momentum * b does.  The
    first b is the first d.  maximize ascends instead of descending.
    """

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False):
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                                  "nesterov": nesterov, "maximize": maximize})

    def check_group(self, group):
        check(group, lr=not_negative, momentum=not_negative, weight_decay=not_negative)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError("Nesterov momentum requires a momentum and zero dampening")

    def next_step(self, p, state, group):
        first = group["momentum"] != 0 and state.get("momentum_buffer") is None
        if first:
            state["momentum_buffer"] = zeros_like(p)
        return first

    def update_rule(self, first, group):
        momentum = group["momentum"]
        numbers = {"lr": group["lr"], "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0}
        if momentum == 0:
            return sgd_step, (), numbers
        keep, take = (0.0, 1.0) if first else (momentum, 1 - group["dampening"])
        return sgd_momentum_step, ("momentum_buffer",), {**numbers, "momentum": momentum, "keep": keep, "take": take,
                                                         "nesterov": float(group["nesterov"])}
