"""Python's operators and the methods and in-place forms that follow from the registry."""

import inspect
from types import FunctionType

from ..base import dtypes
from ..base.calls import named
from ..base.errors import ArgumentTypeError, ShapeError
from ..ops import pointwise, views
from ..ops.registry import REGISTRY
from . import interop
from .dispatch import TensorBase, run_elementwise, run_pair, run_planned, run_view
from .surface import METHODS, registered
from .tensor import Tensor, write_into


def _binary(op, name):
    def forward(self, other):
        if isinstance(other, TensorBase):
            return run_pair(op, self, other)
        if dtypes.category_of(other) is not None:
            return run_elementwise(op, (self, other))
        return interop.declined(op.name, other)

    def reflected(self, other):
        if not isinstance(self, TensorBase):
            raise ArgumentTypeError(f"__r{op.name}__ needs a Tensor, not a {type(self).__name__}")
        if isinstance(other, TensorBase) or dtypes.category_of(other) is not None:
            return run_elementwise(op, (other, self))
        return interop.reflected(name, self, other)

    def inplace(self, other):
        if isinstance(other, TensorBase) or dtypes.category_of(other) is not None:
            return write_into(op, self, (self, other))
        return NotImplemented

    return named(forward, op.name), named(reflected, op.name), named(inplace, f"{op.name}_")


def _comparison(op):
    def compare(self, other):
        if isinstance(other, TensorBase):
            return run_pair(op, self, other)
        if dtypes.category_of(other) is not None:
            return run_elementwise(op, (self, other))
        return interop.compared(op, self, other)

    return named(compare, op.name)


def _matmul(self, other):
    if isinstance(other, TensorBase):
        return run_planned(REGISTRY["matmul"], (self, other))
    return interop.declined("matmul", other)


def _rmatmul(self, other):
    if isinstance(other, TensorBase):
        return run_planned(REGISTRY["matmul"], (other, self))
    return interop.reflected("matmul", self, other)


_OPERATORS = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide", "mod": "remainder",
              "pow": "pow", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
              "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift"}
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def _inplace(op):
    def method(self, *args, **attrs):
        return op(self, *args, out=self, inplace=True, **attrs)

    named(method, f"{op.name}_").__name__ = f"{op.name}_"
    method.__doc__ = f"{op.name} in place."
    method.__signature__ = inspect.Signature(op.parameters("self"))
    return method


def _method(op):
    def method(self, *args, **attrs):
        return op(self, *args, **attrs)

    method.__name__, method.__doc__, method.__signature__ = op.name, op.doc, inspect.Signature(op.parameters("self"))
    return named(method, op.name)


def _transposed(x, name):
    n = x._spec.ndim
    if n < 2 or (name == "H" and n > 2):
        raise ShapeError(f"tensor.{name} is only supported on matrices{'' if name == 'H' else ' or batches of matrices'}. Got "
                         f"{n}-D tensor.")
    return run_view(views.permute, x, ((*range(n - 2), n - 1, n - 2),))


#: methods whose errors are not about a call
_SILENT = ("__getattr__", "__new__", "__repr__", "__format__", "__hash__", "__array__")
_METHOD_OF = {"__matmul__": "matmul", "__rmatmul__": "matmul", "__neg__": "neg", "__abs__": "abs", "__invert__": "bitwise_not",
              "__reversed__": "flip", "__pos__": "positive"}


def install():
    """Give Tensor its operators and every declared method."""
    for name, op_name in _OPERATORS.items():
        forward, reflected, inplace = _binary(REGISTRY[op_name], name)
        setattr(Tensor, f"__{name}__", forward)
        setattr(Tensor, f"__r{name}__", reflected)
        setattr(Tensor, f"__i{name}__", inplace)
    for name in _COMPARISONS:
        setattr(Tensor, f"__{name}__", _comparison(REGISTRY[name]))
    Tensor.__matmul__, Tensor.__rmatmul__ = _matmul, _rmatmul
    Tensor.__rdiv__ = Tensor.__rtruediv__
    Tensor.__hash__ = object.__hash__
    Tensor.__neg__ = lambda self: run_elementwise(pointwise.neg, (self,))
    Tensor.__pos__ = lambda self: self
    Tensor.__abs__ = lambda self: run_elementwise(pointwise.abs, (self,))
    Tensor.__reversed__ = lambda self: self.flip(0) if self.ndim else self
    Tensor.__invert__ = lambda self: run_elementwise(pointwise.bitwise_not, (self,))
    Tensor.T = property(lambda self: self.permute(tuple(reversed(range(self.ndim)))))
    Tensor.mT = Tensor.mH = property(lambda self: _transposed(self, "mT"))
    Tensor.H = property(lambda self: _transposed(self, "H"))
    for name, op in registered():
        if op.method and not hasattr(Tensor, name):
            setattr(Tensor, name, _method(op))
        if op.inplace and not hasattr(Tensor, f"{name}_"):
            setattr(Tensor, f"{name}_", _inplace(op))
    for name, fn in METHODS.items():
        setattr(Tensor, name, fn)
    for name, fn in vars(Tensor).items():
        if isinstance(fn, FunctionType) and (not name.startswith("_") or name.startswith("__")) and name not in _SILENT:
            named(fn, _METHOD_OF.get(name, name))
