"""Modes that are one of several categories."""

from ..nn.functional import one_hot


def one_hot_of_largest(weights):
    """1 at the first largest of weights (*, K) along the last dimension, else 0, in their dtype."""
    return one_hot(weights.argmax(-1), weights.shape[-1]).to(weights.dtype)
