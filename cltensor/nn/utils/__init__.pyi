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
from cltensor.nn.utils import rnn as rnn
from cltensor.runtime.device import device as _device
from cltensor.tensor.core import tensor as _results
from cltensor.tensor.core.tensor import Number, Tensor
from cltensor.tensor.random.sampling import Generator

def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: builtins.float, norm_type: builtins.float = ..., error_if_nonfinite: builtins.bool = ...) -> Any: ...
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: builtins.float) -> Any: ...
def get_total_norm(tensors: Sequence[Tensor], norm_type: builtins.float = ..., error_if_nonfinite: builtins.bool = ...) -> Any: ...
def parameters_to_vector(parameters: Iterable[Any]) -> Any: ...
def vector_to_parameters(vec: Tensor, parameters: Iterable[Any]) -> Any: ...
