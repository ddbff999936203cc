"""Argument parsing: argparse with one-line errors, and the value types that several commands take."""

import argparse
import difflib
import functools
import shutil

from ..base import dtypes

WIDTH = 80


class UsageError(Exception):
    """The command line is invalid; exit status 2."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser with one-line errors; options cannot be abbreviated, so that new ones break no script."""

    def __init__(self, *arguments, **options):
        options.setdefault("formatter_class", width)
        super().__init__(*arguments, allow_abbrev=False, **options)

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def width(prog, formatter=argparse.HelpFormatter):
    """argparse's help formatter, at most 80 columns wide."""
    return formatter(prog, max_help_position=26, width=min(WIDTH, shutil.get_terminal_size().columns) - 1)


def command(commands, name, run, summary, **options):
    """Add a sub-command that calls run(options); returns its Parser.  summary: one sentence without a full stop."""
    made = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", **options)
    made.set_defaults(run=run)
    return made


def add_json(parser):
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def dtype(text):
    """A dtype from its name or alias, as argparse's `type`."""
    return one_of({**dtypes.BY_NAME, **dtypes.ALIASES}, text, "there is no dtype", argparse.ArgumentTypeError)


def one_of(known, text, complaint, error=UsageError):
    """known[text].  Raises `error`: the complaint, the text, and the nearest names, or all if none is near."""
    if text in known:
        return known[text]
    raise error(f"{complaint} {text!r}{suggestion(text, known)}")


def suggestion(text, known):
    """"; did you mean ...?" with the nearest names, or the list of all names if none is near."""
    near = difflib.get_close_matches(text, known, n=3, cutoff=0.55)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    return f"; there are: {', '.join(known)}"


def positive(kind, text):
    """A positive number of this kind (int or float), as argparse's `type` through functools.partial."""
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive {'whole ' if kind is int else ''}number")
    return value


count = functools.partial(positive, int)
seconds = functools.partial(positive, float)
