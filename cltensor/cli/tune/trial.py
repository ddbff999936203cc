"""Trials: build, check and time one candidate beside the defaults, in a child process that may crash or hang."""

import numpy as np

from ...base import dtypes
from ...base.errors import CLTensorError
from ...dispatch.registry import REGISTRY
from ...runtime.device import default_device
from ...tune.key import Key
from ...tune.space import Unfit, trying
from ..bench.command import TOLERANCE
from ..bench.measure import times
from . import calls

ROUNDS, CAREFUL = 5, 15
HOPELESS = 1.25  # a candidate this much slower in the first round is not measured again


class WrongResult(CLTensorError):
    """A kernel computed a wrong result."""


def run(item):
    """Measure the candidate item["values"] for the key item["kernel"], item["shape"] on item["call"].

    Returns {"seconds", "default_seconds"}, the minima of batches taken in turns, or {"unfit": why}.  Raises WrongResult if the
    results differ: the defaults' from NumPy's with item["careful"], the candidate's from the defaults'.
    """
    call, key = item["call"], Key(item["kernel"], item["shape"])
    op, device = REGISTRY[call["op"]], default_device()
    given = calls.specs(call)
    with trying(key, item["defaults"]):
        default = op.plan(given, calls.attributes(call))
    try:
        with trying(key, item["values"]):
            candidate = op.plan(given, calls.attributes(call))
    except Unfit as e:
        return {"unfit": str(e)}
    bench = _Bench(device, given, default.outputs, call["values"])
    expected = bench.results(default)
    if item["careful"]:
        check(expected, reference(op, call, bench.views), default.outputs, "NumPy")
    check(bench.results(candidate), expected, default.outputs, "the defaults")
    contenders = [(lambda plan=plan: bench.run(plan), device.synchronize) for plan in (default, candidate)]
    seen = times(contenders, 1)
    if item["careful"] or seen[1][0] < HOPELESS * seen[0][0]:
        seen = times(contenders, CAREFUL if item["careful"] else ROUNDS)
    return {"default_seconds": min(seen[0]), "seconds": min(seen[1])}  # other programs only ever add to a time


def check(found, expected, specs, whose):
    """Raise WrongResult unless arrays agree within their dtypes' tolerance, relative to the largest value."""
    for f, e, s in zip(found, expected, specs, strict=False):  # a reference may omit later outputs
        error = float(np.max(np.abs(f - e)) / max(np.max(np.abs(e)), 1e-30))
        if not error <= TOLERANCE.get(s.dtype.name, 0):
            raise WrongResult(f"the result differs from that of {whose} by {error:.1e} of its largest value")


class _Bench:
    """Buffers with random inputs and space for outputs, on which any plan of the call can run."""

    def __init__(self, device, given, outputs, values):
        self.device, self.outputs, self.values = device, outputs, values
        rng = np.random.default_rng(0)
        held = [None if s is None else stored(rng, s) for s in given]
        self.views = [None if s is None else view(a, s) for a, s in zip(held, given, strict=True)]
        self.ins = [None if a is None else self._upload(a) for a in held]
        self.outs = [device.allocate(s.nbytes) for s in outputs]

    def _upload(self, array):
        buffer = self.device.allocate(array.nbytes)
        self.device.write(buffer, 0, array)
        return buffer

    def run(self, plan):
        plan.run([*self.ins, *self.outs], {}, self.values)

    def results(self, plan):
        """The results of a plan, as arrays; the plan writes every element."""
        for buffer, s in zip(self.outs, self.outputs, strict=True):
            self.device.fill(buffer, 0, s.nbytes, np.uint8(0xFF))
        self.run(plan)
        return [self._download(b, s) for b, s in zip(self.outs, self.outputs, strict=True)]

    def _download(self, buffer, s):
        array = np.empty(s.shape, s.dtype.numpy)
        self.device.read(buffer, 0, array)
        return readable(array, s.dtype)


def stored(rng, s):
    """Random memory for a Spec, in NumPy's form; floating numbers lie about 1/4, which keeps long sums away from 0."""
    extent = 1 + sum((n - 1) * step for n, step in zip(s.shape, s.strides, strict=True))
    if not s.dtype.is_floating_point:
        return rng.integers(0, 2 if s.dtype.category == "bool" else 100, extent).astype(s.dtype.numpy)
    drawn = rng.uniform(-0.5, 1, extent).astype(np.float32)
    if s.dtype is dtypes.bfloat16:
        return (drawn.view(np.uint32) >> 16).astype(np.uint16)
    return drawn.astype(s.dtype.numpy)


def view(flat, s):
    """The tensor with this Spec in its memory, in float64 if it is floating."""
    strided = np.lib.stride_tricks.as_strided(flat, s.shape, [step * flat.itemsize for step in s.strides])
    return readable(strided, s.dtype)


def readable(array, dtype):
    """An array read from a tensor of this dtype, in float64 if the dtype is floating."""
    if dtype is dtypes.bfloat16:
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float64) if dtype.is_floating_point else array


def reference(op, call, arrays):
    """The results of a call by the op's NumPy reference."""
    named = dict(zip(op.attr_names, (*calls.attributes(call), *call["values"]), strict=True))
    if op.kind == "reduction":
        dims = named.pop("dim")
        named.update(axis=dims[0] if len(dims) == 1 else dims, keepdims=named.pop("keepdim"))
    found = op.ref(*arrays, **named)
    return found if isinstance(found, tuple) else (found,)
