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
from cltensor.runtime.device import device as _device
from cltensor.tensor.core import tensor as _results
from cltensor.tensor.core.tensor import Number, Tensor
from cltensor.tensor.random.sampling import Generator
from cltensor.utils import benchmark as benchmark
from cltensor.utils import checkpoint as checkpoint
from cltensor.utils import data as data
from cltensor.utils import dlpack as dlpack
from cltensor.utils import plot as plot
from cltensor.utils import tensorboard as tensorboard
from cltensor.utils.model_drawing import ModelDrawing as ModelDrawing
from cltensor.utils.model_summary import ModelStatistics as ModelStatistics
from cltensor.utils.progress_bar import Progress as Progress

def draw(model: Module, input_data: Any = ..., *, input_size: Any = ..., depth: builtins.int = ..., dtypes: Sequence[_dtype] | None = ...) -> ModelDrawing: ...
def progress(iterable: Iterable[Any] | None = ..., *, total: builtins.int | None = ..., description: builtins.str = ..., unit: builtins.str = ..., style: builtins.str | None = ..., file: IO[builtins.str] | None = ..., interval: builtins.float | None = ..., initial: builtins.int = ...) -> Progress: ...
def summary(model: Module, input_size: Any = ..., input_data: Any = ..., batch_dim: builtins.int | None = ..., col_names: Iterable[builtins.str] | None = ..., col_width: builtins.int = ..., depth: builtins.int = ..., dtypes: Sequence[_dtype] | None = ..., mode: builtins.str = ..., row_settings: Iterable[builtins.str] | None = ..., verbose: builtins.int = ..., **kwargs: Any) -> ModelStatistics: ...
def swap_tensors(t1: Tensor, t2: Tensor) -> None: ...
