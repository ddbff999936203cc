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
from cltensor.nn import Module as Module
from cltensor.optim import Optimizer as Optimizer
from cltensor.optim.lr_scheduler import LRScheduler as LRScheduler
from cltensor.runtime.device import device as Device
from cltensor.runtime.device import device as _device
from cltensor.tensor.core import tensor as _results
from cltensor.tensor.core.tensor import Number, Tensor
from cltensor.tensor.random.sampling import Generator

class AveragedModel(Module):
    def __init__(self, model: Module, device: Device | builtins.str | None = ..., avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = ..., multi_avg_fn: Callable[[list[Tensor], list[Tensor], Any], None] | None = ..., use_buffers: builtins.bool = ...) -> None: ...
    def forward(self, *args: Any, **kwargs: Any) -> Any: ...
    def update_parameters(self, model: Module) -> Any: ...
class SWALR(LRScheduler):
    def __init__(self, optimizer: Optimizer, swa_lr: builtins.float | list[builtins.float], anneal_epochs: builtins.int = ..., anneal_strategy: builtins.str = ..., last_epoch: builtins.int = ...) -> None: ...
    def get_lr(self) -> list[builtins.float]: ...
def get_ema_avg_fn(decay: builtins.float = ...) -> Callable[[Tensor, Tensor, Any], Tensor]: ...
def get_ema_multi_avg_fn(decay: builtins.float = ...) -> Callable[[list[Tensor], list[Tensor], Any], None]: ...
def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]: ...
def get_swa_multi_avg_fn() -> Callable[[list[Tensor], list[Tensor], Any], None]: ...
def update_bn(loader: Iterable[Any], model: Module, device: Device | builtins.str | None = ...) -> Any: ...
