"""Graphviz: drawings in the DOT language.  Source: "The DOT Language", graphviz.org."""

from .drawing import drawing

_STYLES = {"kernel": "shape=box, style=rounded", "argument": "shape=house", "held": "shape=cylinder", "gradient": "shape=cylinder",
           "constant": "shape=note", "result": "shape=invhouse"}


def digraph(programs):
    """The DOT text of (title, graph, kernels) of some programs, one cluster each."""
    return of_drawings([(title, *drawing(graph, kernels)) for title, graph, kernels in programs])


def of_drawings(drawings):
    """The DOT text of (title, vertices, edges) of some drawings, one cluster each."""
    lines = ["digraph cltensor {", "  node [fontname=monospace, fontsize=10];", "  edge [fontname=monospace, fontsize=8];"]
    for i, (title, vertices, edges) in enumerate(drawings):
        lines += [f"  subgraph cluster_{i} {{", f"    label={quoted(title)};"]
        lines += [f"    {line}" for line in _statements(f"p{i}", vertices, edges)]
        lines.append("  }")
    return "\n".join([*lines, "}\n"])


def quoted(text):
    """A DOT string: in double quotes, with backslashes, quotes and line ends escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _statements(prefix, vertices, edges):
    for v in vertices:
        yield f"{prefix}_{v.key} [label={quoted(chr(10).join(v.lines))}, {_STYLES[v.kind]}];"
    for e in edges:
        yield f"{prefix}_{e.source} -> {prefix}_{e.target} [label={quoted(e.label)}{', style=dashed' if e.stays else ''}];"
