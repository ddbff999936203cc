"""Python's operators on tensors, numbers and other objects."""

from ...base import dtypes
from ...base.calls import named, placed
from ...base.errors import ArgumentTypeError
from ...dispatch.registry import REGISTRY
from ...dispatch.run_elementwise import run_elementwise, run_pair, write_into
from ...dispatch.run_planned import run_planned
from ...dispatch.tensor_base import TensorBase
from . import interop


def arithmetic(op, name):
    """The methods of Python's operator `name`: forward, reflected and in place."""

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

    return (_operator(forward, f"__{name}__", op.name), _operator(reflected, f"__r{name}__", op.name),
            _operator(inplace, f"__i{name}__", f"{op.name}_"))


def comparison(op):
    """The method of a comparison."""

    def compare(self, other):
        if isinstance(other, TensorBase):
            return run_pair(op, self, other)
        if dtypes.category_of(other) is not None:
            return run_elementwise(op, (self, other))
        return interop.compared(op, self, other)

    return _operator(compare, f"__{op.name}__", op.name)


def _operator(fn, name, called):
    """fn as the special method `name` of Tensor, which errors call by the name of its op."""
    fn.__name__ = name
    return placed(named(fn, called), "cltensor", f"Tensor.{name}")


def matmul(self, other):
    """self @ other."""
    if isinstance(other, TensorBase):
        return run_planned(REGISTRY["matmul"], (self, other))
    return interop.declined("matmul", other)


def rmatmul(self, other):
    """other @ self."""
    if isinstance(other, TensorBase):
        return run_planned(REGISTRY["matmul"], (other, self))
    return interop.reflected("matmul", self, other)
