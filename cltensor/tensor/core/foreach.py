"""Foreach: run an elementwise op in place on many tuples of tensors, in as few launches as possible."""

import functools

from ...base.context import context
from ...codegen import expr as E
from ...dispatch.binding import numbers
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.tensor_base import TensorBase
from ...ops.kinds.elementwise import Derived
from ...ops.optim.multi_tensor import MultiTensor, Roles, capacity, even_parts


class Foreach:
    """Apply op to tuples of tensors; write its outputs to the inputs that `writes` names by position.

    fresh: positions of read-only inputs that differ at each call (gradients).  The other tensors should stay the same: this
    Foreach keeps their buffers alive, bound to its own kernel objects.
    shared: positions of inputs that are one 0-d float32 tensor for all tuples; it takes no place in them.
    skips: whether calls give a 0-d float32 tensor that tells, where it is not 0, to leave everything as it is.

    Tuples share a launch if their tensors are contiguous, equal in shape and dtype, and each starts its own storage.  Any
    other tuple runs alone.  All run alone while gradients, a graph or a vmap are recorded.  The results and the version
    counters are the same either way.
    """

    def __init__(self, op, writes, fresh=(), shared=(), skips=False):
        self.op, self.roles = op, Roles(tuple(writes), tuple(shared), skips)
        self.writes, each = self.roles.writes, self.roles.each(op)
        self.places = {i: at for at, i in enumerate(each)}  # position among op's inputs: position in a tuple
        self.flags = [Derived(op.name, (E.where(e, 1.0, 0.0),), op.inputs, op.attr_names) for e in op.exprs[len(writes):]]
        self.update = self._update(op, len(writes), skips)
        self.fresh = tuple(self.places[i] for i in fresh)
        self.kept = [at for at in range(len(each)) if at not in self.fresh]
        self._forget()

    def _update(self, op, count, skips):
        """The op that computes what is written, alone: with `skips`, of one input more, which tells to leave everything."""
        exprs, inputs = op.exprs[:count], op.inputs
        if skips:
            exprs = [E.where(E.Input("skip") != 0, E.Input(inputs[i]), e) for i, e in zip(self.writes, exprs, strict=True)]
            inputs = (*inputs, "skip")
        return Derived(op.name, tuple(exprs), inputs, op.attr_names) if skips or self.flags else op

    def _forget(self):
        self.layouts = self.buffers = None
        self.launches, self.alone, self.held = [], [], frozenset()  # held: ids of the bound buffers

    def __call__(self, rows, values, shared=(), raised=None, skip=None):
        """Run op on every tuple of `rows`; `values`: its attributes, in order.

        shared, skip: see above; raised: a 0-d float32 tensor that is set to 1 where an output beyond `writes` is true.
        """
        values = numbers(self.op, values)
        if context.grad or context.recorder is not None or context.mutation is not None or context.levels \
                or (len(rows) < 2 and not self.roles.skips):
            return self._run_alone(rows, values, shared, raised, skip)
        tensors = [t for row in rows for t in row]
        layouts = [t._spec for t in tensors], [t._offset for t in tensors]
        buffers = [row[i]._storage.buffer for row in rows for i in self.kept]
        if layouts != self.layouts or buffers != self.buffers:
            self._bind(rows, layouts, buffers)
        fresh = [[row[i]._storage.buffer for row in rows] for i in self.fresh]
        if self._overlap([id(buffer) for column in fresh for buffer in column]):
            return self._run_alone(rows, values, shared, raised, skip)
        more = [t for t in (*shared, raised, skip) if t is not None]
        launched = self._launched if context.profile is None else context.profile.around(
            self._launched, "update", self.op.name, op=self.op, rows=rows)
        launched(rows, fresh, values, more, len(shared), raised)
        return self._run_alone([rows[m] for m in self.alone], values, shared, raised, skip)

    def _launched(self, rows, fresh, values, more, n_shared, raised):
        """Launch what is shared.  fresh: buffers for each of `self.fresh`; more: the numbers in memory, `raised` among them."""
        for members, device, launch in self.launches:
            on_device = [_on(t, device) for t in more]
            with device.lock:
                for i, given in zip(self.fresh, fresh, strict=True):
                    launch.bind_buffers(i, [given[m] for m in members])
                launch.bind(values)
                launch.bind_numbers([t._storage.buffer for t in on_device])
                device.submit(launch)
            for m in members:
                for i in self.writes:
                    rows[m][self.places[i]]._storage.version += 1
            if raised is not None and raised._spec.device is not device:
                raised.copy_(raised.maximum(_on(on_device[n_shared], raised._spec.device)))

    def _overlap(self, fresh):
        """Whether a buffer that is new at this call, by its id, is also a kept one, or one that is written to twice."""
        return not self.held.isdisjoint(fresh) or (not self.kept and len({*fresh}) < len(fresh))

    def _run_alone(self, rows, values, shared, raised, skip):
        """One after another, by ops."""
        found = []
        for row in rows:
            rest, device = iter(row), row[0]._spec.device
            given = {i: _on(t, device) for i, t in zip(self.roles.shared, shared, strict=True)}
            inputs = [given[i] if i in given else next(rest) for i in range(len(self.op.inputs))]
            if row[0].numel():
                found += [_on(run_elementwise(flag, inputs, values).amax(), raised._spec.device) for flag in self.flags]
            if skip is not None:
                inputs.append(_on(skip, device))
            run_elementwise(self.update, inputs, values, out=tuple(row[self.places[i]] for i in self.writes))
        if found:
            raised.copy_(functools.reduce(lambda a, b: a.maximum(b), found, raised))

    def _bind(self, rows, layouts, buffers):
        """Sort the tuples into shared launches and lone ones, and bind the buffers that stay."""
        self._forget()
        groups = {}
        for m, row in enumerate(rows):
            s = row[0]._spec
            if self._fits(row):
                groups.setdefault((s.device, s.dtype), []).append(m)
            else:
                self.alone.append(m)
        for (device, dtype), members in groups.items():
            for part in even_parts(members, capacity(self.op, dtype, self.roles)):
                self.launches.append((part, device, self._launch(rows, part, device, dtype)))
        self.layouts, self.buffers, self.held = layouts, buffers, frozenset(map(id, buffers))
        if len(self.held) != len(buffers):  # tuples that share memory must run one after another
            self.alone, self.launches = list(range(len(rows))), []

    def _fits(self, row):
        first = row[0]._spec
        own = {id(t._storage) for t in row}
        if first.device.host or first.device.meta:
            return False
        return (first.numel and first.contiguous and first.dtype.is_floating_point and len(own) == len(row)
                and all(_alike(t._spec, first) and not t._offset and not t._storage.inference for t in row))

    def _launch(self, rows, members, device, dtype):
        idle = rows[members[0]][self.kept[0]]._storage.buffer if self.kept else device.allocate(dtype.itemsize)
        launch = MultiTensor(self.op, dtype, [rows[m][0]._spec.numel for m in members], self.roles, device, idle)
        for i in self.kept:
            launch.bind_buffers(i, [rows[m][i]._storage.buffer for m in members])
        return launch


def _on(t, device):
    """A 0-d tensor on a device, at the start of its storage."""
    t = t if t._spec.device is device else t.to(device)
    return t if not t._offset else t.clone()


def recorded(foreach, rows, values, skip=None):
    """The same as calling `foreach`, recorded for gradients; values: numbers, or tensors that may need a gradient too.

    What a gradient reads is copied first: the next update writes to it.
    """
    op = foreach.op.of_tensors
    for row in rows:
        results = op(*[t.clone() for t in row], *[v.clone() if isinstance(v, TensorBase) else v for v in values])
        for place, result in zip(foreach.writes, results if isinstance(results, tuple) else (results,), strict=True):
            row[place].copy_(result if skip is None else row[place].where(skip != 0, result))


def _alike(a, b):
    return a is b or (a.contiguous and a.shape == b.shape and a.dtype is b.dtype and a.device is b.device)
