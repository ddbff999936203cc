"""Arithmetic on the places of sparse tensors' values."""

from ...base import dtypes
from ..api.creation import arange, empty
from ..index.searching import searchsorted


def summed(values, place, n):
    """values (k, *) added up in n places: (n, *).  Values of bool are joined by or."""
    if values.dtype is dtypes.bool_:
        return summed(values.to(dtypes.int32), place, n) != 0
    return values.new_zeros((n, *values.shape[1:])).index_add(0, place, values)


def row_starts(rows, n):
    """The compressed form of n rows' sorted numbers: where each row starts, and the end."""
    return searchsorted(rows.contiguous(), arange(n + 1, device=rows.device)) if rows.shape[0] else rows.new_zeros(n + 1)


def no_places(dims, device):
    """The coordinates of nothing."""
    return empty((dims, 0), dtype=dtypes.int64, device=device)
