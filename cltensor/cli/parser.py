"""Argument parsing: argparse with one-line errors that name the command."""

import argparse
import difflib

from .formatter import Help


class UsageError(Exception):
    """The command line is invalid; exit status 2.

    prog: the command that says so; as_json: whether it was asked for JSON, where that was not understood as an option.
    """

    def __init__(self, text, prog="cltensor", as_json=False):
        super().__init__(text)
        self.prog, self.as_json = prog, as_json


class Parser(argparse.ArgumentParser):
    """An ArgumentParser with one-line errors; options cannot be abbreviated, so that new ones break no script."""

    def __init__(self, *arguments, **options):
        options.setdefault("formatter_class", Help)
        super().__init__(*arguments, allow_abbrev=False, **options)
        self._given = ()

    def parse_known_args(self, args=None, namespace=None):
        """As argparse's, but a command refuses itself what it does not know, and so can say what is near."""
        self._given = list(args or ())
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self._refuse(unknown, found)
        return found, []

    def error(self, message):
        """Raise UsageError."""
        raise UsageError(f"{message}; see {self.prog} --help", self.prog, self._is_for_json())

    def _refuse(self, unknown, found):
        option = next((u for u in unknown if u.startswith("-") and len(u) > 1), None)
        if option is None:
            self.error(f"there is no place for {' '.join(map(repr, unknown))}")
        name = option.partition("=")[0]
        for command in self._chosen(found):
            if name in command._option_string_actions:
                self.error(f"{name} belongs behind the command: {command.prog} {name}")
        self.error(f"there is no option {name}{self._advice(name)}")

    def _advice(self, name):
        """Which command has such an option, or which one of this command was meant."""
        others = [p.prog for p in self._root().descendants() if name in p._option_string_actions]
        if others:
            return f"; {' and '.join(others)} {'has' if len(others) == 1 else 'have'} it"
        own = {option.strip("-"): option for option in self._option_string_actions}
        near = difflib.get_close_matches(name.strip("-"), own, n=2, cutoff=0.6)
        return f"; did you mean {' or '.join(own[n] for n in near)}?" if near else ""

    def _chosen(self, found):
        """The parsers of the commands inside this one that were chosen, the innermost first."""
        parser, chosen = self, []
        while parser := parser._subparser(found):
            chosen.insert(0, parser)
        return chosen

    def _subparser(self, found):
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                return action.choices.get(getattr(found, action.dest, None))
        return None

    def _root(self):
        return getattr(self, "root", self)

    def descendants(self):
        """The parsers of all commands inside this one."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    yield parser
                    yield from parser.descendants()

    def _is_for_json(self):
        """Whether the arguments ask for JSON on standard output, as far as that can be told before they are understood."""
        option = self._option_string_actions.get("--json")
        if option is None or "--json" not in self._given:
            return "--json=-" in self._given
        return option.nargs == 0 or self._given[self._given.index("--json") + 1:][:1] == ["-"]

    def _check_value(self, action, value):
        if action.choices is not None and value not in action.choices:
            known = [str(c) for c in action.choices if c]
            raise argparse.ArgumentError(action, f"there is no {value!r}{suggestion(str(value), known)}")

    def _print_message(self, message, file=None):
        if message:
            file.write(message)  # argparse swallows errors of a full disk or a closed pipe


def command(commands, name, run, summary, **options):
    """Add a sub-command that calls run(options); returns its Parser.  summary: one sentence without a full stop."""
    made = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", **options)
    made.set_defaults(run=run)
    return made


def add_json(parser, what="print the same facts as JSON; docs/command-line.md describes them"):
    """Add --json."""
    parser.add_argument("--json", action="store_true", help=what)


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
