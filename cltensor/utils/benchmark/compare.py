"""Compare: a table of measurements, a row for each task and a column for each description."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from .measurement import Measurement, select_unit, trim_sigfig

_BEST, _BAD, _WORST, _PLAIN = "\033[92m\033[1m", "\033[34m\033[1m", "\033[31m\033[1m", "\033[0m\033[0m"


class Colorize(enum.Enum):
    """What Compare colours: nothing, or times against others of the column or of the row.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's utils.benchmark.

        utils.benchmark.Colorize.ROWWISE
    """

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


class Compare:
    """A table of Measurements for each label: rows by env, threads and sub-label, columns by description.

    Measurements of the same task are merged.  str() of it is the text, print() prints it.  No shape or dtype plays a part.
    Never raises.  Source: the layout of PyTorch 2.13's utils.benchmark.

        utils.benchmark.Compare([timer.timeit(10) for timer in timers]).print()
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results: list[Measurement] = []
        self.extend_results(results)
        self._trimmed, self._colours, self._warned = False, Colorize.NONE, False

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Show only digits that the measurements bear out."""
        self._trimmed = True

    def colorize(self, rowwise: bool = False) -> None:
        """Colour the best times, and those far behind, among the column's or the row's."""
        self._colours = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Mark times that spread widely with (! XX%), the interquartile range in percent of the median."""
        self._warned = True

    def print(self) -> None:
        """Print the tables."""
        print(str(self))

    def __str__(self) -> str:
        groups: dict[str | None, list[Measurement]] = {}
        for m in Measurement.merge(self._results):
            groups.setdefault(m.label, []).append(m)
        return "\n".join(self._table(label, found) for label, found in groups.items())

    def _table(self, label, found):
        columns = list(dict.fromkeys(m.description for m in found))
        rows = list(dict.fromkeys((m.num_threads, m.env, m.as_row_name) for m in found))
        rows.sort(key=lambda row: row[0])
        cells = {((m.num_threads, m.env, m.as_row_name), m.description): m for m in found}
        name, unit = select_unit(min(m.median for m in found))
        texts = [["" if (m := cells.get((row, column))) is None else self._text(m, unit) for column in columns] for row in rows]
        heads = [column or "" for column in columns]
        widths = [max(len(heads[i]), *(len(line[i]) for line in texts)) for i in range(len(columns))]
        names = [f"{row[1] or ''}{': ' if row[1] else ''}{row[2]}" for row in rows]
        first = max(6 + max(map(len, names)), len(f"{max(row[0] for row in rows)} threads: "))
        head = self._line(" " * first, [h.center(w) for h, w in zip(heads, widths, strict=True)])
        width = len(head)
        lines = [f"[{(f' {label} ' if label else '').center(width - 2, '-')}]", head]
        painted = self._paints(rows, columns, cells)
        for i, row in enumerate(rows):
            if not i or rows[i - 1][0] != row[0]:
                lines.append(f"{row[0]} threads: ".ljust(width, "-"))
            shown = [self._painted(texts[i][j].rjust(w), painted.get((i, j))) for j, w in enumerate(widths)]
            lines.append(self._line(f"      {names[i]}".ljust(first), shown))
        words = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}
        return "\n".join([*lines, "", f"Times are in {words[name]} ({name}).", *self._note(found)]) + "\n"

    @staticmethod
    def _line(name, cells):
        return "  |  ".join([name, *cells])

    def _text(self, m, unit):
        value = m.median / unit
        digits = m.significant_figures
        if self._trimmed:
            value = trim_sigfig(value, digits)
            decimals = max(0, digits - len(str(int(abs(value)))))
            text = f"{value:.{decimals}f}"
        else:
            text = f"{value:.1f}"
        return f"(! {100 * m.iqr / m.median:.0f}%) {text}" if self._warned and m.has_warnings else text

    def _note(self, found):
        if not self._warned or not any(m.has_warnings for m in found):
            return []
        return ["(! XX%): the interquartile range is XX % of the median time; something else may have been running."]

    def _paints(self, rows, columns, cells):
        """{(row number, column number): escape sequence} of the times to colour."""
        if self._colours is Colorize.NONE:
            return {}
        found = {(i, j): cells[row, column].median for i, row in enumerate(rows) for j, column in enumerate(columns)
                 if (row, column) in cells}
        by = 0 if self._colours is Colorize.ROWWISE else 1
        best: dict[int, float] = {}
        for place, t in found.items():
            best[place[by]] = min(t, best.get(place[by], t))
        painted = {}
        for place, t in found.items():
            ratio = t / best[place[by]]
            painted[place] = _BEST if ratio <= 1.01 else _WORST if ratio > 2 else _BAD if ratio > 1.25 else None
        return painted

    @staticmethod
    def _painted(text, colour):
        return f"{colour}{text}{_PLAIN}" if colour and text.strip() else text
