"""Rendering: turn a template and its parameters into one self-contained OpenCL C source.

A template file declares its parameters in a Mako module block:

    PARAMETERS = dict(dtype="float32", style="cpu",            every parameter with its default, meaning and values (parameters.py)
                      WGS=Parameter(64, "work-items of a group", powers(16, 256)))
    DTYPES = "floating"                                       the dtypes it supports: all, floating, number, integer
    STYLES = ("cpu", "gpu")                                   the launch styles that it has

It declares its kernel's arguments and launch sizes to `interface` (interface.py), and calls `header(...)` where to insert files of
kernels_cl/: those it names, and those that define the ct_ functions it calls.  `spell("exp", ctype, text)` gives a function's
spelling from the table of scalar functions.  The rendered text starts with a comment that names the template, its parameters and
its launch formula, so a kernel in a cache or a profile explains itself.
"""

import functools
import re
from dataclasses import dataclass, field

from ..base import dtypes
from ..base.errors import ArgumentError
from . import activation as activations
from . import headers, types, vectors
from .functions import spell
from .interface import Buffer, Choice, Interface, Number
from .parameters import Parameter
from .sources import folder, header_text

_REMEMBERED = 512  # sources


@dataclass(frozen=True)
class Source:
    """A rendered kernel source: its text, its template and how to launch it."""

    text: str
    template: str
    launch: str
    interface: object = field(default=None, compare=False, repr=False)
    values: object = field(default=None, compare=False, repr=False)  # of the template's parameters


@functools.cache
def _lookup():
    from mako.lookup import TemplateLookup  # imported here: it would take a fifth of the time of `import cltensor`

    return TemplateLookup([str(folder("templates"))], strict_undefined=True)


def names():
    """All template names, sorted."""
    return sorted(p.name.removesuffix(".cl.mako") for p in folder("templates").glob("*.cl.mako"))


@functools.cache
def template(name):
    """The compiled Mako template.  Raises ArgumentError for an unknown name."""
    if name not in names():
        raise ArgumentError(f"no kernel template {name!r}; there are: {', '.join(names())}")
    return _lookup().get_template(f"{name}.cl.mako")


class _Headers:
    """Marks where to inline kernels_cl files, and collects those that a template asks for by name."""

    MARK = "//@headers@//"

    def __init__(self):
        self.asked = []

    def __call__(self, *names):
        self.asked += names
        return self.MARK + "\n"

    def inlined(self, body):
        """body with the requested files, and those that define the ct_ functions it calls, inserted at the first mark."""
        wanted = list(headers.needed(body))
        for name in self.asked:
            wanted += [n for n in (*headers.needed(header_text(name)), name) if n not in wanted]
        text = "".join(header_text(n) for n in dict.fromkeys(wanted))
        return body.replace(self.MARK, text, 1).replace(self.MARK, "")


def parameters(name):
    """The template's parameters and their defaults."""
    return {k: p.default for k, p in declared(name).items()}


@functools.cache
def declared(name):
    """The template's Parameters, by name."""
    return {k: p if isinstance(p, Parameter) else Parameter(p) for k, p in template(name).module.PARAMETERS.items()}


def styles(name):
    """The launch styles of a template."""
    return template(name).module.STYLES


def render(name, **given):
    """Render template `name`; parameters not given take the template's defaults.

    dtype parameters may be dtypes or their names.  Raises ArgumentError for an unknown parameter.  Returns a Source; the latest are
    remembered.
    """
    try:
        return _remembered(name, **given)
    except TypeError:  # a parameter that cannot be hashed
        return _rendered(name, given)


@functools.lru_cache(_REMEMBERED, typed=True)
def _remembered(name, **given):
    return _rendered(name, given)


def _rendered(name, given):
    found = template(name)
    values = parameters(name)
    unknown = sorted(set(given) - set(values))
    if unknown:
        raise ArgumentError(f"template {name!r} has no parameter {', '.join(unknown)}; it has: {', '.join(values)}")
    values.update(given)
    for k, parameter in declared(name).items():
        wrong = parameter.check(values[k])
        if wrong:
            raise ArgumentError(f"template {name!r}: {k}={values[k]!r} is not right, {wrong}")
    values = {k: dtypes.BY_NAME.get(v, v) if "dtype" in k and isinstance(v, str) else v for k, v in values.items()}
    header, interface = _Headers(), Interface()
    context = {"header": header, "types": types, "vectors": vectors, "activations": activations, "dtypes": dtypes, "spell": spell,
               "interface": interface, "Buffer": Buffer, "Number": Number, "Choice": Choice}
    body = header.inlined(found.render(**context, **values))
    formula = interface.formula
    head = [f"// cltensor kernel: {name}", *(f"//   {k} = {_shown(v)}" for k, v in values.items()), f"// launch: {formula}"]
    return Source(_tidy("\n".join(head) + "\n" + body), name, formula, interface, values)


def _shown(value):
    text = value.name if isinstance(value, dtypes.dtype) else str(value)
    return re.sub(r"\s*\n\s*", " ", text)


def _tidy(text):
    lines = (line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
