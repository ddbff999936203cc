"""Control flow by functions: what a program does may depend on values on the device, and it is captured all the same."""

from ..base.calls import named_all as _named_all
from .conditional import cond
from .loops import while_loop
from .scans import associative_scan, map, scan

__all__ = ["associative_scan", "cond", "map", "scan", "while_loop"]

_named_all(globals())
