"""Scans: running reductions along one dimension, declared like reductions."""

import inspect
import math

import numpy as np

from ...base import dtypes
from ...codegen import types
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Scratch
from .fold import Fold, placeholder
from .launch import step

WGS = 64


class Scan(Fold):
    """An op that reduces, for each position along `dim`, all elements up to it.  Its input is dense.

    See Fold for its declaration; result, per output: "input" or a dtype's name.
    """

    kind = "scan"

    def __init__(self, name, *, map, combine, identity, finish=None, states=("acc",), result=("input",), on_complex=None, **common):
        super().__init__(name, **common)
        self.on_complex = on_complex
        self._declare(map, combine, identity, finish, states)
        self.result = result
        self.indexed = "index" in inspect.signature(map).parameters
        self.inputs, self.scalars = ("input",), ()
        self.attrs = {"dim": 0}
        self.attr_names = ("dim",)

    def host_results(self, specs, outs, arrays, values, *, dim):
        """See Planned: walk along dim, all columns at once."""
        d, x = specs[0].dtype, np.moveaxis(np.atleast_1d(arrays[0]), dim, -1)
        states = self.host_states(d, [x], ())
        ufunc = self.ufunc_for(d)
        if ufunc is not None:
            states = [ufunc.accumulate(states[0], axis=-1, dtype=states[0].dtype)]
        else:
            states = [np.array(s) for s in states]
            for i in range(1, x.shape[-1]):
                joined = self.host_combined(d, [s[..., i - 1] for s in states], [s[..., i] for s in states])
                for s, j in zip(states, joined, strict=True):
                    s[..., i] = j
        results = self.host_finished(d, states, ())
        return [np.moveaxis(r, -1, dim).reshape(o.shape) for r, o in zip(results, outs, strict=True)]

    def shape(self, x, *, dim):
        """Specs of the outputs: x's shape."""
        return tuple(x.dense(dtype=x.dtype if r == "input" else dtypes.BY_NAME[r]) for r in self.result)

    def launch(self, specs, outs, dim):
        """One launch, or two if there are few, long columns."""
        x, device = specs[0], specs[0].device
        profile = device.profile
        shape = x.shape or (1,)
        outer, n, inner = math.prod(shape[:dim]), shape[dim], math.prod(shape[dim + 1:])
        columns = outer * inner
        wide = profile.groups if profile.style == "cpu" else 8 * WGS
        parts = max(1, min(wide // columns, n // 2048 if profile.style == "cpu" else n // 64))
        source, ctypes = self._source(x, outs, profile.style)
        partials = [Scratch(columns * parts * np.dtype(types.NUMPY_OF[c]).itemsize) for c in ctypes] if parts > 1 else None
        given = {f"y{i}_p": Out(i) for i in range(len(outs))}
        given.update((f"partial{i}", b) for i, b in enumerate(partials or [placeholder(device)] * len(ctypes)))
        given.update(columns=columns, n=n, inner=inner, parts=parts, groups=min(profile.groups, columns * parts))
        return [step(source, x_p=In(0), **given, mode=mode) for mode in ((0,) if parts == 1 else (1, 2))]

    def _source(self, x, outs, style):
        key = (style, x.dtype, tuple(o.dtype for o in outs))
        found = self.sources.get(key)
        if found is None:
            parts = self.parts(x.dtype, outs, counted=False)
            rendered = render("scan", style=style, dtype=x.dtype,
                              outputs=tuple((f"y{i}", o.dtype) for i, o in enumerate(outs)), **parts)
            found = self.sources[key] = rendered, [c for c, _ in parts["states"]]
        return found


def scan(name, **options):
    """Declare a scan; see Scan."""
    return Scan(name, **options)
