"""Images of any size as one batch, and results back in the sizes that came."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from .... import nn
from ....base import dtypes
from ....base.errors import ArgumentError, DTypeError, MismatchError
from ....nn import functional as F
from ....tensor.api.creation import tensor
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import stack
from .image_list import ImageList
from .masks import paste_masks_in_image

_Target = dict[str, Tensor]


def _ratios(original_size, new_size):
    """How much larger (height, width) have become, as float32 has it."""
    return [float(np.float32(new) / np.float32(old)) for new, old in zip(new_size, original_size, strict=True)]


def resize_boxes(boxes: Tensor, original_size: list[int], new_size: list[int]) -> Tensor:
    """Boxes (N, 4) in an image of original_size (height, width) as they lie in it at new_size."""
    high, wide = _ratios(original_size, new_size)
    left, top, right, bottom = boxes.unbind(1)
    return stack([left * wide, top * high, right * wide, bottom * high], 1)


def resize_keypoints(keypoints: Tensor, original_size: list[int], new_size: list[int]) -> Tensor:
    """Keypoints (N, K, 3), of which the third number stays, of an image of original_size in it at new_size."""
    high, wide = _ratios(original_size, new_size)
    x, y, seen = keypoints.unbind(2)
    return stack([x * wide, y * high, seen], 2)


class GeneralizedRCNNTransform(nn.Module):
    """A list of images (C, H, W) with targets, normalised and resized, as an ImageList; and detections back in the images' sizes.

    Each image is scaled so that its shorter side is min_size (one of several at random in training, the last otherwise), or less
    where the longer one would exceed max_size; with fixed_size (width, height) it gets that size.  Images are padded to a common
    size, a multiple of size_divisible.  Boxes, masks and keypoints of targets follow.  Floating dtypes.  Raises DTypeError for
    integer images, MismatchError for other shapes.  Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.models.detection.transform import GeneralizedRCNNTransform
        >>> transform = GeneralizedRCNNTransform(32, 64, [0.5] * 3, [0.5] * 3).eval()
        >>> images, _ = transform([ct.zeros(3, 16, 20)])
        >>> images.tensors.shape, images.image_sizes
        (cltensor.Size([1, 3, 32, 64]), [(32, 40)])
    """

    def __init__(self, min_size: int, max_size: int, image_mean: list[float], image_std: list[float], size_divisible: int = 32,
                 fixed_size: tuple[int, int] | None = None, **kwargs: Any):
        super().__init__()
        self.min_size = tuple(min_size) if isinstance(min_size, (list, tuple)) else (min_size,)
        self.max_size, self.image_mean, self.image_std = max_size, image_mean, image_std
        self.size_divisible, self.fixed_size = size_divisible, fixed_size
        self._skip_resize = kwargs.pop("_skip_resize", False)

    def forward(self, images: list[Tensor], targets: list[_Target] | None = None) -> tuple[ImageList, list[_Target] | None]:
        images = list(images)
        targets = None if targets is None else [dict(target) for target in targets]
        for i, image in enumerate(images):
            if image.ndim != 3:
                raise MismatchError(f"GeneralizedRCNNTransform: images is expected to be a list of 3d tensors of shape [C, H, "
                                    "W], got "
                                    f"{tuple(image.shape)}")
            images[i], target = self.resize(self.normalize(image), None if targets is None else targets[i])
            if targets is not None:
                targets[i] = target
        sizes = [tuple(map(int, image.shape[-2:])) for image in images]
        return ImageList(self.batch_images(images, self.size_divisible), sizes), targets

    def normalize(self, image: Tensor) -> Tensor:
        """image (C, H, W) less the mean, over the deviation, by channel."""
        if not image.is_floating_point():
            raise DTypeError(f"GeneralizedRCNNTransform: Expected input images to be of floating type (in range [0, 1]), but found "
                             f"type {image.dtype}; convert with image.float() / 255")
        mean, std = (_column(values, image) for values in (self.image_mean, self.image_std))
        return (image - mean) / std

    def torch_choice(self, k: list[int]) -> int:
        """One of the numbers at random, from Python's generator."""
        return random.choice(k)

    def _new_size(self, size):
        """(height, width) that an image of a size gets."""
        if self.fixed_size is not None:
            return self.fixed_size[1], self.fixed_size[0]
        shorter = self.torch_choice(self.min_size) if self.training else self.min_size[-1]
        scale = min(shorter / min(size), self.max_size / max(size))
        return tuple(math.floor(n * scale) for n in size)

    def resize(self, image: Tensor, target: _Target | None = None) -> tuple[Tensor, _Target | None]:
        """image (C, H, W) and its target in the size that this transform gives it."""
        if self.training and self._skip_resize:
            return image, target
        size = tuple(map(int, image.shape[-2:]))
        new = self._new_size(size)
        image = F.interpolate(image.unsqueeze(0), size=new, mode="bilinear", align_corners=False)[0]
        if target is None:
            return image, target
        target["boxes"] = resize_boxes(target["boxes"], size, new)
        if "masks" in target:
            masks = target["masks"].unsqueeze(1).to(dtypes.float32)
            target["masks"] = F.interpolate(masks, size=new)[:, 0].to(dtypes.uint8)
        if "keypoints" in target:
            target["keypoints"] = resize_keypoints(target["keypoints"], size, new)
        return image, target

    def batch_images(self, images: list[Tensor], size_divisible: int = 32) -> Tensor:
        """Images (C, H, W) padded at the right and the bottom with 0: (N, C, height, width), multiples of size_divisible."""
        if not images:
            raise ArgumentError("GeneralizedRCNNTransform: there is no image; give a list of at least one")
        high, wide = (math.ceil(max(image.shape[i] for image in images) / size_divisible) * size_divisible for i in (-2, -1))
        return stack([F.pad(image, [0, wide - image.shape[-1], 0, high - image.shape[-2]]) for image in images])

    def postprocess(self, result: list[_Target], image_shapes: list[tuple[int, int]],
                    original_image_sizes: list[tuple[int, int]]) -> list[_Target]:
        """Detections of resized images in their original sizes; nothing happens in training."""
        if self.training:
            return result
        for found, shape, original in zip(result, image_shapes, original_image_sizes, strict=True):
            found["boxes"] = resize_boxes(found["boxes"], shape, original)
            if "masks" in found:
                found["masks"] = paste_masks_in_image(found["masks"], found["boxes"], original)
            if "keypoints" in found:
                found["keypoints"] = resize_keypoints(found["keypoints"], shape, original)
        return result

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(\n    Normalize(mean={self.image_mean}, std={self.image_std})\n    Resize(min_size="
                f"{self.min_size}, max_size={self.max_size}, mode='bilinear')\n)")


def _column(values, image):
    """A number for each channel, (C, 1, 1)."""
    return tensor(values, dtype=image.dtype, device=image.device).reshape(-1, 1, 1)
