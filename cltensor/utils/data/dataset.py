"""Datasets: where samples come from, by index or as a stream."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, ArgumentTypeError, AssertedShapeError, DimensionError
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from ...tensor.random.sampling import Generator
from .seeding import host_generator

__all__ = ["ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "TensorDataset",
           "random_split"]


class Dataset:
    """Samples by index: subclasses write `__getitem__(index)` and usually `__len__()`.

    A subclass may also write `__getitems__(indices)`, which returns the list of samples of a whole batch at once.
    """

    def __add__(self, other):
        return ConcatDataset([self, other])


class IterableDataset(Dataset):
    """Samples as a stream: subclasses write `__iter__()`.

    Every worker of a DataLoader iterates over its own copy; use `get_worker_info()` to give each one its share.
    """

    def __add__(self, other):
        return ChainDataset([self, other])


class TensorBatch(Sequence):
    """The samples of one batch of a TensorDataset, stored as one tensor per column; reads as a list of tuples."""

    def __init__(self, columns):
        self.columns = columns

    def __len__(self):
        return len(self.columns[0])

    def __getitem__(self, index):
        if isinstance(index, slice):
            return TensorBatch(tuple(c[index] for c in self.columns))
        return tuple(c[index] for c in self.columns)


class TensorDataset(Dataset):
    """Tensors of equal first size; sample i is the tuple of their rows i.  A batch costs one index_select per tensor.

    Raises ArgumentError when the first sizes differ.
    """

    def __init__(self, *tensors):
        if not tensors or not all(isinstance(t, Tensor) and t.ndim for t in tensors):
            raise ArgumentTypeError("TensorDataset: expected at least one tensor, each with at least one dimension; "
                                    "make them with cltensor.from_numpy or cltensor.tensor")
        if len({t.shape[0] for t in tensors}) > 1:
            shown = ", ".join(str(tuple(t.shape)) for t in tensors)
            raise AssertedShapeError(f"TensorDataset: Size mismatch between tensors: {shown}; the first sizes must be equal")
        self.tensors = tensors

    def __getitem__(self, index):
        return tuple(t[index] for t in self.tensors)

    def __getitems__(self, indices):
        rows = np.asarray(indices, dtype=np.int64)
        size = len(self)
        if rows.size and not -size <= rows.min() <= rows.max() < size:
            raise DimensionError(f"TensorDataset: an index is out of range: the {size} samples have indices from "
                                 f"{-size} to {size - 1}, got {rows.min()} to {rows.max()}")
        rows = from_numpy(np.where(rows < 0, rows + size, rows)).to(self.tensors[0].device)
        return TensorBatch(tuple(t.index_select(0, rows) for t in self.tensors))

    def __len__(self):
        return self.tensors[0].shape[0]


class StackDataset(Dataset):
    """Datasets side by side: sample i is the tuple, or with keywords the dict, of their samples i."""

    def __init__(self, *args, **kwargs):
        if bool(args) == bool(kwargs):
            raise ArgumentError("StackDataset: give datasets either all by position or all by keyword, at least one")
        self.datasets = args or kwargs
        sizes = [len(d) for d in (args or kwargs.values())]
        if len(set(sizes)) > 1:
            raise ArgumentError(f"StackDataset: Size mismatch between datasets: {sizes}; the lengths must be equal")
        self._length = sizes[0]

    def __getitem__(self, index):
        if isinstance(self.datasets, dict):
            return {k: d[index] for k, d in self.datasets.items()}
        return tuple(d[index] for d in self.datasets)

    def __len__(self):
        return self._length


class ConcatDataset(Dataset):
    """Datasets one after another.  Raises ArgumentError for none, DimensionError for an index outside."""

    def __init__(self, datasets):
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset: datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise ArgumentTypeError("ConcatDataset does not support IterableDataset; use ChainDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """For each dataset how many samples there are up to its end."""
        return list(itertools.accumulate(len(d) for d in sequence))

    @property
    def cummulative_sizes(self) -> list[int]:
        """cumulative_sizes under an older name."""
        warnings.warn("`cummulative_sizes` attribute is renamed to `cumulative_sizes`", DeprecationWarning, stacklevel=2)
        return self.cumulative_sizes

    def __len__(self):
        return self.cumulative_sizes[-1]

    def __getitem__(self, index):
        size = len(self)
        if not -size <= index < size:
            raise DimensionError(f"ConcatDataset: index {index} is out of range for {size} samples")
        index = index + size if index < 0 else index
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]


class ChainDataset(IterableDataset):
    """Streams one after another."""

    def __init__(self, datasets):
        self.datasets = datasets

    def __iter__(self):
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self):
        return sum(len(d) for d in self.datasets)


class Subset(Dataset):
    """The samples of `dataset` at `indices`."""

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index):
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices):
        rows = [self.indices[i] for i in indices]
        read = getattr(self.dataset, "__getitems__", None)
        return read(rows) if read else [self.dataset[i] for i in rows]

    def __len__(self):
        return len(self.indices)


def random_split(dataset, lengths, generator: Generator | None = None):
    """Split a dataset at random into non-overlapping Subsets of the given lengths, or fractions that sum to 1.

    generator: an int seed, a Generator, or None for the global one.  Raises ArgumentError when the lengths do not
    add up.
    """
    size = len(dataset)
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _shares(lengths, size)
    if sum(lengths) != size or min(lengths) < 0:
        raise ArgumentError(f"random_split: Sum of input lengths does not equal the length of the input dataset! "
                            f"lengths {list(lengths)} sum to {sum(lengths)}, the dataset has {size} samples; each "
                            "length must be >= 0")
    order = host_generator(generator).permutation(size).tolist()
    ends = itertools.accumulate(lengths)
    return [Subset(dataset, order[end - n:end]) for end, n in zip(ends, lengths, strict=True)]


def _shares(fractions, size):
    """Whole lengths for fractions of size: rounded down; the remainder goes to the first ones, one each."""
    if not all(0 <= f <= 1 for f in fractions):
        raise ArgumentError(f"random_split: fractions must lie between 0 and 1, got {list(fractions)}")
    lengths = [math.floor(size * f) for f in fractions]
    for i in range(size - sum(lengths)):
        lengths[i % len(lengths)] += 1
    for i, n in enumerate(lengths):
        if n == 0:
            warnings.warn(f"random_split: the split at index {i} is empty: {fractions[i]} of {size} rounds to 0",
                          stacklevel=3)
    return lengths


def __dir__():
    return sorted(__all__)
