"""Awaiting kernels: what a program lacks is compiled by another process, while its calls run eagerly."""

import weakref

from ..base import config
from ..runtime.absent import absent_kernels
from ..runtime.background import background, offered
from .grouping import group_source, grouped
from .replay import lasting_of, planned


def lacking(graph, device, plans, members=()):
    """The sources of a graph's kernels that are neither in memory nor in the disk cache, each once.

    members: see Replay.  plans: gets what `planned` says of each node whose kernels are there, by the node's id.
    """
    found, lasting = {}, lasting_of(graph, members)
    for nodes in (*([n] for n in graph.once), *grouped(graph.nodes)):
        node = nodes[0]
        if len(nodes) > 1:
            source = group_source(nodes)
            sources = [] if device.programs.find(source) is not None else [source]
        elif getattr(node, "regions", ()):
            sources = [s for region in node.regions for s in lacking(region.graph, device, {})]
        else:
            with absent_kernels() as sources:
                plan = planned(node, lasting(node))
            if not sources:
                plans[id(node)] = plan
        found.update((getattr(s, "text", s), s) for s in sources)
    return list(found.values())


def may_wait(device):
    """Whether kernels for a device are compiled by another process."""
    return config.background() and offered(device)


class Awaited:
    """Kernels of a Captured that another process compiles.  left: how many are still to come."""

    def __init__(self, captured, sources, device):
        self.captured, self.sources, self.left = weakref.ref(captured), sources, len(sources)
        background.add(self._build, device)

    def _build(self, build):
        try:
            for source in self.sources:
                if self.captured() is None:
                    return
                build(source)
                self.left -= 1
        finally:
            self.left = 0  # what could not be built is compiled when it is needed
