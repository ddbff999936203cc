"""Branching: a program that takes one of two ways, captured with both, and gradients through it."""

import contextlib
from dataclasses import dataclass

from ..autograd import engine
from ..base.context import context
from ..base.errors import AutogradError, DTypeError, ShapeError
from ..dispatch.node import Node, edge_of, mark
from ..dispatch.run_elementwise import filled
from ..dispatch.tensor_base import TensorBase
from .recorder import GraphRecorder
from .regions import Abandoned, ControlFlow, RegionRecorder
from .structure import unflatten


@dataclass
class Both:
    """Two ways that have run, the one not taken to be noted only.

    taken: which one counts; ways: the leaves of their results, tensors of one layout each; template: of both results; copied: per
    way the positions of results that shared memory with others.
    """

    taken: int
    regions: list
    ways: list
    template: object
    copied: list


def run_both(parent, fns, taken, device, names):
    """Run fns under RegionRecorders of `parent`, the one taken last: an error in the other leaves everything as it was.

    Returns Both, or None where one does what cannot be noted; then only `parent`, if any, knows why.  names: of the functions.
    Raises ShapeError and DTypeError where the results differ in structure, shapes or dtypes.
    """
    regions, found = [None, None], [None, None]
    for i in (1 - taken, taken):
        regions[i] = region = RegionRecorder(parent, dry=i != taken)
        try:
            found[i] = region.run(fns[i], device)
        except Abandoned as end:
            if end.args[0] is not region:
                raise
            if parent is not None:
                parent.fail(region.failure)
            return None
    (ours, template), (theirs, other) = found
    _compare(ours, template, theirs, other, names)
    found_leaves = ours, theirs
    ways = [region.own(leaves) for region, leaves in zip(regions, found_leaves, strict=True)]
    loose = [i for i, (a, b) in enumerate(zip(*ways, strict=True)) if _strides(a) != _strides(b)]
    ways = [region.own(leaves, loose) for region, leaves in zip(regions, ways, strict=True)]
    copied = [tuple(i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a is not b)
              for before, after in zip(found_leaves, ways, strict=True)]
    if parent is not None and any(r.failure for r in regions):
        parent.fail(next(r.failure for r in regions if r.failure))
    return Both(taken, regions, ways, template, copied)


def _strides(x):
    return x._spec.strides if isinstance(x, TensorBase) else None


def _compare(ours, template, theirs, other, names):
    """Raise an error where the results of two ways differ in more than values."""
    what = f"{names[0]} and {names[1]} must return the same"
    if template != other:
        raise ShapeError(f"{what} structure, got {_shown(template, ours)} and {_shown(other, theirs)}; return tuples, lists or "
                         "dicts of one form from both")
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        if isinstance(a, TensorBase) is not isinstance(b, TensorBase):
            raise ShapeError(f"{what} structure: result {i} is {_kind(a)} in one and {_kind(b)} in the other; return tensors from "
                             "both")
        if not isinstance(a, TensorBase):
            continue
        if a._spec.dtype is not b._spec.dtype:
            raise DTypeError(f"{what} dtypes: result {i} is {a._spec.dtype.name} in one and {b._spec.dtype.name} in the other; "
                             "convert one with .to(dtype)")
        if a._spec.shape != b._spec.shape:
            raise ShapeError(f"{what} shapes: result {i} has shape {list(a._spec.shape)} in one and {list(b._spec.shape)} in the "
                             "other; expand, pad or reshape one of them")
        if a._spec.device is not b._spec.device:
            raise ShapeError(f"{what} devices: result {i} is on {a._spec.device} in one and on {b._spec.device} in the other; "
                             "convert one with .to(device)")


def _kind(x):
    return "a tensor" if isinstance(x, TensorBase) else repr(x)


def _shown(template, leaves):
    return repr(unflatten(template, iter([f"Tensor{list(x.shape)}" if isinstance(x, TensorBase) else x for x in leaves])))


def branch(recorder, pred, fns, taken, names, of=None):
    """Capture a choice: where pred, a bool tensor of one element, is true fns[0]() runs, else fns[1]().

    Returns (results as a flat list, template), or None where the recorder has failed.  taken: which one runs now.
    """
    start = mark()
    both = run_both(recorder, fns, taken, pred._spec.device, names)
    if both is None or recorder.failure:
        return None if both is None else (both.ways[taken], both.template)
    ours, theirs = both.ways
    if any(a != b for a, b in zip(ours, theirs, strict=True) if not isinstance(a, TensorBase)):
        recorder.fail("the branches return numbers that differ; return tensors")
        return both.ways[taken], both.template
    flow = ControlFlow("cond", recorder, both.regions, (recorder.use(pred),), of)
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(a, TensorBase):
            flow.result((a._storage, b._storage))
    return _with_history(flow, pred, both, start), both.template


def _with_history(flow, pred, both, start):
    """The results of the way taken, whose gradients go through a choice of their own."""
    results, needs = both.ways[both.taken], {}
    for i, ts in enumerate(zip(*both.ways, strict=True)):
        if any(isinstance(t, TensorBase) and t.requires_grad for t in ts):
            needs[i] = [edge_of(t) if t.requires_grad else None for t in ts]
    if not needs or not context.grad:
        return results
    edges = list(dict.fromkeys(e for n in range(2) for e in _borders([pair[n] for pair in needs.values() if pair[n]], start)))
    node = BranchNode(flow, pred, both.taken, edges, needs, results)
    for region in both.regions:
        region.remembers = True
    results = [t._alias() if i in needs else t for i, t in enumerate(results)]
    for i in needs:
        results[i]._node, results[i]._index, results[i]._req = node, i, True
    return results


def _borders(edges, start):
    """Where gradients leave what ran after the mark `start`: edges to older nodes and to leaves."""
    pending = list(dict.fromkeys(edges))
    seen = set(pending)
    for edge in pending:  # grows in the loop
        node, _ = edge
        if not isinstance(node, Node) or node.sequence < start:
            yield edge
        else:
            new = [e for e in node.edges if e is not None and e not in seen]
            seen.update(new)
            pending.extend(dict.fromkeys(new))


class BranchNode(Node):
    """The history of a choice: its gradient chooses between the gradients of the two ways.

    roots: {output: per way where its gradient starts, or None}.
    """

    __slots__ = ("flow", "pred", "roots", "stops", "taken", "version")

    def __init__(self, flow, pred, taken, edges, roots, results):
        specs = tuple(t.out_specs[i] if isinstance(t, Node) else t._spec for t, i in edges)
        super().__init__(None, tuple(edges), specs, (), (), tuple(getattr(t, "_spec", None) for t in results))
        self.flow, self.pred, self.taken, self.roots = flow, pred.detach(), taken, roots
        self.version = pred._storage.version
        self.stops = frozenset(t for t, _ in edges if isinstance(t, Node))

    def name(self):
        """See Node."""
        return "CondBackward0"

    def backward(self, gs, needs=None):
        """See Node."""
        if self.freed:
            self._refuse()
        edges = [e for e, need in zip(self.edges, needs or self.needs, strict=True) if need]
        ways = [lambda way=way: self._gradients(way, gs, edges) for way in range(2)]
        found = iter(self._captured(ways) or ways[self.taken]())
        return tuple(next(found) if need else None for need in needs or self.needs)

    def _captured(self, ways):
        """The gradients, noted as a choice; None where nothing is noted."""
        recorder = context.recorder
        if not isinstance(recorder, GraphRecorder) or recorder.failure:
            return None
        if self.pred._storage.version != self.version:
            raise AutogradError("cond: one of the variables needed for gradient computation has been modified by an inplace "
                                f"operation: the predicate is at version {self.pred._storage.version}; expected version "
                                f"{self.version} instead. Use the out-of-place form, or clone() it first")
        if context.grad:
            recorder.fail("gradients of gradients go through cond")
            return None
        made = branch(recorder, self.pred, ways, self.taken, ("the gradient of true_fn", "that of false_fn"), self.flow)
        return made and made[0]

    def _gradients(self, way, gs, edges):
        """The gradients that go to edges if this way was taken; zeros where it does not lead there."""
        roots = [(*self.roots[i][way], g) for i, g in enumerate(gs) if g is not None and i in self.roots and self.roots[i][way]]
        with _without_hooks(edges):
            found = engine.run(roots, edges, retain_graph=True, create_graph=context.grad, stops=self.stops)
        plain = next(g._plain for g in gs if g is not None)
        specs = dict(zip(self.edges, self.args, strict=True))
        return [filled(plain, specs[e], 0) if g is None else g for e, g in zip(edges, found, strict=True)]

    def release(self):
        """See Node."""
        self.roots, self.freed = {}, True


@contextlib.contextmanager
def _without_hooks(edges):
    """The hooks of leaves run where the gradients of both ways have met, not here."""
    kept = [(t, t._hooks) for t, _ in edges if not isinstance(t, Node) and t._hooks]
    for leaf, _ in kept:
        leaf._hooks = None
    try:
        yield
    finally:
        for leaf, hooks in kept:
            leaf._hooks = hooks
