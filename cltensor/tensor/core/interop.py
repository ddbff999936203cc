"""Operators between tensors and NumPy arrays, and NumPy's functions of tensors.

As in PyTorch, NumPy computes them on the host, with its own promotion rules, and the result becomes a tensor again.  Only
comparisons follow cltensor's rules.  Raises AutogradError for a tensor that requires grad, as numpy() does.
"""

import importlib
import operator

import numpy as np

from ...base import calls
from ...base.errors import ArgumentError, ArgumentTypeError
from ...dispatch.tensor_base import TensorBase
from .public_api import method
from .values import array_of

ARITHMETIC = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
              "floordiv": operator.floordiv, "mod": operator.mod, "pow": operator.pow, "and": operator.and_, "or": operator.or_,
              "xor": operator.xor, "lshift": operator.lshift, "rshift": operator.rshift, "matmul": operator.matmul}


@method("__array_wrap__")
def _array_wrap(self, array, context=None, return_scalar=False):
    """NumPy's result as a tensor on this one's device; bools as uint8, as in PyTorch."""
    array = np.asarray(array)
    return _copy(self, array.astype(np.uint8) if array.dtype == np.bool_ else array)


def _copy(x, array):
    """An array as a tensor on x's device."""
    return x._plain._from_array(*array_of(array, None), x.device)


@method("__array_namespace__")
def _array_namespace(self, *, api_version=None):
    """The module of the Python array API standard: cltensor.array_api."""
    if api_version not in (None, "2022.12", "2023.12", "2024.12"):
        raise ArgumentError(f"__array_namespace__: version {api_version!r} of the array API standard is not supported")
    return importlib.import_module(f"{calls.PACKAGE}array_api")


def reflected(name, x, other):
    """`other` (an array) op x, for Python's operator __r{name}__; NotImplemented if other is not an array."""
    if not isinstance(other, np.ndarray):
        return declined(name, other)
    return x.__array_wrap__(ARITHMETIC[name](other, x.numpy()))


def declined(name, other):
    """NotImplemented; raises ArgumentTypeError for another library's tensor, which Python would call by our own's name."""
    if hasattr(type(other), "__torch_function__") and not isinstance(other, TensorBase):
        raise ArgumentTypeError(f"{name}: expected a Tensor or a number, got {calls.kind(other)}; make a tensor of it with "
                                "cltensor.tensor(x.numpy())")
    return NotImplemented


def compared(op, x, other):
    """op(x, an array) as a tensor of bool."""
    if isinstance(other, np.ndarray):
        return op(x, _copy(x, other))
    return declined(op.name, other)
