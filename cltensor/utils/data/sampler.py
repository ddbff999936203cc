"""Samplers: the order in which a dataset's indices are visited."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor.core.tensor import Tensor
from ...tensor.random.sampling import Generator
from .seeding import host_generator, settled

__all__ = ["BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler"]


class Sampler:
    """An iterable over indices (or over lists of them); subclasses write `__iter__` and usually `__len__`."""


class SequentialSampler(Sampler):
    """0, 1, 2, ... up to the last sample."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


class RandomSampler(Sampler):
    """Indices in random order, a new one each epoch; with replacement, num_samples independent draws.

    generator: an int seed (the whole sequence of epochs then repeats from run to run), a Generator, or None for the
    global one.
    """

    def __init__(self, data_source, replacement: bool = False, num_samples: int | None = None,
                 generator: Generator | None = None):
        self.data_source, self.replacement, self._num_samples = data_source, replacement, num_samples
        self.generator = settled(generator)
        if not isinstance(replacement, bool):
            raise ArgumentTypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _check_count("num_samples", self.num_samples)

    @property
    def num_samples(self):
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        rng, size = host_generator(self.generator), len(self.data_source)
        if self.replacement:
            return iter(rng.integers(size, size=self.num_samples).tolist())
        rounds = -(-self.num_samples // size)
        order = itertools.chain.from_iterable(rng.permutation(size).tolist() for _ in range(rounds))
        return itertools.islice(order, self.num_samples)

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given indices in random order."""

    def __init__(self, indices, generator: Generator | None = None):
        self.indices, self.generator = indices, settled(generator)

    def __iter__(self):
        for i in host_generator(self.generator).permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """num_samples indices drawn with probability proportional to weights, a list of numbers >= 0."""

    def __init__(self, weights: Tensor | Sequence[float], num_samples: int, replacement: bool = True,
                 generator: Generator | None = None):
        if not isinstance(replacement, bool):
            raise ArgumentTypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        _check_count("num_samples", num_samples)
        self.weights = np.asarray(weights.tolist() if hasattr(weights, "tolist") else weights, dtype=np.float64)
        self.num_samples, self.replacement, self.generator = num_samples, replacement, settled(generator)
        self._check()

    def _check(self):
        w = self.weights
        if w.ndim != 1:
            raise ArgumentError(f"weights should be a 1d sequence but given weights have shape {w.shape}")
        if not (np.isfinite(w).all() and (w >= 0).all() and w.sum() > 0):
            raise ArgumentError("WeightedRandomSampler: weights must be finite, >= 0 and not all zero")
        if not self.replacement and self.num_samples > np.count_nonzero(w):
            raise ArgumentError(f"WeightedRandomSampler: cannot draw {self.num_samples} samples without replacement"
                                f" from {np.count_nonzero(w)} non-zero weights; lower num_samples")

    def __iter__(self):
        rng = host_generator(self.generator)
        p = self.weights / self.weights.sum()
        return iter(rng.choice(len(p), size=self.num_samples, replace=self.replacement, p=p).tolist())

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of batch_size indices of another sampler; drop_last leaves out a smaller last list."""

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool):
        _check_count("batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ArgumentError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self):
        full, rest = divmod(len(self.sampler), self.batch_size)
        return full + (rest > 0 and not self.drop_last)


def _check_count(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ArgumentError(f"{name} should be a positive integer value, but got {name}={value}")


def __dir__():
    return sorted(__all__)
