"""The state of an optimiser as it is saved and restored: counts as tensors, tensors fitted to their parameter."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ..base import dtypes
from ..base.errors import ArgumentError
from ..tensor import Tensor
from ..tensor.api.creation import as_tensor, tensor


def saved(kept: dict[str, Any], p, counts: tuple[str, ...]) -> dict[str, Any]:
    """One parameter's state with its counts as 0-d float32 tensors on p's device, as PyTorch keeps them."""
    return {name: tensor(float(value), dtype=dtypes.float32, device=p.device)
            if name in counts and not isinstance(value, Tensor) else value for name, value in kept.items()}


def counted(kept: dict[str, Any], counts: tuple[str, ...]) -> dict[str, Any]:
    """A saved state of one parameter with its counts as numbers; other tensors stay the same objects."""
    return {name: _count(value.item()) if name in counts and isinstance(value, Tensor) else value for name, value in kept.items()}


def fitted(value, p, counts: tuple[str, ...], name: str | None = None):
    """A saved state for parameter p: counts as numbers, tensors on p's device, floating ones in p's dtype.

    value: a tensor, an array or another library's tensor (anything NumPy takes for an array), or dicts and lists of them.
    """
    if not isinstance(value, Tensor) and hasattr(value, "__array__") and not isinstance(value, str):
        value = as_tensor(value)
    if isinstance(value, Tensor):
        if name in counts or name == "step":
            return _count(value.item())
        if p is None:
            return value
        floating = p.is_floating_point() and value.is_floating_point()
        return value.detach().to(device=p.device, dtype=p.dtype if floating else value.dtype, copy=True)
    if isinstance(value, Mapping):
        return {k: fitted(v, p, counts, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(fitted(v, p, counts) for v in value)
    return value


def _count(value):
    """A count as an int where it is whole."""
    return int(value) if value == int(value) else value


def settings_for(groups: list[dict[str, Any]], state_dict: dict[str, Any], defaults: dict[str, Any]) -> list[dict[str, Any]]:
    """The saved settings, one dict for each of `groups`, with defaults for what an older file lacks.

    Raises ArgumentError where the groups or their sizes differ.
    """
    found = copy.deepcopy(state_dict["param_groups"])
    if len(found) != len(groups):
        raise ArgumentError(f"loaded state dict has a different number of parameter groups: {len(found)}, this "
                            f"optimizer has {len(groups)}")
    for group, wanted in zip(groups, found, strict=True):
        if len(group["params"]) != len(wanted["params"]):
            raise ArgumentError(f"loaded state dict contains a parameter group that doesn't match the size of "
                                f"optimizer's group: {len(wanted['params'])} parameters, here {len(group['params'])}")
    return [{**defaults, **_names(group, wanted), **wanted} for group, wanted in zip(groups, found, strict=True)]


def _names(group, wanted):
    """The group's own parameter names, where none were saved."""
    return {"param_names": group["param_names"]} if "param_names" in group and "param_names" not in wanted else {}
