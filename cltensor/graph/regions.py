"""Regions: programs inside a node, noted one by one while the program around them is captured.

Of several ways that a program may take, one runs; the others are run to be noted only, and leave no trace: their writes to memory
from outside are not launched, and what they count or note is taken back.
"""

import contextlib
import functools
from dataclasses import replace

from ..base import layouts
from ..dispatch import faults
from ..dispatch.autocast import own_casts
from ..dispatch.tensor_base import TensorBase
from .ir import Control, Node, Origin, Region, Value, serials
from .recorder import GraphRecorder
from .structure import flatten


class Abandoned(BaseException):
    """The end of a run that was to be noted only, and does what cannot be noted."""


class RegionRecorder(GraphRecorder):
    """Notes one way that the program of `parent` may take.

    parent: None to compare what several functions return.  dry: whether it runs to be noted only.  dry_run: the nearest such
    recorder around, itself included, or None.
    """

    def __init__(self, parent=None, dry=False):
        super().__init__((), parent is not None and parent.whole, parent and parent.numbers)
        self.parent, self.dry_run = parent, self if dry else getattr(parent, "dry_run", None)
        self.captures = parent is not None and parent.captures
        self.parameters, self.undoing = [], []  # parameters: [Block, version]

    def run(self, fn, device):
        """(leaves, template) of fn()."""
        dry = self.dry_run is self
        try:
            with faults.ignored(device) if dry else contextlib.nullcontext(), own_casts(), self:
                return flatten(fn())
        finally:
            while self.undoing:
                self.undoing.pop()()

    def own(self, leaves, dense=()):
        """The leaves, with copies of tensors that share memory with others, and of those in `dense` that are not contiguous."""
        found, seen = [], set()
        with self:
            for i, t in enumerate(leaves):
                if isinstance(t, TensorBase):
                    s = t._storage
                    alone = self.made(s) and s not in seen and self.use(t).covers() and (t._spec.contiguous or i not in dense)
                    t = t if alone else t.clone(memory_format=layouts.contiguous_format)
                    seen.add(t._storage)
                found.append(t)
        return found

    def given(self, storage, place):
        """Make a parameter of a storage: the memory at a place of the node."""
        known = self._known[storage]
        known[0].origin, known[0].source = Origin.ARGUMENT, place
        self.parameters.append(known)

    def region(self):
        """The Region.  Fails where a tensor that it made, and does not give, is kept outside."""
        graph = replace(self.graph(()), kept=tuple([Value(*known) for known in self.parameters if known[1]]))
        return Region(graph, tuple(self.actions), {block: block.source for block, _ in self.parameters})

    # --- what is told ----------------------------------------------------------------------------------------------------

    def fail(self, reason):
        """See GraphRecorder."""
        super().fail(reason)
        if self.dry_run is not None:
            self.dry_run.failure = self.dry_run.failure or self.failure
            raise Abandoned(self.dry_run)

    def writes(self, outs, history):
        """See Recorder."""
        outside = [o._storage for o in outs if not self.made(o._storage)]
        if outside and history:
            self.fail("control flow writes to a tensor from outside that gradients flow through")
        if self.dry_run is None or all(map(self._inside, outside)):
            return True
        self.dry_run.undoing.extend(functools.partial(_step_back, o._storage) for o in outs)
        return False

    def _inside(self, storage):
        """Whether a storage was made in the dry run."""
        return self.made(storage) or (self.dry_run is not self and self.parent._inside(storage))

    def action(self, compute, undo=None, reads=(), fills=()):
        """See Recorder."""
        if self.dry_run is not None:
            if undo is None:
                self.fail("control flow changes what Python counts, such as the steps of an optimizer or a schedule")
            self.dry_run.undoing.append(undo)
        return super().action(compute, undo, reads, fills)

    def grad_read(self, leaf):
        """See Recorder."""
        if self.parent is not None:
            self.parent.grad_read(leaf)

    def grad_changes(self, leaf):
        """See Recorder."""
        self.fail("control flow changes a .grad")


def _step_back(storage):
    storage.version -= 1


class ControlFlow:
    """A Node with regions while it is noted: what they make may still become a result.

    regions: RegionRecorders, which have run.  operands: Uses that come first.  decides: the place of what tells which region runs.
    of: the ControlFlow of whose regions these are the gradients, one by one, or None.
    """

    def __init__(self, name, recorder, regions, operands, of=None):
        self.name, self.recorder, self.regions, self.serial = name, recorder, regions, next(serials)
        self.operands, self.results, self.decides = list(operands), [], 0
        self.entries, self.single = {}, {}  # place of a result -> what the recorder knows of it; -> the one region that gives it
        places = {}
        for i, region in enumerate(regions):
            region.dry_run = None
            for block in region.blocks:
                if block.origin is Origin.HELD:
                    storage = block.source
                    if of is not None and of.recorder is recorder:
                        of.gives(storage, (of.regions[i],))
                    if storage not in places:
                        places[storage] = len(self.operands)
                        self.operands.append(recorder.bytes_of(storage))
                    region.given(storage, places[storage])
        for storage in places:
            if any(region.changes(storage) for region in regions):
                self.results.append(recorder.rewritten(storage))
        recorder.nodes.append(self)
        recorder.flows.append(self)

    def result(self, storages):
        """Make a result of what each region keeps in one of these storages; None for a region that does not write it.

        Returns its place.
        """
        at = len(self.operands) + len(self.results)
        result, self.entries[at] = self.recorder.result_for([s for s in storages if s is not None])
        self.results.append(result)
        for region, storage in zip(self.regions, storages, strict=True):
            if storage is not None:
                region.given(storage, at)
        return at

    def knows(self, storage):
        """Whether a region made a storage."""
        return any(r.made(storage) or any(flow.knows(storage) for flow in r.flows) for r in self.regions)

    def gives(self, storage, regions=None):
        """Make a result of a storage if one of the regions (of all) made it.  Returns whether it is known outside."""
        for region in regions or self.regions:
            if self.recorder.block(storage) is None and region.value(storage) is not None:
                block = region.block(storage)
                if block.origin is Origin.ARGUMENT:  # another storage stands for the same memory
                    self.recorder.stands_for(storage, self.entries[block.source])
                else:
                    self._give(region, storage)
        return self.recorder.block(storage) is not None

    def _give(self, region, storage):
        """Make a result of a storage of one region; two regions share the memory of such results, since one of them runs."""
        size = storage.device, storage.extent
        at = next((at for at, (own, wanted) in self.single.items() if own is not region and wanted == size), None)
        if at is None:
            self.single[self.result([storage if r is region else None for r in self.regions])] = region, size
            return
        del self.single[at]
        region.given(storage, at)
        self.recorder.stands_for(storage, self.entries[at])

    def node(self):
        """The Node.  The recorder fails where a region has failed."""
        regions = [r.region() for r in self.regions]
        for r in self.regions:
            if r.failure:
                self.recorder.fail(r.failure)
        must = any(r.actions or any(n.op.reports_faults for n in r.graph.nodes) for r in regions)
        return Node(Control(self.name, must), tuple(self.operands), (self.decides,), (), tuple(self.results), self.serial,
                    tuple(regions))
