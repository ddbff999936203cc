"""Random leaves: shapes, dtypes and values small enough that sums of them are exact in the narrow types."""

import math

from .program import Leaf

FLOATS = ("float32", "float64", "float16", "bfloat16")
INTS = ("int64", "int32", "int16", "int8", "uint8")
SPECIAL = (math.nan, math.inf, -math.inf, -0.0, 0.0)


def shape(rng, ndim=None):
    """A shape of up to 5 dimensions; one in 12 holds no element."""
    ndim = rng.choices(range(6), (2, 5, 7, 4, 2, 1))[0] if ndim is None else ndim
    sizes = [rng.choice((1, 2, 2, 3, 3, 4, 5, 7)[: 8 - ndim]) for _ in range(ndim)]
    if ndim and rng.random() < 1 / 12:
        sizes[rng.randrange(ndim)] = 0
    elif ndim in (1, 2) and rng.random() < 1 / 12:
        sizes[rng.randrange(ndim)] = rng.choice((16, 33, 130, 257))
    return tuple(sizes)


def values(rng, count, dtype):
    """`count` numbers of a dtype: distinct quarters more often than not, else with ties, seldom with NaN and infinities."""
    if dtype == "bool":
        return tuple(rng.random() < 0.6 for _ in range(count))
    low = 0 if dtype == "uint8" else -count // 2
    if dtype in INTS:
        spread = range(max(low, -60), max(low, -60) + min(max(count, 5), 120))
        return tuple(rng.choice(spread) for _ in range(count))
    if rng.random() < 0.6:
        found = [(k - count // 2) / 4 for k in range(count)]
        rng.shuffle(found)
    else:
        found = [rng.randrange(-12, 13) / 4 for _ in range(count)]
    if count and rng.random() < 0.06:
        found[rng.randrange(count)] = rng.choice(SPECIAL)
    return tuple(found)


def leaf(rng, name, dtype, of_shape=None, grad=False):
    """A leaf of random values."""
    of_shape = shape(rng) if of_shape is None else tuple(of_shape)
    return Leaf(name, of_shape, dtype, values(rng, _count(math.prod(of_shape)), dtype), grad and dtype in FLOATS)


def _count(size):
    """How many numbers are written down for a size; they repeat after 61."""
    return min(size, 61)


def broadcastable(rng, of_shape):
    """A shape that broadcasts with another one."""
    kept = [n if rng.random() < 0.75 else 1 for n in of_shape]
    if kept and rng.random() < 0.2:
        kept = kept[rng.randrange(len(kept) + 1):]
    return tuple(kept)
