"""Calls of ops on paper: the launches that an op makes for inputs of these shapes, and what NumPy gives for the same numbers."""

import functools
import inspect
from dataclasses import dataclass

import numpy as np

from ...base import dtypes
from ...base.errors import CLTensorError
from ...base.shapes import normalize_dims
from ...dispatch.spec import dense
from ..parser import UsageError
from .paper import Paper, paper


@dataclass(frozen=True)
class Call:
    """A call of an op: the Specs of its inputs (None for one left out) and results, its attributes, and the Steps it runs."""

    op: object
    inputs: tuple
    outputs: tuple
    attrs: dict
    steps: tuple
    values: tuple

    def expected(self, arrays):
        """The results for arrays, one for each input, by the op's NumPy form; None if it has none.

        Real numbers are computed with in float64.
        """
        specs = [s and dense(s.shape, _precise(s.dtype), _numpy()) for s in self.inputs]
        arrays = [s and np.asarray(a).astype(s.dtype.numpy) for s, a in zip(specs, arrays, strict=True)]
        plan, values = _planned(self.op, tuple(specs), self.attrs)
        with np.errstate(all="ignore"):
            try:
                return plan.compute(arrays, values)
            except CLTensorError:
                return None


def call(op, inputs, attrs, style):
    """The Call of an op for inputs, (shape, dtype) each or None, in a launch style.  Raises UsageError for what the op refuses."""
    specs = tuple(s and dense(*s, paper(style)) for s in inputs)
    unknown = sorted(set(attrs) - set(op.attrs))
    if unknown:
        raise UsageError(f"op {op.name!r} has no attribute {', '.join(unknown)}; it has: {', '.join(op.attrs) or 'none'}")
    missing = [n for n, default in op.attrs.items() if default is inspect.Parameter.empty and n not in attrs]
    if missing:
        raise UsageError(f"op {op.name!r} needs --attr {missing[0]}=VALUE")
    if len(specs) != len(op.inputs):
        raise UsageError(f"op {op.name!r} takes {len(op.inputs)} inputs, {', '.join(op.inputs)}, not {len(specs)}; write "
                         f"--input none for one left out")
    try:
        plan, values = _planned(op, specs, attrs)
    except CLTensorError as e:
        raise UsageError(str(e)) from e
    return Call(op, specs, plan.outputs, dict(attrs), plan.steps, values)


def _planned(op, specs, attrs):
    """(plan, the values of the call) of an op."""
    named = {**op.attrs, **attrs}
    if op.kind == "elementwise":
        return op.form(specs).plan(specs, None), tuple(named[n] for n in op.attr_names)
    if op.kind == "reduction":
        dims = normalize_dims(named.pop("dim"), specs[0].ndim, op.name)
        return op.plan(specs, (dims, bool(named.pop("keepdim")))), tuple(named.values())
    planned, values = op.split(tuple(named[n] for n in op.attr_names))
    return op.plan(specs, planned), values


def _precise(dtype):
    return {"float": dtypes.float64, "complex": dtypes.complex128}.get(dtype.category, dtype)


@functools.cache
def _numpy():
    """A device whose plans are computed by NumPy."""
    made = Paper("cpu")
    made.host = True
    return made
