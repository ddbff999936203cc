"""Optical flow as colours: its direction as the hue, its length as the saturation."""

from __future__ import annotations

import numpy as np

from ...autograd.modes import no_grad
from ...base.errors import MismatchError
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from .errors import PictureTypeError

_SPANS = 15, 6, 4, 11, 13, 6  # hues between red, yellow, green, cyan, blue, magenta and red
_ENDS = (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1)


@no_grad()
def flow_to_image(flow: Tensor) -> Tensor:
    """A flow as a picture (3, H, W), or (N, 3, H, W), of dtype uint8: hues are directions, and what does not move is white.

    Args: flow, (2, H, W) or (N, 2, H, W) of dtype float32, the ways across and down in pixels; the longest of all has the deepest
    colour.
    Raises DTypeError for another dtype, ShapeError for another shape.
    Source: Baker et al., A Database and Evaluation Methodology for Optical Flow (2011).

    Example::

        flow_to_image(cltensor.randn(2, 8, 8)).shape
    """
    values = flow.detach().numpy()
    if values.dtype != np.float32:
        raise PictureTypeError(f"Flow should be of dtype torch.float, got {flow.dtype}; convert it with float()")
    if values.ndim not in (3, 4) or values.shape[-3] != 2:
        raise MismatchError(f"Input flow should have shape (2, H, W) or (N, 2, H, W), got {values.shape}")
    batch = values if values.ndim == 4 else values[None]
    longest = np.sqrt((batch * batch).sum(axis=1, dtype=np.float32)).max(initial=0)
    shown = _colored(batch / (longest + np.finfo(np.float32).eps))
    return from_numpy(shown if values.ndim == 4 else shown[0]).to(flow.device)


def _wheel():
    """The hues, (55, 3), from 0 to 255."""
    hues = []
    for i, span in enumerate(_SPANS):
        start, end = np.array(_ENDS[i]), np.array(_ENDS[(i + 1) % len(_ENDS)])
        step = np.floor(255 * np.arange(span) / span)[:, None]
        hues.append(np.where(end == start, 255 * start, np.where(end > start, step, 255 - step)))
    return np.concatenate(hues).astype(np.float32)


def _colored(batch):
    """Colours (N, 3, H, W) as bytes of a flow (N, 2, H, W) no longer than 1."""
    across, down = batch[:, 0], batch[:, 1]
    length = np.sqrt((batch * batch).sum(axis=1, dtype=np.float32))
    wheel = _wheel()
    at = (np.arctan2(-down, -across) / np.float32(np.pi) + 1) / 2 * np.float32(len(wheel) - 1)
    below = np.floor(at).astype(np.int64)
    share = (at - below)[:, None]
    hue = np.moveaxis(wheel[below], -1, 1) / 255, np.moveaxis(wheel[(below + 1) % len(wheel)], -1, 1) / 255
    mixed = (1 - share) * hue[0] + share * hue[1]
    return np.floor(255 * (1 - length[:, None] * (1 - mixed))).astype(np.uint8)
