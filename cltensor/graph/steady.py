"""Steady: launches whose results depend on parameters and buffers alone are left out until somebody writes to those.

Weights that are packed for convolutions, transposed or cast to another dtype are such results.  Whoever writes to a tensor counts
its storage's version up, so a look at the versions tells.
"""

from .call import LaunchNumber, Number
from .ir import Block, Origin, Scalar, Use

KEPT = 2  # calls in a row that find memory as the one before did, until results are kept
MOVING = 8  # calls in a row that find it changed, until they are computed at each call again
MOST = 1 << 26  # bytes of results of nodes, which get memory of their own


class Steady:
    """The launches to leave out and the others, in order; the storages that the former depend on.

    kept: whether they are left out now.
    """

    def __init__(self, launches, rest, storages):
        self.launches, self.rest, self.storages = launches, rest, storages
        self.versions, self.same, self.changed, self.kept = None, 0, 0, False

    def refresh(self, device):
        """Before the launches of a call: note what has changed, and compute anew what is kept.  The device lock must be held."""
        versions = [s.version for s in self.storages]
        if versions == self.versions:
            self.same, self.changed = self.same + 1, 0
            self.kept = self.kept or self.same >= KEPT
            return
        self.forget()  # an interrupt may come between the launches
        self.changed += 1
        if self.kept and self.changed > MOVING:
            self.kept = False
        elif self.kept:
            for launch in self.launches:
                launch.enqueue({}, {}, {}, device)
        self.versions = versions

    def forget(self):
        """Take nothing for known."""
        self.versions, self.same = None, 0


def steady_blocks(graph, members):
    """The blocks that nodes make of `members`, storages, that the program does not write to, and of nothing else."""
    written = {v.block for node in graph.nodes for v in node.writes()}
    outside, versions, found, room = {v.block for v in graph.wanted()}, {}, set(), MOST
    for node in graph.nodes:
        for value in node.writes():
            versions[value.block] = max(versions.get(value.block, 0), value.version)
    once = {v.block for node in graph.once for v in node.writes()}

    def lasts(block):
        return block in found or block in once or block.origin is Origin.CONSTANT or (
            _kept_outside(block, members, written))

    for node in graph.nodes:
        size = sum(v.block.nbytes for v in node.writes())
        if size <= room and not _changing(node) and all(lasts(v.block) for v in node.reads()) and all(
                r.old is None and r.use.block.origin is Origin.MADE and versions[r.use.block] == 1 and r.use.block not in outside
                for r in node.results):
            found.update(v.block for v in node.writes())
            room -= size
    return found


def lasting(node, members, written):
    """Whether the operand that a node's op may pack is one of `members` that the program does not write to.  written: blocks."""
    packs = getattr(node.op, "packs", None)
    o = None if packs is None else node.operands[packs]
    return isinstance(o, Use) and _kept_outside(o.block, members, written)


def _kept_outside(block, members, written):
    return block.origin is Origin.HELD and block.source in members and block not in written


def _changing(node):
    """Whether what a node does may differ from call to call."""
    return node.op.reports_faults or node.regions or any(isinstance(n, Scalar) for n in (*node.operands, *node.numbers))


def steady_of(launches, lasting, held, own):
    """The Steady of launches; None where all of them depend on more.

    lasting: buffers that stay as they are; held: {id(buffer): its Storage} of members that the program does not write to; own:
    buffers that no other program writes to, where results can be kept.
    """
    calls = [launch.call() if hasattr(launch, "call") else None for launch in launches]
    if None in calls or not held:
        return None
    writers, known = {id(b): 0 for b in own}, {*map(id, lasting), *held}
    for place in (p for call in calls for p in {id(p) for p in call.writes} if p in writers):
        writers[place] += 1
    mine, rest, read = [], [], {}
    for launch, call in zip(launches, calls, strict=True):
        if _depends_on(call, known, writers):
            mine.append(launch)
            known.update(map(id, call.writes))
            read.update((id(p), held[id(p)]) for p in call.reads if id(p) in held)
        else:
            rest.append(launch)
    return Steady(mine, rest, list(read.values())) if read else None


def _depends_on(call, known, writers):
    """Whether a Call reads known buffers and numbers that stay, and alone writes to what it writes to."""
    return (not any(isinstance(a, (Block, Number, LaunchNumber)) for a in call.arguments)
            and all(id(p) in known for p in call.reads) and all(writers.get(id(p)) == 1 for p in call.writes))
