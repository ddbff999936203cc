"""Drawing: a static graph as vertices and edges."""

import os.path

from ..drawing import Edge, Vertex
from .calls import OWN, Call, Placeholder, symbolic
from .symbols import Symbol

_NAMES = {function: name for name, function in OWN.items()}


def drawing(graph):
    """(vertices, edges) of a static graph."""
    keys = {node: f"n{i}" for i, node in enumerate(graph.nodes)}
    vertices = [Vertex(keys[node], _kind(node), _lines(node)) for node in graph.nodes]
    edges = {}
    for node in graph.nodes:
        for x in filter(symbolic, node.parts()):
            label = _shown(x) + (f" #{x.place}" if x.place else "")
            edges.setdefault((x.node, node, label), Edge(keys[x.node], keys[node], label))
    return vertices, list(edges.values())


def name_of(function):
    """The name of a call's function."""
    return _NAMES.get(function) or getattr(function, "__name__", str(function))


def _kind(node):
    return "kernel" if isinstance(node, Call) else "argument" if isinstance(node, Placeholder) else "held"


def _lines(node):
    where = os.path.basename(node.line)
    if isinstance(node, Call):
        return name_of(node.function), where
    if isinstance(node, Placeholder):
        sizes = ", ".join("?" if n is None else str(n) for n in node.shape)
        return node.name, f"{node.dtype.name}[{sizes}]", where
    return node.name or "constant", f"{node.tensor.dtype.name}{list(node.tensor.shape)}", where


def _shown(x):
    return f"{x!r}".partition("(")[2][:-1] if isinstance(x, Symbol) else "size"
