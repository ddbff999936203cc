"""Padding with one value, or with values from inside."""

import numpy as np

from ...base import dtypes
from ...base.errors import ShapeError
from ..api.creation import from_array
from ..core.public_api import function
from .shape import narrow


@function(method=False, out=False)
def constant_pad_nd(input, pad, value=0):
    """Pad input with one value; pad: as for nn.functional.pad.  Always a copy."""
    return pad_constant(input, pad, value)


def pad_constant(x, pad, value=0):
    """Pad x with value by `pad` = (before, after) of the last dimension, then of the one before it, ...; negative crops."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    first = x.ndim - len(pairs)
    shape = [n + (sum(pairs[x.ndim - 1 - d]) if d >= first else 0) for d, n in enumerate(x.shape)]
    if any(n < 0 for n in shape):
        raise ShapeError(f"pad: the input size {list(x.shape)} plus padding {list(pad)} gives a negative output size {shape}")
    out = x.new_full(shape, value)
    inner, source = out, x
    for d in range(first, x.ndim):
        before, after = pairs[x.ndim - 1 - d]
        inner = narrow(inner, d, max(before, 0), shape[d] - max(before, 0) - max(after, 0))
        source = narrow(source, d, max(-before, 0), x.shape[d] + min(before, 0) + min(after, 0))
    inner.copy_(source)
    return out


_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad_mode(x, pad, mode):
    """Pad x by reflection, replication of the edge, or wrapping around."""
    out = x
    for i in range(0, len(pad), 2):
        d = x.ndim - 1 - i // 2
        n, (before, after) = x.shape[d], (pad[i], pad[i + 1])
        limit = {"reflect": n - 1, "circular": n}.get(mode)
        if limit is not None and max(before, after) > limit:
            raise ShapeError(f"pad: Padding size should be less than the corresponding input dimension: padding ({before}, "
                             f"{after}) in mode {mode!r} at dimension {d} of input {list(x.shape)}")
        if n + before + after <= 0:
            raise ShapeError(f"pad: padding ({before}, {after}) of size {n} at dimension {d} leaves nothing")
        grown = np.pad(np.arange(n), (max(before, 0), max(after, 0)), mode=_MODES[mode])
        places = grown[max(-before, 0):len(grown) - max(-after, 0)]
        out = out.index_select(d, from_array(places.astype(np.int64), dtypes.int64, x.device))
    return out
