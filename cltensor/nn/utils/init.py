"""Modules without their initial values."""

from __future__ import annotations

import inspect

from ...base.errors import ArgumentError
from ..init import skipped
from ..modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls: type[Module], *args, **kwargs) -> Module:
    """module_cls(*args, **kwargs) whose parameters and buffers, of any shape and dtype, hold no particular values.

    For a module whose state is loaded right after.  device: a keyword of module_cls, which it has to take.
    Raises ArgumentError for what is no Module, or takes no device.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.utils.skip_init(nn.Linear, 3, 2)
        Linear(in_features=3, out_features=2, bias=True)
    """
    if not (isinstance(module_cls, type) and issubclass(module_cls, Module)):
        raise ArgumentError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise ArgumentError("Module must support a 'device' arg to skip initialization")
    with skipped():
        return module_cls(*args, **kwargs)


def __dir__():
    return sorted(__all__)
