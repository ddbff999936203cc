"""draw: a model as boxes of modules and the data that flows between them, as SVG.  Source: Scalable Vector Graphics 1.1, W3C."""

from __future__ import annotations

import html
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from ..base.dtypes import dtype
from ..base.errors import ArgumentError
from ..graph.placement import HEIGHT, WIDTH, placed
from ..nn.modules.module import Module
from .module_flow import Box, ModuleFlow
from .module_trace import inputs_of, trace

_FILLS = {"input": "#d9f2dd", "output": "#fde6cf", "layer": "#d7e6fa", "module": "#eceff3", "op": "#ffffff"}
_ROOM, _WIDE = 34, 26  # characters that a line of a box has room for, and a title that may have to be squeezed
_ABOVE, _AROUND, _MARGIN = 15, 5, 24  # of a frame, for each level of frames inside it; around the picture
_STYLE = ("text{font-family:system-ui,sans-serif;fill:#1c2733}.t{font-size:11.5px;font-weight:600}.s{font-size:10.5px;fill:#44546a}"
          ".f{font-size:10px;fill:#6b7a8d;paint-order:stroke;stroke:#f4f7fb;stroke-width:3px}.b{stroke:#7d8fa6;stroke-width:1}.e{fill:none;stroke:#5b6b80;stroke-width:1.3}"
          ".g{fill:#f4f7fb;stroke:#b9c5d4;stroke-dasharray:4 3}")


@dataclass(frozen=True)
class ModelDrawing:
    """A drawing of a model; a notebook shows it, save writes it.

    svg: the picture as text; boxes: what is drawn, in the order of the data; edges: {(key of the source, of the target): shapes}.
    Never raises; no dtype plays a part.  Source: Scalable Vector Graphics 1.1, W3C 2011.

        >>> ct.utils.draw(ct.nn.ReLU(), ct.zeros(2)).edges
        {('v0', 'v1'): [(2,)], ('v1', 'v2'): [(2,)]}
    """

    svg: str = field(repr=False)
    boxes: tuple[Box, ...] = field(repr=False)
    edges: dict[tuple[str, str], list[tuple[int, ...]]] = field(repr=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to an .svg file.  Raises OSError where it cannot be written."""
        Path(path).write_text(self.svg, encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"ModelDrawing({len(self.boxes)} boxes, {len(self.edges)} edges)"


def draw(model: Module, input_data: Any = None, *, input_size: Any = None, depth: int = 2,
         dtypes: Sequence[dtype] | None = None) -> ModelDrawing:
    """Draw a model: its modules with the shapes of their results, and which of them hands data to which.

    One forward pass is noted down, on meta tensors where that is possible, so nothing is computed.  Modules are drawn down to
    `depth`, those that contain them as frames; ops that a module calls itself, such as the addition around a residual block, have
    boxes of their own.  What only hands on its argument, such as an Identity, is left out.

    Args: input_data, a tensor of any shape and dtype, a tuple or list of arguments, or a dict of them by name; or instead of it
        input_size, a shape with its batch, several, or a dict, with dtypes, float32 by default.
    Raises ArgumentTypeError for what is no Module, ArgumentError for a depth below 1, and without input.
    Source: layers are placed by Sugiyama, Tagawa and Toda 1981.

        >>> picture = ct.utils.draw(ct.nn.Sequential(ct.nn.Linear(4, 8), ct.nn.ReLU()), ct.zeros(1, 4))
        >>> [box.title for box in picture.boxes]
        ['input', 'Linear', 'ReLU', 'output']
        >>> picture.svg[:4]
        '<svg'
    """
    if depth < 1:
        raise ArgumentError(f"draw: depth must be at least 1, got {depth}")
    args, kwargs = inputs_of("draw", input_size, input_data, dtypes)
    flow = ModuleFlow(trace(model, args, kwargs, "draw"), depth)
    return ModelDrawing(_svg(flow), tuple(flow.boxes), dict(flow.edges))


def _svg(flow):
    at, bends = _positions(flow)
    frames = _frames(flow, at, bends)
    xs = [x for x, _ in [*at.values(), *(p for points in bends.values() for p in points)]]
    left = min([min(xs) - WIDTH / 2, *(f[1] for f in frames)], default=0) - _MARGIN
    right = max([max(xs) + WIDTH / 2, *(f[3] for f in frames)], default=0) + _MARGIN
    top = min((y for _, y in at.values()), default=0) - HEIGHT / 2 - _MARGIN
    bottom = max((y for _, y in at.values()), default=0) + HEIGHT / 2 + _MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{right - left:.0f}" height="{bottom - top:.0f}" '
             f'viewBox="{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}">', f"<style>{_STYLE}</style>",
             '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
             '<path d="M0 0L8 4L0 8z" fill="#5b6b80"/></marker></defs>',
             f'<rect x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" height="{bottom - top:.0f}" fill="#ffffff"/>']
    parts += [_frame(*f) for f in frames]
    parts += [_edge(at[s], at[t], bends[s, t], shapes) for (s, t), shapes in flow.edges.items()]
    parts += [_label(*f[:3]) for f in frames]
    parts += [_box(b, *at[b.key]) for b in flow.boxes]
    return "\n".join([*parts, "</svg>"])


def _positions(flow):
    """({key: middle of its box}, {edge: the points that it passes between its ends, one in each layer})."""
    layers = _layers([b.key for b in flow.boxes], flow.edges)
    keys, edges, chains = [], [], {}
    into = {}
    for source, target in flow.edges:
        into.setdefault(target, []).append(source)
    for box in flow.boxes:
        for source in into.get(box.key, ()):
            chain = [f"{source}>{box.key}>{i}" for i in range(layers[box.key] - layers[source] - 1)]
            keys += chain
            edges += zip([source, *chain], [*chain, box.key], strict=True)
            chains[source, box.key] = chain
        keys.append(box.key)
    levels = max((len(b.frames) for b in flow.boxes), default=0)
    stretch = 1 + max(0, levels * (_ABOVE + _AROUND) - HEIGHT + 10) / (2 * HEIGHT)  # rows so far apart that frames fit between
    at = {k: (x, y * stretch) for k, (x, y) in placed(keys, edges).items()}
    return {b.key: at[b.key] for b in flow.boxes}, {edge: [at[k] for k in chain] for edge, chain in chains.items()}


def _layers(keys, edges):
    """{key: layer}: just below the lowest that it reads; what reads nothing just above its first reader."""
    above, below = {k: [] for k in keys}, {k: [] for k in keys}
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    layers = {}
    for k in keys:
        layers[k] = max((layers[a] + 1 for a in above[k]), default=0)
    for k in keys:
        if not above[k] and below[k]:
            layers[k] = min(layers[b] for b in below[k]) - 1
    return layers


def _frames(flow, at, bends):
    """[(title, left, top, right, bottom)] of the modules around boxes, the outermost first, where no other box is in the way."""
    members = {}
    for box in flow.boxes:
        for call in box.frames:
            members.setdefault(call, []).append(box)
    found = []
    for call, inside in sorted(members.items(), key=lambda item: item[0].depth):
        levels = max(len(b.frames) - b.frames.index(call) for b in inside)
        xs, ys = [at[b.key][0] for b in inside], [at[b.key][1] for b in inside]
        own = {b.key for b in inside}
        passed = [x for edge, points in bends.items() if own.issuperset(edge) for x, _ in points]
        left = min([min(xs) - WIDTH / 2, *passed]) - _AROUND * levels
        right = max([max(xs) + WIDTH / 2, *passed]) + _AROUND * levels
        top, bottom = min(ys) - HEIGHT / 2 - _ABOVE * levels, max(ys) + HEIGHT / 2 + _AROUND * levels
        foreign = [at[b.key] for b in flow.boxes if call not in b.frames]
        if not any(left < x + WIDTH / 2 and x - WIDTH / 2 < right and top < y + HEIGHT / 2 and y - HEIGHT / 2 < bottom
                   for x, y in foreign):
            found.append((f"{call.name}: {call.module._get_name()}", left, top, right, bottom))
    return found


def _frame(title, left, top, right, bottom):
    return f'<rect class="g" x="{left:.0f}" y="{top:.0f}" width="{right - left:.0f}" height="{bottom - top:.0f}" rx="9"/>'


def _label(title, left, top):
    return f'<text class="f" x="{left + 7:.0f}" y="{top + 11:.0f}">{_escaped(title)}</text>'


def _edge(start, end, bends, shapes):
    points = [(start[0], start[1] + HEIGHT / 2), *bends, (end[0], end[1] - HEIGHT / 2 - 1)]
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (y0 + y1) / 2
        path += f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}"
    return (f'<path class="e" d="{path}" marker-end="url(#a)"><title>{_escaped(", ".join(map(size_text, shapes)))}</title></path>')


def _box(box, x, y):
    lines = [f"{box.name}: {box.title}" if box.name else box.title, _facts(box)]
    left, top = x - WIDTH / 2, y - HEIGHT / 2
    title = _cut(lines[0], _ROOM - 4)
    squeeze = f' textLength="{WIDTH - 14}" lengthAdjust="spacingAndGlyphs"' if len(title) > _WIDE else ""
    full = _escaped("\n".join([lines[0], *map(size_text, box.shapes)]))
    return (f'<g><title>{full}</title><rect class="b" x="{left:.1f}" y="{top:.1f}" width="{WIDTH}" height="{HEIGHT}" '
            f'rx="{4 if box.kind in ("layer", "module") else 14}" fill="{_FILLS[box.kind]}"/>'
            f'<text class="t" x="{x:.1f}" y="{y - 3:.1f}" text-anchor="middle"{squeeze}>{_escaped(title)}</text>'
            f'<text class="s" x="{x:.1f}" y="{y + 14:.1f}" text-anchor="middle">{_escaped(_cut(lines[1], _ROOM))}</text></g>')


def _facts(box):
    shapes = size_text(box.shapes[0]) + (f" +{len(box.shapes) - 1}" if len(box.shapes) > 1 else "") if box.shapes else ""
    return shapes + (f" · {_count(box.parameters)} params" if box.parameters else "")


def _count(n):
    return f"{n:,}" if n < 100_000 else f"{n / 1e3:.0f} k" if n < 1e6 else f"{n / 1e6:.1f} M" if n < 1e9 else f"{n / 1e9:.1f} G"


def size_text(shape):
    """A shape in words: "2 x 3"; "scalar" for ()."""
    return " x ".join(map(str, shape)) or "scalar"


def _cut(text, room):
    return text if len(text) <= room else text[: room - 1] + "…"


def _escaped(text):
    return html.escape(text)
