"""Dynamic sizes: a program for a range of one size, from captures for a few and plans for many.

Where launch rules pick other kernels for other sizes, there is a plan for each range.
"""

import contextlib
import random
from dataclasses import dataclass

import numpy as np

from ..base.dtypes import int64
from ..base.errors import ArgumentError, CaptureError
from ..dispatch.tensor_base import TensorBase
from ..graph.captured import tensors_of
from ..graph.formulas import NotGeneral
from ..graph.generalization import Generalization, Sample
from ..graph.structure import flatten, unflatten
from .capturing import Standing, captured_call, observed
from .fitting import Fitting, Unlike

LOW, HIGH = 1, 1024  # of a dimension whose bounds are not given
_MOST = 64  # plans of one device class
_ALL = 96  # sizes of a range that are all looked at
_CHECKED = 12  # others, of a longer one
_PROBES = (3, 5, 8)
_CAPTURES = 40


@dataclass
class Dimension:
    """A size that may differ from call to call.  of: [(number of an input, one of its dimensions)]."""

    name: str
    low: int
    high: int
    of: list

    def described(self):
        """The dimension as the file has it."""
        return {"name": self.name, "min": self.low, "max": self.high, "of": [list(pair) for pair in self.of]}


def dimension(dynamic, inputs):
    """The Dimension that a caller asks for; None if there is none.  Raises ArgumentError."""
    if not dynamic:
        return None
    if dynamic is True:
        dynamic = {name: {0: "batch"} for name, t in inputs if t._spec.ndim}
    found = {}
    known = {name: (i, t) for i, (name, t) in enumerate(inputs)}
    for name, dims in dict(dynamic).items():
        if name not in known:
            raise ArgumentError(f"export.save: dynamic names the input {name!r}; there are: {', '.join(known)}")
        i, t = known[name]
        for d, asked in (dims.items() if isinstance(dims, dict) else [(d, "batch") for d in dims]):
            title, low, high = (asked, LOW, HIGH) if isinstance(asked, str) else asked
            if not -t._spec.ndim <= d < t._spec.ndim:
                raise ArgumentError(f"export.save: dynamic names dimension {d} of {name}, which has {t._spec.ndim}")
            entry = found.setdefault(title, Dimension(title, low, high, []))
            entry.low, entry.high = max(low, entry.low), min(high, entry.high)
            entry.of.append((i, d % t._spec.ndim))
    if len(found) != 1:
        raise ArgumentError("export.save: one size may be dynamic, under one name for all inputs that have it; got "
                            f"{', '.join(found)}")
    [made] = found.values()
    if not made.name.isidentifier() or not 1 <= made.low < made.high:
        raise ArgumentError(f"export.save: a dynamic size is a name, or (name, lowest, highest) with 1 <= lowest < highest, got "
                            f"{made.name!r}, {made.low}, {made.high}")
    sizes = {int(inputs[i][1]._spec.shape[d]) for i, d in made.of}
    if len(sizes) > 1:
        raise ArgumentError(f"export.save: {made.name} is {sorted(sizes)} in the arguments given; it must be one size")
    return made


class _Branch:
    """Captures that went the same way, and their Generalization; None while there is none."""

    def __init__(self):
        self.samples, self.general = [], None

    def add(self, sample):
        """Take one more into account."""
        self.samples.append(sample)
        for samples in (self.samples, *([other, sample] for other in self.samples[:-1])):  # numbers such as 1 may stand out
            if len(samples) > 1:
                with contextlib.suppress(NotGeneral):
                    self.general = Generalization(samples)
                    return


class Captures:
    """What a function does for any size of a Dimension.

    call: for the arguments given.  Memory and counts that further captures change are put back.
    """

    def __init__(self, fn, args, kwargs, device, dim):
        self._fn, self._dim, self._device = fn, dim, device
        self._given = flatten((args, kwargs))
        self._tensors = tensors_of(self._given[0])
        self._branches, self._known = [], {}  # _known: {size: call} of what was captured
        i, d = dim.of[0]
        n = int(self._tensors[i]._spec.shape[d])
        self._n = n if n > 1 else next(k for k in (*_PROBES, dim.high) if k <= dim.high)
        self._before = None
        self.call, _ = self._captured(self._n)
        self._before = Standing(self.call)

    def at(self, n):
        """The call for a size."""
        return self._found(n) or self._learnt(n)

    def _found(self, n):
        if n in self._known:
            return self._known[n]
        specs = [self._spec(t, k, n) for k, t in enumerate(self._tensors)]
        found = next(filter(None, (b.general.at(specs) for b in reversed(self._branches) if b.general)), None)
        return found and captured_call(found, self._tensors)

    def _learnt(self, n):
        """The call for a size, captured; and captures for sizes near it, so that others follow."""
        near = [m for m in (n, self._n, n + 1, n + 3, n - 1, n + 5) if m > 1 and self._dim.low <= m <= self._dim.high]
        for m in dict.fromkeys([n] if n == 1 else near):
            if m != n and (self._found(n + 2) if n + 2 <= self._dim.high else True):
                break
            if m not in self._known:
                self._captured(m)
        return self._known[n]

    def _captured(self, n):
        """The call for a size, and its Sample, from running the function."""
        if len(self._known) >= _CAPTURES:
            raise CaptureError(f"export.save: the function goes another way for too many sizes of {self._dim.name}; leave dynamic "
                               "out, or export one file for each range of sizes")
        args, kwargs = self._resized(n)
        try:
            call, seen = observed(self._fn, args, kwargs, self._device)
        finally:
            if self._before is not None:
                self._before.restore()
        self._known[n] = call
        tensors = tensors_of(flatten((args, kwargs))[0])
        sample = Sample(call.captured, tuple([t._spec for t in tensors]), tuple([(t._offset, t.itemsize) for t in tensors]), seen)
        branch = next((b for b in self._branches if b.samples[0].way() == sample.way()), None)
        if branch is None:
            self._branches.append(branch := _Branch())
        branch.add(sample)
        return call, sample

    def _resized(self, n):
        """The arguments with another size: rows repeated, or left out."""
        leaves, template = self._given
        tensors = iter(range(len(self._tensors)))
        return unflatten(template, iter([self._repeated(next(tensors), n) if isinstance(x, TensorBase) else x for x in leaves]))

    def _repeated(self, k, n):
        t = self._tensors[k]
        for d in (d for i, d in self._dim.of if i == k):
            if t._spec.shape[d] != n:
                rows = np.arange(n) % max(int(t._spec.shape[d]), 1)
                t = t.detach().index_select(d, t._from_array(rows, int64, t.device)).contiguous()
        return t.requires_grad_(True) if self._tensors[k].requires_grad and not t.requires_grad else t

    def _spec(self, t, k, n):
        shape = list(t._spec.shape)
        for d in (d for i, d in self._dim.of if i == k):
            shape[d] = n
        return t._spec.dense(tuple(shape))


class Ranges:
    """Plans for ranges of sizes.  lower: gives a plan for a size, or None where there is none."""

    def __init__(self, dim, lower):
        self._dim, self._lower, self._known = dim, lower, {}

    def plans(self):
        """The plans, in order, with the sizes that each is for."""
        made, low = [], self._dim.low
        while low <= self._dim.high:
            high, plan = self._longest(low)
            made.append(plan if high == self._dim.high else {"where": f"{self._dim.name} <= {high}", **plan})
            if len(made) > _MOST:
                raise CaptureError(f"export.save: launch rules differ for more than {_MOST} ranges of {self._dim.name}; choose a "
                                   f"smaller range: dynamic={{...: (\"{self._dim.name}\", lowest, highest)}}")
            low = high + 1
        return made

    def _plan(self, n):
        if n not in self._known:
            self._known[n] = self._lower(n)
        if self._known[n] is None:
            raise CaptureError(f"export.save: the program is another one for {self._dim.name} = {n}; choose another range of sizes")
        return self._known[n]

    def _fitted(self, sizes):
        """One plan for these sizes; None if there is none."""
        try:
            return Fitting(self._dim.name, sizes).merged([self._plan(n) for n in sizes])
        except Unlike:
            return None

    def _longest(self, low):
        """(the highest size, the plan) of the longest range from `low` on that one plan is found for."""
        found, plan, tried = [low], self._plan(low), low
        high = self._dim.high
        step = 1
        while tried < high:
            tried = min(low + step, high)
            more = self._fitted([*found, tried])
            if more is None:
                tried, plan = self._between(found, plan, tried)
                return self._verified(low, tried, [n for n in found if n <= tried] + [tried], plan)
            found, plan, step = [*found, tried], more, step * 2
        return self._verified(low, high, found, plan)

    def _between(self, found, plan, beyond):
        """(the last size before `beyond` that fits, the plan with it)."""
        last = found[-1]
        while beyond - last > 1:
            middle = (last + beyond) // 2
            more = self._fitted([*found, middle])
            if more is None:
                beyond = middle
            else:
                found, plan, last = [*found, middle], more, middle
        return last, plan

    def _verified(self, low, high, sizes, plan):
        """The range, cut where the plan of some other size in it is not what the expressions say."""
        inner = [n for n in range(low + 1, high) if n not in sizes]
        inner = inner if len(inner) <= _ALL else sorted(random.Random(low).sample(inner, _CHECKED))
        for n in inner:
            more = self._fitted(sorted({*sizes, n}))
            if more is None:
                sizes = [s for s in sizes if s < n]
                high, plan = self._between(sizes, self._fitted(sizes), n)
                return self._verified(low, high, sorted({*sizes, high}), plan)
            if more != plan:
                sizes, plan = sorted({*sizes, n}), more
        return high, plan
