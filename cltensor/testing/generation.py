"""make_tensor: random tensors of a given kind to test with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..base import calls, dtypes
from ..base.errors import ArgumentError
from ..base.layouts import memory_format as MemoryFormat
from ..runtime.device import device as Device
from ..tensor import Tensor
from ..tensor.api.creation import empty_like, sizes
from ..tensor.math.complex_numbers import complex_
from ..tensor.random.sampling import rand, randint

#: dtype categories -> the interval that values are drawn from by default
_INTERVALS = {"bool": (0, 2), "int": (-9, 10), "float": (-9, 9), "complex": (-9, 9)}


def make_tensor(*shape: int | Sequence[int], dtype: dtypes.dtype, device: str | int | Device, low: float | None = None,
                high: float | None = None, requires_grad: bool = False, noncontiguous: bool = False,
                exclude_zero: bool = False, memory_format: MemoryFormat | None = None) -> Tensor:
    """A tensor of random values, spread evenly from low to below high.

    shape: ints, or a sequence of them.  dtype: any.  Without low and high the values are from [-9, 9) for floats and for both parts
    of complex numbers, [-9, 10) for ints, [0, 10) for unsigned ones, {0, 1} for bools; limits beyond the dtype's range are moved to
    it.  noncontiguous: every second element along the last dimension of a larger tensor.  exclude_zero: the smallest positive
    number of the dtype (1 for ints and bools) in place of 0.

    Raises ArgumentError for low >= high, limits that are NaN or outside the dtype's range, requires_grad with ints or bools,
    noncontiguous with memory_format.
    Source: the distributions and default limits of PyTorch 2.13's make_tensor.

        x = testing.make_tensor(3, 4, dtype=cltensor.float32, device="opencl", low=0, high=1)
    """
    shape, d = sizes(shape, "make_tensor"), dtypes.as_dtype(dtype)
    if noncontiguous and memory_format is not None:
        raise ArgumentError("make_tensor: The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
                            f"noncontiguous={noncontiguous} and memory_format={memory_format}")
    if requires_grad and not d.is_inexact:
        raise ArgumentError("make_tensor: `requires_grad=True` is not supported for boolean and integral dtypes, but got "
                            f"dtype={d!r}")
    low, high = _limits(d, low, high)
    wide = noncontiguous and math.prod(shape) > 1
    made = _drawn((*shape[:-1], 2 * shape[-1]) if wide else shape, d, device, low, high)
    made = made[..., ::2] if wide else made
    if exclude_zero:
        made.masked_fill_(made == 0, dtypes.finfo(d).tiny if d.is_inexact else 1)
    if memory_format is not None:
        made = empty_like(made, memory_format=memory_format).copy_(made)
    return made.requires_grad_(requires_grad)


def _limits(d, low, high):
    """(low, high), inside the range of dtype d.  Raises ArgumentError where there is nothing between them."""
    lowest, highest = _range(d)
    first, last = (0, 10) if d.category == "int" and not d.is_signed else _INTERVALS[d.category]
    low, high = first if low is None else low, last if high is None else high
    if math.isnan(low) or math.isnan(high):
        raise ArgumentError(f"make_tensor: `low` and `high` cannot be NaN, but got low={low} and high={high}")
    if low > high or (low == high and not d.is_inexact):
        raise ArgumentError(f"make_tensor: `low` must be less than `high`, but got {low} >= {high}")
    if high < lowest or low >= highest + (not d.is_inexact):
        raise ArgumentError(f"make_tensor: The value interval specified by `low` and `high` is [{low}, {high}), but {d!r} only "
                            f"supports [{lowest}, {highest}]")
    return max(low, lowest), min(high, highest if d.is_inexact else highest + 1)


def _range(d):
    if d.category == "bool":
        return 0, 1
    info = dtypes.finfo(d) if d.is_inexact else dtypes.iinfo(d)
    return info.min, info.max


def _drawn(shape, d, device, low, high):
    if d.is_complex:
        part = dtypes.float32 if d is dtypes.complex32 else d.to_real()
        return complex_(*(_drawn(shape, part, device, low, high) for _ in range(2))).to(d)
    if not d.is_floating_point:
        return randint(math.ceil(low), math.ceil(high), shape, dtype=dtypes.int64, device=device).to(d)
    exact = d if d is dtypes.float64 else dtypes.float32
    spread = rand(shape, dtype=exact, device=device)
    return (spread * high + (1 - spread) * low).clamp(low, high).to(d)


calls.named(make_tensor, "make_tensor")
