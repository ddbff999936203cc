"""@cltensor.elementwise: compile a user's scalar function to one fused kernel, with gradients of every order."""

import inspect
import itertools

from ...base import calls
from ...base.errors import ArgumentError
from ...codegen import expr
from ...ops.kinds.elementwise import Derived
from ..core.public_api import function

_serial = itertools.count()


@function(method=False)
def elementwise(fn) -> object:
    """Turn a Python function of scalars into a function of tensors (broadcast) and numbers; one kernel, derived gradients.

    The function is traced once with symbolic scalars: use operators, `where` instead of `if`, and functions of
    cltensor.codegen.expr. Parameters without a default are tensors of any shape, broadcast against each other, and any dtype,
    promoted as in arithmetic; those with a default are numbers, passed at each call.  It may return a tuple.

    Raises ArgumentError where the function reads a value, or has no parameter for a tensor.
    Source: reverse accumulation on the traced expression, Griewank and Walther, Evaluating Derivatives, 2008.

        >>> from cltensor.codegen.expr import exp
        >>> @ct.elementwise
        ... def swish(x, beta=1.0):
        ...     return x / (1 + exp(-beta * x))
        >>> swish(ct.tensor([0.0, 100.0]), beta=2.0)
        tensor([  0., 100.])
    """
    parameters = list(inspect.signature(fn).parameters.values())
    inputs = tuple(p.name for p in parameters if p.default is p.empty)
    attrs = {p.name: p.default for p in parameters if p.default is not p.empty}
    if not inputs:
        raise ArgumentError(f"elementwise: {fn.__name__} needs at least one parameter without a default, for a tensor")
    outputs = expr.trace(fn, [p.name for p in parameters])
    return Custom(fn, outputs, inputs, attrs)


class Custom(Derived):
    """The op of a user's scalar function."""

    def __init__(self, fn, outputs, inputs, attrs):
        super().__init__(f"{fn.__name__}_{next(_serial)}", outputs, inputs, tuple(attrs))
        self.written, self.attrs, self.__doc__ = fn, dict(attrs), fn.__doc__
        self.__module__, self.__qualname__ = fn.__module__, fn.__qualname__

    def __reduce__(self):
        """A decorated function of a module is found by its name; of another one the kernel is made anew."""
        return self.__qualname__ if calls.at_home(self) else (elementwise, (self.written,))
