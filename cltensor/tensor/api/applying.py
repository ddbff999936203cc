"""Apply Python functions to each element, on the host: apply_, map_, map2_.

They are here for programs that call them; `@cltensor.elementwise` compiles such a function to a kernel.
"""

from ...base import calls
from ...base.errors import ArgumentTypeError, AutogradError, DeviceError, DTypeError
from ...dispatch.tensor_base import TensorBase
from ...dispatch.writable import check_writable
from ...ops.kinds.composite import composite
from ..core.public_api import method
from .creation import tensor

_KINDS = {"bool": bool, "int": int, "float": float}


def _check(name, x, others):
    check_writable(name, (x,))
    for i, t in enumerate((x, *others)):
        if not isinstance(t, TensorBase):
            raise ArgumentTypeError(f"{name}: expected a Tensor as input {i}, got {calls.kind(t)}")
        if t.requires_grad:
            raise AutogradError(f"Can't call {name}() on Tensor that requires grad. Use tensor.detach().{name}() instead")
        if t.dtype is not x.dtype:
            raise DTypeError(f"{name}: expected {x.dtype.name} for input {i}, got {t.dtype.name}; convert it first")
        if t.device is not x.device:
            raise DeviceError(f"{name}: expected input {i} on {x.device}, it is on {t.device}; move it with .to()")


def _write(name, x, others, function):
    """Write function(elements at one index) into x; broadcast the others to its shape."""
    _check(name, x, others)
    kind = _KINDS[x.dtype.category]
    columns = [t.expand(x.shape).reshape(-1).tolist() for t in (x, *others)]
    values = [kind(function(*row)) for row in zip(*columns, strict=True)]
    return x.copy_(tensor(values, dtype=x.dtype, device=x.device).reshape(x.shape))


@composite("apply_", host=True, public=False)
def _apply(x, *, function):
    """Write function(element) to each element of x."""
    return _write("apply_", x, (), function)


@composite("map_", host=True, public=False)
def _map(x, other, *, function):
    """Write function(element, other's element) to each element of x."""
    return _write("map_", x, (other,), function)


@composite("map2_", host=True, public=False)
def _map2(x, first, second, *, function):
    """Write function(element, first's element, second's element) to each element of x."""
    return _write("map2_", x, (first, second), function)


@method()
def apply_(self, callable):
    """Replace each element by callable(element), a Python function that runs on the host; slow.

    Truncates a float for an integer tensor.  Raises AutogradError for a tensor that requires grad.
    """
    return _apply(self, function=callable)


@method()
def map_(self, other, callable):
    """Replace each element by callable(element, other's element), on the host; broadcast other, of the same dtype."""
    return _map(self, other, function=callable)


@method()
def map2_(self, x, y, callable):
    """Replace each element by callable(element, x's element, y's element), on the host; x and y: as `other` of map_."""
    return _map2(self, x, y, function=callable)
