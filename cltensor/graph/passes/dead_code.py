"""Dead code: nodes whose results nothing reads are dropped."""


def drop_dead(graph):
    """The graph without nodes that neither an output nor a kept block depends on."""
    wanted, kept = set(graph.wanted()), []
    for node in reversed(graph.nodes):
        if wanted.isdisjoint(node.writes()) and not node.op.reports_faults:
            continue
        wanted.update(node.reads())
        kept.append(node)
    return graph.with_nodes(reversed(kept))
