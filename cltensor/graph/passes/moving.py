"""Moving: whether nodes may change places."""


def passes(node, between):
    """Whether a node may run after, or before, others: none touches what it writes, or writes what it reads."""
    read, written = blocks(node.reads()), blocks(node.writes())
    return all(written.isdisjoint(blocks((*n.reads(), *n.writes()))) and read.isdisjoint(blocks(n.writes()))
               for n in between if n is not None)


def blocks(values):
    """The blocks of values."""
    return {v.block for v in values}
