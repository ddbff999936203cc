"""Page: one HTML file that shows the programs of a compiled function, with each kernel's source."""

import html
import json
from pathlib import Path

from .drawing import drawing, shown
from .ir import texts
from .placement import HEIGHT, WIDTH, placed

_HIDDEN = ("held", "gradient", "constant")  # memory that is listed with its kernels, and not drawn


def write(path, name, programs):
    """Write the page of some Programs; name: the function's."""
    Path(path).write_text(text(name, programs), encoding="utf-8")


def text(name, programs):
    """The page as text: page.html with the facts in it."""
    sources = {}
    facts = {"name": name, "programs": [_facts(p, sources) for p in programs], "sources": list(sources),
             "box": {"width": WIDTH, "height": HEIGHT}}
    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    data = json.dumps(facts, separators=(",", ":")).replace("<", "\\u003c")
    return page.replace("@NAME@", html.escape(name)).replace("@FACTS@", data)


def _facts(p, sources):
    """What the page shows of one program; sources: {text: its number}, which it adds to."""
    vertices, edges = drawing(p.after, p.kernels)
    drawn = {v.key: v for v in vertices if v.kind not in _HIDDEN}
    edges = [e for e in edges if e.source in drawn and e.target in drawn]
    at = placed(list(drawn), [(e.source, e.target) for e in edges])
    numbers = {id(k): i for i, k in enumerate(p.kernels)}
    return {
        "title": p.title, "backward": p.backward, "text": str(p.after),
        "totals": [["kernels", len(p.kernels_before), len(p.kernels)], ["launches", p.launches_before, p.launches],
                   ["bytes moved", p.bytes_moved_before, p.bytes_moved], ["FLOPs", p.flops_before, p.flops]],
        "memory": p.memory, "passes": list(p.passes),
        "vertices": [{"key": v.key, "kind": v.kind, "lines": v.lines, "x": at[v.key][0], "y": at[v.key][1],
                      "kernel": None if v.kernel is None else numbers[id(v.kernel)]} for v in drawn.values()],
        "edges": [[e.source, e.target, e.label, e.stays] for e in edges],
        "kernels": [_kernel(k, sources) for k in p.kernels]}


def _kernel(k, sources):
    first = k.nodes[0]
    return {"name": k.name, "kind": "fused" if k.fused else first.op.kind, "fused": k.fused, "launches": k.launches,
            "bytes": k.nbytes, "flops": k.flops, "numbers": texts((*first.attrs, *first.numbers)),
            "reads": [shown(u) for n in k.nodes for u in dict.fromkeys(n.uses)],
            "writes": [shown(r.use) for n in k.nodes for r in n.results],
            "sources": [[sources.setdefault(s, len(sources)), count] for s, count in k.sources.items()]}
