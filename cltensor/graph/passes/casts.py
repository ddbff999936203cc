"""Casts: parameters are converted to another dtype at the beginning of a program, where they can share launches."""

from ..ir import Origin


def gather_casts(graph):
    """The graph with the copies that only convert what it was given, and only once, at its beginning."""
    early = {n for n in graph.nodes if _converts(n)}
    if len(early) < 2:
        return graph
    return graph.with_nodes([*(n for n in graph.nodes if n in early), *(n for n in graph.nodes if n not in early)])


def _converts(node):
    """Whether a node converts memory from outside, as it was before the program, to another floating dtype, all into new memory."""
    if node.op.name != "copy" or len(node.uses) != 1:
        return False
    (source,), (result,) = node.uses, node.results
    new = result.use.block.origin is Origin.MADE and result.use.value.version == 1 and result.old is None
    kinds = source.spec.dtype, result.use.spec.dtype
    return (new and source.block.origin is Origin.HELD and not source.value.version and kinds[0] is not kinds[1]
            and all(d.is_floating_point for d in kinds))
