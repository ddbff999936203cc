"""Masks drawn over a picture."""

from __future__ import annotations

import warnings

import numpy as np

from ...autograd.modes import no_grad
from ...base.errors import ArgumentTypeError, MismatchError
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from .boxes import Colors
from .colors import check_picture, colors_of
from .errors import PictureTypeError


@no_grad()
def draw_segmentation_masks(image: Tensor, masks: Tensor, alpha: float = 0.8, colors: Colors = None) -> Tensor:
    """A picture (3, H, W) of the image's dtype with masks drawn over it; where several overlap, it is darkened instead.

    Args: image, (3, H, W) of uint8 or floats in [0, 1]; masks, (N, H, W) or (H, W) of dtype bool; alpha, how much of a mask is
        seen, 0 to 1; colors, one for all or a list, by name, as "#ff0000" or a tuple.
    Raises DTypeError and ShapeError for other images and masks, ArgumentError for too few colours and for what is no colour.
    Source: as torchvision 0.29 has it.

    Example::

        draw_segmentation_masks(image, image.mean(0) > 0.5, alpha=0.5, colors="blue")
    """
    values = check_picture(image, (3,))
    covered = _checked(masks, values)
    if not len(covered):
        warnings.warn("masks doesn't contain any mask. No mask was drawn", stacklevel=2)
        return image
    palette = np.array([color[:3] for color in colors_of(colors, len(covered))], np.float32)[: len(covered)]
    if values.dtype != np.uint8:
        palette /= 255
    return from_numpy(_mixed(values.astype(np.float32), covered, palette, alpha).astype(values.dtype)).to(image.device)


def _checked(masks, values):
    """Masks as an array (N, H, W)."""
    if not isinstance(masks, Tensor):
        raise ArgumentTypeError(f"The masks must be a tensor, got {type(masks).__name__}")
    covered = masks.detach().numpy()
    if covered.ndim == 2:
        covered = covered[None]
    if covered.ndim != 3:
        raise MismatchError(f"masks must be of shape (H, W) or (batch_size, H, W), got {covered.shape}")
    if covered.dtype != np.bool_:
        raise PictureTypeError(f"The masks must be of dtype bool. Got {masks.dtype}")
    if covered.shape[1:] != values.shape[1:]:
        raise MismatchError(f"The image and the masks must have the same height and width, got {values.shape[1:]} and "
                            f"{covered.shape[1:]}")
    return covered


def _mixed(ground, covered, palette, alpha):
    """A picture's values (3, H, W) under the colours (N, 3) of masks (N, H, W); black where there are several."""
    drawn = ground.copy()
    for mask, color in zip(covered, palette, strict=True):
        drawn[:, mask] = color[:, None]
    drawn[:, covered.sum(axis=0) > 1] = 0
    return ground * (1 - alpha) + drawn * alpha
