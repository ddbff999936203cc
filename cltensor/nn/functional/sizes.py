"""Settings with one value for all spatial dimensions or one for each, and inputs without a batch."""

from ...base.errors import ArgumentError, ShapeError


def each(value, n, op, name):
    """value as a tuple of n ints.  Raises ArgumentError for another number of values."""
    if hasattr(value, "__index__"):
        return (value.__index__(),) * n
    values = tuple(v.__index__() for v in value)
    if len(values) == 1:
        return values * n
    if len(values) != n:
        raise ArgumentError(f"{op}: {name} must be one int or {n} ints, one for each spatial dimension, got {value}")
    return values


def batched(input, n, op):
    """(input with a batch dimension, whether one was added).  Raises ShapeError unless it has n spatial dimensions."""
    if input.ndim == n + 2:
        return input, False
    if input.ndim == n + 1:
        return input.unsqueeze(0), True
    raise ShapeError(f"{op}: Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {op}, but got input of size: "
                     f"{list(input.shape)}")
