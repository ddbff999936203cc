"""Template parameters from the command line: NAME=VALUE, checked against the template's defaults."""

import ast

from ...base import dtypes
from ..parser import UsageError, one_of

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse(texts, found):
    """{name: value} of NAME=VALUE texts for the catalog Entry `found`.  Raises UsageError."""
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set {text}: write NAME=VALUE")
        if name in ("style", "dtype"):
            raise UsageError(f"--set {text}: use --{name}")
        one_of(found.parameters, name, f"template {found.name!r} has no parameter")
        if name in values:
            raise UsageError(f"--set {name} is given twice")
        values[name] = convert(name, value, found.parameters[name])
    return values


def convert(name, text, default):
    """`text` as a value of the same kind as the parameter's default.  Raises UsageError."""
    if "dtype" in name:
        return one_of({**dtypes.BY_NAME, **dtypes.ALIASES}, text, "there is no dtype")
    for kind, read, words in _KINDS:
        if isinstance(default, kind):
            try:
                return read(text)
            except (ValueError, SyntaxError, KeyError):
                raise UsageError(f"--set {name}={text}: {name} is {words}, by default {default!r}") from None
    return text


def _literal_tuple(text):
    value = ast.literal_eval(text)
    if not isinstance(value, (tuple, list)):
        raise ValueError
    return _frozen(value)


def _frozen(value):
    return tuple(map(_frozen, value)) if isinstance(value, (tuple, list)) else value


_KINDS = (
    (bool, lambda text: TRUTH[text.lower()], "true or false"),
    (int, lambda text: int(text, 0), "a whole number"),
    (float, float, "a number"),
    ((tuple, list, type(None)), _literal_tuple, "a Python tuple"),
)
