"""ModuleFlow: which modules of a model hand data to which, from the ops of one forward pass."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph.ir import Origin

_ENDINGS = ("_along", "_dim", "_reduce", "_seeded", "_forward", "_activated")
_HIDDEN = "copy"  # a change of layout only


@dataclass(eq=False)
class Box:
    """Something to draw: an input, an output, a module, or ops that a module runs itself.

    kind: "input", "output", "layer" (with parameters), "module" (without) or "op".
    title, name: what it is, and what its parent calls it; shapes: of its results; parameters: how many it has.
    frames: the ModuleCalls around it that are drawn as frames, the outermost first.
    """

    key: str
    kind: str
    title: str
    name: str = ""
    shapes: tuple = ()
    parameters: int = 0
    frames: tuple = ()


class ModuleFlow:
    """boxes, in an order that all edges follow; edges: {(key of the source, key of the target): shapes}.

    depth: modules further down are part of the box above them.
    """

    def __init__(self, made, depth):
        self.boxes, self.edges = [], {}
        self._made, self._depth = made, depth
        self._homes, self._views = {}, {}  # Value -> Box; (Value, Spec) -> Box of a module that only shows it in another shape
        for i, use in enumerate(made.arguments):
            self._homes.setdefault(use.value, self._add("input", f"input {i}" if len(made.arguments) > 1 else "input", (use,)))
        self._visit(made.root, ())
        for i, use in enumerate(made.outputs):
            box = self._add("output", f"output {i}" if len(made.outputs) > 1 else "output", (use,))
            self._join(use, box)

    def _add(self, kind, title, uses, **words):
        shapes = tuple(tuple(u.spec.shape) for u in uses)
        self.boxes.append(Box(f"v{len(self.boxes)}", kind, title, shapes=shapes, **words))
        return self.boxes[-1]

    def _join(self, use, box):
        source = self._home(use)
        if source is not None and source is not box:
            shapes = self.edges.setdefault((source.key, box.key), [])
            shape = tuple(use.spec.shape)
            if shape not in shapes:
                shapes.append(shape)

    def _home(self, use):
        return self._views.get((use.value, use.spec)) or self._homes.get(use.value)

    def _visit(self, call, frames):
        """Add the boxes of one ModuleCall."""
        if not call.children or call.depth == self._depth:
            self._module(call, frames)
            return
        inside, at = (*frames, call) if call.depth else frames, call.first
        for child in call.children:
            self._loose(at, child.first, inside)
            self._visit(child, inside)
            at = child.last
        self._loose(at, call.last, inside)

    def _module(self, call, frames):
        nodes = self._made.nodes[call.first: call.last]
        if not nodes and call.same:
            return
        count = sum(p.numel() for p in call.module.parameters())
        title = call.module._get_name() + (" (again)" if call.repeated and count else "")
        box = self._add("layer" if count else "module", title, call.outputs, name=call.name, parameters=count, frames=frames)
        for use in (u for n in nodes for u in n.uses):
            self._join(use, box)
        for value in (v for n in nodes for v in n.writes()):
            self._own(value, box)
        if not nodes:
            for use in call.inputs:
                self._join(use, box)
            self._views.update(((u.value, u.spec), box) for u in call.outputs)

    def _own(self, value, box):
        if value.block.origin in (Origin.MADE, Origin.ARGUMENT):
            self._homes[value] = box

    def _loose(self, first, last, frames):
        """Add the ops that a module runs between the calls of those inside; what only goes on with the box before becomes part."""
        for n in self._made.nodes[first:last]:
            homes = list(dict.fromkeys(filter(None, map(self._home, n.uses))))
            box = homes[0] if len(homes) == 1 else None
            if n.op.name != _HIDDEN or box is None:
                if box is not None and box.kind == "op" and box.frames == frames and not self._leaves(box):
                    box.title, box.shapes = _joined(box.title, _shown(n.op.name)), _shapes(n)
                elif homes or not n.writes() or n.writes()[0].block.origin is Origin.MADE:
                    box = self._add("op", _shown(n.op.name), [r.use for r in n.results[:1]], frames=frames)
                    for use in n.uses:
                        self._join(use, box)
            for value in n.writes():
                if box is not None:
                    self._own(value, box)

    def _leaves(self, box):
        return any(source == box.key for source, _ in self.edges)


def _shapes(n):
    return tuple(tuple(r.use.spec.shape) for r in n.results[:1])


def _joined(title, name):
    return title if title.endswith(name) else f"{title}, {name}"


def _shown(name):
    for ending in _ENDINGS:
        name = name.removesuffix(ending)
    return name
