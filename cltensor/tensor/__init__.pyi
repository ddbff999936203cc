"""Made by `cltensor stubs`; do not edit."""
# mypy: disable-error-code="override, misc, assignment"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

import builtins
from collections.abc import Callable, Iterable, Iterator, Sequence
from os import PathLike
from typing import IO, Any, NamedTuple

import numpy as np

from cltensor.dispatch.storage import Storage as Storage
from cltensor.tensor.core.tensor import Tensor as Tensor
from cltensor.tensor.random.sampling import Generator as Generator

default_generator: Generator

def namespace() -> dict[str, Any]: ...
