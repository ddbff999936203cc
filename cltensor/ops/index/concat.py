"""Concatenation along a dimension and stacking along a new one: one op for any number of inputs."""

import itertools

import numpy as np

from ...dispatch.autocast import PROMOTE
from ...dispatch.binding import check_tensors
from ...dispatch.plan import In, Out
from ...dispatch.promotion import result_type
from ...dispatch.run_planned import run_planned
from ...dispatch.spec import spec
from ..kinds.kernel import Planned
from ..pointwise.elementary import copy
from . import onnx_rules


class Concat(Planned):
    """An op of any number of inputs that copies each into its slice of the output; `place` gives the slices.

    place   (Specs, dim) -> (shape of the output, [(Spec the input is seen as, start along dim)])
    vjp     (g, y, *inputs, needs, dim) -> gradients
    """

    kind = "concat"

    def __init__(self, name, place, **common):
        super().__init__(name, **common)
        self.place = place
        self.inputs, self.attrs, self.attr_names = (), {"dim": 0}, ("dim",)

    def apply(self, args, attrs):
        """See Op."""
        return run_planned(self, check_tensors(self, args), (attrs["dim"],))

    def saving(self, needs):
        """Nothing is saved."""
        return (False,) * len(needs), False

    def shape(self, *specs, dim):
        """The Spec of the output; dtypes are promoted."""
        return specs[0].dense(self.place(specs, dim)[0], result_type(specs))

    def flops(self, specs, outs, attrs):
        """See Op: copies compute nothing."""
        return 0

    def host_results(self, specs, outs, arrays, values, *, dim):
        """See Planned: NumPy concatenates the reshaped inputs."""
        seen = self.place(specs, dim)[1]
        return [np.concatenate([a.reshape(s.shape) for a, (s, _) in zip(arrays, seen, strict=True)], dim)]

    def launch(self, specs, outs, dim):
        """One copy per input."""
        out = outs[0]
        steps = []
        for i, (seen, start) in enumerate(self.place(specs, dim)[1]):
            if not seen.numel:
                continue
            slot = spec(seen.shape, out.strides, out.dtype, out.device)
            for step in copy.plan_steps(seen, slot):
                moved = {In(0): In(i), Out(0): Out(0, start * out.strides[dim])}
                steps.append(step.of([moved.get(a, a) if isinstance(a, (In, Out)) else a for a in step.args]))
        return steps


def _starts(sizes):
    return [0, *itertools.accumulate(sizes)][: len(sizes)]


def _side_by_side(specs, dim):
    sizes = [s.shape[dim] for s in specs]
    shape = specs[0].shape
    return (*shape[:dim], sum(sizes), *shape[dim + 1:]), list(zip(specs, _starts(sizes), strict=True))


def _as_layers(specs, dim):
    shape = specs[0].shape
    layers = [spec((*s.shape[:dim], 1, *s.shape[dim:]), (*s.strides[:dim], 0, *s.strides[dim:]), s.dtype, s.device) for s in specs]
    return (*shape[:dim], len(specs), *shape[dim:]), list(zip(layers, range(len(specs)), strict=True))


def _cut(g, y, *inputs, needs, dim):
    starts = _starts([x.shape[dim] for x in inputs])
    return tuple(g.narrow(dim, start, x.shape[dim]) if need else None
                 for x, start, need in zip(inputs, starts, needs, strict=True))


def _peel(g, y, *inputs, needs, dim):
    return tuple(g.select(dim, i) if need else None for i, need in enumerate(needs))


cat = Concat("cat_along", _side_by_side, onnx=onnx_rules.cat, vjp=_cut, autocast=PROMOTE, public=False, dtypes="stored",
             doc="Inputs side by side along dim.", complex=True)
stack = Concat("stack_along", _as_layers, onnx=onnx_rules.stack, vjp=_peel, autocast=PROMOTE, public=False, dtypes="stored",
               doc="Inputs as layers of a new dimension dim.", complex=True)
