"""Memory of a replay: which blocks that the program makes may share a buffer, since they are not needed at the same time."""

from .ir import Origin


def assign_buffers(graph, groups=None, apart=()):
    """{Block: slot} for the blocks that live within the program only, and the size of each slot in bytes.

    A block takes the free slot whose size is nearest, or a new one.  Slots only grow.
    groups: the nodes in order as lists of those that run at the same time; without it they run one by one.
    apart: blocks to leave out.
    """
    groups = [[node] for node in graph.nodes] if groups is None else groups
    first, last = {}, {}
    for i, nodes in enumerate(groups):
        for value in (v for node in nodes for v in (*node.reads(), *node.writes())):
            first.setdefault(value.block, i)
            last[value.block] = i
    own = inner_blocks(graph) - {*apart}
    inner = [b for b in first if b in own]
    slots, sizes, free = {}, [], set()
    ending = {}
    for block in inner:
        ending.setdefault(last[block], []).append(block)
    starting = {}
    for block in inner:
        starting.setdefault(first[block], []).append(block)
    for i in range(len(groups)):
        for block in starting.get(i, ()):
            fit = min(free, key=lambda s: (sizes[s] < block.nbytes, abs(sizes[s] - block.nbytes)), default=None)
            if fit is None:
                fit = len(sizes)
                sizes.append(0)
            free.discard(fit)
            sizes[fit] = max(sizes[fit], block.nbytes)
            slots[block] = fit
        free.update(slots[block] for block in ending.get(i, ()))
    return slots, sizes


def inner_blocks(graph):
    """The blocks that live within one call only."""
    outside = {v.block for v in (*graph.wanted(), *(v for n in graph.once for v in n.writes()))}
    return {b for n in graph.nodes for b in n.touched if b.origin is Origin.MADE and b not in outside}
