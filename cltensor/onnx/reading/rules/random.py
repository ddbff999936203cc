"""Random numbers.  A seed in the file makes a generator of its own; without one they come from the default generator."""

import numpy as np

from ....tensor import Generator
from ..element_types import held_as, name_of
from ..operators import operator
from ..public import ct


def _generator(seed):
    if seed is None:
        return None
    return Generator().manual_seed(int(np.float32(seed).view(np.uint32)))


def _uniform(shape, dtype, low, high, seed, device=None):
    return (ct.rand(shape, generator=_generator(seed), device=device) * (high - low) + low).to(dtype)


def _normal(shape, dtype, mean, scale, seed, device=None):
    return (ct.randn(shape, generator=_generator(seed), device=device) * scale + mean).to(dtype)


def _dtype(number, otherwise):
    return otherwise if number is None else held_as(name_of(number))


@operator("RandomUniform")
def random_uniform(*, shape, dtype=1, high=1.0, low=0.0, seed=None):
    return _uniform(shape, _dtype(dtype, ct.float32), low, high, seed)


@operator("RandomNormal")
def random_normal(*, shape, dtype=1, mean=0.0, scale=1.0, seed=None):
    return _normal(shape, _dtype(dtype, ct.float32), mean, scale, seed)


@operator("RandomUniformLike")
def random_uniform_like(input, *, dtype=None, high=1.0, low=0.0, seed=None):
    return _uniform(input.shape, _dtype(dtype, input.dtype), low, high, seed, input.device)


@operator("RandomNormalLike")
def random_normal_like(input, *, dtype=None, mean=0.0, scale=1.0, seed=None):
    return _normal(input.shape, _dtype(dtype, input.dtype), mean, scale, seed, input.device)


@operator("Bernoulli", since=15)
def bernoulli(input, *, dtype=None, seed=None):
    drawn = ct.rand(input.shape, generator=_generator(seed), device=input.device)
    return (drawn < input).to(_dtype(dtype, input.dtype))


@operator("Multinomial", since=7)
def multinomial(input, *, dtype=6, sample_size=1, seed=None):
    drawn = ct.multinomial(ct.exp(input - ct.amax(input, -1, True)), sample_size, True, generator=_generator(seed))
    return drawn.to(_dtype(dtype, ct.int32))
