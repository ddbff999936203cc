"""Resizing, to given and to random sizes: pictures, videos, masks, boxes and keypoints together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import draws
from ..interpolation import InterpolationMode, as_mode
from ..sizes import check_resize
from . import functional as F
from .samples import query_size
from .transform import Transform

Mode = InterpolationMode | str | int


class Resize(Transform):
    """Resize to (height, width), with one number the shorter edge to it, or with None the longer edge to max_size; any dtype.

    Raises ArgumentError, ArgumentTypeError for a size that makes no sense.  Source: torchvision 0.29's transforms.v2.Resize.

        image, boxes = v2.Resize(16)(image, boxes)
    """

    def __init__(self, size: int | Sequence[int] | None, interpolation: Mode = "bilinear", max_size: int | None = None,
                 antialias: bool | None = True) -> None:
        super().__init__()
        self.size = check_resize(size, None if size is not None else max_size, True)
        self.interpolation, self.max_size, self.antialias = as_mode(interpolation), max_size, antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, resized."""
        return self._call_kernel(F.resize, inpt, self.size, interpolation=self.interpolation, max_size=self.max_size,
                                 antialias=self.antialias)


class _RandomSize(Transform):
    """A transform that resizes to a size drawn at random."""

    def __init__(self, interpolation: Mode, antialias: bool | None) -> None:
        super().__init__()
        self.interpolation, self.antialias = as_mode(interpolation), antialias

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One leaf, resized."""
        return self._call_kernel(F.resize, inpt, size=params["size"], interpolation=self.interpolation, antialias=self.antialias)


class ScaleJitter(_RandomSize):
    """Resize to a random share, in scale_range, of what fits into target_size (height, width); samples of any dtype.

    Source: Ghiasi et al. 2021; torchvision 0.29's transforms.v2.ScaleJitter.  Raises what resize raises.

        image, boxes = v2.ScaleJitter((64, 64))(image, boxes)
    """

    def __init__(self, target_size: tuple[int, int], scale_range: tuple[float, float] = (0.1, 2.0),
                 interpolation: Mode = "bilinear", antialias: bool | None = True) -> None:
        super().__init__(interpolation, antialias)
        self.target_size, self.scale_range = target_size, scale_range

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The size."""
        height, width = query_size(flat_inputs)
        low, high = self.scale_range
        scale = np.float32(low) + np.float32(draws.unit()) * np.float32(high - low)
        share = np.float32(min(self.target_size[1] / height, self.target_size[0] / width)) * scale
        return {"size": (int(np.float32(height) * share), int(np.float32(width) * share))}

    def extra_repr(self) -> str:
        """The settings."""
        return (f"target_size={self.target_size}, scale_range={self.scale_range}, interpolation={self.interpolation.value}, "
                f"antialias={self.antialias}")


class RandomShortestSize(_RandomSize):
    """Resize the shorter edge to one of min_size, the longer one to at most max_size; samples of any dtype.

    Raises what resize raises.  Source: torchvision 0.29's transforms.v2.RandomShortestSize.

        image, boxes = v2.RandomShortestSize([16, 24], max_size=32)(image, boxes)
    """

    def __init__(self, min_size: list[int] | tuple[int] | int, max_size: int | None = None, interpolation: Mode = "bilinear",
                 antialias: bool | None = True) -> None:
        super().__init__(interpolation, antialias)
        self.min_size, self.max_size = [min_size] if isinstance(min_size, int) else list(min_size), max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The size."""
        height, width = query_size(flat_inputs)
        share = self.min_size[draws.integer(0, len(self.min_size))] / min(height, width)
        if self.max_size is not None:
            share = min(share, self.max_size / max(height, width))
        return {"size": (int(height * share), int(width * share))}

    def extra_repr(self) -> str:
        """The settings."""
        longest = "" if self.max_size is None else f"max_size={self.max_size}, "
        return f"min_size={self.min_size}, {longest}interpolation={self.interpolation.value}, antialias={self.antialias}"


class RandomResize(_RandomSize):
    """Resize the shorter edge to a number in [min_size, max_size); samples of any dtype.

    Raises what resize raises, and ArgumentError for an empty range.  Source: torchvision 0.29's transforms.v2.RandomResize.

        image, boxes = v2.RandomResize(16, 32)(image, boxes)
    """

    def __init__(self, min_size: int, max_size: int, interpolation: Mode = "bilinear", antialias: bool | None = True) -> None:
        super().__init__(interpolation, antialias)
        self.min_size, self.max_size = min_size, max_size

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The size."""
        return {"size": [draws.integer(self.min_size, self.max_size)]}

    def extra_repr(self) -> str:
        """The settings."""
        return (f"min_size={self.min_size}, max_size={self.max_size}, interpolation={self.interpolation.value}, "
                f"antialias={self.antialias}")
