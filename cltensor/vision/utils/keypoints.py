"""Keypoints drawn into a picture, and the lines between them."""

from __future__ import annotations

import numpy as np

from ...autograd.modes import no_grad
from ...base.errors import MismatchError
from ...tensor import Tensor
from .. import pillow
from .colors import check_picture, color_of, from_bytes, to_bytes


@no_grad()
def draw_keypoints(image: Tensor, keypoints: Tensor, connectivity: list[tuple[int, int]] | None = None,
                   colors: str | tuple[int, int, int] | None = None, radius: int = 2, width: int = 3,
                   visibility: Tensor | None = None) -> Tensor:
    """A picture (3, H, W) of the image's dtype with keypoints drawn into it.

    Args: image, (3, H, W) of uint8 or floats in [0, 1]; keypoints, (N, K, 2), N times K places as x and y in pixels; connectivity,
        pairs of keypoints to draw lines between; colors, one by name, as "#ff0000" or a tuple; radius of the points; width of the
        lines; visibility, (N, K) or (N, K, 1), False where a point, and the lines to it, are left out.
    Raises DTypeError and ShapeError for other images, ShapeError for other keypoints, ArgumentError for what is no colour.
    Source: as torchvision 0.29 has it.

    Example::

        draw_keypoints(image, cltensor.tensor([[[5.0, 5.0], [20.0, 30.0]]]), connectivity=[(0, 1)], colors="red")
    """
    values = check_picture(image, (3,))
    places = keypoints.detach().numpy()
    if places.ndim != 3:
        raise MismatchError(f"keypoints must be of shape (num_instances, K, 2), got {places.shape}")
    seen = np.ones(places.shape[:2], bool) if visibility is None else visibility.detach().numpy()
    seen = seen[..., 0] if seen.ndim == 3 else seen
    if seen.shape != places.shape[:2]:
        raise MismatchError("keypoints and visibility must have the same dimensionality for num_instances and K. Got "
                            f"visibility.shape={seen.shape} and keypoints.shape={places.shape}")
    picture = pillow.module().fromarray(to_bytes(values))
    draw, color = pillow.module("ImageDraw").Draw(picture), None if colors is None else color_of(colors)
    for points, shown in zip(places.astype(np.int64).tolist(), seen.astype(bool).tolist(), strict=True):
        _draw_instance(draw, points, shown, connectivity or (), color, radius, width)
    return from_bytes(picture, image)


def _draw_instance(draw, points, shown, connectivity, color, radius, width):
    for (x, y, *_), visible in zip(points, shown, strict=True):
        if visible:
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color, outline=None, width=0)
    for start, end in connectivity:
        if shown[start] and shown[end]:
            draw.line((*points[start][:2], *points[end][:2]), width=width)
