"""What is done to the input of models before they see it: the transforms that pretrained weights go with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...base import dtypes
from ...base.errors import ArgumentTypeError
from ...nn import Module
from ...tensor import Tensor
from .. import pillow
from . import functional as F
from .interpolation import InterpolationMode

__all__ = ["ImageClassification", "ObjectDetection", "OpticalFlow", "SemanticSegmentation", "VideoClassification"]

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's channels
_IMAGES = "Takes Pillow images, pictures (C, H, W) and batches (B, C, H, W)"


def _tensor(img: Any) -> Tensor:
    """A Pillow image as a tensor, a tensor as it is.  Raises ArgumentTypeError for anything else."""
    if isinstance(img, Tensor):
        return img
    if not pillow.is_pillow(img):
        raise ArgumentTypeError(f"expected a Pillow image or a tensor, got {type(img)}")
    return F.pil_to_tensor(img)


def _floats(img: Any) -> Tensor:
    return F.convert_image_dtype(_tensor(img), dtypes.float32)


class _Preset(Module):
    """A preset: its settings, named in `shown`, and what it does in words."""

    shown: tuple[str, ...] = ()

    def __repr__(self) -> str:
        settings = "".join(f"\n    {name}={getattr(self, name)}" for name in self.shown)
        return f"{type(self).__name__}({settings}{chr(10) if settings else ''})"

    def describe(self) -> str:
        """What the preset does, in a sentence."""
        raise NotImplementedError


class ObjectDetection(_Preset):
    """A Pillow image, or a tensor (..., C, H, W) of bytes, as floats in [0, 1].

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's weights for detection.

        image = ObjectDetection()(picture)
    """

    def forward(self, img: Any) -> Tensor:
        """img as floats."""
        return _floats(img)

    def describe(self) -> str:
        """What the preset does, in a sentence."""
        return f"{_IMAGES}; values become floats in [0, 1]."


class ImageClassification(_Preset):
    """Resize the shorter edge of a Pillow image or a tensor (..., C, H, W) of bytes, cut out the middle, standardise channels.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's weights for classification.

        image = ImageClassification(crop_size=224)(picture)
    """

    shown = ("crop_size", "resize_size", "mean", "std", "interpolation")

    def __init__(self, *, crop_size: int, resize_size: int = 256, mean: tuple[float, ...] = _MEAN, std: tuple[float, ...] = _STD,
                 interpolation: InterpolationMode = InterpolationMode.BILINEAR, antialias: bool | None = True) -> None:
        super().__init__()
        self.crop_size, self.resize_size, self.mean, self.std = [crop_size], [resize_size], list(mean), list(std)
        self.interpolation, self.antialias = interpolation, antialias

    def forward(self, img: Any) -> Tensor:
        """img, ready for a model."""
        img = F.resize(img, self.resize_size, interpolation=self.interpolation, antialias=self.antialias)
        return F.normalize(_floats(F.center_crop(img, self.crop_size)), self.mean, self.std)

    def describe(self) -> str:
        """What the preset does, in a sentence."""
        return (f"{_IMAGES}; the shorter edge is resized to {self.resize_size[0]} ({self.interpolation.value}), the middle of size "
                f"{self.crop_size[0]} cut out, values become floats in [0, 1] and are standardised with mean {self.mean} and std "
                f"{self.std}.")


class SemanticSegmentation(_Preset):
    """Resize the shorter edge of a Pillow image or a tensor (..., C, H, W) of bytes (unless resize_size is None), standardise.

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's weights for segmentation.

        image = SemanticSegmentation(resize_size=520)(picture)
    """

    shown = ("resize_size", "mean", "std", "interpolation")

    def __init__(self, *, resize_size: int | None, mean: tuple[float, ...] = _MEAN, std: tuple[float, ...] = _STD,
                 interpolation: InterpolationMode = InterpolationMode.BILINEAR, antialias: bool | None = True) -> None:
        super().__init__()
        self.resize_size = None if resize_size is None else [resize_size]
        self.mean, self.std, self.interpolation, self.antialias = list(mean), list(std), interpolation, antialias

    def forward(self, img: Any) -> Tensor:
        """img, ready for a model."""
        if self.resize_size is not None:
            img = F.resize(img, self.resize_size, interpolation=self.interpolation, antialias=self.antialias)
        return F.normalize(_floats(img), self.mean, self.std)

    def describe(self) -> str:
        """What the preset does, in a sentence."""
        resized = "" if self.resize_size is None else (
            f" the shorter edge is resized to {self.resize_size[0]} ({self.interpolation.value}),")
        return f"{_IMAGES};{resized} values become floats in [0, 1] and are standardised with mean {self.mean} and std {self.std}."


class VideoClassification(_Preset):
    """Resize the frames of a video (..., T, C, H, W) of bytes, cut out the middle, standardise: floats (..., C, T, H, W).

    Raises ArgumentTypeError for anything but a tensor.  Source: torchvision 0.29's weights for videos.

        clip = VideoClassification(crop_size=(112, 112), resize_size=(128, 171))(video)
    """

    shown = ("crop_size", "resize_size", "mean", "std", "interpolation")

    def __init__(self, *, crop_size: tuple[int, int], resize_size: Sequence[int],
                 mean: tuple[float, ...] = (0.43216, 0.394666, 0.37645), std: tuple[float, ...] = (0.22803, 0.22145, 0.216989),
                 interpolation: InterpolationMode = InterpolationMode.BILINEAR) -> None:
        super().__init__()
        self.crop_size, self.resize_size, self.mean, self.std = list(crop_size), list(resize_size), list(mean), list(std)
        self.interpolation = interpolation

    def forward(self, vid: Tensor) -> Tensor:
        """vid, ready for a model."""
        frames = F.resize(vid, self.resize_size, interpolation=self.interpolation, antialias=False)
        frames = F.normalize(_floats(F.center_crop(frames, self.crop_size)), self.mean, self.std)
        return frames.transpose(-4, -3).contiguous()

    def describe(self) -> str:
        """What the preset does, in a sentence."""
        return (f"Takes videos (T, C, H, W) and batches (B, T, C, H, W); frames are resized to {self.resize_size} "
                f"({self.interpolation.value}), the middle of size {self.crop_size} cut out, values become floats in [0, 1] and "
                f"are standardised with mean {self.mean} and std {self.std}; the result is (..., C, T, H, W).")


class OpticalFlow(_Preset):
    """Two Pillow images, or tensors (..., C, H, W) of bytes, as floats in [-1, 1].

    Raises ArgumentTypeError for anything else.  Source: torchvision 0.29's weights for optical flow.

        before, after = OpticalFlow()(first, second)
    """

    def forward(self, img1: Any, img2: Any) -> tuple[Tensor, Tensor]:
        """Both pictures as floats."""
        before, after = (F.normalize(_floats(img), [0.5] * 3, [0.5] * 3).contiguous() for img in (img1, img2))
        return before, after

    def describe(self) -> str:
        """What the preset does, in a sentence."""
        return f"{_IMAGES}; values become floats in [-1, 1]."
