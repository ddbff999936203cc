"""Calls of the ops of detection: record_ops.py writes what torchvision gives, test_ops.py compares."""

import numpy as np

SEED = 5


def boxes(rng, n, size=20):
    """n boxes, left, top, right, bottom."""
    corners = rng.uniform(0, size, (n, 2))
    return np.concatenate([corners, corners + rng.uniform(0.5, size / 2, (n, 2))], 1).astype(np.float32)


def regions(rng, k):
    """k regions of two images, some of them partly or wholly outside a plane."""
    corners = rng.uniform(-4, 12, (k, 2))
    return np.concatenate([rng.integers(0, 2, (k, 1)), corners, corners + rng.uniform(0.5, 12, (k, 2))], 1).astype(np.float32)


def cases():
    """{name: (function, arrays, keywords, places of the arguments that get gradients)}."""
    rng = np.random.default_rng(SEED)
    found = {}
    a, b = boxes(rng, 5), boxes(rng, 3)
    turned = np.concatenate([a[:, :2], rng.uniform(1, 9, (5, 2)), rng.uniform(-180, 180, (5, 1))], 1).astype(np.float32)
    for name in ("box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"):
        found[name] = (name, (a, b), {}, (0, 1))
    for name in ("generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"):
        found[name] = (name, (a, np.roll(a, 1, 0) + 0.5), {"reduction": "sum"}, (0, 1))
    for fmt in ("xywhr", "cxcywhr"):
        found[f"box_iou {fmt}"] = ("box_iou", (turned, turned[::-1].copy()), {"fmt": fmt}, ())
        found[f"corners {fmt}"] = ("box_convert", (turned, fmt, "xyxyxyxy"), {}, (0,))
    many, scores = boxes(rng, 90), rng.random(90).astype(np.float32)
    found["nms"] = ("nms", (many, scores, 0.3), {}, ())
    found["batched_nms"] = ("batched_nms", (many, scores, rng.integers(0, 3, 90), 0.2), {}, ())
    found["masks_to_boxes"] = ("masks_to_boxes", (rng.random((4, 5, 6)) < 0.1,), {}, ())
    x, rois = rng.standard_normal((2, 4, 7, 6)).astype(np.float32), regions(rng, 5)
    how = {"output_size": (2, 2), "spatial_scale": 0.6}
    for ratio in (-1, 2):
        for aligned in (False, True):
            found[f"roi_align {ratio} {aligned}"] = ("roi_align", (x, rois),
                                                     {**how, "sampling_ratio": ratio, "aligned": aligned}, (0,))
        found[f"ps_roi_align {ratio}"] = ("ps_roi_align", (x, rois), {**how, "sampling_ratio": ratio}, (0,))
    found["roi_pool"] = ("roi_pool", (x, rois), how, (0,))
    found["ps_roi_pool"] = ("ps_roi_pool", (x, rois), how, ())
    offset = 2 * rng.standard_normal((2, 24, 4, 6)).astype(np.float32)
    weight, mask = rng.standard_normal((2, 2, 2, 3)).astype(np.float32), rng.random((2, 12, 4, 6)).astype(np.float32)
    found["deform_conv2d"] = ("deform_conv2d", (x, offset, weight, weight[:, 0, 0, 0].copy(), (2, 1), 1, (1, 1), mask),
                              {}, (0, 1, 2, 3, 7))
    found["sigmoid_focal_loss"] = ("sigmoid_focal_loss", (4 * x[0, 0], (x[0, 1] > 0).astype(np.float32)), {}, (0,))
    return found


def weights(shape):
    """What a result is multiplied with before it is summed for gradients."""
    return np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape).astype(np.float32)
