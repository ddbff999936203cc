"""Padding with zeros, or with values from the input."""

from __future__ import annotations

from collections.abc import Sequence

from ...base.context import context
from ...base.errors import ArgumentError, UnsupportedError
from ...dispatch.autocast import FLOAT32_ON_CPU
from ...tensor.core.tensor import Tensor
from ...tensor.shape.padding import pad_constant, pad_mode


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None):
    """Pad input by pad = (before, after) of the last dimension, then of the one before it, and so on.

    mode: "constant" (value, 0 by default; negative numbers crop), "reflect", "replicate" or "circular".
    """
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ArgumentError(f"pad: give (before, after) for at most {input.ndim} dimensions, got {len(pad)} numbers")
    if mode == "constant":
        return pad_constant(input, tuple(pad), 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise UnsupportedError(f"pad: Unrecognised padding mode {mode!r}; use constant, reflect, replicate or circular")
    if value is not None:
        raise ArgumentError(f'pad: Padding mode "{mode}" doesn\'t take in value argument')
    if mode == "circular" and min(pad, default=0) < 0:  # cropped values do not wrap around
        input, pad = pad_constant(input, [min(p, 0) for p in pad]), [max(p, 0) for p in pad]
    if context.autocast is not None and mode != "circular":
        input, = FLOAT32_ON_CPU.arguments(input)
    return pad_mode(input, tuple(pad), mode)
