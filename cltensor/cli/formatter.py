"""How help is laid out: as wide as the terminal, lists in columns."""

import argparse
import textwrap

from .terminal import columns


class Help(argparse.HelpFormatter):
    """argparse's help, as wide as the terminal, at most 80 columns; lines of a text stay lines.

    A line that begins with two spaces is an entry: a name and, after two spaces or more, what it is, wrapped below itself.
    """

    def __init__(self, prog):
        super().__init__(prog, max_help_position=26, width=columns() - 1)

    def _format_usage(self, usage, actions, groups, prefix):
        text = super()._format_usage(usage, actions, groups, prefix)
        if usage is None:
            return text
        return "\n".join(textwrap.wrap(text, self._width, subsequent_indent="    ", break_on_hyphens=False)) + "\n\n"

    def _fill_text(self, text, width, indent):
        return "\n".join(line for paragraph in text.splitlines() for line in self._entry(paragraph, width, indent) or [""])

    @staticmethod
    def _entry(line, width, indent):
        hanging = ""
        if line.startswith("  "):
            name, gap, _ = line[2:].partition("  ")
            rest = line[2 + len(name):]
            column = 2 + len(name) + len(rest) - len(rest.lstrip())
            hanging = " " * (column if gap and column < width // 2 else 4)
        return textwrap.wrap(line, width, initial_indent=indent, subsequent_indent=indent + hanging, break_on_hyphens=False,
                             break_long_words=False)
