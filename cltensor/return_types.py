"""cltensor.return_types: classes of the named tuples that functions return, with torch.return_types' names."""

from .tensor import results as _results

globals().update(_results())

__all__ = tuple(_results())


def __dir__():
    return sorted(__all__)
