"""The results as a table, printed row by row."""

from ..output import Table, digits, duration, wrapped
from .plan import shown

_TIME, _RATE, _RATIO = len("52.3 ms"), len("1234 GFLOP/s"), len("12.34")


class Rows:
    """The table of a plan's results; peer: its name, or None."""

    def __init__(self, chosen, peer, compiled):
        sizes = [shown(size) for _, _, size in chosen]
        widths = {"case": max(len(case.name) for _, case, _ in chosen), "size": max(map(len, sizes))}
        if compiled:
            titles = ["eager", "compiled", *([peer, "compiled"] if peer else []), "ratio"]
        else:
            titles = ["cltensor", "rate", *([peer, "ratio"] if peer else [])]
        self.compiled = compiled
        numbers = [{"rate": _RATE, "ratio": _RATIO}.get(title, _TIME) for title in titles]
        self.table = Table([*widths, *titles], [*widths.values(), *numbers], range(2, 2 + len(titles)))

    def row(self, r):
        """The lines of a result: the row, and below it what is wrong with it."""
        if "error" in r:
            return [*wrapped(f"{r['case']}  {shown(r['size'])}"), *wrapped(f"  FAILED: {r['error']}", "    ")]
        cells = [r["case"], shown(r["size"]), *(self._compiled(r) if self.compiled else self._eager(r))]
        lines = self.table.row([*cells, *[""] * (len(self.table.header) - len(cells))])
        if r.get("runs_eagerly"):
            lines += wrapped(f"  runs eagerly: {r['runs_eagerly'][0]}", "    ")
        if r.get("difference"):
            lines += wrapped(f"  WRONG: differs by {r['difference']:.1g}", "    ")
        return lines

    @staticmethod
    def _eager(r):
        yield from (duration(r["seconds"]), rate(r))
        if "ratio" in r:
            yield from (duration(r["peer_seconds"]), digits(r["ratio"]))

    @staticmethod
    def _compiled(r):
        if "compiled_seconds" not in r:  # a measurement of the device, which is not compiled
            yield duration(r["seconds"])
            return
        yield from (duration(r[n]) for n in ("seconds", "compiled_seconds", "peer_seconds", "peer_compiled_seconds") if n in r)
        yield digits(r["ratio"])


def rate(r):
    """How much a result does per second, or what an op takes, as text; "" where the case does not say."""
    if "ops" in r:
        return f"{digits(r['seconds'] / max(r['ops'], 1) * 1e6)} us/op"
    if "gflops" in r:
        return f"{digits(r['gflops'])} GFLOP/s"
    return f"{digits(r['gbytes'])} GB/s" if "gbytes" in r else ""
