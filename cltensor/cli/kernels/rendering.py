"""Render with errors a user can act on, and render the kernel of one op."""

import re

from ...base import dtypes
from ...base.errors import CLTensorError
from ...codegen import templates
from ..parser import UsageError
from . import catalog, paper

_KERNEL = re.compile(r"__kernel\b.*?\bvoid\s+(\w+)\s*\(", re.DOTALL)


class RenderError(CLTensorError):
    """A template does not render with the given parameters."""


def of_template(found, dtype=None, style=None, values=None):
    """Render the catalog Entry `found`; dtype and style default to its own.  Raises UsageError, RenderError."""
    if dtype is not None and not found.dtypes:
        raise UsageError(f"template {found.name!r} has no dtype to choose")
    if dtype is not None and dtype not in found.dtypes:
        raise UsageError(f"template {found.name!r} is not for {dtype.name}; it is for {catalog.sized(found.dtypes)}")
    if style is not None and style not in found.styles:
        raise UsageError(f"template {found.name!r} has no {style} style, only {', '.join(found.styles)}")
    given = dict(values or {})
    if dtype is not None:
        given["dtype"] = dtype
    if style is not None:
        given["style"] = style
    try:
        return templates.render(found.name, **given)
    except Exception as e:
        shown = ", ".join(f"{k}={getattr(v, 'name', v)}" for k, v in given.items()) or "its defaults"
        raise RenderError(f"template {found.name!r} does not render with {shown}: {_reason(e)}") from e


def _reason(error):
    """An exception raised while rendering, as one line; a failed assertion shows its condition."""
    text = " ".join(str(error).split())
    if isinstance(error, AssertionError) and not text:
        from mako import exceptions

        trace = exceptions.RichTraceback(error=error)
        line = (trace.source or "").splitlines()[trace.lineno - 1 : trace.lineno]
        condition = re.fullmatch(r"\s*assert (.*)", "".join(line))
        return f"it needs {condition[1]}" if condition else "these values do not fit together"
    return f"{type(error).__name__}: {text}"


def of_op(op, dtype, style):
    """The kernel of an elementwise op or reduction for contiguous inputs of this dtype (float32 when None)."""
    allowed = op.allowed
    if dtype is None:
        dtype = dtypes.float32 if dtypes.float32 in allowed else allowed[0]
    if dtype not in allowed:
        raise UsageError(f"op {op.name!r} is not for {dtype.name}; it is for {catalog.sized(allowed)}")
    return getattr(paper, op.kind)(op, dtype, style)


def kernel_names(text):
    """The names of the kernels in an OpenCL C text."""
    return _KERNEL.findall(text)
