"""Crops and borders: pictures, videos, masks, boxes and keypoints together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ....base.errors import ArgumentError, ArgumentTypeError
from ... import pillow
from ...tv_tensors import BoundingBoxes, BoundingBoxFormat, Image, KeyPoints, Mask
from ...tv_tensors.base import plain
from .. import draws, parameters, sizing
from ..interpolation import InterpolationMode, as_mode
from ..kernels import box_formats
from ..kernels.image_geometry import check_padding_mode
from ..setup_arguments import check_part, sequence, size_of
from ..sizes import padding_of
from . import functional as F
from .functional import is_pure_tensor
from .samples import get_bounding_boxes, has_all, has_any, query_size
from .transform import Fill, RandomApplyTransform, Transform

Mode = InterpolationMode | str | int


class CenterCrop(Transform):
    """Cut out the middle, of (height, width), padded with 0 where it is too small; samples of any dtype.

    Raises ArgumentError, ArgumentTypeError for a size that makes no sense.  Source: torchvision 0.29's transforms.v2.CenterCrop.

        image, boxes = v2.CenterCrop(16)(image, boxes)
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = size_of(size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The middle of one leaf."""
        return self._call_kernel(F.center_crop, inpt, output_size=self.size)


class _Crops(Transform):
    """Several crops of pictures and videos."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise ArgumentTypeError for boxes, masks and keypoints, which would have to be repeated."""
        if has_any(flat_inputs, BoundingBoxes, Mask, KeyPoints):
            raise ArgumentTypeError(f"BoundingBoxes'es, Mask's and KeyPoints'es are not supported by {type(self).__name__}()")


class FiveCrop(_Crops):
    """Cut out the four corners and the middle of a picture or video of any dtype: a tuple of five of size (height, width).

    Raises ArgumentError where it is too small, ArgumentTypeError for boxes, masks and keypoints.
    Source: torchvision 0.29's transforms.v2.FiveCrop.

        parts = v2.FiveCrop(16)(image)
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = size_of(size)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The five parts of one leaf."""
        return self._call_kernel(F.five_crop, inpt, self.size)


class TenCrop(_Crops):
    """FiveCrop of a picture or video of any dtype and of its mirror image: a tuple of ten of size (height, width).

    Raises what FiveCrop raises.  Source: torchvision 0.29's transforms.v2.TenCrop.

        parts = v2.TenCrop(16)(image)
    """

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size, self.vertical_flip = size_of(size), vertical_flip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The ten parts of one leaf."""
        return self._call_kernel(F.ten_crop, inpt, self.size, vertical_flip=self.vertical_flip)


class Pad(Transform):
    """Add borders (one, two or four numbers: left, top, right, bottom) to samples of any dtype.

    fill: a colour, or a dict of one for each class; padding_mode: constant, edge, reflect or symmetric.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.  Source: torchvision 0.29's transforms.v2.Pad.

        image, boxes = v2.Pad(2)(image, boxes)
    """

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        padding_of(padding)
        self.padding, self.padding_mode = padding, check_padding_mode(padding_mode)
        self.fill, self._fill = fill, Fill(fill)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf with borders."""
        return self._call_kernel(F.pad, inpt, padding=self.padding, fill=self._fill[type(inpt)], padding_mode=self.padding_mode)

    def extra_repr(self) -> str:
        """The settings."""
        return f"padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode}"


class RandomZoomOut(RandomApplyTransform):
    """With probability p, put the sample somewhere on a canvas larger by a factor in side_range; of any dtype.

    fill: the colour of the canvas, or a dict of one for each class.

    Raises ArgumentError for a side_range below 1.  Source: Liu et al. 2016 (SSD); torchvision 0.29's transforms.v2.RandomZoomOut.

        image, boxes = v2.RandomZoomOut(p=1)(image, boxes)
    """

    def __init__(self, fill: Any = 0, side_range: Sequence[float] = (1.0, 4.0), p: float = 0.5) -> None:
        super().__init__(p=p)
        self.fill, self._fill = fill, Fill(fill)
        self.side_range = sequence("side_range", side_range, 2)
        if side_range[0] < 1.0 or side_range[0] > side_range[1]:
            raise ArgumentError(f"Invalid side range provided {side_range}.")
        self.side_range = tuple(side_range)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The borders."""
        height, width = query_size(flat_inputs)
        low, high = self.side_range
        factor = np.float32(low) + np.float32(draws.unit()) * np.float32(high - low)
        canvas_width, canvas_height = int(np.float32(width) * factor), int(np.float32(height) * factor)
        left = int(np.float32(canvas_width - width) * np.float32(draws.unit()))
        top = int(np.float32(canvas_height - height) * np.float32(draws.unit()))
        return {"padding": [left, top, canvas_width - left - width, canvas_height - top - height]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf on its canvas."""
        return self._call_kernel(F.pad, inpt, **params, fill=self._fill[type(inpt)])


class RandomCrop(Transform):
    """Cut out (height, width) somewhere, after padding; samples of any dtype.

    Raises ArgumentError where the picture is too small.  Source: torchvision 0.29's transforms.v2.RandomCrop.

        image, boxes = v2.RandomCrop(16, padding=4)(image, boxes)
    """

    def __init__(self, size: int | Sequence[int], padding: int | Sequence[int] | None = None, pad_if_needed: bool = False,
                 fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        self.size = size_of(size)
        if pad_if_needed or padding is not None:
            check_padding_mode(padding_mode)
        self.padding = None if padding is None else list(padding_of(padding))
        self.pad_if_needed, self.fill, self._fill, self.padding_mode = pad_if_needed, fill, Fill(fill), padding_mode

    get_params = staticmethod(sizing.RandomCrop.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The borders and the place."""
        height, width = query_size(flat_inputs)
        left, top, right, bottom = self.padding or (0, 0, 0, 0)
        lacking = [max(n - m - a - b, 0) if self.pad_if_needed else 0
                   for n, m, a, b in zip(self.size, (height, width), (top, left), (bottom, right), strict=True)]
        padding = [left + lacking[1], top + lacking[0], right + lacking[1], bottom + lacking[0]]
        height, width = height + padding[1] + padding[3], width + padding[0] + padding[2]
        if height < self.size[0] or width < self.size[1]:
            raise ArgumentError(f"Required crop size {self.size} is larger than padded input image size {(height, width)}.")
        spare = height - self.size[0], width - self.size[1]
        at = [draws.integer(0, n + 1) if n > 0 else 0 for n in spare]
        return {"needs_crop": any(spare), "top": at[0], "left": at[1], "height": self.size[0], "width": self.size[1],
                "needs_pad": any(padding), "padding": padding}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """A part of one leaf."""
        if params["needs_pad"]:
            inpt = self._call_kernel(F.pad, inpt, padding=params["padding"], fill=self._fill[type(inpt)],
                                     padding_mode=self.padding_mode)
        if params["needs_crop"]:
            inpt = self._call_kernel(F.crop, inpt, **{k: params[k] for k in ("top", "left", "height", "width")})
        return inpt

    def extra_repr(self) -> str:
        """The settings."""
        padding = "" if self.padding is None else f"padding={self.padding}, "
        return (f"size={self.size}, {padding}pad_if_needed={self.pad_if_needed}, fill={self.fill}, "
                f"padding_mode={self.padding_mode}")


class RandomResizedCrop(Transform):
    """Cut out a part of random area (its share in scale) and aspect ratio (in ratio), and resize it; samples of any dtype.

    Raises ArgumentError, ArgumentTypeError for arguments that make no sense.
    Source: Szegedy et al. 2014; torchvision 0.29's transforms.v2.RandomResizedCrop.

        image, boxes = v2.RandomResizedCrop(16)(image, boxes)
    """

    def __init__(self, size: int | Sequence[int], scale: tuple[float, float] = (0.08, 1.0),
                 ratio: tuple[float, float] = (3 / 4, 4 / 3), interpolation: Mode = "bilinear",
                 antialias: bool | None = True) -> None:
        super().__init__()
        self.size = size_of(size)
        check_part(scale, ratio)
        self.scale, self.ratio, self.interpolation, self.antialias = scale, ratio, as_mode(interpolation), antialias

    get_params = staticmethod(sizing.RandomResizedCrop.get_params)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The part."""
        found = parameters.resized_crop(*query_size(flat_inputs), self.scale, self.ratio)
        return dict(zip(("top", "left", "height", "width"), found, strict=True))

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """A part of one leaf, resized."""
        return self._call_kernel(F.resized_crop, inpt, **params, size=self.size, interpolation=self.interpolation,
                                 antialias=self.antialias)


class RandomIoUCrop(Transform):
    """Cut out a random part that boxes overlap with by at least one of sampler_options (a share of the union), or take all of it.

    The part's sides are shares in [min_scale, max_scale] of the picture's, its aspect ratio in [min_aspect_ratio,
    max_aspect_ratio]; after `trials` parts that do not do, another option is drawn.  Boxes, of any dtype, whose centres are outside
    become 0: drop them with SanitizeBoundingBoxes.

    Raises ArgumentTypeError for a sample without picture or boxes.
    Source: Liu et al. 2016 (SSD); torchvision 0.29's transforms.v2.RandomIoUCrop.

        image, boxes = v2.RandomIoUCrop()(image, boxes)
    """

    def __init__(self, min_scale: float = 0.3, max_scale: float = 1.0, min_aspect_ratio: float = 0.5,
                 max_aspect_ratio: float = 2.0, sampler_options: list[float] | None = None, trials: int = 40) -> None:
        super().__init__()
        self.min_scale, self.max_scale = min_scale, max_scale
        self.min_aspect_ratio, self.max_aspect_ratio = min_aspect_ratio, max_aspect_ratio
        self.options = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0] if sampler_options is None else sampler_options
        self.trials = trials

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise ArgumentTypeError for a sample without picture or boxes."""
        if not (has_all(flat_inputs, BoundingBoxes) and has_any(flat_inputs, pillow.is_pillow, Image, is_pure_tensor)):
            raise ArgumentTypeError(f"{type(self).__name__}() requires input sample to contain tensor or PIL images and bounding "
                                    "boxes. Sample can also contain masks.")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The part, and which boxes stay; nothing for all of it."""
        height, width = query_size(flat_inputs)
        boxes = get_bounding_boxes(flat_inputs)
        corners = box_formats.convert(plain(boxes), boxes.format, BoundingBoxFormat.XYXY).detach().numpy()
        while True:
            overlap = self.options[draws.integer(0, len(self.options))]
            if overlap >= 1.0:
                return {}
            for _ in range(self.trials):
                part = self._part(height, width)
                found = part and _overlapping(part, corners, overlap)
                if found is not None and part is not None:
                    return dict(zip(("top", "left", "height", "width"), part, strict=True), is_within_crop_area=found)

    def _part(self, height, width):
        """(top, left, height, width), or None where it is too narrow."""
        span = np.float32(self.max_scale - self.min_scale)
        shares = [np.float32(self.min_scale) + span * np.float32(draws.unit()) for _ in range(2)]
        w, h = int(np.float32(width) * shares[0]), int(np.float32(height) * shares[1])
        if not (h and self.min_aspect_ratio <= w / h <= self.max_aspect_ratio):
            return None
        left = int(np.float32(width - w) * np.float32(draws.unit()))
        top = int(np.float32(height - h) * np.float32(draws.unit()))
        return (top, left, h, w) if w and h else None

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """A part of one leaf."""
        if not params:
            return inpt
        cut = self._call_kernel(F.crop, inpt, **{k: params[k] for k in ("top", "left", "height", "width")})
        if not isinstance(cut, BoundingBoxes):
            return cut
        values = plain(cut).clone()
        values[~values.new_tensor(params["is_within_crop_area"]).bool()] = 0
        return BoundingBoxes._wrapped(values, cut)


def _overlapping(part, corners, overlap):
    """Which boxes (N, 4) have their centre in a part, or None where none does or overlaps enough."""
    top, left, height, width = part
    right, bottom = left + width, top + height
    x, y = 0.5 * (corners[:, 0] + corners[:, 2]), 0.5 * (corners[:, 1] + corners[:, 3])
    within = (left < x) & (x < right) & (top < y) & (y < bottom)
    if not within.any():
        return None
    kept = corners[within]
    shared = (np.clip(np.minimum(kept[:, 2], right) - np.maximum(kept[:, 0], left), 0, None)
              * np.clip(np.minimum(kept[:, 3], bottom) - np.maximum(kept[:, 1], top), 0, None))
    union = (kept[:, 2] - kept[:, 0]) * (kept[:, 3] - kept[:, 1]) + width * height - shared
    return within if (shared / union).max() >= overlap else None
