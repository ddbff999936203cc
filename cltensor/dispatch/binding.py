"""Binding: match a call's arguments to the inputs and attributes that an op declares."""

import inspect

from ..base import calls, dtypes
from ..base.absent import DENSE_ONLY
from ..base.errors import ArgumentTypeError
from ..base.named_numbers import NamedFloat, NamedInt
from .tensor_base import SparseBase, TensorBase

_required = inspect.Parameter.empty
_PYTHON = {"bool": bool, "int": int, "float": float, "complex": complex}

#: NumPy's argument names, which PyTorch accepts too
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def bind(op, args, given):
    """Split a call's arguments into inputs and attribute values, in declared order.  Raises ArgumentTypeError."""
    if len(args) == len(op.inputs) and tuple(given) == op.attr_names:
        return args, tuple(given.values())
    names = (*op.inputs, *op.attr_names)
    if len(args) > len(names):
        raise ArgumentTypeError(f"{op.name}() takes at most {len(names)} arguments ({', '.join(names)}), got {len(args)}")
    bound = dict(zip(names, args, strict=False))
    for given_name, value in given.items():
        name = given_name if given_name in names else NUMPY_NAMES.get(given_name)
        if name not in names:
            raise ArgumentTypeError(f"{op.name}() got an unexpected keyword argument {given_name!r}; it takes {', '.join(names)}")
        if name in bound:
            raise ArgumentTypeError(f"{op.name}() got multiple values for argument {name!r}")
        bound[name] = value
    for name, default in op.attrs.items():
        if name not in bound and default is not _required:
            bound[name] = default
    missing = [n for n in names if n not in bound]
    if missing:
        raise ArgumentTypeError(f"{op.name}() missing required argument(s): {', '.join(missing)}")
    return [bound[n] for n in op.inputs], tuple(bound[n] for n in op.attr_names)


def number(op, x):
    """x as a Python bool, int, float or complex.  Raises ArgumentTypeError for anything that is not a number."""
    if type(x) in (int, float, bool, complex) or isinstance(x, (NamedFloat, NamedInt)):
        return x
    category = dtypes.category_of(x)
    if category is None:
        cure = _cure(x) or f": {x!r}. Make a tensor of it with cltensor.tensor(...)"
        if hasattr(x, "__torch_function__"):
            cure = f": {x!r}. import cltensor.overrides first, so that its __torch_function__ is asked"
        raise ArgumentTypeError(f"{op.name}: expected a Tensor or a number, got {calls.kind(x)}{cure}")
    return _PYTHON[category](x)


def numbers(op, given):
    """The attributes of a call as Python numbers; tensors of one element are read.

    Convert them now: they are set on a kernel object while the device is locked, and then no tensor can be read.
    """
    return tuple([x if type(x) in (int, float, bool, complex) else number(op, x.item() if isinstance(x, TensorBase) else x)
                  for x in given])


def _cure(x):
    """What to do with a sparse tensor, which dense ops cannot read."""
    return f"; {DENSE_ONLY}" if isinstance(x, SparseBase) else ""


def check_tensor(name, argument, position, x):
    """Raise ArgumentTypeError unless an argument of a public function is a tensor."""
    if not isinstance(x, TensorBase):
        raise ArgumentTypeError(f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {calls.kind(x)}"
                                f"{_cure(x)}")


def check_tensors(op, inputs):
    """inputs as a tuple.  Raises ArgumentTypeError for one that is neither a tensor nor None."""
    for x in inputs:
        if x is not None and not isinstance(x, TensorBase):
            raise ArgumentTypeError(f"{op.name}: expected a Tensor, got {calls.kind(x)}{_cure(x) or f': {x!r}'}")
    return tuple(inputs)
