"""Adagrad: steps that shrink with the sum of the squared gradients."""

from ..ops.optim.updates import adagrad_step
from ..tensor.api.creation import full_like
from .optimizer import Optimizer, check, not_negative


class Adagrad(Optimizer):
    """p -= lr / (1 + (step - 1) * lr_decay) * g / (sqrt(sum of g squared) + eps).  Source: Duchi et al. 2011."""

    def __init__(self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, *, maximize=False):
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                                  "initial_accumulator_value": initial_accumulator_value, "maximize": maximize})

    def add_param_group(self, param_group):
        """See Optimizer; the sums start immediately, at initial_accumulator_value."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for p in group["params"]:
            self.state[p].update(step=0, sum=full_like(p.detach(), group["initial_accumulator_value"]))

    def check_group(self, group):
        check(group, **dict.fromkeys(("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"), not_negative))

    def next_step(self, p, state, group):
        state["step"] += 1
        return state["step"]

    def update_rule(self, step, group):
        return adagrad_step, ("sum",), {"lr": group["lr"] / (1 + (step - 1) * group["lr_decay"]), "eps": group["eps"],
                                        "weight_decay": group["weight_decay"], "sign": -1.0 if group["maximize"] else 1.0}
