"""The history of a tensor that was written to through a view: where the gradient of its new values goes."""

import weakref

from ...autograd import engine
from ...dispatch.node import Node, edge_of
from ...dispatch.run_planned import run_view
from ...ops.index import strided


def seen_from_base(view, node, index):
    """The Node of a view's base after a write to the view; the write itself is output `index` of `node`."""
    base, geometry = view._base, view._geometry()
    write = SliceWrite(node, index, view, geometry, base._spec)
    first = edge_of(base) if base._req else None
    edges = (first, *(e for i, e in enumerate(node.edges) if i != write.own))
    args = (base._spec, *(a for i, a in enumerate(node.args) if i != write.own))
    made = Node(write, edges, args, (), (), (base._spec,))
    node.wrapper = _as_part(weakref.ref(made), base._spec, base._offset, geometry)
    return made


def _as_part(node, base_spec, offset, geometry):
    """A Node's `wrapper` for a write to a view: its saved result becomes a view of the base that `node()` outputs."""

    def part(alias, _):
        base = alias._make(alias._storage, base_spec, offset)._with_history(node(), 0)
        return run_view(strided.as_strided, base, geometry)

    return part


class SliceWrite:
    """The gradient of writing to a view, seen from its base: through the write inside the view, unchanged outside."""

    name = "copy_slices"

    def __init__(self, node, index, view, geometry, base_spec):
        self.node, self.index, self.geometry, self.base_spec = node, index, geometry, base_spec
        own = [i for i, a in enumerate(node.args) if a is view or (i < len(node.edges) and _same_edge(node.edges[i], view))]
        self.own = own[0] if own else None

    def last(self, attrs):
        """See Op."""
        return self.name

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """Gradients of (base before the write, the write's other inputs)."""
        layout = (tuple(self.base_spec.shape), self.base_spec.strides, *self.geometry)
        inner = [None] * len(self.node.out_specs)
        inner[self.index] = strided.written(gs[0], *layout).clone()
        results = engine._fitted(self.node, self.node.backward(tuple(inner), self._inner(needs)))
        through = results[self.own] if self.own is not None else None
        before = strided.around(gs[0], through, *layout) if needs[0] else None
        return (before, *(r for i, r in enumerate(results) if i != self.own))

    def _inner(self, needs):
        """Which inputs of the write itself need gradients; needs: for (base, the write's other inputs)."""
        rest = iter(needs[1:])
        return tuple(needs[0] if i == self.own else next(rest) for i in range(len(self.node.edges)))


def _same_edge(edge, view):
    return edge is not None and edge[0] is view._node and edge[1] == view._index
