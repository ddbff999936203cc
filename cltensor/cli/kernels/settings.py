"""Template parameters from the command line: NAME=VALUE, checked against the template's defaults."""

import ast

from ...base import dtypes
from ...codegen import templates
from ...codegen.parameters import Parameter
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
        parameter = templates.declared(found.name)[name]
        values[name] = convert(name, value, parameter.default, parameter)
        wrong = parameter.check(values[name])
        if wrong:
            raise UsageError(f"--set {text}: {name} does not render right with it; {wrong}{_meant(parameter)}")
    return values


def _meant(parameter):
    return f" ({parameter.meaning}, by default {parameter.default!r})" if parameter.meaning else ""


def convert(name, text, default, parameter=None):
    """`text` as a value of the same kind as the parameter's default, or one of the few it may have.  Raises UsageError."""
    for value in getattr((parameter or Parameter(default)).allowed, "values", ()):
        if isinstance(value, (str, type(None))) and str(value).lower() == text.lower():
            return value
    if default is None and text.lower() == "none":
        return None
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


def _word_or_tuple(text):
    return None if text.lower() == "none" else text if text.isidentifier() else _literal_tuple(text)


def _frozen(value):
    return tuple(map(_frozen, value)) if isinstance(value, (tuple, list)) else value


_KINDS = (
    (bool, lambda text: TRUTH[text.lower()], "true or false"),
    (int, lambda text: int(text, 0), "a whole number"),
    (float, float, "a number"),
    ((tuple, list), _literal_tuple, "a Python tuple"),
    (type(None), _word_or_tuple, "None, a name or a Python tuple"),
)
