"""Explanation: what a compiled function has become, in numbers and as text."""

import textwrap
from dataclasses import dataclass, field

from .ir import Origin, typed
from .memory import assign_buffers
from .origins import origins
from .work import kernels, regions

_WIDTH = 100
_SCALES = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1))


@dataclass(frozen=True)
class Program:
    """One captured program: its graph before and after the passes, and what that costs.

    title    its name, and what it takes
    before   the graph as captured; after: the graph that is replayed; passes: (name, number of nodes after it)
    kernels, kernels_before   what is launched, in order
    launches of a replay; memory: bytes that it keeps for values in between
    backward whether it is the backward pass of the program before it
    lacks    how many kernels another process still compiles for it; calls run eagerly until they are there
    """

    title: str
    before: object = field(repr=False)
    after: object = field(repr=False)
    passes: tuple
    kernels: tuple = field(repr=False)
    kernels_before: tuple = field(repr=False)
    launches: int
    memory: int
    backward: bool = False
    lacks: int = 0

    @property
    def launches_before(self):
        """Launches without the passes."""
        return sum(k.launches for k in self.kernels_before)

    @property
    def bytes_moved(self):
        """Bytes that the kernels touch."""
        return sum(k.nbytes for k in self.kernels)

    @property
    def bytes_moved_before(self):
        """Bytes that they would touch without the passes."""
        return sum(k.nbytes for k in self.kernels_before)

    @property
    def flops(self):
        """Floating-point operations, as far as the ops say."""
        return sum(k.flops or 0 for k in self.kernels)

    @property
    def flops_before(self):
        """Floating-point operations without the passes."""
        return sum(k.flops or 0 for k in self.kernels_before)

    def __str__(self):
        return "\n".join([self.title, *_state(self), *_totals(self), *_passes(self.passes), *_table(self.kernels), "  graph",
                          textwrap.indent(str(self.after), "    ")])


@dataclass(frozen=True)
class Explanation:
    """What a compiled function has become; print it.

    name       the function's
    captures   how often it was captured
    sizes      what was made of captures for several sizes, where dimensions are dynamic
    programs   a Program for each set of guards that is kept, followed by its backward pass if it has one; those of pieces last
    reasons    why it runs eagerly, or is split, for some arguments
    splits     of a function in pieces: where it is split and why, "file:line: statement, since ..."
    pieces     of such a function: (the first and the last line, an Explanation) of each piece, and (None, an Explanation) of each
               function that it calls in pieces
    """

    name: str
    captures: int
    own: tuple
    reasons: tuple
    sizes: tuple = ()
    splits: tuple = ()
    pieces: tuple = ()

    @property
    def programs(self):
        """See Explanation."""
        return (*self.own, *(p for _, piece in self.pieces for p in piece.programs))

    @property
    def launches(self):
        """Launches of all programs."""
        return self._sum("launches")

    @property
    def launches_before(self):
        """Launches of all programs without the passes."""
        return self._sum("launches_before")

    @property
    def bytes_moved(self):
        """Bytes that the kernels of all programs touch."""
        return self._sum("bytes_moved")

    @property
    def bytes_moved_before(self):
        """Bytes that they would touch without the passes."""
        return self._sum("bytes_moved_before")

    @property
    def flops(self):
        """Floating-point operations of all programs, as far as their ops say."""
        return self._sum("flops")

    def _sum(self, name):
        return sum(getattr(p, name) for p in self.programs)

    def __str__(self):
        forward = sum(not p.backward for p in self.own)
        head = f"{self.name}: {forward} program{'s' * (forward != 1)} kept, {self.captures} captured"
        if self.splits:
            head += f", split into {sum(lines is not None for lines, _ in self.pieces)} pieces"
        parts = [f"\n{_lines(lines)}{piece}" for lines, piece in self.pieces]
        whys = [f"\nnot captured: {s}" for s in self.splits] or [f"\nruns eagerly, since {r}" for r in self.reasons]
        sizes = [f"dynamic sizes: {text}" for text in self.sizes]
        return "\n".join([head, *sizes, *(f"\n{p}" for p in self.own), *whys, *parts])


def _lines(lines):
    if lines is None:
        return ""
    first, last = lines
    return f"line {first} of " if first == last else f"lines {first} to {last} of "


def programs_of(captured, title, lacks=0):
    """The Programs of a Captured: its own, and that of its backward pass.  lacks: the number of kernels that they wait for."""
    found = [_program(captured, title, lacks)]
    if captured.backward is not None:
        found.append(_program(captured.backward.program, f"{title}, backward", lacks, True))
    return found


def _program(captured, title, lacks, backward=False):
    (_, before), *later = captured.stages
    after, passes = captured.graph, tuple((name, len(graph.nodes)) for name, graph in later)
    made, given = kernels(after, origins(captured.stages)), ", ".join(_inputs(after)) or "no arguments"
    launches, memory = sum(k.launches for k in made), sum(assign_buffers(after)[1])
    if captured.replay is not None:
        launches = len(captured.replay) + sum(k.launches - 1 for k in made if regions(k.nodes[0]))
        memory = captured.replay.nbytes
    plain = kernels(before, copies=False)
    return Program(f"{title}: {given}", before, after, passes, made, plain, launches, memory, backward, lacks)


def _inputs(graph):
    """The arguments that a graph reads, as dtype[shape]."""
    found = {}
    for node in graph.nodes:
        for use in node.uses:
            if use.block.origin is Origin.ARGUMENT:
                found.setdefault(use.block, typed(use.spec))
    return [found[b] for b in sorted(found, key=lambda b: b.number)]


def amount(n, unit=""):
    """A number with three digits and its scale: "1.23 MB"; "-" for None."""
    if n is None:
        return "-"
    prefix, scale = next(((p, s) for p, s in _SCALES if n >= s), ("", 1))
    digits = str(n) if scale == 1 else f"{n / scale:.3g}"
    return f"{digits} {prefix}{unit}".rstrip()


def _state(p):
    if p.lacks:
        yield f"  runs eagerly until another process has compiled {p.lacks} kernel{'s' * (p.lacks != 1)}"


def _totals(p):
    rows = [("kernels", len(p.kernels_before), len(p.kernels), str), ("launches", p.launches_before, p.launches, str),
            ("bytes moved", p.bytes_moved_before, p.bytes_moved, lambda n: amount(n, "B")),
            ("FLOPs", p.flops_before, p.flops, amount)]
    yield f"  {'':<16}{'captured':>12}{'compiled':>12}"
    for name, before, after, shown in rows:
        yield f"  {name:<16}{shown(before):>12}{shown(after):>12}{f'{100 * after / before:.0f} %' if before else '':>8}"
    yield f"  {'memory between':<16}{'':>12}{amount(p.memory, 'B'):>12}"


def _passes(passes):
    text = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in passes)
    return textwrap.wrap(f"nodes after each pass: {text}", _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _table(kernels):
    yield f"  {'#':>4}  {'launches':>8}{'bytes':>10}{'FLOPs':>10}  kernel"
    for i, k in enumerate(kernels):
        head = f"  {i:>4}  {k.launches:>8}{amount(k.nbytes, 'B'):>10}{amount(k.flops):>10}  "
        text = k.name + (f" = {' + '.join(k.fused)}" if k.fused else "")
        yield from textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * (len(head) + 2), break_on_hyphens=False)
