"""The engine: run gradients from the roots through the graph, each node once, in reverse order of the forward pass."""

import heapq
import itertools
import os
import sys
import traceback

from ..base.context import context
from ..base.errors import AutogradError
from ..base.overlap import packed
from ..base.shapes import broadcast_dims
from ..dispatch import autocast
from ..dispatch.node import Node, checked
from ..dispatch.registry import REGISTRY
from ..dispatch.tensor_base import SparseBase

_NONE = itertools.repeat(None)  # no gradient for any input
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def run(roots, inputs=None, retain_graph=False, create_graph=False, stops=frozenset()):
    """Run backward from roots, a list of (tensor edge target, output number, gradient).

    inputs None: gradients are added to the `.grad` of every leaf reached.  Otherwise a list of edges; their gradients
    are returned, in order (None where the root does not depend on one), and nothing is accumulated.

    stops: nodes that are not run; with `inputs` only.
    """
    wanted = None if inputs is None else set(inputs)
    targets = [t for t, _, _ in roots]
    counts, useful = _survey(targets, wanted, stops)
    if context.recorder is not None:
        context.recorder.goes_back(counts.keys() - stops if useful is None else useful & (counts.keys() - stops))
        context.recorder.twice |= create_graph
    before = context.grad, context.running
    context.grad, context.running = create_graph, Run(counts, useful)
    flow, step = (_flow, _step) if context.profile is None else _observed(context.profile)
    try:
        with autocast.off():  # a gradient has the dtypes of its forward op
            return flow(roots, counts, useful, inputs, retain_graph, stops, step)
    finally:
        context.grad, context.running = before


def _observed(profile):
    """_flow and _step, which an Observer is told of."""

    def step(node, *rest):
        return profile.around(_step, "node", node.name(), node=node)(node, *rest)

    return profile.around(_flow, "backward", "backward"), step


class Run:
    """One backward pass: which nodes and leaves it reaches."""

    def __init__(self, counts, useful):
        self.counts, self.useful = counts, useful

    def reaches(self, target):
        """Whether a gradient of this node or leaf is computed."""
        return target in self.counts and (self.useful is None or target in self.useful)


def _survey(targets, wanted, stops):
    """Count the gradients that each node waits for, and find the nodes that lead to a wanted edge (None: all)."""
    counts = dict.fromkeys(targets, 0)
    order = list(counts)
    for target in order:  # grows in the loop
        for nxt, _ in () if target in stops else _edges(target):
            n = counts.get(nxt)
            if n is None:
                counts[nxt] = 1
                order.append(nxt)
            else:
                counts[nxt] = n + 1
    if wanted is None:
        return counts, None
    ends = {target for target, _ in wanted}
    useful = set(ends)
    for target in sorted((t for t in order if isinstance(t, Node) and t not in stops), key=lambda n: n.sequence):
        if any(nxt in useful for nxt, _ in _edges(target)):
            useful.add(target)
    return counts, useful


def _edges(target):
    return [e for e in target.edges if e is not None] if isinstance(target, Node) else ()


def _flow(roots, counts, useful, inputs, retain_graph, stops, step):
    """Run gradients from the roots.  Of the targets with complete gradients take leaves first, then the node recorded last."""
    pending, captured = {}, {}
    wanted = {} if inputs is None else dict.fromkeys(inputs)
    for target, index, g in roots:
        _deliver(pending, target, index, g)
    nodes, leaves = [], []  # a heap, and a list
    for target in dict.fromkeys(t for t, _, _ in roots):
        if not counts[target]:
            _complete(target, nodes, leaves)
    while leaves or nodes:
        if leaves:
            leaf = leaves.pop(0)
            _finish_leaf(leaf, pending.pop(leaf, None), wanted, captured, inputs)
            continue
        target = heapq.heappop(nodes)[1]
        if target in stops:
            captured.update(((target, i), g) for i, g in enumerate(pending.pop(target, ())) if g is not None)
            continue
        results = _NONE
        if target in pending:
            results = step(target, pending.pop(target), wanted, captured, useful, retain_graph)
        for edge, g in zip(target.edges, results):  # noqa: B905  (_fitted has compared)
            if edge is not None:
                nxt, index = edge
                if g is not None:
                    _deliver(pending, nxt, index, g)
                left = counts[nxt] = counts[nxt] - 1
                if not left:
                    _complete(nxt, nodes, leaves)
        results = g = None
    return None if inputs is None else [captured.get(e) for e in inputs]


def _complete(target, nodes, leaves):
    if isinstance(target, Node):
        heapq.heappush(nodes, (-target.sequence, target))
    else:
        leaves.append(target)


def _deliver(pending, target, index, g):
    slots = pending.get(target)
    if slots is None:
        slots = pending[target] = [None] * (len(target.out_specs) if isinstance(target, Node) else 1)
    slots[index] = g if slots[index] is None else _sum(slots[index], g)


def _sum(a, b):
    """a + b, of which either may be sparse."""
    return a + b if isinstance(a, SparseBase) or isinstance(b, SparseBase) else REGISTRY["add"](a, b)


def _step(node, gs, wanted, captured, useful, retain_graph):
    """Gradients of the node's inputs that lead to a wanted edge, after its hooks.  Frees its saved data unless retain_graph."""
    needs = node.needs if useful is None else tuple(e is not None and e[0] in useful for e in node.edges)
    if node.pre_hooks:
        for hook in list(node.pre_hooks.values()):
            new = hook(tuple(gs))
            gs = gs if new is None else list(new)
    if node.retained:
        node.keep_retained(gs)
    if wanted:
        for index, g in enumerate(gs):
            if (node, index) in wanted:
                captured[node, index] = g
    if True not in needs:
        return _NONE
    try:
        results = _fitted(node, node.backward(tuple(gs), needs))
    except Exception as e:
        if node.trace:
            _explain(e, _forward_line(node))
        raise
    if node.trace and context.anomaly == "nan":
        _check_nan(node, results)
    if node.hooks:
        for hook in list(node.hooks.values()):
            new = hook(tuple(results), tuple(gs))
            results = results if new is None else list(new)
    if not retain_graph:
        node.release()
    return results


def _fitted(node, results):
    """Sum each gradient to its input's shape and convert it to its dtype, so that gradient rules need not handle broadcasting."""
    args, edges, fitted = node.args, node.edges, list(results)
    if len(fitted) != len(args):
        raise AutogradError(f"{node.name()}: its rule gave {len(fitted)} gradients for {len(args)} inputs")
    for i, g in enumerate(fitted):
        if g is None:
            continue
        spec = getattr(args[i], "_spec", args[i])
        if edges[i] is None:
            fitted[i] = None
        elif g._spec is not spec:
            if g._spec.shape != spec.shape:
                fitted[i] = g = _summed(node, g, spec.shape, i)
            if g._spec.dtype is not spec.dtype:  # of a complex gradient for a real input, the real part counts
                fitted[i] = (g.real if g._spec.dtype.is_complex and not spec.dtype.is_complex else g).to(spec.dtype)
    return fitted


def _summed(node, g, shape, i):
    """g summed to shape.  Raises AutogradError when `shape` does not broadcast to g's shape."""
    if broadcast_dims(shape, g._spec.shape) is None:
        raise AutogradError(f"Function {node.name()} returned an invalid gradient at index {i} - got {list(g.shape)} "
                            f"but expected shape compatible with {list(shape)}")
    return g._summed_to(shape)


def _finish_leaf(leaf, gs, wanted, captured, inputs):
    g = None if gs is None else gs.pop()  # the list may outlive this call; without g it holds no second reference
    if g is None:
        return
    if leaf._hooks:
        for hook in list(leaf._hooks.values()):
            new = checked(hook, hook(g), g)
            g = g if new is None else new
    if wanted and (leaf, 0) in wanted:
        captured[leaf, 0] = g
    if inputs is None:
        accumulate(leaf, g)


class _Probe:
    """Measures getrefcount of an object held by one variable of the caller, and of one held by an attribute."""

    def __init__(self):
        self.held = object()

    @staticmethod
    def passed(g):
        return sys.getrefcount(g), sys.getrefcount(g.held)

    @classmethod
    def counts(cls):
        g = cls()
        return cls.passed(g)


_ALONE, _STORED = _Probe.counts()


def accumulate(leaf, g):
    """Add g to leaf.grad.  The first gradient becomes .grad itself if nothing else refers to it, else a copy does."""
    if context.recorder is not None:
        context.recorder.grad_changes(leaf)
    if isinstance(g, SparseBase) or isinstance(leaf._grad, SparseBase):
        leaf._grad = g if leaf._grad is None else leaf._grad + g
    elif leaf._grad is not None:
        if context.grad:
            leaf._grad = leaf._grad + g
        else:
            leaf._grad.add_(g)
    elif context.grad:
        leaf._grad = g.clone() if g is leaf else g
    else:
        alone = sys.getrefcount(g) <= _ALONE and sys.getrefcount(g._storage) <= _STORED
        fits = g._spec.strides == leaf._spec.strides or (not context.grad_layout and packed(g._spec.shape, g._spec.strides))
        alone = alone and fits
        if not alone:
            g = g.detach().clone() if fits else _laid_out_as(leaf, g.detach())
        leaf._grad = g.detach() if g._req or g._base is not None else g
    if leaf._post_hooks:
        for hook in list(leaf._post_hooks.values()):
            hook(leaf)
    if leaf._end_hooks:
        for hook in list(leaf._end_hooks.values()):
            hook((), (g,))


def _laid_out_as(leaf, g):
    """A copy of g with the strides of leaf, so that an update reads both in one order; contiguous where leaf has gaps."""
    if not packed(leaf._spec.shape, leaf._spec.strides):
        return g.new_empty(g.shape).copy_(g)
    return g.new_empty_strided(g.shape, leaf.stride()).copy_(g)


def _explain(error, text):
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:  # Python 3.10
        error.args = ("\n".join([*map(str, error.args), text]),)


def _forward_line(node):
    frames = [f for f in node.trace if not f.filename.startswith(_PACKAGE)] or node.trace
    return f"The forward op of {node.name()} was called here:\n" + "".join(traceback.format_list(frames[-3:]))


def _check_nan(node, results):
    for i, g in enumerate(results):
        if g is not None and bool((g._values() if isinstance(g, SparseBase) else g).isnan().any()):
            raise AutogradError(f"Function '{node.name()}' returned nan values in its {i}th output.\n"
                                + _forward_line(node))
