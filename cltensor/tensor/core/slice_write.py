"""The history of a tensor that was written to through a view: where the gradient of its new values goes."""

import weakref

from ...autograd import engine
from ...dispatch.node import Node, edge_of
from ...dispatch.run_planned import run_view
from ...ops.index import parts, strided


def seen_from_base(view, node, index):
    """The Node of a view's base after a write to the view; the write itself is output `index` of `node`."""
    base, geometry = view._base, view._geometry()
    write = SliceWrite(node, index, view, geometry, base._spec)
    first = edge_of(base) if base._req else None
    edges = (first, *(e for i, e in enumerate(node.edges) if i != write.own))
    args = (base._spec, *(a for i, a in enumerate(node.args) if i != write.own))
    made = Node(write, edges, args, (), (), (base._spec,))
    node.wrapper = _as_part(weakref.ref(made), base._spec, base._offset, geometry, view._spec)
    return made


def shown_by(view, base):
    """The op that shows a view (a Spec) of a base: as_strided, or recast where only one of them is complex."""
    return strided.as_strided if view.dtype.is_complex is base.dtype.is_complex else parts.recast


def _as_part(node, base_spec, offset, geometry, spec):
    """A Node's `wrapper` for a write to a view: its saved result becomes a view of the base that `node()` outputs."""

    def part(alias, _):
        base = alias._make(alias._storage, base_spec, offset)._with_history(node(), 0)
        return run_view(shown_by(spec, base_spec), base, geometry)

    return part


class SliceWrite:
    """The gradient of writing to a view, seen from its base: through the write inside the view, unchanged outside."""

    name = "copy_slices"

    def __init__(self, node, index, view, geometry, base_spec):
        self.node, self.index, self.base_spec = node, index, base_spec
        self.layout = (tuple(base_spec.shape), base_spec.strides, *geometry)
        self.whole = self.pairs = False  # whether the base, or the view, is complex, if only one of them is
        if shown_by(view._spec, base_spec) is parts.recast:
            self._see_in_parts(view._spec)
        own = [i for i, a in enumerate(node.args) if a is view or (i < len(node.edges) and _same_edge(node.edges[i], view))]
        self.own = own[0] if own else None

    def _see_in_parts(self, view):
        """Count both layouts in parts of complex numbers."""
        self.whole, self.pairs = self.base_spec.dtype.is_complex, view.dtype.is_complex
        shape, strides, size, stride, offset = self.layout
        if self.whole:
            self.layout = (*parts.layout_in_parts(shape, strides), size, stride, offset)
        else:
            self.layout = (shape, strides, *parts.layout_in_parts(size, stride), 2 * offset)

    def last(self, attrs):
        """See Op."""
        return self.name

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """Gradients of (base before the write, the write's other inputs)."""
        g = parts.view_as_real(gs[0]) if self.whole else gs[0]
        inner = [None] * len(self.node.out_specs)
        written = strided.written(g, *self.layout).clone()
        inner[self.index] = parts.paired(written) if self.pairs else written
        results = engine._fitted(self.node, self.node.backward(tuple(inner), self._inner(needs)))
        through = results[self.own] if self.own is not None else None
        if self.pairs and through is not None:
            through = parts.view_as_real(through)
        before = strided.around(g, through, *self.layout) if needs[0] else None
        if self.whole and before is not None:
            before = parts.paired(before)
        return (before, *(r for i, r in enumerate(results) if i != self.own))

    def _inner(self, needs):
        """Which inputs of the write itself need gradients; needs: for (base, the write's other inputs)."""
        rest = iter(needs[1:])
        return tuple(needs[0] if i == self.own else next(rest) for i in range(len(self.node.edges)))


def _same_edge(edge, view):
    return edge is not None and edge[0] is view._node and edge[1] == view._index
