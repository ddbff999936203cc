"""What is made of the losses of all elements: their mean, their sum, or nothing."""

import warnings

from ...base.errors import ArgumentError

WORDS = ("mean", "sum", "none")


def check_reduction(reduction):
    """Raise ArgumentError unless reduction is one of the words."""
    if reduction not in WORDS:
        raise ArgumentError(f"{reduction!r} is not a valid value for reduction; use 'mean', 'sum' or 'none'")


def reduced(losses, reduction):
    """Mean, sum, or the losses themselves for "none".  Raises ArgumentError for anything else."""
    check_reduction(reduction)
    return losses if reduction == "none" else getattr(losses, reduction)()


def chosen(reduction, size_average=None, reduce=None):
    """The word that the older arguments ask for, with a warning where they are given; else reduction.

    size_average: mean or sum; reduce: False for "none".  Both are True unless given.
    """
    if size_average is None and reduce is None:
        return reduction
    word = "none" if reduce is not None and not reduce else "mean" if size_average is None or size_average else "sum"
    warnings.warn(f"size_average and reduce args will be deprecated, please use reduction='{word}' instead.", stacklevel=4)
    return word
