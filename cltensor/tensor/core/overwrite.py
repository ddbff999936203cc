"""The history of a tensor whose old values were overwritten: their gradient is zeros, not None."""

import weakref

from ...autograd import engine
from ...dispatch.node import Node, edge_of
from ...dispatch.run_elementwise import filled


class Overwrite:
    """The gradient of a write that does not depend on the old values."""

    def __init__(self, node, old):
        self.node, self.old, self.name = node, old, node.op.name

    def last(self, attrs):
        """See Op."""
        return self.node.op.last(self.node.attrs)

    def input_gradients(self, gs, outputs, inputs, attrs, needs):
        """Gradients of (the values overwritten, the write's inputs)."""
        rest = engine._fitted(self.node, self.node.backward(gs, needs[1:])) if True in needs[1:] else [None] * len(needs[1:])
        return (filled(gs[0]._plain, self.old, 0) if needs[0] else None, *rest)


def over(tensor, node):
    """node, or a Node that gives the old values of the tensor a zero gradient where node does not use them."""
    old = edge_of(tensor)
    if not tensor._req or any(e is not None and e == old for e in node.edges):
        return node
    made = Node(Overwrite(node, tensor._spec), (old, *node.edges), (tensor._spec, *node.args), node.attrs, (), node.out_specs)
    outer = weakref.ref(made)  # the saved result leads to this node, so that each node runs, and is freed, once
    node.wrapper = lambda alias, index: alias._with_history(outer(), index)
    return made
