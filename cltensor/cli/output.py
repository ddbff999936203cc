"""Plain text for terminals of 80 columns: tables, wrapped fields, numbers; and the same facts as JSON."""

import dataclasses
import json
import textwrap

from .parser import WIDTH


def table(header, rows, right=()):
    """Lines of a table; columns whose numbers are in `right` are right-aligned."""
    cells = [[str(c) for c in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["  ".join(c.rjust(w) if i in right else c.ljust(w)
                       for i, (c, w) in enumerate(zip(row, widths, strict=True))).rstrip() for row in cells]
    return [lines[0], "-" * min(max(map(len, lines)), WIDTH), *lines[1:]]


def wrapped(text, indent="  "):
    """text in lines of at most 79 columns, all but the first one indented."""
    return textwrap.wrap(text, WIDTH - 1, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def fields(pairs, indent=2, column=None):
    """Lines "name  value", values wrapped beside each other."""
    pairs = list(pairs)
    column = column or max((len(name) for name, _ in pairs), default=0) + 2
    hanging = " " * (indent + column)
    lines = []
    for name, value in pairs:
        first = " " * indent + name.ljust(column)
        lines += textwrap.wrap(str(value), WIDTH - 1, initial_indent=first, subsequent_indent=hanging,
                               break_long_words=False, break_on_hyphens=False) or [first.rstrip()]
    return lines


def as_json(data):
    """data as indented JSON; dataclasses become objects, sets sorted lists."""
    return json.dumps(data, indent=2, default=_plain)


def _plain(value):
    if dataclasses.is_dataclass(value):
        return dataclasses.asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


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
