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
from cltensor.tensor.sparse.sparse_tensor import SparseTensor as SparseTensor

def addmm(mat: Tensor, mat1: Tensor | SparseTensor, mat2: Tensor | SparseTensor, *, beta: builtins.float = ..., alpha: builtins.float = ...) -> Any: ...
def log_softmax(input: SparseTensor, dim: builtins.int, *, dtype: _dtype | None = ...) -> Any: ...
def mm(mat1: Tensor | SparseTensor, mat2: Tensor | SparseTensor, reduce: builtins.str = ...) -> Any: ...
def sampled_addmm(input: SparseTensor, mat1: Tensor, mat2: Tensor, *, beta: builtins.float = ..., alpha: builtins.float = ..., out: SparseTensor | None = ...) -> Any: ...
def softmax(input: SparseTensor, dim: builtins.int, *, dtype: _dtype | None = ...) -> Any: ...
def sum(input: SparseTensor, dim: builtins.int | builtins.tuple[builtins.int, ...] | None = ..., dtype: _dtype | None = ...) -> Any: ...
