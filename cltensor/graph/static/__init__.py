"""Static graphs: defined once with symbols in place of tensors, then run."""

from .graph import Graph
from .symbols import Symbol, Unknown, Variable

__all__ = ["Graph", "Symbol", "Unknown", "Variable"]
