"""Pooling of regions from the level of a feature pyramid that fits their size."""

from __future__ import annotations

import math

from ... import nn
from ...base import dtypes
from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from .boxes import box_area
from .regions import roi_align, with_images


class LevelMapper:
    """The level of a pyramid for each box, by the root of its area: canonical_level at canonical_scale, one more where it doubles.

    Called with a list of boxes (L, 4) of a floating dtype, gives int64 (K,), from 0 for level k_min.  Never raises.
    Source: Lin et al., Feature Pyramid Networks, 2017, equation 1.

        >>> from cltensor.vision.ops.poolers import LevelMapper
        >>> LevelMapper(2, 5)([ct.tensor([[0.0, 0, 224, 224], [0, 0, 50, 50]])])
        tensor([2, 0])
    """

    def __init__(self, k_min: int, k_max: int, canonical_scale: int = 224, canonical_level: int = 4, eps: float = 1e-6):
        self.k_min, self.k_max, self.s0, self.lvl0, self.eps = k_min, k_max, canonical_scale, canonical_level, eps

    def __call__(self, boxlists: list[Tensor]) -> Tensor:
        side = cat([box_area(boxes) for boxes in boxlists]).sqrt()
        level = (self.lvl0 + (side / self.s0).log2() + self.eps).floor()
        return level.clamp(self.k_min, self.k_max).to(dtypes.int64) - self.k_min


def initLevelMapper(k_min: int, k_max: int, canonical_scale: int = 224, canonical_level: int = 4, eps: float = 1e-6) -> LevelMapper:
    """LevelMapper with these arguments; its boxes (L, 4) are of a floating dtype.

    Never raises.  Source: Lin et al., Feature Pyramid Networks, 2017.

        >>> from cltensor.vision.ops.poolers import initLevelMapper
        >>> initLevelMapper(2, 5).k_max
        5
    """
    return LevelMapper(k_min, k_max, canonical_scale, canonical_level, eps)


def _scale(feature, image):
    """How much smaller a map is than the images: a power of two."""
    ratios = [2.0 ** round(math.log2(float(have) / float(whole))) for have, whole in zip(feature.shape[-2:], image, strict=True)]
    return ratios[0]


class MultiScaleRoIAlign(nn.Module):
    """roi_align of boxes, each from the map whose scale fits its size: (K, C, *output_size).

    x: a dict of maps (N, C, H, W), of which those named in featmap_names are used; boxes: a list with the boxes (L, 4) of each
    image, in its pixels; image_shapes: their (height, width).  One map serves all boxes, of several each serves its level; scales
    are powers of two, found at the first call.  Floating dtypes.  Raises ArgumentError where no map is named or no image given.
    Source: Lin et al., Feature Pyramid Networks, 2017.

        >>> from cltensor.vision.ops import MultiScaleRoIAlign
        >>> pool = MultiScaleRoIAlign(["a"], 3, 2)
        >>> pool({"a": ct.ones(1, 2, 8, 8)}, [ct.tensor([[0.0, 0, 8, 8]])], [(16, 16)]).shape
        cltensor.Size([1, 2, 3, 3])
    """

    def __init__(self, featmap_names: list[str], output_size: int | tuple[int, ...] | list[int], sampling_ratio: int, *,
                 canonical_scale: int = 224, canonical_level: int = 4):
        super().__init__()
        if not isinstance(output_size, (int, tuple, list)):
            raise ArgumentTypeError(f"MultiScaleRoIAlign: output_size={output_size!r} is neither a size nor two")
        self.featmap_names, self.sampling_ratio = featmap_names, sampling_ratio
        self.output_size = (output_size, output_size) if isinstance(output_size, int) else tuple(output_size)
        self.canonical_scale, self.canonical_level = canonical_scale, canonical_level
        self.scales, self.map_levels = None, None

    def _set_up(self, maps, image_shapes):
        if not image_shapes:
            raise ArgumentError("MultiScaleRoIAlign: image_shapes is empty; give the (height, width) of each image")
        whole = tuple(max(shape[i] for shape in image_shapes) for i in (0, 1))
        self.scales = [_scale(feature, whole) for feature in maps]
        coarsest, finest = (-math.log2(scale) for scale in (self.scales[-1], self.scales[0]))
        self.map_levels = initLevelMapper(int(finest), int(coarsest), self.canonical_scale, self.canonical_level)

    def forward(self, x: dict[str, Tensor], boxes: list[Tensor], image_shapes: list[tuple[int, int]]) -> Tensor:
        maps = [feature for name, feature in x.items() if name in self.featmap_names]
        if not maps:
            raise ArgumentError(f"MultiScaleRoIAlign: none of the maps {list(x)} is named in "
                                f"featmap_names={list(self.featmap_names)}")
        if self.scales is None or self.map_levels is None:
            self._set_up(maps, image_shapes)
        rois = with_images("MultiScaleRoIAlign", boxes).to(maps[0].dtype)
        how = {"output_size": self.output_size, "sampling_ratio": self.sampling_ratio}
        if len(maps) == 1:
            return roi_align(maps[0], rois, spatial_scale=self.scales[0], **how)
        levels = self.map_levels(boxes)
        result = maps[0].new_zeros((len(rois), maps[0].shape[1], *self.output_size))
        for level, (feature, scale) in enumerate(zip(maps, self.scales, strict=True)):
            here = (levels == level).nonzero().squeeze(1)
            pooled = roi_align(feature, rois[here], spatial_scale=scale, **how)
            result = result.index_copy(0, here, pooled.to(result.dtype))
        return result

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(featmap_names={self.featmap_names}, output_size={self.output_size}, "
                f"sampling_ratio={self.sampling_ratio})")
