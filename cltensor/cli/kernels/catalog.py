"""The kernels that can be rendered: the templates, with dtypes, launch styles and parameters, and the ops that use them."""

import re
from dataclasses import dataclass

from ... import nn, optim  # noqa: F401  (declare their ops)
from ...base import dtypes
from ...codegen import templates
from ...dispatch import registry
from ..parser import one_of

STYLES = ("cpu", "gpu")
GENERATED = ("elementwise", "reduction")


@dataclass(frozen=True)
class Entry:
    """A template: name, one-sentence summary, launch styles, parameters with defaults.

    dtypes is empty if there is no choice.
    """

    name: str
    summary: str
    dtypes: tuple
    styles: tuple
    parameters: dict


def entry(name):
    """The Entry of a template.  Raises UsageError, naming the nearest, for an unknown name."""
    one_of(dict.fromkeys(templates.names()), name, "there is no kernel template")
    module = templates.template(name).module
    parameters = templates.parameters(name)
    kinds = registry.DTYPE_SETS[module.DTYPES] if "dtype" in parameters else ()
    return Entry(name, summary(name), kinds, templates.styles(name), parameters)


def entries(names=()):
    """The Entries with these names; by default all."""
    return [entry(name) for name in names or templates.names()]


def summary(name):
    """The first sentence of the template's head, without the leading name."""
    source = templates.template(name).source
    head = []
    for line in source.splitlines():
        if not line.startswith("##") or not line.strip("# "):
            break
        head.append(line.strip("# "))
    text = " ".join(head)
    sentence = re.split(r"(?<=[a-z)\]\w])\.(?:\s|$)", text, maxsplit=1)[0].rstrip(".:")
    title, colon, rest = sentence.partition(": ")
    return rest if colon and title.lower() == name else sentence


def allowed(found):
    """{parameter: its allowed values in words, or None for any of its default's type} of an Entry."""
    return {name: p.allowed and str(p.allowed) for name, p in templates.declared(found.name).items() if name in found.parameters}


def variants(found, chosen_dtypes=None, chosen_styles=None):
    """(dtype, style) pairs of an Entry, restricted to the chosen ones; the dtype is None if there is no choice."""
    return [(d, s) for s in found.styles for d in found.dtypes or (None,)
            if (not chosen_dtypes or d is None or d in chosen_dtypes) and (not chosen_styles or s in chosen_styles)]


def ops():
    """{name: op} of the registered ops whose kernels are generated for them: elementwise and reduction."""
    return {name: op for name, op in registry.REGISTRY.items() if op.kind in GENERATED}


def launching():
    """{name: op} of the registered ops that launch kernels."""
    return {name: op for name, op in registry.REGISTRY.items() if op.kind in (*GENERATED, "scan", "kernel")}


#: what the ops of public functions add to their names
_ENDINGS = ("_reduce", "_dim", "_dense", "_rows", "_along", "_forward", "_seeded")
#: functions whose op bears another name: by the number of dimensions in the function's name, or by tradition
_ELSEWHERE = {"conv": "convolution", "max": "amax", "min": "amin", "layer_norm": "norm_forward", "scaled_dot_product_attention":
              "attention_forward", "searchsorted": "search_rows", "bmm": "matmul", "mm": "matmul", "softmin": "softmax_dim",
              "addmm": "addmm_fused", "rand": "random_like", "fft": "fft_c2c", "rfft": "fft_r2c", "irfft": "fft_c2r"}


def op(name):
    """The op with kernels that a public function runs, by either one's name.  Raises UsageError, naming the nearest."""
    known = launching()
    plain = re.sub(r"\dd$", "", name)
    for tried in (name, *(plain + ending for ending in ("", *_ENDINGS)), _ELSEWHERE.get(plain)):
        if tried in known:
            return known[tried]
    public = {n.removesuffix(next((e for e in _ENDINGS if n.endswith(e)), "")): n for n in known}
    return one_of({**known, **public}, name, "there is no op with a kernel")


def sized(names):
    """dtype names as words; "all dtypes" for all of them."""
    if not names:
        return "none to choose"
    return "all dtypes" if set(names) >= set(dtypes.REAL) else ", ".join(d.name for d in names)
