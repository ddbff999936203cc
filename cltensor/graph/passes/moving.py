"""Moving: whether nodes may change places."""


def passes(node, between):
    """Whether a node may run after, or before, others: none touches what it writes, or writes what it reads."""
    read, written = node.read, node.written
    return all(n is None or (written.isdisjoint(n.touched) and read.isdisjoint(n.written)) for n in between)
