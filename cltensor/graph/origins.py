"""Origins: which nodes of a program as captured a node after the passes does the work of."""

import itertools


def origins(stages):
    """A function from a node of the last graph to the nodes of the first one that it stands for, in order.

    stages: (name, graph) of each, see `passes.stages`.
    """
    graphs = [graph for _, graph in stages]
    found = {id(n): (n,) for n in graphs[0].nodes}
    for before, after in itertools.pairwise(graphs):
        makers = {value: node for node in before.nodes for value in node.writes()}
        found = {id(n): _joined(found, _parts(n, makers)) for n in after.nodes}
    order = {id(n): i for i, n in enumerate(graphs[0].nodes)}
    return lambda node: tuple(sorted(found[id(node)], key=lambda n: order[id(n)]))


def _parts(node, makers):
    """The nodes of one graph that a node of the next one replaces: back from what it writes to what it reads."""
    first = makers.get(node.writes()[0]) if node.writes() else None
    if first is not None and (first is node or (first.op is node.op and first.writes() == node.writes())):
        return [first]
    found, stop, pending = {}, set(node.reads()), list(node.writes())
    for value in pending:  # grows in the loop
        maker = makers.get(value)
        if maker is not None and id(maker) not in found:
            found[id(maker)] = maker
            pending += [v for v in maker.reads() if v not in stop]
    return list(found.values())


def _joined(found, nodes):
    return tuple({id(p): p for n in nodes for p in found[id(n)]}.values())
