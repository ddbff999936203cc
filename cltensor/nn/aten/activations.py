"""Activations without inplace=."""

from ...dispatch.out import write_out
from .. import functional as F
from ..functional.activation import sloped_at_random


def celu(input, alpha=1.0):
    """nn.functional.celu: x above 0, alpha (exp(x / alpha) - 1) below, for a tensor of any shape and floating dtype.

    Raises ArgumentError for an alpha of 0.  Source: Barron 2017.

        >>> ct.celu(ct.tensor([1.0, 0.0]))
        tensor([1., 0.])
    """
    return F.celu(input, alpha)


def selu(input):
    """nn.functional.selu: an elu with a fixed scale and alpha, for a tensor of any shape and floating dtype.

    Raises DTypeError for other dtypes.  Source: Klambauer et al. 2017.

        >>> ct.selu(ct.tensor([1.0, 0.0]))
        tensor([1.0507, 0.0000])
    """
    return F.selu(input)


def threshold(input, threshold, value, *, out=None):
    """nn.functional.threshold: x above threshold, else value, for a tensor of any shape and dtype but bool.

    Raises what writing to out does.  Source: the definition.

        >>> ct.threshold(ct.tensor([1.0, 3.0]), 2.0, 0.0)
        tensor([0., 3.])
    """
    found = F.threshold(input, threshold, value)
    return found if out is None else write_out("threshold", found, out)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """nn.functional.rrelu, with slopes of a Generator."""
    return sloped_at_random(input, lower, upper, training, False, generator)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """rrelu in place."""
    return sloped_at_random(input, lower, upper, training, True, generator)
