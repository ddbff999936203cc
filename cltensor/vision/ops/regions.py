"""Pooling of regions of interest of feature maps: roi_align, roi_pool and the position-sensitive forms, as functions and layers."""

from __future__ import annotations

from collections.abc import Sequence

from ... import nn
from ...base.errors import ArgumentError, AssertedShapeError, DTypeError, ShapeError
from ...dispatch.autocast import FLOAT32, autocasts
from ...ops.vision.roi import roi_max, roi_mean
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat

_Size = int | Sequence[int]
_Boxes = Tensor | Sequence[Tensor]


def with_images(op, boxes):
    """Boxes as regions (K, 5): image, left, top, right, bottom; a list has the boxes (L, 4) of each image."""
    if isinstance(boxes, Tensor):
        if boxes.ndim != 2 or boxes.shape[1] != 5:
            raise AssertedShapeError(f"{op}: boxes {tuple(boxes.shape)} must be (K, 5): the image's number, left, top, right, "
                                     "bottom; or give a list with the boxes (L, 4) of each image")
        return boxes
    if not isinstance(boxes, (list, tuple)) or not all(isinstance(b, Tensor) and b.ndim == 2 and b.shape[1] == 4 for b in boxes):
        found = [tuple(b.shape) for b in boxes if isinstance(b, Tensor)] if isinstance(boxes, (list, tuple)) else boxes
        raise AssertedShapeError(f"{op}: boxes {found} must be a tensor (K, 5) or a list of tensors (L, 4), one for each image")
    return cat([cat([b.new_full((len(b), 1), i), b], 1) for i, b in enumerate(boxes)])


def _pair(op, output_size):
    """output_size as (rows, columns)."""
    size = (output_size, output_size) if isinstance(output_size, int) else tuple(map(int, output_size))
    if len(size) != 2 or min(size) < 1:
        raise ArgumentError(f"{op}: output_size={output_size} must be a size or two, each at least 1")
    return size


def _regions(op, input, boxes, output_size, channels_by_bin=False):
    """(regions, rows and columns of bins) of a call that is right."""
    rois, size = with_images(op, boxes), _pair(op, output_size)
    if input.ndim != 4:
        raise ShapeError(f"{op}: input {tuple(input.shape)} must be (N, C, H, W); add the batch dimension with unsqueeze(0)")
    if input.dtype is not rois.dtype or not input.is_floating_point():
        raise DTypeError(f"{op}: input is {input.dtype} and boxes are {rois.dtype}; both must be of one floating dtype")
    if channels_by_bin and input.shape[1] % (size[0] * size[1]):
        raise ShapeError(f"{op}: input has {input.shape[1]} channels, no multiple of the {size[0]} x {size[1]} bins, each of which "
                         "reads channels of its own")
    return rois.detach(), size


def _mean(op, kind, input, boxes, output_size, spatial_scale, sampling_ratio=1, aligned=False):
    rois, size = _regions(op, input, boxes, output_size, kind != "align")
    return roi_mean(input, rois, kind=kind, output_size=size, sampling_ratio=max(int(sampling_ratio), 0), aligned=bool(aligned),
                    spatial_scale=float(spatial_scale))


@autocasts(FLOAT32)
def roi_align(input: Tensor, boxes: _Boxes, output_size: _Size, spatial_scale: float = 1.0, sampling_ratio: int = -1,
              aligned: bool = False) -> Tensor:
    """The mean of bilinear samples in each of the bins of regions of input (N, C, H, W): (K, C, *output_size).

    boxes: (K, 5) with the image's number, left, top, right, bottom, or a list with the boxes (L, 4) of each image; times
    spatial_scale they are in pixels of input.  sampling_ratio: samples per bin along each axis; if it is not positive, as many
    as the bin has pixels, rounded up.  aligned: pixels' centres lie at half numbers; without it a region is at least one pixel
    wide.  Floating dtypes.  Boxes have no gradient.  Raises AssertedShapeError for other boxes, ShapeError, DTypeError; an image's
    number out of range raises DimensionError at the next read.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.ops import roi_align
        >>> roi_align(ct.arange(16.0).reshape(1, 1, 4, 4), [ct.tensor([[0.0, 0, 2, 2]])], 1)
        tensor([[[[5.]]]])
    """
    return _mean("roi_align", "align", input, boxes, output_size, spatial_scale, sampling_ratio, aligned)


@autocasts(FLOAT32)
def ps_roi_align(input: Tensor, boxes: _Boxes, output_size: _Size, spatial_scale: float = 1.0, sampling_ratio: int = -1) -> Tensor:
    """roi_align, aligned, where each bin reads channels of its own: (N, C * bins, H, W) -> (K, C, *output_size).

    Bin (i, j) of channel c reads channel (c * rows + i) * columns + j.  boxes, spatial_scale, sampling_ratio, dtypes and errors
    are those of roi_align; raises ShapeError too where bins do not divide the channels.
    Source: Dai et al., R-FCN, 2016; Li et al., Light-Head R-CNN, 2017.

        >>> from cltensor.vision.ops import ps_roi_align
        >>> ps_roi_align(ct.ones(1, 8, 4, 4), [ct.tensor([[0.0, 0, 3, 3]])], 2).shape
        cltensor.Size([1, 2, 2, 2])
    """
    return _mean("ps_roi_align", "ps_align", input, boxes, output_size, spatial_scale, sampling_ratio)


@autocasts(FLOAT32)
def ps_roi_pool(input: Tensor, boxes: _Boxes, output_size: _Size, spatial_scale: float = 1.0) -> Tensor:
    """The mean of the pixels of each bin, which reads channels of its own: (N, C * bins, H, W) -> (K, C, *output_size).

    Corners of boxes are rounded to pixels; an empty bin gives 0.  Channels are read as by ps_roi_align.
    boxes and dtypes are those of ps_roi_align.  Raises what it raises.  Source: Dai et al., R-FCN, 2016.

        >>> from cltensor.vision.ops import ps_roi_pool
        >>> ps_roi_pool(ct.ones(1, 8, 4, 4), [ct.tensor([[0.0, 0, 3, 3]])], 2).shape
        cltensor.Size([1, 2, 2, 2])
    """
    return _mean("ps_roi_pool", "ps_pool", input, boxes, output_size, spatial_scale)


@autocasts(FLOAT32)
def roi_pool(input: Tensor, boxes: _Boxes, output_size: _Size, spatial_scale: float = 1.0) -> Tensor:
    """The largest pixel of each of the bins of regions of input (N, C, H, W): (K, C, *output_size); 0 for an empty bin.

    Corners of boxes, times spatial_scale, are rounded to pixels.  boxes and dtypes are those of roi_align.
    Raises what roi_align raises.
    Source: Girshick, Fast R-CNN, 2015.

        >>> from cltensor.vision.ops import roi_pool
        >>> roi_pool(ct.arange(16.0).reshape(1, 1, 4, 4), [ct.tensor([[0.0, 0, 2, 2]])], 1)
        tensor([[[[10.]]]])
    """
    rois, size = _regions("roi_pool", input, boxes, output_size)
    return roi_max(input, rois, output_size=size, spatial_scale=float(spatial_scale))[0]


class _Pooling(nn.Module):
    """A layer that pools regions: its numbers, and how it shows itself."""

    _shown = ("output_size", "spatial_scale")

    def __init__(self, output_size: _Size, spatial_scale: float):
        super().__init__()
        self.output_size, self.spatial_scale = output_size, spatial_scale

    def extra_repr(self) -> str:
        return ", ".join(f"{n}={getattr(self, n)}" for n in self._shown)


class RoIAlign(_Pooling):
    """roi_align as a layer: input (N, C, H, W) and rois -> (K, C, *output_size); floating dtypes.

    Raises what roi_align raises.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.ops import RoIAlign
        >>> RoIAlign(2, 0.5, 2)(ct.ones(1, 3, 4, 4), [ct.tensor([[0.0, 0, 8, 8]])]).shape
        cltensor.Size([1, 3, 2, 2])
    """

    _shown = ("output_size", "spatial_scale", "sampling_ratio", "aligned")

    def __init__(self, output_size: _Size, spatial_scale: float, sampling_ratio: int, aligned: bool = False):
        super().__init__(output_size, spatial_scale)
        self.sampling_ratio, self.aligned = sampling_ratio, aligned

    def forward(self, input: Tensor, rois: _Boxes) -> Tensor:
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)


class PSRoIAlign(_Pooling):
    """ps_roi_align as a layer: input (N, C * bins, H, W) and rois -> (K, C, *output_size); floating dtypes.

    Raises what ps_roi_align raises.  Source: Dai et al., R-FCN, 2016.

        >>> from cltensor.vision.ops import PSRoIAlign
        >>> PSRoIAlign(2, 0.5, 2)(ct.ones(1, 4, 4, 4), [ct.tensor([[0.0, 0, 8, 8]])]).shape
        cltensor.Size([1, 1, 2, 2])
    """

    _shown = ("output_size", "spatial_scale", "sampling_ratio")

    def __init__(self, output_size: int, spatial_scale: float, sampling_ratio: int):
        super().__init__(output_size, spatial_scale)
        self.sampling_ratio = sampling_ratio

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        return ps_roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio)


class RoIPool(_Pooling):
    """roi_pool as a layer: input (N, C, H, W) and rois -> (K, C, *output_size); floating dtypes.

    Raises what roi_pool raises.  Source: Girshick, Fast R-CNN, 2015.

        >>> from cltensor.vision.ops import RoIPool
        >>> RoIPool(2, 0.5)(ct.ones(1, 3, 4, 4), [ct.tensor([[0.0, 0, 6, 6]])]).shape
        cltensor.Size([1, 3, 2, 2])
    """

    def forward(self, input: Tensor, rois: _Boxes) -> Tensor:
        return roi_pool(input, rois, self.output_size, self.spatial_scale)


class PSRoIPool(_Pooling):
    """ps_roi_pool as a layer: input (N, C * bins, H, W) and rois -> (K, C, *output_size); floating dtypes.

    Raises what ps_roi_pool raises.  Source: Dai et al., R-FCN, 2016.

        >>> from cltensor.vision.ops import PSRoIPool
        >>> PSRoIPool(2, 0.5)(ct.ones(1, 4, 4, 4), [ct.tensor([[0.0, 0, 6, 6]])]).shape
        cltensor.Size([1, 1, 2, 2])
    """

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        return ps_roi_pool(input, rois, self.output_size, self.spatial_scale)
