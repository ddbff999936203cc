"""out=: public functions take it where PyTorch's do."""

import functools
import inspect

from ...base.errors import ShapeError
from ...base.explaining import told
from ...dispatch.out import write_out
from ...dispatch.resizing import fit
from ...dispatch.tensor_base import TensorBase
from ...dispatch.writable import check_writable, overlap
from . import inert_arguments


def with_out(fn, apart=False, exact=False):
    """Let fn take out= and write its result there; return fn itself if it already takes out=.

    A function that makes tensors (one with requires_grad=) makes them in out's dtype and on its device.  `apart` rejects
    an out that shares memory with an argument, `exact` an out of another dtype, as PyTorch does.
    """
    signature = inspect.signature(fn)
    parameters = signature.parameters
    if "out" in parameters:
        return fn
    laid = inert_arguments.makes_tensors(signature)
    makes = "requires_grad" in parameters and "dtype" in parameters

    @functools.wraps(fn)
    def function(*args, out=None, **kwargs):
        if laid and kwargs:
            inert_arguments.drop(fn.__name__, kwargs)
        if out is None:
            try:
                return fn(*args, **kwargs)
            except (AttributeError, TypeError) as error:
                raise told(error, fn, fn.__name__.rstrip("_"), args, kwargs) from None
        if makes and isinstance(out, TensorBase):
            kwargs = {"dtype": out.dtype, "device": out.device} | kwargs
        name, result = fn.__name__.rstrip("_"), fn(*args, **kwargs)
        if apart:
            for r, o in zip(_tensors((result,)), _tensors((out,)), strict=True):
                check_writable(name, (o,))
                fit(name, o, r.shape)
            _check_apart(name, args, kwargs, out)
        return write_out(name, result, out, exact)

    function.__signature__ = _with(signature, (_OUT, *inert_arguments.SHOWN) if laid else (_OUT,))
    return function


def without_out(fn):
    """Let fn explain its errors, and drop the arguments that are inert here; out= is refused, as by any Python function."""
    signature = inspect.signature(fn)
    laid = inert_arguments.makes_tensors(signature)

    @functools.wraps(fn)
    def function(*args, **kwargs):
        if laid and kwargs:
            inert_arguments.drop(fn.__name__, kwargs)
        try:
            return fn(*args, **kwargs)
        except (AttributeError, TypeError) as error:
            raise told(error, fn, fn.__name__.rstrip("_"), args, kwargs) from None

    if laid:
        function.__signature__ = _with(signature, inert_arguments.SHOWN)
    return function


def _with(signature, added):
    """A signature with further keyword-only parameters, unless it has them."""
    given = list(signature.parameters.values())
    last = [p for p in given if p.kind is not p.VAR_KEYWORD]
    return signature.replace(parameters=[*last, *(p for p in added if p.name not in signature.parameters), *given[len(last):]])


def _check_apart(name, args, kwargs, out):
    for x in _tensors((*args, *kwargs.values())):
        if any(x is o or overlap(x, o) for o in _tensors((out,))):
            raise ShapeError(f"{name}: unsupported operation: some elements of the input tensor and the written-to tensor "
                             "refer to a single memory location. Please clone() the tensor before performing the operation")


def _tensors(values):
    for v in values:
        if isinstance(v, TensorBase):
            yield v
        elif isinstance(v, (tuple, list)):
            yield from _tensors(v)


_OUT = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
