"""Drawing: a program as vertices and edges, for Graphviz and for the page."""

from dataclasses import dataclass

from .ir import Origin, typed

_KINDS = {Origin.ARGUMENT: "argument", Origin.HELD: "held", Origin.GRADIENT: "gradient", Origin.CONSTANT: "constant",
          Origin.MADE: "constant"}  # made by a node that runs once


@dataclass(frozen=True)
class Vertex:
    """A kernel, memory from outside (argument, held, gradient, constant) or a result.

    lines: what is written in it; kernel: its Kernel, None for memory.
    """

    key: str
    kind: str
    lines: tuple
    kernel: object = None


@dataclass(frozen=True)
class Edge:
    """What one vertex reads of another: the value, its dtype and shape, and its strides and offset where it is a view.

    stays: it is only the rest of memory that the target writes in part.
    """

    source: str
    target: str
    label: str
    stays: bool = False


def drawing(graph, kernels):
    """(vertices, edges) of a graph that is launched as these kernels."""
    vertices, edges, homes = [], {}, {}

    def home(value):
        if value not in homes:
            homes[value] = f"m{value.block.number}"
            vertices.append(Vertex(homes[value], _KINDS[value.block.origin], _memory(value.block)))
        return homes[value]

    def join(source, target, label, stays=False):
        edges.setdefault((source, target, label), Edge(source, target, label, stays))

    for i, kernel in enumerate(kernels):
        key = f"k{i}"
        for node in kernel.nodes:
            read = {u.value for u in node.uses}
            for use in node.uses:
                join(home(use.value), key, shown(use))
            for result in node.results:
                if result.old is not None and result.old not in read and _there(result.old, homes):
                    join(home(result.old), key, f"rest of {result.old!r}", True)
        vertices.append(Vertex(key, "kernel", (f"{i}: {kernel.name}", *_written(kernel)), kernel))
        homes.update((value, key) for node in kernel.nodes for value in node.writes())
    for kind, uses in (("result", graph.outputs), (".grad", graph.grads)):
        for i, use in enumerate(uses):
            vertices.append(Vertex(f"{'rg'[kind != 'result']}{i}", "result", (f"{kind} {i}", typed(use.spec))))
            join(home(use.value), vertices[-1].key, shown(use))
    return vertices, list(edges.values())


def shown(use):
    """A Use in words: its value, dtype and shape, and strides and offset where they are not those of whole memory."""
    s = use.spec
    strides = "" if s.contiguous else f" strides {tuple(s.strides)}"
    return f"{use.value!r} {typed(s)}{strides}{f' @{use.offset}' if use.offset else ''}"


def _memory(block):
    kind, number = _KINDS[block.origin], f" {block.source}" if block.origin is Origin.ARGUMENT else ""
    return f"{kind}{number}", f"{block!r}, {block.nbytes} bytes"


def _written(kernel):
    """One line for each result; those that are written in place name the version they follow."""
    for node in kernel.nodes:
        for r in node.results:
            version = r.use.value.version
            again = version > 1 or r.use.block.origin is not Origin.MADE
            yield shown(r.use) + (f", in place of {r.use.block!r}.{version - 1}" if again else "")


def _there(value, homes):
    """Whether the memory of a value had contents: it is from outside, or something wrote to it."""
    return value in homes or value.block.origin is not Origin.MADE
