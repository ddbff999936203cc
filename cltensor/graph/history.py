"""History: which tensors from outside the results of a captured program depend on."""

from ..autograd import engine
from ..base.context import context
from ..dispatch.node import Node, edge_of
from ..dispatch.tensor_base import TensorBase


def spent(tensor):
    """Whether a backward pass has freed what the history of a tensor saved."""
    pending = [tensor._node]
    seen = set(pending)
    for node in pending:  # grows in the loop
        if node.freed:
            return True
        new = {target for target, _ in filter(None, node.edges) if isinstance(target, Node)} - seen
        seen |= new
        pending += new
    return False


class History:
    """Where the gradients of some outputs go.

    outputs: the tensors that have a history; places: theirs among all results; edges: {edge: position of the argument}; leaves: the
    other tensors that get gradients; reason: why the backward pass cannot be captured, or None.
    """

    @classmethod
    def of(cls, outputs, arguments, start):
        """The History of a program's results, tensors or not, or None where none has one.  start: a mark made before it ran."""
        places = [i for i, t in enumerate(outputs) if isinstance(t, TensorBase) and t.grad_fn is not None and not spent(t)]
        if not places or not context.grad:
            return None
        return cls(outputs, places, arguments, start)

    def __init__(self, results, places, arguments, start):
        self.outputs, self.places = [results[i] for i in places], places
        self.arguments, self.leaves, self.reason = arguments, [], None
        self.edges = {edge_of(t): i for i, t in reversed(list(enumerate(arguments))) if t.requires_grad}
        self.stops = frozenset(node for node, _ in self.edges if isinstance(node, Node))
        pending = list(dict.fromkeys(map(edge_of, self.outputs)))
        seen = set(pending)
        for edge in pending:  # grows in the loop
            node, _ = edge
            if edge in self.edges:
                continue
            if not isinstance(node, Node):
                self.leaves.append(node)
            elif node.sequence < start:
                self.reason = "it uses a tensor from outside that has a history"
            else:
                new = [e for e in node.edges if e is not None and e not in seen]
                seen.update(new)
                pending.extend(dict.fromkeys(new))
        if any(leaf._hooks or leaf._post_hooks for leaf in self.leaves):
            self.reason = "a parameter that it uses has a hook"

    def reached(self):
        """For each output the places, among the arguments in `edges` and then the leaves, that it depends on."""
        places = {edge: i for i, edge in enumerate((*self.edges, *((leaf, 0) for leaf in self.leaves)))}
        if len(self.outputs) == 1:
            return [frozenset(places.values())]
        found = []
        for output in self.outputs:
            pending = [edge_of(output)]
            seen = set(pending)
            for edge in pending:  # grows in the loop
                new = [] if edge in places else [e for e in edge[0].edges if e is not None and e not in seen]
                seen.update(new)
                pending += dict.fromkeys(new)
            found.append(frozenset(places[e] for e in seen if e in places))
        return found

    def gradients(self, seeds):
        """Gradients of the arguments in `edges`, then of the leaves, for gradients of the outputs.  What was saved stays saved."""
        roots = [(*edge_of(t), g) for t, g in zip(self.outputs, seeds, strict=True)]
        return engine.run(roots, [*self.edges, *((leaf, 0) for leaf in self.leaves)], retain_graph=True, stops=self.stops)
