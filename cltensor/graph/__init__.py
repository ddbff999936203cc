"""Graph mode: programs captured once, then replayed without Python; and static graphs, which are defined first and run later."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .static import Graph, Symbol, Unknown, Variable

__all__ = ["Graph", "Symbol", "Unknown", "Variable"]


def __getattr__(name):
    """Import static graphs on first use: from then on public functions look for symbols among their arguments."""
    if name in __all__:
        from . import static

        return getattr(static, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
