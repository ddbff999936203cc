"""Passes: pure functions from a Graph to one that computes the same with less work."""

from dataclasses import replace

from .algebra import simplify
from .casts import gather_casts
from .common_subexpressions import merge_common
from .constants import fold_constants
from .copies import forward_copies, join_parts, read_originals
from .dead_code import drop_dead
from .epilogues import fuse_epilogues
from .fusion import fuse_elementwise
from .reductions import absorb_into_reductions
from .sums import merge_sums, split_sums


def optimize_regions(graph):
    """The graph with all passes run on the graphs of its regions."""
    return graph.with_nodes(replace(n, regions=tuple(replace(r, graph=optimized(r.graph)) for r in n.regions)) if n.regions else n
                            for n in graph.nodes)


#: all passes, in the order in which they run
PASSES = (optimize_regions, drop_dead, simplify, merge_common, forward_copies, read_originals, split_sums, fuse_elementwise,
          join_parts, forward_copies, fuse_epilogues, absorb_into_reductions, merge_sums, fold_constants, gather_casts,
          drop_dead)


def stages(graph):
    """(name, graph) of each stage in order: as captured, then after each pass."""
    yield "captured", graph
    for run in PASSES:
        graph = run(graph)
        yield run.__name__, graph


def optimized(graph):
    """The graph after all passes."""
    *_, (_, last) = stages(graph)
    return last
