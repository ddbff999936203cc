"""Foreach: run an elementwise op in place on many tuples of tensors, in as few launches as possible."""

from ...base.context import context
from ...dispatch.binding import numbers
from ...dispatch.run_elementwise import run_elementwise
from ...dispatch.tensor_base import TensorBase
from ...ops.optim.multi_tensor import MultiTensor, capacity, even_parts


class Foreach:
    """Apply op to tuples of tensors; write its outputs to the inputs that `writes` names by position.

    fresh: positions of read-only inputs that differ at each call (gradients).  The other tensors should stay the same: this
    Foreach keeps their buffers alive, bound to its own kernel objects.

    Tuples share a launch if their tensors are contiguous, equal in shape and dtype, and each starts its own storage.  Any
    other tuple runs alone.  All run alone while gradients, a graph or a vmap are recorded.  The results and the version
    counters are the same either way.
    """

    def __init__(self, op, writes, fresh=()):
        self.op, self.writes, self.fresh = op, tuple(writes), tuple(fresh)
        self.kept = [i for i in range(len(op.inputs)) if i not in self.fresh]
        self._forget()

    def _forget(self):
        self.layouts = self.buffers = None
        self.launches, self.alone, self.held = [], [], frozenset()  # held: ids of the bound buffers

    def __call__(self, rows, values):
        """Run op on every tuple of `rows`; `values`: its attributes, in order."""
        values = numbers(self.op, values)
        if context.grad or context.recorder is not None or context.levels or len(rows) < 2:
            return self._run_alone(rows, values)
        tensors = [t for row in rows for t in row]
        layouts = [t._spec for t in tensors], [t._offset for t in tensors]
        buffers = [row[i]._storage.buffer for row in rows for i in self.kept]
        if layouts != self.layouts or buffers != self.buffers:
            self._bind(rows, layouts, buffers)
        fresh = [[row[i]._storage.buffer for row in rows] for i in self.fresh]
        if not self.held.isdisjoint(id(buffer) for column in fresh for buffer in column):
            return self._run_alone(rows, values)
        for members, device, launch in self.launches:
            with device.lock:
                for i, given in zip(self.fresh, fresh, strict=True):
                    launch.bind_buffers(i, [given[m] for m in members])
                launch.bind(values)
                device.submit(launch)
            for m in members:
                for i in self.writes:
                    rows[m][i]._storage.version += 1
        return self._run_alone([rows[m] for m in self.alone], values)

    def _run_alone(self, rows, values):
        for row in rows:
            run_elementwise(self.op, row, values, out=tuple(row[i] for i in self.writes))

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
            for part in even_parts(members, capacity(self.op, dtype)):
                self.launches.append((part, device, self._launch(rows, part, device, dtype)))
        self.layouts, self.buffers, self.held = layouts, buffers, frozenset(map(id, buffers))
        if len(self.held) != len(buffers):  # tuples that share memory must run one after another
            self.alone, self.launches = list(range(len(rows))), []

    def _fits(self, row):
        first = row[0]._spec
        own = {id(t._storage) for t in row}
        if first.device.host:
            return False
        return (first.numel and first.contiguous and first.dtype.is_floating_point and len(own) == len(row)
                and all(_alike(t._spec, first) and not t._offset and not t._storage.inference for t in row))

    def _launch(self, rows, members, device, dtype):
        idle = rows[members[0]][self.kept[0]]._storage.buffer
        launch = MultiTensor(self.op, dtype, [rows[m][0]._spec.numel for m in members], self.writes, device, idle)
        for i in self.kept:
            launch.bind_buffers(i, [rows[m][i]._storage.buffer for m in members])
        return launch


def recorded(foreach, rows, values):
    """The same as calling `foreach`, recorded for gradients; values: numbers, or tensors that may need a gradient too.

    What a gradient reads is copied first: the next update writes to it.
    """
    op = foreach.op.of_tensors
    for row in rows:
        results = op(*[t.clone() for t in row], *[v.clone() if isinstance(v, TensorBase) else v for v in values])
        for place, result in zip(foreach.writes, results if isinstance(results, tuple) else (results,), strict=True):
            row[place].copy_(result)


def _alike(a, b):
    return a is b or (a.contiguous and a.shape == b.shape and a.dtype is b.dtype and a.device is b.device)
