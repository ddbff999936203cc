"""The rules by which operators are computed, a file for each family."""

from . import (
    activation,
    attention,
    control,
    conv,
    elementwise,
    host,
    image,
    legacy,
    linear,
    loss,
    normalization,
    pooling,
    quantization,
    random,
    recurrent,
    reduction,
    scatter,
    selection,
    sequence,
    shape,
    signal,
    text,
    types,
)

_FAMILIES = (activation, attention, control, conv, elementwise, host, image, legacy, linear, loss, normalization, pooling,
             quantization, random,
             recurrent, reduction, scatter, selection, sequence, shape, signal, text, types)


def loaded():
    """How many families there are; importing them registers their rules."""
    return len(_FAMILIES)
