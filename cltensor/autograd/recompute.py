"""Recomputation: run part of a forward pass without saving data, and run it again when a gradient needs that data."""

import weakref

from ..base.context import context
from ..base.errors import AutogradError
from ..dispatch.autocast import using
from .modes import enable_grad


class Stretch:
    """The nodes that `run` recorded, and `run` itself to record them again.

    run: a function without arguments; each call must run the same ops on the same shapes.
    check: whether to check that.
    """

    def __init__(self, run, check=True):
        self.run, self.check, self.nodes = run, check, ()
        self.autocast = None if context.autocast is None else context.autocast.alone()  # without casts of what lies outside

    def forward(self):
        """Return run(); the nodes it recorded then hold no saved data."""
        with using(self.autocast):
            result, nodes = _recorded(self.run)
        self.nodes = tuple(map(weakref.ref, nodes))
        for node in nodes:
            node.defer(self)
        return result

    def restore(self):
        """Run again and give every node its saved data."""
        if self.autocast is not None:
            self.autocast.cache.clear()
        with enable_grad(), using(self.autocast):
            _, nodes = _recorded(self.run)
        if self.check:
            self._compare(nodes)
        for reference, fresh in zip(self.nodes, nodes, strict=False):
            node = reference()
            if node is not None and node.deferred is self:
                node.adopt(fresh)

    def _compare(self, nodes):
        if len(nodes) != len(self.nodes):
            raise CheckpointError(f"checkpoint: {len(self.nodes)} operations were recorded during the original forward and "
                                  f"{len(nodes)} during recomputation; the function must do the same each time")
        for reference, fresh in zip(self.nodes, nodes, strict=True):
            node = reference()
            if node is not None and (node.name() != fresh.name() or node.out_specs != fresh.out_specs):
                raise CheckpointError("checkpoint: Recomputed values have different metadata than during the forward pass: "
                                      f"{node.name()} with {_shapes(node)} came back as {fresh.name()} with {_shapes(fresh)}; "
                                      "the function must do the same each time")


class CheckpointError(AutogradError):
    """A checkpointed function ran different ops or shapes the second time."""


def _shapes(node):
    return ", ".join(f"{s.dtype.name} {list(s.shape)}" for s in node.out_specs if s is not None)


def _recorded(run):
    """(run(), the nodes it made)."""
    nodes = []
    outer, context.made = context.made, nodes
    try:
        result = run()
    finally:
        context.made = outer
    if outer is not None:
        outer.extend(nodes)
    return result, nodes
