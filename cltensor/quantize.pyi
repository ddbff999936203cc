"""Made by `cltensor stubs`; do not edit."""
# mypy: disable-error-code="override, misc, assignment"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from typing import IO, Any, NamedTuple

import numpy as np

from cltensor.base.dtypes import dtype as _dtype
from cltensor.base.shapes import Size
from cltensor.nn import Linear as Linear
from cltensor.nn import Module as Module
from cltensor.runtime.device import device as _device
from cltensor.tensor.core import tensor as _results
from cltensor.tensor.core.tensor import Number, Tensor
from cltensor.tensor.random.sampling import Generator

class QuantizedLinear(Module):
    def __init__(self, in_features: builtins.int, out_features: builtins.int, bias: builtins.bool = ..., device: _device | builtins.str | builtins.int | None = ..., dtype: _dtype | None = ...) -> None: ...
    def extra_repr(self) -> Any: ...
    def forward(self, input: Tensor) -> Any: ...
    @classmethod
    def of(cls, layer: Linear) -> Any: ...
def dequantize(weight: Tensor, scale: Tensor) -> Any: ...
def per_channel(weight: Tensor) -> Any: ...
def weight_only(module: Module, *, skip: Sequence[builtins.str] | Callable[[builtins.str, Linear], Any] = ...) -> Any: ...
