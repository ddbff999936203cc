"""Program: the part of a static graph that some fetches need, run on tensors."""

from ...autograd.modes import enable_grad
from ...base.errors import CLTensorError
from ...runtime.device import device as Device
from .calls import Call, Held, Placeholder, assigned, gradient_of, leaves, mapped, reachable, symbolic


class Program:
    """A function of what is fed to its placeholders, which returns what is fetched.

    fetches: symbols.  placeholders: those it needs, in order.
    """

    __name__ = "Graph.run"

    def __init__(self, fetches, device):
        self.fetches, self.device = fetches, device
        nodes = reachable([f.node for f in fetches])
        self.placeholders = [n for n in nodes if isinstance(n, Placeholder)]
        self.held = [n for n in nodes if isinstance(n, Held)]
        self.calls = [n for n in nodes if isinstance(n, Call)]
        derivatives = [n for n in self.calls if n.function is gradient_of]
        self.wanted = {(x.node, x.place) for n in derivatives for x in leaves(n.args[1])}
        below = {n: set(reachable([y.node for y in leaves((n.args[0], n.args[2:])) if symbolic(y)])) for n in derivatives}
        self.again = {n for n in derivatives if any(n in below[other] for other in derivatives)}
        self.assigns = [n for n in self.calls if n.function is assigned]

    def __call__(self, *fed):
        with self.device:
            found = self.values(dict(zip(self.placeholders, fed, strict=True)), {n: n.tensor for n in self.held})
        outside = {id(t._storage) for t in (*fed, *(n.tensor for n in self.held))}
        results = [_handed_out(found[f.node][f.place], outside) for f in self.fetches]
        for call in self.assigns:
            call.args[0].node.tensor.copy_(found[call][0])
        return results

    def values(self, fed, held):
        """{node: the leaves of what it gives} for the tensors of placeholders and of what is held."""
        found = {node: [self._tracked(node, 0, t)] for node, t in (*fed.items(), *held.items())}

        def known(x):
            if isinstance(x, Device):
                return self.device
            return found[x.node][x.place] if symbolic(x) else x

        with enable_grad():
            for call in self.calls:
                more = {"create_graph": True} if call in self.again else {}
                try:
                    result = call.function(*mapped(call.args, known), **mapped(call.kwargs, known), **more)
                except CLTensorError as error:
                    raise located(error, f"defined at {call.line}") from None
                found[call] = [self._tracked(call, i, x) for i, x in enumerate(leaves(result))]
        return found

    def _tracked(self, node, place, value):
        """A value, which requires grad where gradients are wanted for it."""
        if (node, place) not in self.wanted or value.requires_grad:
            return value
        return value.detach().requires_grad_()


def _handed_out(value, outside):
    """A result without history, in memory that nothing else writes to."""
    if not hasattr(value, "_storage"):
        return value
    return value.detach().clone() if id(value._storage) in outside else value.detach()


def located(error, where):
    """An error whose message ends with a place; the first place counts."""
    if ", defined at " in str(error):
        return error
    error.args = (f"{error}, {where}", *error.args[1:])
    return error
