"""What ONNX has for detection."""

from ...base import dtypes


def nms_kept(b, boxes, group, *, limit):
    """NonMaxSuppression of one class, best first."""
    if group is not None:
        b.refuse("boxes of several groups are suppressed at once")
    n = boxes.shape[0]
    boxes = b.unsqueeze(b.cast(boxes, dtypes.float32), [0])
    scores = b("Neg", b.cast(b.arange(n), dtypes.float32))
    scores = b.unsqueeze(scores, [0, 1])
    kept = b("NonMaxSuppression", boxes, scores, b.constant(n, dtypes.int64), b.constant(float(limit), dtypes.float32),
             shape=(n, 3), dtype=dtypes.int64)
    places = b("Gather", kept, b.constant(2, dtypes.int64), shape=(n,), dtype=dtypes.int64, axis=1)
    yes = b("Equal", places, places, dtype=dtypes.bool_)
    none = b.expand(b.constant(False, dtypes.bool_), (n,))
    return b("ScatterElements", none, places, yes, shape=(n,), axis=0)


def _of_regions(b, rois):
    images = b.cast(b.reshape(b.slice(rois, {1: (0, 1, 1)}), (rois.shape[0],)), dtypes.int64)
    return b.slice(rois, {1: (1, 4, 1)}), images


def roi_mean(b, x, rois, *, kind, output_size, sampling_ratio, aligned, spatial_scale):
    """RoiAlign."""
    if kind != "align":
        b.refuse("each bin reads channels of its own")
    if aligned:
        b.needs(16, "alignment by half a pixel")
    boxes, images = _of_regions(b, rois)
    how = {"coordinate_transformation_mode": "half_pixel" if aligned else "output_half_pixel"} if b.opset >= 16 else {}
    return b("RoiAlign", x, boxes, images, shape=b.results[0].shape, output_height=output_size[0], output_width=output_size[1],
             sampling_ratio=max(sampling_ratio, 0), spatial_scale=float(spatial_scale), mode="avg", **how)


def roi_max(b, x, rois, *, output_size, spatial_scale):
    """MaxRoiPool."""
    return (b("MaxRoiPool", x, rois, shape=b.results[0].shape, pooled_shape=list(output_size), spatial_scale=float(spatial_scale)),)
