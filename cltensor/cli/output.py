"""Plain text as wide as the terminal, at most 80 columns but for tables: these, wrapped fields, numbers; and the facts as JSON."""

import dataclasses
import json
import textwrap

from ..io.atomic import replacing
from .terminal import columns, room

_GAP, _INDENT = 2, 4  # columns between two columns of a table; before the values of a row that has no room beside its title


class Table:
    """A table whose rows come one by one; columns keep two spaces between them, whatever stands in them.

    header: the columns' titles; widths: of what will stand in each, as far as it is known; right: the numbers of columns that are
    right-aligned.  A last column that is left-aligned is wrapped.  Where the terminal is too narrow, a row's other cells stand
    below the first one, each with its title.
    """

    def __init__(self, header, widths, right=()):
        self.header, self.right = [str(title) for title in header], frozenset(right)
        self.widths = [max(len(title), width) for title, width in zip(self.header, widths, strict=True)]
        self._wraps = len(self.header) - 1 not in self.right
        fixed = sum(self.widths[:-1]) + _GAP * (len(self.widths) - 1)
        self._last = max(columns() - 1 - fixed, len(self.header[-1]), 12) if self._wraps else self.widths[-1]
        self.narrow = fixed + min(self._last, self.widths[-1]) >= room()

    def head(self):
        """The lines above the rows."""
        if self.narrow:
            return [*wrapped(self.header[0]), "-" * min(len(self.header[0]), columns() - 1)] if self.header[0] else []
        [titles] = self._aligned(self.header)
        full = sum(self.widths[:-1]) + _GAP * (len(self.widths) - 1) + min(self.widths[-1], self._last)
        return [titles, "-" * max(full, len(titles))]

    def row(self, cells):
        """The lines of one row."""
        cells = [str(c) for c in cells]
        return self._below(cells) if self.narrow else self._aligned(cells)

    def _aligned(self, cells):
        last = textwrap.wrap(cells[-1], self._last, break_on_hyphens=False) if self._wraps else cells[-1:]
        first, *more = last or [""]
        padded = [c.rjust(w) if i in self.right else c.ljust(w)
                  for i, (c, w) in enumerate(zip([*cells[:-1], first], self.widths, strict=True))]
        hanging = " " * len((" " * _GAP).join([*padded[:-1], ""]))
        return [(" " * _GAP).join(padded).rstrip(), *(hanging + line for line in more)]

    def _below(self, cells):
        named = [(title, cell) for title, cell in zip(self.header[1:], cells[1:], strict=True) if cell]
        return [*wrapped(cells[0]), *fields(named, _INDENT)]


def table(header, rows, right=()):
    """Lines of a table; columns whose numbers are in `right` are right-aligned."""
    rows = [[str(c) for c in row] for row in rows]
    made = Table(header, [max((len(row[i]) for row in rows), default=0) for i in range(len(header))], right)
    return [*made.head(), *(line for row in rows for line in made.row(row))]


def wrapped(text, indent="  "):
    """text in lines that fit the terminal, all but the first one indented."""
    return textwrap.wrap(text, columns() - 1, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def fields(pairs, indent=2, column=None):
    """Lines "name  value", values wrapped beside each other, or below their names where the terminal is narrow."""
    pairs = list(pairs)
    column = column or max((len(name) for name, _ in pairs), default=0) + 2
    if indent + column > columns() // 2:
        return [line for name, value in pairs for line in _named(name, str(value), indent)]
    hanging = " " * (indent + column)
    lines = []
    for name, value in pairs:
        first = " " * indent + name.ljust(column)
        lines += textwrap.wrap(str(value), columns() - 1, initial_indent=first, subsequent_indent=hanging,
                               break_long_words=False, break_on_hyphens=False) or [first.rstrip()]
    return lines


def _named(name, value, indent):
    line = " " * indent + "  ".join(filter(None, (name, value)))
    if len(line) < columns():
        return [line]
    hanging = " " * (indent + 2)
    return [" " * indent + name, *textwrap.wrap(value, columns() - 1, initial_indent=hanging, subsequent_indent=hanging,
                                                break_long_words=False, break_on_hyphens=False)]


def as_json(data):
    """data as indented JSON; dataclasses become objects, sets sorted lists, numbers that JSON has not null."""
    return json.dumps(_finite(data), indent=2, default=_plain, allow_nan=False)


def _plain(value):
    if dataclasses.is_dataclass(value):
        return _finite(dataclasses.asdict(value))
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def _finite(value):
    if isinstance(value, dict):
        return {name: _finite(v) for name, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not -_INFINITE < value < _INFINITE else value


_INFINITE = float("inf")


def write_file(path, text):
    """Write text to a file, whole or not at all.  Raises OSError, MissingFolderError."""
    with replacing(path) as file:
        file.write(text.encode("utf-8", "surrogateescape"))


def duration(seconds):
    """Seconds as text with three digits: 8.1 us, 52.3 ms, 1.04 s."""
    if seconds is None:
        return "-"
    for unit, scale in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale or unit == "us":
            return f"{digits(seconds / scale)} {unit}"
    return ""


def digits(value):
    """A positive number with three significant digits and no exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def plural(n, noun, many=None):
    """"1 device", "2 devices"."""
    return f"{n} {noun if n == 1 else many or noun + 's'}"
