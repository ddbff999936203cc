"""Render with errors a user can act on, and render the kernel of one op."""

import re

import numpy as np

from ...base import dtypes
from ...base.errors import CLTensorError
from ...codegen import templates
from ..parser import UsageError
from . import calls, catalog, paper

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


def of_op(op, dtype, style, layout="contiguous"):
    """The kernel of an op for inputs of this dtype (float32 when None) and layout.

    Elementwise ops and reductions have one.  Of others it is the template that they render for small inputs.  Raises UsageError
    where an op launches several kernels, or none for such inputs.
    """
    allowed = op.allowed
    if dtype is None:
        dtype = dtypes.float32 if dtypes.float32 in allowed else allowed[0]
    if dtype not in allowed:
        raise UsageError(f"op {op.name!r} is not for {dtype.name}; it is for {catalog.sized(allowed)}")
    if op.kind in catalog.GENERATED:
        return getattr(paper, op.kind)(op, dtype, style, layout)
    if layout != "contiguous":
        raise UsageError(f"op {op.name!r} has kernels of its own; render its template, whose parameters say how operands lie")
    sources = list(dict.fromkeys(step.source for step in sampled(op, dtype, style)))
    if len(sources) == 1:
        return sources[0]
    if not sources:
        raise UsageError(f"op {op.name!r}: what it launches depends on its inputs; "
                         f"`cltensor kernels recipe {op.name} --input SHAPE` writes all of it")
    names = ", ".join(dict.fromkeys(s.template for s in sources))
    raise UsageError(f"op {op.name!r} runs {len(sources)} kernels, of the templates {names}; "
                     f"`cltensor kernels recipe {op.name} --input SHAPE` writes all of them, and the program that launches them")


def sampled(op, dtype, style):
    """The Steps of an op for the first of its declared samples; none if it has no samples."""
    if op.samples is None:
        return ()
    arrays, attrs = op.samples(np.random.default_rng(0))[0]
    inputs = tuple(None if a is None else (np.shape(a), _typed(np.asarray(a), dtype)) for a in arrays)
    return calls.call(op, inputs, attrs, style).steps


def _typed(array, dtype):
    return dtype if array.dtype.kind in "fc" or dtype.category == "int" else dtypes.BY_NAME[array.dtype.name]


def kernel_names(text):
    """The names of the kernels in an OpenCL C text."""
    return _KERNEL.findall(text)
