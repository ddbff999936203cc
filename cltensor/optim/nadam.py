"""NAdam: Adam with Nesterov's momentum."""

from ..ops.optimizer import nadam_step
from ..tensor.creation import zeros_like
from .optimizer import Optimizer, check, check_betas, not_negative


class NAdam(Optimizer):
    """Adam whose momentum looks one step ahead, with a schedule mu = beta1 * (1 - 0.96 ** (step * momentum_decay) / 2).

    Source: Dozat 2016.
    """

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
                 decoupled_weight_decay=False, *, maximize=False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
                                  "maximize": maximize})

    def _check_group(self, group):
        check(group, lr=not_negative, eps=not_negative, weight_decay=not_negative, momentum_decay=not_negative)
        check_betas(group["betas"])

    def _update(self, p, g, state, group):
        if not state:
            state.update(step=0, mu_product=1.0, exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
        state["step"] += 1
        kept = state["exp_avg"], state["exp_avg_sq"]
        nadam_step(p, g, *kept, **self._scalars(state, group), out=(p, *kept))

    @staticmethod
    def _scalars(state, group):
        """The numbers of one step, worked out in double precision."""
        (beta1, beta2), lr, step, decay = group["betas"], group["lr"], state["step"], group["weight_decay"]
        mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (n * group["momentum_decay"])) for n in (step, step + 1))
        state["mu_product"] *= mu
        decoupled = group["decoupled_weight_decay"]
        return {"take1": 1 - beta1, "beta2": beta2, "take2": 1 - beta2, "eps": group["eps"], "bias2": 1 - beta2**step,
                "gradient_step": lr * (1 - mu) / (1 - state["mu_product"]),
                "momentum_step": lr * ahead / (1 - state["mu_product"] * ahead), "weight_decay": 0.0 if decoupled else decay,
                "shrink": 1 - lr * decay if decoupled else 1.0, "sign": -1.0 if group["maximize"] else 1.0}
