"""Boxes of fixed shapes at every place of feature maps, which predictions start from."""

from __future__ import annotations

import functools
import math

import numpy as np

from .... import nn
from ....base import dtypes
from ....base.errors import ArgumentError, AssertedError
from ....tensor.api.creation import from_array, tensor
from ....tensor.core.tensor import Tensor
from .image_list import ImageList


def _nested(values):
    """One tuple for each map; a flat list is one size for each."""
    return tuple(v if isinstance(v, (list, tuple)) else (v,) for v in values)


@functools.lru_cache(8)
def _all_levels(levels):
    """The boxes of all levels as one array; levels: arguments of _grid."""
    return np.concatenate([_grid(*level) for level in levels])


def _grid(cells, rows, columns, strides):
    """Cell anchors moved to every place of a map: (rows * columns * cells, 4)."""
    base = np.array(cells, np.float32).reshape(-1, 4)
    y, x = (np.arange(n, dtype=np.float32) * np.float32(step) for n, step in zip((rows, columns), strides, strict=True))
    y, x = (a.ravel() for a in np.meshgrid(y, x, indexing="ij"))
    return (np.stack([x, y, x, y], 1)[:, None] + base).reshape(-1, 4)


class AnchorGenerator(nn.Module):
    """Boxes of every size in every aspect ratio (height over width), centred at the corners of the cells of each feature map.

    sizes and aspect_ratios have a tuple for each map; a flat list of sizes gives each map one.  Called with an ImageList and a
    list of maps (N, C, H, W), gives for each image the boxes (H * W * shapes of all maps, 4), of the maps' dtype.  Cells are as
    large as the image is larger than the map.  Raises AssertedError where the numbers of maps differ. Source: Ren et al., Faster
    R-CNN, 2015.

        >>> from cltensor.vision.models.detection.anchor_utils import AnchorGenerator
        >>> from cltensor.vision.models.detection.image_list import ImageList
        >>> AnchorGenerator(((4,),), ((1.0,),))(ImageList(ct.zeros(1, 3, 8, 8), [(8, 8)]), [ct.zeros(1, 2, 1, 2)])
        [tensor([[-2., -2.,  2.,  2.],
                [ 2., -2.,  6.,  2.]])]
    """

    def __init__(self, sizes=((128, 256, 512),), aspect_ratios=((0.5, 1.0, 2.0),)):
        super().__init__()
        self.sizes = _nested(sizes)
        self.aspect_ratios = aspect_ratios if isinstance(aspect_ratios[0], (list, tuple)) else (aspect_ratios,) * len(self.sizes)

    @property
    def cell_anchors(self) -> list[Tensor]:
        """generate_anchors for each map."""
        return [self.generate_anchors(s, a) for s, a in zip(self.sizes, self.aspect_ratios, strict=False)]

    def generate_anchors(self, scales: list[int], aspect_ratios: list[float], dtype=dtypes.float32, device=None) -> Tensor:
        """The boxes (shapes, 4) of one place, around 0 and rounded: all sizes of the first ratio, then of the next."""
        return tensor(_cells(tuple(scales), tuple(aspect_ratios)), dtype=dtype, device=device)

    def num_anchors_per_location(self) -> list[int]:
        """The number of boxes at each place, for each map."""
        return [len(s) * len(a) for s, a in zip(self.sizes, self.aspect_ratios, strict=False)]

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        if not len(feature_maps) == len(self.sizes) == len(self.aspect_ratios):
            raise AssertedError(f"AnchorGenerator: {len(feature_maps)} feature maps, {len(self.sizes)} tuples of sizes and "
                                f"{len(self.aspect_ratios)} of aspect_ratios; there must be one of each for every map")
        whole, levels = image_list.tensors.shape[-2:], []
        for feature, sizes, ratios in zip(feature_maps, self.sizes, self.aspect_ratios, strict=True):
            rows, columns = feature.shape[-2:]
            cells = tuple(_cells(tuple(sizes), tuple(ratios)).ravel().tolist())
            levels.append((cells, int(rows), int(columns), (int(whole[0]) // int(rows), int(whole[1]) // int(columns))))
        like = feature_maps[0]
        return [from_array(_all_levels(tuple(levels)), dtypes.float32, like.device).to(like.dtype)] * len(image_list.image_sizes)


def _cells(scales, aspect_ratios):
    """Boxes (shapes, 4) around 0, rounded to whole pixels."""
    tall = np.sqrt(np.array(aspect_ratios, np.float32))
    sizes = np.array(scales, np.float32)
    heights, widths = (np.outer(r, sizes).ravel() for r in (tall, 1 / tall))
    return np.round(np.stack([-widths, -heights, widths, heights], 1) / 2)


class DefaultBoxGenerator(nn.Module):
    """The default boxes of SSD at every place of each feature map.

    At each place: a square of the map's scale, one of the mean (geometric) with the next scale, and for each of the map's
    aspect_ratios a wide and a high box.  scales are shares of the image, one more than maps; None spreads them from min_ratio to
    max_ratio.  steps: pixels from place to place, None for even spacing.  clip: widths and heights at most the image's.  Called
    with an ImageList and a list of maps (N, C, H, W), gives for each image boxes (K, 4) of the maps' dtype.  Raises ArgumentError
    where steps and aspect_ratios differ in number.  Source: Liu et al., SSD: Single Shot MultiBox Detector, 2016.

        >>> from cltensor.vision.models.detection.anchor_utils import DefaultBoxGenerator
        >>> DefaultBoxGenerator([[2], [2, 3]]).num_anchors_per_location()
        [4, 6]
    """

    def __init__(self, aspect_ratios: list[list[int]], min_ratio: float = 0.15, max_ratio: float = 0.9,
                 scales: list[float] | None = None, steps: list[int] | None = None, clip: bool = True):
        super().__init__()
        maps = len(aspect_ratios)
        if steps is not None and len(steps) != maps:
            raise ArgumentError(f"DefaultBoxGenerator: {len(steps)} steps for {maps} aspect_ratios; give one for each map")
        if not scales:
            spread = max_ratio - min_ratio
            scales = [min_ratio + spread * k / (maps - 1.0) for k in range(maps)] + [1.0] if maps > 1 else [min_ratio, max_ratio]
        self.aspect_ratios, self.steps, self.clip, self.scales = aspect_ratios, steps, clip, scales

    def num_anchors_per_location(self) -> list[int]:
        """The number of boxes at each place, for each map."""
        return [2 + 2 * len(ratios) for ratios in self.aspect_ratios]

    def _shapes(self, k):
        """(width, height) of the boxes of map k, as shares of the image."""
        scale, between = self.scales[k], math.sqrt(self.scales[k] * self.scales[k + 1])
        found = [(scale, scale), (between, between)]
        for ratio in self.aspect_ratios[k]:
            root = math.sqrt(ratio)
            found += [(scale * root, scale / root), (scale / root, scale * root)]
        return np.array(found, np.float32)

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        whole = tuple(map(int, image_list.tensors.shape[-2:]))
        grids = tuple(tuple(map(int, feature.shape[-2:])) for feature in feature_maps)
        like = feature_maps[0]
        return [from_array(self._boxes(grids, whole), dtypes.float32, like.device).to(like.dtype)] * len(image_list.image_sizes)

    def _boxes(self, grids, whole):
        found = []
        for k, (rows, columns) in enumerate(grids):
            steps = (self.steps[k],) * 2 if self.steps is not None else None
            high, wide = (whole[i] / steps[i] if steps else n for i, n in enumerate((rows, columns)))
            y, x = ((np.arange(n, dtype=np.float32) + np.float32(0.5)) / np.float32(d) for n, d in ((rows, high), (columns, wide)))
            y, x = (a.ravel() for a in np.meshgrid(y, x, indexing="ij"))
            shapes = np.clip(self._shapes(k), 0, 1) if self.clip else self._shapes(k)
            centres = np.repeat(np.stack([x, y], 1), len(shapes), 0)
            half = np.float32(0.5) * np.tile(shapes, (len(x), 1))
            found.append(np.concatenate([centres - half, centres + half], 1))
        size = np.array([whole[1], whole[0]] * 2, np.float32)
        return np.concatenate(found) * size

    def extra_repr(self) -> str:
        return f"aspect_ratios={self.aspect_ratios}, clip={self.clip}, scales={self.scales}, steps={self.steps}"
