"""out=: every public function takes it, and this is where it is resized and filled."""

import functools
import inspect
import warnings

from ..base import calls, dtypes
from ..base.errors import ArgumentTypeError, AutogradError, CLTensorError, DeviceError, DTypeError, ShapeError
from ..base.shapes import broadcast_shapes
from ..ops import pointwise
from ..ops.spec import dense, spec
from . import dispatch, making
from .dispatch import TensorBase, check_writable, overlap, run_elementwise


def accepting(fn, apart=False, exact=False):
    """fn as a function that takes out= too: its result is written there.  fn itself where it handles out= already.

    A function that makes tensors (one with requires_grad=) makes them in out's dtype and on its device.  With `apart`,
    an out that shares memory with an argument is refused, and with `exact` one of another dtype, as PyTorch refuses them.
    """
    signature = inspect.signature(fn)
    parameters = signature.parameters
    if "out" in parameters:
        return fn
    laid = making.makes(fn)
    makes = "requires_grad" in parameters and "dtype" in parameters

    @functools.wraps(fn)
    def function(*args, out=None, **kwargs):
        if laid and kwargs:
            making.settle(fn.__name__, kwargs)
        if out is None:
            try:
                return fn(*args, **kwargs)
            except (AttributeError, TypeError) as error:
                raise _told(error, fn, args, kwargs) from None
        if makes and isinstance(out, TensorBase):
            kwargs = {"dtype": out.dtype, "device": out.device} | kwargs
        name, result = fn.__name__.rstrip("_"), fn(*args, **kwargs)
        if apart:
            for r, o in zip(_tensors((result,)), _tensors((out,)), strict=True):
                check_writable(name, (o,))
                fit(name, o, r.shape)
            _check_apart(name, args, kwargs, out)
        return deliver(name, result, out, exact)

    last = [p for p in parameters.values() if p.kind is not p.VAR_KEYWORD]
    function.__signature__ = signature.replace(parameters=[*last, _OUT, *list(parameters.values())[len(last):]])
    return function


def _told(error, fn, args, kwargs):
    """The error, or one that names the argument which caused it, where Python's own words do not."""
    if isinstance(error, CLTensorError):
        return error
    why = calls.explained(fn.__name__.rstrip("_"), [*zip(inspect.signature(fn).parameters, args), *kwargs.items()])  # noqa: B905
    return error if why is None else ArgumentTypeError(why)


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


def deliver(name, result, out, exact=False):
    """Write result, a tensor or a tuple of them, to out, of the same structure; returns out.

    Raises DTypeError where the result's dtype cannot be cast to out's, AutogradError where either requires grad.
    """
    if not isinstance(result, tuple):
        return _deliver(name, result, out, exact)
    if not isinstance(out, (tuple, list)) or len(out) != len(result):
        raise ArgumentTypeError(f"{name}: out must be a tuple of {len(result)} Tensors, got {out!r}")
    filled = [_deliver(name, r, o, exact) for r, o in zip(result, out, strict=True)]
    return type(result)(*filled) if hasattr(result, "_fields") else tuple(filled)


def _deliver(name, result, out, exact):
    check(name, out)
    if result.requires_grad or out.requires_grad:
        raise AutogradError(f"{name}(): functions with out=... arguments don't support automatic differentiation, but one "
                            "of the arguments requires grad; use the result, or wrap the call in no_grad()")
    if result.device is not out.device:
        raise DeviceError(f"{name}: Expected out tensor to be on {result.device}, but it is on {out.device}")
    if exact and result.dtype is not out.dtype:
        raise DTypeError(f"{name}: Expected out tensor to have dtype {result.dtype.name}, but got {out.dtype.name} instead")
    if not dtypes.can_cast(result.dtype, out.dtype):
        raise DTypeError(f"{name}: result type {result.dtype.name} can't be cast to the desired output type "
                         f"{out.dtype.name}")
    check_writable(name, (out,))
    fit(name, out, result.shape)
    return run_elementwise(pointwise.copy, (result.detach(),), out=out)


def check(name, out):
    """Raise ArgumentTypeError unless out is a Tensor."""
    if not isinstance(out, TensorBase):
        raise ArgumentTypeError(f"{name}: out must be a Tensor, got {calls.kind(out)}")


def fit(name, out, shape):
    """Give out this shape; warns where that changes a tensor that holds something."""
    if tuple(out.shape) == tuple(shape):
        return
    if out.numel():
        warnings.warn(f"{name}: An output with one or more elements was resized since it had shape {list(out.shape)}, which does "
                      f"not match the required output shape {list(shape)}. This behavior is deprecated; reuse it with "
                      "out.resize_(0) first", stacklevel=4)
    resize(out, tuple(shape))


def fit_elementwise(op, tensors, outs):
    """Give outs the shape an elementwise op of these tensors has.  Raises ShapeError for one that is an input as well."""
    if not tensors:
        return
    shape = broadcast_shapes(*(t._spec.shape for t in tensors), op=op.name)
    for out in outs:
        check(op.name, out)
        if tuple(out.shape) != shape:
            check_writable(op.name, outs)
            if any(out is t for t in tensors):
                raise ShapeError(f"{op.name}: output with shape {list(out.shape)} doesn't match the broadcast shape {list(shape)}")
            fit(op.name, out, shape)


def resize(x, shape, strides=None):
    """Give x a dense shape (row-major unless told) over the same storage, which grows if it must; new elements are not set."""
    s = dense(shape, x.dtype, x.device) if strides is None else spec(shape, strides, x.dtype, x.device)
    needed = (x._offset + s.numel) * x.itemsize
    if s.numel and needed > x._storage.extent:
        x._storage.resize_(needed)
    x._spec = s
    return x


dispatch.deliver, dispatch.fit_elementwise = deliver, fit_elementwise
