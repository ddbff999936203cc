"""Activations without inplace=."""

from ...dispatch.out import write_out
from .. import functional as F
from ..functional.activation import sloped_at_random


def celu(input, alpha=1.0):
    """See nn.functional."""
    return F.celu(input, alpha)


def selu(input):
    """See nn.functional."""
    return F.selu(input)


def threshold(input, threshold, value, *, out=None):
    """See nn.functional."""
    found = F.threshold(input, threshold, value)
    return found if out is None else write_out("threshold", found, out)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """nn.functional.rrelu, with slopes of a Generator."""
    return sloped_at_random(input, lower, upper, training, False, generator)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """rrelu in place."""
    return sloped_at_random(input, lower, upper, training, True, generator)
