"""Calls of a module with other parameters; func.functional_call is the newer form."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ...func.calls import functional_call as _functional_call
from ...tensor.core.tensor import Tensor
from ..modules.module import Module

__all__ = ["functional_call"]


def functional_call(module: Module, parameters_and_buffers: Mapping[str, Tensor], args: Any = None,
                    kwargs: Mapping[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False):
    """module(*args, **kwargs) with parameters and buffers, of any shape and dtype, by name; the module stays the same.  Deprecated.

    args: a tuple, or one argument.  tie_weights: a tensor that the module has under two names is replaced under both.
    Raises ArgumentError for a name that the module does not have, and with strict for a missing one.
    Source: PyTorch 2.13's interface.

        >>> import warnings
        >>> from cltensor import nn, ones, zeros
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     nn.utils.stateless.functional_call(nn.Linear(2, 1), {"weight": ones(1, 2), "bias": zeros(1)}, ones(1, 2))
        tensor([[2.]])
    """
    warnings.warn("`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future "
                  "version of PyTorch. Please use `torch.func.functional_call` instead which is a drop-in replacement.",
                  FutureWarning, stacklevel=2)
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def __dir__():
    return sorted(__all__)
