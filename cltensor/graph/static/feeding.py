"""Feeding: values for the placeholders of a run."""

from ...base import dtypes
from ...base.errors import DeviceError, DTypeError, GraphError, ShapeError
from ...dispatch.tensor_base import TensorBase
from ...tensor import namespace
from .calls import Placeholder, symbolic
from .recording import outside

tensor = namespace()["tensor"]


def fed(graph, feeds, needed):
    """The tensors for the placeholders that a run needs."""
    found = {}
    for key, value in feeds.items():
        symbol = graph.placeholders.get(key) if isinstance(key, str) else key
        if not symbolic(symbol) or symbol.graph is not graph or not isinstance(symbol.node, Placeholder):
            raise GraphError(f"Graph.run: {key!r:.80} is no placeholder of this graph; it has: {', '.join(graph.placeholders)}")
        found[symbol.node] = _value(graph, symbol.node, value)
    missing = [n for n in needed if n not in found]
    if missing:
        raise GraphError("Graph.run: " + "; ".join(f"the placeholder {n.name!r}, defined at {n.line}, is needed and not fed"
                                                   for n in missing))
    return [found[n] for n in needed]


def _value(graph, node, value):
    """A value for a placeholder, as a tensor of its dtype on the graph's device."""
    if symbolic(value):
        raise GraphError(f"Graph.run: {node.name!r} is fed {value!r}, which has no values; run its graph first")
    given = isinstance(value, TensorBase)
    with outside(), graph.device:
        made = value.detach() if given else tensor(value)
        if made.device != graph.device:
            raise DeviceError(f"Graph.run: {node.name!r} is fed a tensor on {made.device}, and the graph runs on {graph.device}; "
                              f"move it with .to({str(graph.device)!r})")
        if not dtypes.can_cast(made.dtype, node.dtype) or (given and made.dtype is not node.dtype):
            raise DTypeError(f"Graph.run: {node.name!r} is fed {made.dtype.name}, and holds {node.dtype.name}; convert it first")
        shape = tuple(made.shape)
        if len(shape) != len(node.shape) or any(n not in (None, m) for n, m in zip(node.shape, shape, strict=True)):
            wanted = ", ".join("any" if n is None else str(n) for n in node.shape)
            raise ShapeError(f"Graph.run: {node.name!r} is fed a tensor of shape {list(shape)}, and its shape is [{wanted}]")
        return made.to(node.dtype)
