"""SparseAdam: Adam on the rows that a sparse gradient names, and on no others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..base.errors import ArgumentError, CLTensorError
from ..ops.optim.updates import sparse_adam_step
from ..tensor import Tensor
from ..tensor.api.creation import zeros_like
from .optimizer import Optimizer
from .settings import check_betas

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that leaves rows without a gradient, and their running means, as they are: for large embeddings.

    p -= lr * sqrt(1 - beta2 ** step) / (1 - beta1 ** step) * m / (sqrt(v) + eps) in those rows.

    params: dense tensors of any shape and floating dtype, or groups; their gradients must be sparse.  lr: a number or a one-element
    tensor.

    Raises ArgumentError for settings out of range and for sparse parameters; `step` raises CLTensorError for a dense gradient.
    Source: Kingma and Ba 2015.

        optimizer = optim.SparseAdam(embedding.parameters(), lr=1e-3)
    """

    _step_supports_amp_scaling = False
    counts = ()  # PyTorch saves this optimiser's step as an int

    def __init__(self, params: Iterable[Any], lr: float | Tensor = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, maximize: bool = False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def check_group(self, group: dict[str, Any]):
        for name, label in (("lr", "learning rate"), ("eps", "epsilon value")):
            if not group[name] > 0:
                raise ArgumentError(f"Invalid {label}: {group[name]}; it must be positive")
        check_betas(group["betas"])
        if any(p.is_complex() for p in group["params"]):
            raise ArgumentError("SparseAdam does not support complex parameters")

    def _check_params(self, params):
        sparse = [i for i, p in enumerate(params) if getattr(p, "is_sparse", False)]
        if sparse:
            raise ArgumentError(f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors")
        super()._check_params(params)

    def _update(self, number, group):
        for p in group["params"]:
            if p.grad is not None and not p.grad.is_sparse:
                raise CLTensorError("SparseAdam does not support dense gradients, please consider Adam instead")
        for p in group["params"]:
            if p.grad is not None:
                g = p.grad.coalesce()
                self.update_entries(p, g.indices(), g.values(), self._settings(number))

    def update_entries(self, p: Tensor, indices: Tensor, values: Tensor, group: dict[str, Any]):
        """Update the entries of p that have a gradient.

        indices: (sparse dimensions, n) integers, each column an index into p's first dimensions, none twice; values: (n, *the other
        dimensions), the gradients there; group: its settings, as numbers.
        """
        state = self.state[p]
        if not state:
            state.update(step=0, exp_avg=zeros_like(p), exp_avg_sq=zeros_like(p))
        state["step"] += 1
        if not values.numel():
            return
        at = tuple(indices.unbind(0))
        moments = state["exp_avg"], state["exp_avg_sq"]
        updated = sparse_adam_step(p.detach()[at], values, *[m[at] for m in moments], **_numbers(state["step"], group))
        for whole, entries in zip((p, *moments), updated, strict=True):
            whole.index_put_(at, entries)


def _numbers(step, group):
    beta1, beta2 = group["betas"]
    return {"one_minus_beta1": 1 - beta1, "one_minus_beta2": 1 - beta2, "eps": group["eps"],
            "step_size": group["lr"] * (1 - beta2**step) ** 0.5 / (1 - beta1**step), "sign": -1.0 if group["maximize"] else 1.0}


def __dir__():
    return sorted(__all__)
