"""Random numbers of a shape, in the dtype and on the device of a tensor."""

from ..base.dtypes import finfo
from ..tensor.api.creation import empty
from ..tensor.random.sampling import rand, randn


def standard_normal(shape, like):
    """Numbers of mean 0 and standard deviation 1."""
    return randn(shape, dtype=like.dtype, device=like.device)


def uniform(shape, like):
    """Numbers in [0, 1)."""
    return rand(shape, dtype=like.dtype, device=like.device)


def inner_uniform(shape, like):
    """Numbers in (0, 1): those nearest to the ends are moved inside."""
    limits = finfo(like.dtype)
    return uniform(shape, like).clamp(min=limits.tiny, max=1 - limits.eps)


def exponential(shape, like):
    """Numbers with the exponential distribution of rate 1."""
    return empty(shape, dtype=like.dtype, device=like.device).exponential_()


def gumbel(shape, like):
    """Numbers with Gumbel's distribution around 0 of scale 1."""
    return -exponential(shape, like).clamp(min=finfo(like.dtype).tiny).log()
