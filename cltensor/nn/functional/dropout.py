"""Dropout: set elements, or whole channels, to zero at random during training."""

from __future__ import annotations

import math

from ...base.errors import ArgumentError, ShapeError
from ...tensor.core.tensor import Tensor
from ...tensor.random.sampling import dropout as _dropout


def _check(p):
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")


def _given(input, y, inplace):
    """Return y, or input overwritten with it."""
    return input.copy_(y) if inplace and y is not input else y


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False):
    """input with elements zeroed with probability p and the rest scaled by 1 / (1 - p); itself when not training."""
    return _given(input, _dropout(input, p, training), inplace)


def _channels(op, input, p, training, inplace, dims):
    """Dropout of whole channels of input (N, C, *) or (C, *); dims: the numbers of dimensions it may have."""
    _check(p)
    if input.ndim not in dims:
        raise ShapeError(f"{op}: Expected {dims[0]}D or {dims[-1]}D input, but received a {input.ndim}D input of shape "
                         f"{list(input.shape)}")
    if not training or p == 0:
        return input
    lead = 2 if input.ndim == dims[-1] else 1
    kept = _dropout(input.new_ones((*input.shape[:lead], *(1,) * (input.ndim - lead))), p, True)
    return _given(input, input * kept, inplace)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False):
    """dropout of whole channels of input (N, C, L) or (C, L)."""
    return _channels("dropout1d", input, p, training, inplace, (2, 3))


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False):
    """dropout of whole channels of input (N, C, H, W) or (C, H, W)."""
    return _channels("dropout2d", input, p, training, inplace, (3, 4))


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False):
    """dropout of whole channels of input (N, C, D, H, W) or (C, D, H, W)."""
    return _channels("dropout3d", input, p, training, inplace, (4, 5))


_SATURATION = -1.7580993408473766  # the limit of selu for large negative inputs


def _alpha(input, p, training, inplace, shape):
    """Set elements to selu's limit, then scale and shift to keep mean and variance."""
    _check(p)
    if not training or p == 0:
        return input
    if p == 1:
        return _given(input, input * 0, inplace)
    kept = input.new_empty(shape).bernoulli_(1 - p)
    a = 1 / math.sqrt((1 - p) * (1 + p * _SATURATION**2))
    return _given(input, input * kept * a + ((1 - kept) * _SATURATION * a - a * p * _SATURATION), inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False):
    """Dropout for selu networks, which keeps mean and variance.  Source: Klambauer et al. 2017."""
    return _alpha(input, p, training, inplace, input.shape)


def feature_alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False):
    """alpha_dropout of whole channels of input (N, C, *)."""
    return _alpha(input, p, training, inplace, (*input.shape[:2], *(1,) * (input.ndim - 2)))
