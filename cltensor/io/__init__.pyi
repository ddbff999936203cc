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
from cltensor.runtime.device import device as _device
from cltensor.tensor.core import tensor as _results
from cltensor.tensor.core.tensor import Number, Tensor
from cltensor.tensor.random.sampling import Generator

def load(f: builtins.str | PathLike[builtins.str] | IO[bytes], map_location: Any = ..., pickle_module: Any = ..., *, device: _device | builtins.str | builtins.int | None = ..., weights_only: builtins.bool | None = ..., mmap: builtins.bool | None = ..., encoding: builtins.str = ..., errors: builtins.str = ...) -> Any: ...
def save(obj: Any, f: builtins.str | PathLike[builtins.str] | IO[bytes], pickle_module: Any = ..., pickle_protocol: builtins.int = ..., *, format: builtins.str = ..., max_shard_size: builtins.int | builtins.str = ...) -> Any: ...
