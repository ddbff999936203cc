"""What load is asked for besides the file: devices, whether code may run, how old text is decoded."""

from dataclasses import dataclass
from typing import Any

from .placement import Placement


@dataclass(frozen=True)
class Options:
    """placement: where tensors go; weights_only: whether pickles are refused that run code; pickle_module: the one that runs it."""

    placement: Placement
    weights_only: bool = True
    pickle_module: Any = None
    encoding: str = "utf-8"
    errors: str = "strict"
