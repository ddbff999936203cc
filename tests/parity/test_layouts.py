"""Layouts of results: the order of their dimensions in memory follows the operands, as in PyTorch."""

import random

import pytest
import torch

import cltensor as ct

pytestmark = pytest.mark.parity


def viewed(xp, seed):
    """A tensor of up to four dimensions of more than one element each, seen through up to three views."""
    rng = random.Random(seed)
    x = xp.zeros([rng.choice((2, 3, 4)) for _ in range(rng.randint(1, 4))])
    for _ in range(rng.randint(0, 3)):
        kind, d = rng.randrange(6), rng.randrange(x.ndim)
        if kind == 0:
            order = list(range(x.ndim))
            rng.shuffle(order)
            x = x.permute(order)
        elif kind == 1 and x.ndim > 1:
            x = x.diagonal(0, *rng.sample(range(x.ndim), 2))
        elif kind == 2:
            x = x.narrow(d, 0, max(2, x.shape[d] - 1))
        elif kind == 3 and x.ndim < 5:
            x = x.unsqueeze(d).expand(*x.shape[:d], 3, *x.shape[d:])
        elif kind == 4:
            x = x.unfold(d, 2, 1) if x.shape[d] > 2 else x
        elif kind == 5:
            x = x.flip(d)[None].squeeze(0)
    return x


def strides(y):
    """The strides of the dimensions that have more than one element."""
    return [s for s, n in zip(y.stride(), y.shape, strict=True) if n != 1]


@pytest.mark.parametrize("seed", range(150))
def test_results_keep_the_order_of_their_operands(seed):
    theirs, ours = viewed(torch, seed), viewed(ct, seed)
    for one in (lambda x, xp: -x, lambda x, xp: x.clone(), lambda x, xp: xp.empty_like(x), lambda x, xp: xp.where(x > 0, x, 1)):
        assert strides(one(ours, ct)) == strides(one(theirs, torch))
    for other in range(seed + 1, seed + 8):
        their, our = viewed(torch, other), viewed(ct, other)
        try:
            expected = theirs + their
        except RuntimeError:
            continue
        assert strides(ours + our) == strides(expected)
