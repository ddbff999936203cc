"""out=: write a result to the caller's tensor."""

from ..base import dtypes
from ..base.errors import ArgumentTypeError, AutogradError, DeviceError, DTypeError
from .registry import REGISTRY
from .resizing import check_out, fit
from .run_elementwise import run_elementwise
from .writable import check_writable


def write_out(name, result, out, exact=False):
    """Write result, a tensor or a tuple of them, to out, of the same structure.  Returns out.

    Raises DTypeError if the result's dtype cannot be cast to out's, AutogradError if either requires grad.
    """
    if not isinstance(result, tuple):
        return _write(name, result, out, exact)
    if not isinstance(out, (tuple, list)) or len(out) != len(result):
        raise ArgumentTypeError(f"{name}: out must be a tuple of {len(result)} Tensors, got {out!r}")
    filled = [_write(name, r, o, exact) for r, o in zip(result, out, strict=True)]
    return type(result)(*filled) if hasattr(result, "_fields") else tuple(filled)


def _write(name, result, out, exact):
    check_out(name, out)
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
    return run_elementwise(REGISTRY["copy"], (result.detach(),), out=out)
