"""Pictures: resizing, sampling on grids, regions of interest, decoding."""

import io
import itertools
import math

import numpy as np

from ....base.extras import extra
from ....nn import functional as F
from ..operators import operator
from ..public import axes_of, ct, ints
from ..resampling import Axis, resampled
from ..rounding import limits


@operator("Upsample", since=7)
def upsample_by_attribute(x, *, scales, mode="nearest"):
    return _resized(x, None, scales, None, None, mode, "asymmetric", "floor")


@operator("Upsample", since=9, host="scales")
def upsample(x, scales, *, mode="nearest"):
    return _resized(x, None, scales.tolist(), None, None, mode, "asymmetric", "floor")


@operator("Resize", since=10, host="scales")
def resize_of_version_10(x, scales, *, mode="nearest"):
    return _resized(x, None, scales.tolist(), None, None, mode, "asymmetric", "floor")


@operator("Resize", since=11, host="roi scales sizes")
def resize(x, roi=None, scales=None, sizes=None, *, antialias=0, axes=None, coordinate_transformation_mode="half_pixel",
           cubic_coeff_a=-0.75, exclude_outside=0, extrapolation_value=0.0, keep_aspect_ratio_policy="stretch", mode="nearest",
           nearest_mode="round_prefer_floor"):
    roi = None if roi is None or not roi.size else roi.tolist()
    scales = None if scales is None or not scales.size else scales.tolist()
    sizes = None if sizes is None or not sizes.size else ints(sizes)
    return _resized(x, roi, scales, sizes, axes, mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a, exclude_outside,
                    extrapolation_value, antialias, keep_aspect_ratio_policy)


def _resized(x, roi, scales, sizes, axes, mode, transformation, nearest, cubic=-0.75, exclude=0, outside=0.0, antialias=0,
             policy="stretch"):
    axes = axes_of(range(x.ndim) if axes is None else axes, x.ndim)
    if sizes is None and scales is None:
        raise ValueError("neither scales nor sizes are given")
    if sizes is not None:
        scales = [n / x.shape[a] for n, a in zip(sizes, axes, strict=True)]
        if policy != "stretch":
            scale = (min if policy == "not_larger" else max)(scales)
            scales = [scale] * len(axes)
            sizes = [math.floor(scale * x.shape[a] + 0.5) for a in axes]
    else:
        sizes = [math.floor(x.shape[a] * s) for s, a in zip(scales, axes, strict=True)]
    roi = roi if transformation == "tf_crop_and_resize" and roi else [0.0] * len(axes) + [1.0] * len(axes)
    held, dtype = x, x.dtype
    if not dtype.is_floating_point and mode != "nearest":
        held = x.to(ct.float32)
    beyond = None
    for i, axis in enumerate(axes):
        one = Axis(x.shape[axis], sizes[i], scales[i], (roi[i], roi[i + len(axes)]), transformation)
        if one.same:
            continue
        held = resampled(held, axis, *one.taps(mode, nearest, cubic, exclude, antialias))
        if transformation == "tf_crop_and_resize":
            shape = [-1 if a == axis else 1 for a in range(x.ndim)]
            out = ct.tensor(one.beyond().tolist(), device=x.device).reshape(shape)
            beyond = out if beyond is None else beyond | out
    if beyond is not None:
        held = ct.where(beyond, ct.full((), outside, dtype=held.dtype, device=held.device), held)
    if held.dtype is not dtype:
        held = ct.clamp(ct.trunc(held), *limits(dtype.name)).to(dtype)
    return held


@operator("AffineGrid", since=20, host="size")
def affine_grid(theta, size, *, align_corners=0):
    return F.affine_grid(theta, ints(size), bool(align_corners))


@operator("GridSample", since=16)
def grid_sample(x, grid, *, align_corners=0, mode="linear", padding_mode="zeros"):
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    return F.grid_sample(x, grid.to(x.dtype), mode, padding_mode, bool(align_corners))


@operator("RoiAlign", since=10)
def roi_align_of_version_10(x, rois, batch_indices, *, mode="avg", output_height=1, output_width=1, sampling_ratio=0,
                            spatial_scale=1.0):
    return roi_align(x, rois, batch_indices, coordinate_transformation_mode="output_half_pixel", mode=mode,
                     output_height=output_height,
                     output_width=output_width, sampling_ratio=sampling_ratio, spatial_scale=spatial_scale)


@operator("RoiAlign", since=16, host="rois batch_indices")
def roi_align(x, rois, batch_indices, *, coordinate_transformation_mode="half_pixel", mode="avg", output_height=1, output_width=1,
              sampling_ratio=0, spatial_scale=1.0):
    if hasattr(rois, "requires_grad"):
        rois, batch_indices = rois.detach().numpy(), batch_indices.numpy()
    half, shape = coordinate_transformation_mode == "half_pixel", (output_height, output_width)
    scaled = np.asarray(rois, np.float64) * spatial_scale - (0.5 if half else 0)
    found = [_aligned(x[int(b)], roi, half, shape, sampling_ratio, mode)
             for roi, b in zip(scaled, np.asarray(batch_indices), strict=True)]
    return ct.stack(found) if found else ct.zeros(0, x.shape[1], output_height, output_width, dtype=x.dtype)


def _aligned(image, roi, half, pooled, ratio, mode):
    """One region, as samples between pixels, averaged or the largest of the weighted corners taken."""
    x1, y1, x2, y2 = roi
    sizes = [y2 - y1, x2 - x1] if half else [max(y2 - y1, 1.0), max(x2 - x1, 1.0)]
    counts = [ratio if ratio > 0 else max(math.ceil(size / n), 1) for size, n in zip(sizes, pooled, strict=True)]
    rows, columns = (start + (np.arange(n * c) + 0.5) * size / (n * c)
                     for start, size, n, c in zip((y1, x1), sizes, pooled, counts, strict=True))
    parts = []
    for (r, wr), (c, wc) in itertools.product(_neighbours(rows, image.shape[1]), _neighbours(columns, image.shape[2])):
        taken = ct.index_select(ct.index_select(image, 1, ct.tensor(r.tolist())), 2, ct.tensor(c.tolist()))
        parts.append(taken * ct.tensor((wr[:, None] * wc).tolist(), dtype=image.dtype))
    cut = (image.shape[0], pooled[0], counts[0], pooled[1], counts[1])
    if mode == "max":
        samples = ct.stack(parts).amax(0).reshape(cut)
        return ct.amax(samples, (2, 4))
    return ct.mean(sum(parts[1:], parts[0]).reshape(cut), (2, 4))


def _neighbours(places, size):
    """((index, weight) of the pixel before, of the one after) for places between pixels; outside the weights are 0."""
    inside = (places >= -1) & (places <= size)
    places = np.clip(places, 0, size - 1)
    low = np.minimum(np.floor(places).astype(int), size - 1)
    high, part = np.minimum(low + 1, size - 1), places - low
    return (low, (1 - part) * inside), (high, part * inside)


@operator("ImageDecoder", since=20, host="encoded_stream")
def image_decoder(encoded_stream, *, pixel_format="RGB"):
    pillow = extra("PIL.Image", "vision", "onnx.load: ImageDecoder")
    picture = pillow.open(io.BytesIO(encoded_stream.tobytes()))
    if pixel_format == "Grayscale":
        return np.array(picture.convert("L"))[:, :, None]
    pixels = np.array(picture.convert("RGB"))
    return pixels[:, :, ::-1].copy() if pixel_format == "BGR" else pixels
