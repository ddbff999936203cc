"""Passes: pure functions from a Graph to one that computes the same with less work."""

from .common_subexpressions import merge_common
from .dead_code import drop_dead
from .epilogues import fuse_epilogues
from .fusion import fuse_elementwise

#: all passes, in the order in which they run
PASSES = (drop_dead, merge_common, fuse_elementwise, fuse_epilogues, drop_dead)


def optimized(graph):
    """The graph after all passes."""
    for run in PASSES:
        graph = run(graph)
    return graph
