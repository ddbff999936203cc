"""Exported programs: files that run what a function, a module or a training step does, without its code.

`save` writes one, `load` gives a Program to call; `info` and `check` look at a file.  docs/program-format.md is the format, which
the C++ player reads too.
"""

from ..base.calls import named as _named
from .load import check, info, load
from .program import Program
from .save import save

__all__ = ["Program", "check", "info", "load", "save"]

for _name in ("check", "info", "load", "save"):
    _named(globals()[_name], f"export.{_name}")


def __dir__():
    return sorted(__all__)
