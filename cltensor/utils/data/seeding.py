"""Sources of random order on the host: an int seed, a Generator, or the global one."""

import numbers

import numpy as np

from ...base.errors import ArgumentTypeError
from ...tensor.random.sampling import Generator, default_generator


def settled(generator):
    """Turn an int seed into one numpy Generator for all epochs of a sampler; anything else stays as it is."""
    if isinstance(generator, numbers.Integral):
        return np.random.default_rng(int(generator) % 2**64)
    if generator is None or isinstance(generator, (Generator, np.random.Generator)):
        return generator
    raise ArgumentTypeError(f"generator must be an int seed, a Generator or None, got {generator!r}")


def host_generator(generator=None):
    """A numpy.random.Generator for an int seed, a numpy Generator (used as it is), a cltensor Generator, or None.

    A cltensor Generator advances by one draw, so the next call gives another order; None means the global one.
    """
    generator = settled(generator)
    if isinstance(generator, np.random.Generator):
        return generator
    return (generator or default_generator).host()


def draw_seed(generator=None):
    """One random int >= 0 from the generator, which advances."""
    return int(host_generator(generator).integers(2**63))
