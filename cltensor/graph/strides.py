"""Strides: how a tensor must be laid out so that a view of it lies as another tensor does."""

from itertools import pairwise
from math import gcd


def relaid(own, view, strides):
    """The strides of a tensor of own's shape, whose view by `view` has these strides; None if no strides will do.

    own: a Spec that covers its memory, each element once; view: a Use that covers the same memory, in any order of dimensions,
    which may be cut and merged.
    """
    if not view.covers() or own.numel != view.spec.numel:
        return None
    mine, theirs = _digits(own.shape, own.strides), _digits(view.spec.shape, view.spec.strides)
    if mine is None or theirs is None:
        return None
    found = {}  # dimension of own -> [(size, stride)], innermost first
    while mine and theirs:
        (i, n), (j, m) = mine.pop(), theirs.pop()
        size = gcd(n, m)
        if size in (0, 1) or (size != n and size != m):
            return None
        inner = strides[j] if not isinstance(j, tuple) else j[1]
        found.setdefault(i, []).append((size, inner))
        if size < n:
            mine.append((i, n // size))
        if size < m:
            theirs.append((("rest", inner * size), m // size))
    if mine or theirs:
        return None
    made = [1] * len(own.shape)
    for i, parts in found.items():
        if any(outer != n * inner for (n, inner), (_, outer) in pairwise(parts)):
            return None
        made[i] = parts[0][1]
    return tuple(made)


def _digits(shape, strides):
    """[(dimension, size)] from the outermost in memory to the innermost; None if they leave gaps or overlap."""
    order = sorted((s, i, n) for i, (n, s) in enumerate(zip(shape, strides, strict=True)) if n != 1)
    step = 1
    for s, _, n in order:
        if s != step:
            return None
        step *= n
    return [(i, n) for _, i, n in reversed(order)]
