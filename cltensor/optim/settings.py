"""Settings of a parameter group: what holds of each, and tensors among them as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base.errors import ArgumentError, CLTensorError
from ..tensor import Tensor


def check(group: dict[str, Any], **rules: Callable[[Any], bool]):
    """Raise ArgumentError unless each named setting of the group satisfies its rule (a function of its value)."""
    for name, holds in rules.items():
        if not holds(group[name]):
            label = "learning rate" if name == "lr" else f"{name} value"
            raise ArgumentError(f"Invalid {label}: {group[name]}")


def check_betas(betas: tuple[Any, Any]):
    """Raise ArgumentError unless both decay rates are of one kind, numbers or tensors, and lie in [0, 1)."""
    if len({isinstance(beta, Tensor) for beta in betas}) > 1:
        raise ArgumentError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        check_one(beta, f"betas[{i}]")
        if not 0 <= beta < 1:
            raise ArgumentError(f"Invalid beta parameter at index {i}: {beta}; it must be at least 0 and below 1")


def check_one(value, name: str):
    """Raise ArgumentError for a tensor of more than one element."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ArgumentError(f"Tensor {name} must be 1-element; got one of shape {tuple(value.shape)}")


def check_ways(defaults: dict[str, Any]):
    """Raise CLTensorError for ways of updating that PyTorch does not combine."""
    if defaults.get("fused") and defaults.get("differentiable"):
        raise CLTensorError("`fused` does not support `differentiable`; drop one of them")
    if defaults.get("fused") and defaults.get("foreach"):
        raise CLTensorError("`fused` and `foreach` cannot be `True` together; drop one of them, an update is one launch either way")


def check_tensors_in_foreach(group: dict[str, Any]):
    """Raise ArgumentError for tensors as learning rate or betas with foreach=True and without capturable, as PyTorch does."""
    if group["foreach"] and not group["capturable"]:
        for name, value in (("lr", group["lr"]), *((f"betas[{i}]", beta) for i, beta in enumerate(group["betas"]))):
            if isinstance(value, Tensor):
                raise ArgumentError(f"{name} as a Tensor is not supported for capturable=False and foreach=True; leave foreach out")


def not_negative(value) -> bool:
    """The rule of most settings."""
    return value >= 0


class Numbers:
    """Reads tensors among settings: each once, and again only after it was written to or replaced."""

    def __init__(self):
        self._read = {}

    def of(self, group: dict[str, Any]) -> dict[str, Any]:
        """The settings of a group; tensors, by themselves or in a tuple, become numbers."""
        found = {name: self._number(value) for name, value in group.items() if _holds_tensor(value)}
        return {**group, **found} if found else group

    def _number(self, value):
        if isinstance(value, tuple):
            return tuple(map(self._number, value))
        if not isinstance(value, Tensor):
            return value
        tensor, version, number = self._read.get(id(value), (None, 0, 0.0))
        if tensor is not value or version != value._version:
            number = value.item()
            self._read[id(value)] = value, value._version, number
        return number


def tensors_in(group: dict[str, Any]) -> list[Tensor]:
    """The tensors among the settings of a group, also those in tuples."""
    values = (v for name, value in group.items() if name != "params" for v in (value if isinstance(value, tuple) else (value,)))
    return [v for v in values if isinstance(v, Tensor)]


def _holds_tensor(value):
    return isinstance(value, Tensor) or (isinstance(value, tuple) and any(isinstance(v, Tensor) for v in value))
