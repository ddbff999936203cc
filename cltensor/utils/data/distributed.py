"""DistributedSampler: each of several processes visits its share of a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...base.errors import ArgumentError
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """The indices of one process out of num_replicas: every num_replicas-th one from `rank` on.

    Without drop_last, indices are repeated from the beginning until the shares are equal; with it the rest is left out.  shuffle:
    in an order that seed and epoch decide, the same in all processes; call set_epoch(epoch) before each epoch.  num_replicas and
    rank must be given: there are no process groups here that would know them.  No shape or dtype plays a part.

    Raises ArgumentError where num_replicas or rank is missing, or rank is not below num_replicas.
    Source: PyTorch 2.13's utils.data.DistributedSampler.

        sampler = utils.data.DistributedSampler(dataset, num_replicas=4, rank=0)
    """

    def __init__(self, dataset: Any, num_replicas: int | None = None, rank: int | None = None, shuffle: bool = True, seed: int = 0,
                 drop_last: bool = False) -> None:
        if num_replicas is None or rank is None:
            raise ArgumentError("DistributedSampler: give num_replicas and rank: there are no process groups to ask")
        if not 0 <= rank < num_replicas:
            raise ArgumentError(f"DistributedSampler: Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset, self.num_replicas, self.rank = dataset, num_replicas, rank
        self.shuffle, self.seed, self.drop_last, self.epoch = shuffle, seed, drop_last, 0
        n = len(dataset)
        self.num_samples = n // num_replicas if drop_last else math.ceil(n / num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        order = np.random.default_rng([self.seed, self.epoch]).permutation(n) if self.shuffle else np.arange(n)
        if self.total_size > n:
            order = np.resize(order, self.total_size) if n else order
        return iter(order[self.rank:self.total_size:self.num_replicas].tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Begin another epoch: the order is another one."""
        self.epoch = epoch


def __dir__():
    return sorted(__all__)
