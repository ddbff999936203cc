"""Find the files of kernels_cl that a piece of OpenCL C needs, from the ct_ functions it calls."""

import functools
import re

from .sources import folder, header_text

_DEFINED = re.compile(r"^static inline \w+ (ct_\w+)\(", re.MULTILINE)
_USED = re.compile(r"\bct_\w+")


@functools.cache
def index():
    """{ct_ function: the kernels_cl file that defines it}."""
    found = {}
    for path in sorted(folder("kernels_cl").glob("*.clh")):
        for name in _DEFINED.findall(path.read_text(encoding="utf-8")):
            found[name] = path.name
    return found


def needed(text):
    """The kernels_cl files that text needs, each after the files it needs itself."""
    order = []
    for name in dict.fromkeys(_USED.findall(text)):
        if name in index():
            _collect(index()[name], order)
    return order


def _collect(file, order):
    if file not in order:
        for other in _uses(file):
            if other not in order:
                _collect(other, order)
        order.append(file)


@functools.cache
def _uses(file):
    names = dict.fromkeys(_USED.findall(header_text(file)))
    return tuple(dict.fromkeys(index()[n] for n in names if n in index() and index()[n] != file))
