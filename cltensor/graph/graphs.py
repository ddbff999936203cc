"""Graphs: the captured programs of a compiled function, to be looked at."""

from collections.abc import Sequence

from ..base.errors import CaptureError
from . import dot, page


class Graphs(Sequence):
    """The Programs that a compiled function keeps, each followed by its backward pass: a sequence, printed as their graphs."""

    def __init__(self, name, programs):
        self.name, self._programs = name, tuple(programs)

    def __len__(self):
        return len(self._programs)

    def __getitem__(self, index):
        found = self._programs[index]
        return Graphs(self.name, found) if isinstance(index, slice) else found

    def __str__(self):
        return "\n\n".join(f"{p.title}\n{p.after}" for p in self)

    def to_dot(self, *, captured: bool = False) -> str:
        """Graphviz text of all programs: kernels, memory from outside and results, with views, offsets and versions on the edges.

        captured: draw the programs as they were captured, before the passes.
        Raises CaptureError where nothing was captured yet.  Source: the DOT language of Graphviz.

            >>> f = ct.compile(lambda x: x * 2 + 1)
            >>> y = f(ct.ones(2))
            >>> f.graph.to_dot().splitlines()[0]
            'digraph cltensor {'
        """
        self._need("to_dot")
        return dot.digraph([(p.title, p.before, p.kernels_before) if captured else (p.title, p.after, p.kernels) for p in self])

    def to_html(self, path) -> None:
        """Write one page to a file: the graphs drawn, kernels' sources a click away, launches and bytes in a table.

        The file needs nothing else, no network either.
        Raises CaptureError where nothing was captured yet, OSError where the file cannot be written.  Source: HTML, WHATWG.

            f.graph.to_html("step.html")
        """
        self._need("to_html")
        page.write(path, self.name, self)

    def _need(self, call):
        if not self._programs:
            raise CaptureError(f"{call}: {self.name} has captured no program; call it with ordinary tensors first, and see "
                               "explain() for why it runs eagerly")
