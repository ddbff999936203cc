"""Moving: whether nodes may change places."""


def passes(read, written, between):
    """Whether what reads and writes these blocks may run after, or before, the nodes between; None among them counts for nothing.

    None of them may touch what it writes, or write what it reads.
    """
    return all(n is None or (written.isdisjoint(n.touched) and read.isdisjoint(n.written)) for n in between)


def untouched(block, nodes):
    """Whether the nodes neither read nor write a block; None among them counts for nothing."""
    return all(n is None or block not in n.touched for n in nodes)
