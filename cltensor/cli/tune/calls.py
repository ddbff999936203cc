"""Calls: the ops in a benchmark's action whose plans use tunable constants, recorded so that a child can repeat them."""

import numpy as np

from ...base import dtypes
from ...base.context import Recorder
from ...dispatch.registry import REGISTRY
from ...dispatch.spec import spec
from ...runtime.device import default_device
from ...tune.space import asking
from ..bench.cases import FAMILIES
from ..bench.libraries import Ours, inputs


def find(item):
    """The calls of one benchmark case, run in a child process.

    item: {"family", "case", "size", "dtype"}.  Returns {"calls": [call]}; a call is a dict of "op", "inputs" (shape,
    strides and dtype of each, or None), "attrs", "values", and "questions": what its plan asked, each a dict of "kernel",
    "shape", "space" ({constant: values worth trying}) and "defaults".
    """
    [case] = [c for c in FAMILIES[item["family"]].cases if c.name == item["case"]]
    ours, dtype = Ours(), dtypes.BY_NAME[item["dtype"]]
    arrays = inputs(case.inputs(*item["size"]), dtype, np.random.default_rng(0))
    with asking() as asked:
        action = case.setup(ours.xp, *(ours.tensor(a, dtype) for a in arrays))
        asked.clear()
        for op in REGISTRY.values():
            op.plans.clear()  # plans of the setup count too, if the action runs them
        with _Calls(asked) as seen:
            action()
    return {"calls": seen.calls}


class _Calls(Recorder):
    """A recorder of dispatch that stores each op run with the questions of its new plan."""

    def __init__(self, asked):
        self.asked, self.calls = asked, []

    def op(self, op, given, attrs, outs):
        """Called after each op."""
        if self.asked:
            fixed = len(attrs) - len(op.values or getattr(op, "scalars", ()))
            self.calls.append({
                "op": op.name, "inputs": [t if t is None else described(t._spec) for t in given],
                "attrs": attrs[:fixed], "values": attrs[fixed:], "questions": [_question(q) for q in self.asked]})
        self.asked.clear()


def _question(q):
    return {"kernel": q.key.kernel, "shape": q.key.shape, "space": q.space.values, "defaults": q.defaults}


def described(s):
    """A Spec as JSON data."""
    return {"shape": s.shape, "strides": s.strides, "dtype": s.dtype.name}


def specs(call):
    """The Specs of a call's inputs, on the default device."""
    return tuple(i if i is None else spec(tuple(i["shape"]), tuple(i["strides"]), dtypes.BY_NAME[i["dtype"]], default_device())
                 for i in call["inputs"])


def attributes(call):
    """A call's attributes in the form that the op's plan takes."""
    return _hashable(call["attrs"])


def _hashable(data):
    return tuple(map(_hashable, data)) if isinstance(data, (list, tuple)) else data


def shown(call):
    """A call as one line: "matmul (512, 512) (512, 512) by columns"."""
    return f"{call['op']} {' '.join(_operand(i) for i in call['inputs'] if i)}"


def _operand(i):
    """A tensor's shape and, unless it is dense by rows, how it lies in memory."""
    shape, strides = tuple(i["shape"]), tuple(i["strides"])
    if _are_dense(shape, strides):
        return str(shape)
    if _are_dense((*shape[:-2], *shape[:-3:-1]), (*strides[:-2], *strides[:-3:-1])):
        return f"{shape} by columns"
    return f"{shape} with strides {strides}"


def _are_dense(shape, strides):
    step = 1
    for n, stride in zip(reversed(shape), reversed(strides), strict=True):
        if n > 1 and stride != step:
            return False
        step *= n
    return True
