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
from cltensor.utils import benchmark as benchmark
from cltensor.utils import checkpoint as checkpoint
from cltensor.utils import data as data
from cltensor.utils import dlpack as dlpack

def swap_tensors(t1: Tensor, t2: Tensor) -> None: ...
