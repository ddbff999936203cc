"""The engine: gradients flow from the roots through the graph, each node once, in reverse order of the forward pass."""

import heapq
import os
import sys
import traceback

from ..base.errors import AutogradError
from ..ops.registry import REGISTRY
from .modes import enable_grad, modes, no_grad
from .node import Node, checked

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def run(roots, inputs=None, retain_graph=False, create_graph=False):
    """Run backward from roots, a list of (tensor edge target, output number, gradient).

    inputs None: gradients are added to the `.grad` of every leaf reached.  Otherwise a list of edges; their gradients
    are returned, in order (None where the root does not depend on one), and nothing is accumulated.
    """
    wanted = None if inputs is None else set(inputs)
    targets = [t for t, _, _ in roots]
    counts, useful = _survey(targets, wanted)
    with enable_grad() if create_graph else no_grad():
        return _flow(roots, counts, useful, inputs, retain_graph)


def _survey(targets, wanted):
    """Count how many gradients each node waits for, and find the nodes that lead to a wanted edge (None: all)."""
    counts, order, stack = {}, [], list(dict.fromkeys(targets))
    seen = set(stack)
    while stack:
        target = stack.pop()
        order.append(target)
        for edge in _edges(target):
            nxt = edge[0]
            counts[nxt] = counts.get(nxt, 0) + 1
            if nxt not in seen:
                seen.add(nxt)
                stack.append(nxt)
    if wanted is None:
        return counts, None
    ends = {target for target, _ in wanted}
    useful = set(ends)
    for target in sorted((t for t in order if isinstance(t, Node)), key=lambda n: n.sequence):
        if any(edge[0] in useful for edge in _edges(target)):
            useful.add(target)
    return counts, useful


def _edges(target):
    return [e for e in target.edges if e is not None] if isinstance(target, Node) else ()


class _Ready:
    """Nodes whose gradient is complete, latest forward op first; leaves before any node."""

    def __init__(self):
        self.heap, self.ticket = [], 0

    def push(self, target):
        self.ticket += 1
        rank = -target.sequence if isinstance(target, Node) else -sys.maxsize
        heapq.heappush(self.heap, (rank, self.ticket, target))

    def pop(self):
        return heapq.heappop(self.heap)[2]


def _flow(roots, counts, useful, inputs, retain_graph):
    pending, ready, captured = {}, _Ready(), {}
    wanted = {} if inputs is None else dict.fromkeys(inputs)
    for target, index, g in roots:
        _deliver(pending, target, index, g)
    for target in dict.fromkeys(t for t, _, _ in roots):
        if not counts.get(target):
            ready.push(target)
    while ready.heap:
        target = ready.pop()
        gs = pending.pop(target, None)
        if not isinstance(target, Node):
            _finish_leaf(target, gs, wanted, captured, inputs)
            continue
        results = (None,) * len(target.edges)
        if gs is not None:
            results = _step(target, gs, wanted, captured, useful, retain_graph)
        gs = None
        for i, edge in enumerate(target.edges):
            if edge is None:
                continue
            nxt, index = edge
            if results[i] is not None:
                _deliver(pending, nxt, index, results[i])
            counts[nxt] -= 1
            if counts[nxt] == 0:
                ready.push(nxt)
        results = None
    return None if inputs is None else [captured.get(e) for e in inputs]


def _deliver(pending, target, index, g):
    slots = pending.get(target)
    if slots is None:
        slots = pending[target] = [None] * (len(target.out_specs) if isinstance(target, Node) else 1)
    slots[index] = g if slots[index] is None else REGISTRY["add"](slots[index], g)


def _step(node, gs, wanted, captured, useful, retain_graph):
    """Gradients of the node's inputs that lead to a wanted edge, after its hooks; what it saved is freed."""
    needs = node.needs if useful is None else tuple(e is not None and e[0] in useful for e in node.edges)
    if node.pre_hooks:
        for hook in list(node.pre_hooks.values()):
            new = hook(tuple(gs))
            gs = gs if new is None else list(new)
    if node.retained:
        node.keep_retained(gs)
    for index, g in enumerate(gs):
        if (node, index) in wanted:
            captured[node, index] = g
    if not any(needs):
        return (None,) * len(node.edges)
    try:
        results = _fitted(node, node.backward(tuple(gs), needs))
    except Exception as e:
        if node.trace:
            _explain(e, _forward_line(node))
        raise
    if node.trace and modes.anomaly == "nan":
        _check_nan(node, results)
    if node.hooks:
        for hook in list(node.hooks.values()):
            new = hook(tuple(results), tuple(gs))
            results = results if new is None else list(new)
    if not retain_graph:
        node.release()
    return results


def _fitted(node, results):
    """Sum each gradient to its input's shape and give it its dtype, so that no rule has to mention broadcasting."""
    fitted = []
    for arg, edge, g in zip(node.args, node.edges, results, strict=True):
        if g is None or edge is None:
            fitted.append(None)
            continue
        spec = getattr(arg, "_spec", arg)
        if g.shape != spec.shape:
            g = _summed(node, g, spec.shape, len(fitted))
        if g.dtype is not spec.dtype:
            g = g.to(spec.dtype)
        fitted.append(g)
    return fitted


def _summed(node, g, shape, i):
    """g summed to shape.  Raises AutogradError when no broadcasting of `shape` gives g's shape."""
    lead = g.ndim - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, g.shape[lead:], strict=True)):
        raise AutogradError(f"Function {node.name()} returned an invalid gradient at index {i} - got {list(g.shape)} "
                            f"but expected shape compatible with {list(shape)}")
    return g.sum_to_size(shape)


def _finish_leaf(leaf, gs, wanted, captured, inputs):
    g = gs[0] if gs is not None else None
    gs = None
    if g is None:
        return
    for hook in list((leaf._hooks or {}).values()):
        new = checked(hook, hook(g), g)
        g = g if new is None else new
    if (leaf, 0) in wanted:
        captured[leaf, 0] = g
    if inputs is None:
        accumulate(leaf, g)


class _Probe:
    """Measures what getrefcount says of an object held by one variable of the caller, and of one held by an attribute."""

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
    """Add g to leaf.grad.  The first gradient becomes .grad itself when nothing else holds it, else a copy does."""
    if leaf._grad is not None:
        if modes.grad:
            leaf._grad = leaf._grad + g
        else:
            leaf._grad.add_(g)
    elif modes.grad:
        leaf._grad = g.clone() if g is leaf else g
    else:
        # one more than a probe's: the engine's list of gradients
        alone = sys.getrefcount(g) <= _ALONE + 1 and sys.getrefcount(g._storage) <= _STORED
        alone = alone and g._spec.strides == leaf._spec.strides
        leaf._grad = g.detach() if alone else g.detach().clone()
    for hook in list((leaf._post_hooks or {}).values()):
        hook(leaf)


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
        if g is not None and bool(g.isnan().any()):
            raise AutogradError(f"Function '{node.name()}' returned nan values in its {i}th output.\n"
                                + _forward_line(node))
