"""Keywords of a layer's constructor that say where and in which dtype its parameters are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..base.errors import ArgumentTypeError

_KEYS = ("device", "dtype", "memory_format")


def factory_kwargs(kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """The keywords device, dtype and memory_format of a layer's constructor as one dict, for functions that make tensors of any
    shape.

    kwargs: those keywords, and others of them under factory_kwargs, a dict; None for none.
    Raises ArgumentTypeError for any other keyword, and for one given twice.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.factory_kwargs({"device": "cpu", "factory_kwargs": {"dtype": None}})
        {'device': 'cpu', 'dtype': None}
    """
    given = dict(kwargs or {})
    inner = dict(given.pop("factory_kwargs", None) or {})
    unknown = (given.keys() | inner.keys()) - set(_KEYS)
    if unknown:
        raise ArgumentTypeError(f"factory_kwargs: unexpected kwargs {unknown}; use {', '.join(_KEYS)}")
    for key in given.keys() & inner.keys():
        raise ArgumentTypeError(f"factory_kwargs: {key} specified twice, in **kwargs and in factory_kwargs")
    return {**given, **inner}
