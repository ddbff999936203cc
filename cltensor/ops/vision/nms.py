"""Suppression of boxes that overlap better ones."""

import numpy as np

from ...base import dtypes
from ...base.errors import ShapeError
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Scratch, Value
from ..kinds.kernel import kernel
from ..kinds.launch import cpu_groups, step
from . import onnx_rules

BITS, WGS = 64, 128
MEMORY = 1 << 26  # bytes of overlaps held at a time


def kept_shape(boxes, group, *, limit):
    """The Spec of kept: (n,) bool."""
    if boxes.ndim != 2 or boxes.shape[1] != 4 or (group is not None and group.shape != boxes.shape[:1]):
        raise ShapeError(f"nms_kept: expected boxes (N, 4) and groups (N,), got {boxes.shape} and {group and group.shape}")
    return boxes.dense(boxes.shape[:1], dtypes.bool_)


def _launch(inputs, outputs):
    """Steps that find the overlaps of some boxes with all later ones, and go through these boxes in order, in turn."""
    boxes, group = inputs
    n, device = boxes.shape[0], boxes.device
    words = -(-n // BITS)
    rows = min(n, max(1, MEMORY // (8 * words * BITS)) * BITS)
    overlaps, removed = Scratch(rows * words * 8), Scratch(words * 8)
    style, number = device.profile.style, np.float64 if boxes.dtype is dtypes.float64 else np.float32
    find = render("nms_overlaps", style=style, dtype=boxes.dtype, grouped=group is not None)
    scan = render("nms_scan", style=style, WGS=WGS)
    b0, b1 = boxes.strides
    given = {"boxes": In(0), "group": In(1), "overlaps": overlaps, "n": n, "b0": b0, "b1": b1,
             "g0": 0 if group is None else group.strides[0], "limit": Value(0, number), "removed": removed, "kept": Out(0),
             "words": words}
    steps = []
    for first in range(0, n, rows):
        here = min(rows, n - first)
        groups = cpu_groups(device, max(1, here * words * BITS // 256))
        steps += [step(find, **given, first=first, rows=here, groups=groups), step(scan, **given, first=first, rows=here)]
    return steps


def _ref(boxes, group, *, limit):
    boxes, kept = boxes.astype(float), np.ones(len(boxes), bool)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for i, box in enumerate(boxes):
        if kept[i]:
            sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
            shared = np.maximum(sides, 0).prod(1)
            out = shared / (areas + areas[i] - shared) > limit
            out &= np.arange(len(boxes)) > i
            kept &= ~out if group is None else ~(out & (group == group[i]))
    return kept


def _samples(rng):
    corners = rng.uniform(0, 8, (150, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 4, (150, 2))], 1)
    return [((boxes, None), {"limit": 0.301}), ((boxes, rng.integers(0, 3, 150)), {"limit": 0.101})]


nms_kept = kernel(
    "nms_kept", onnx=onnx_rules.nms_kept,
    shape=kept_shape, launch=_launch, values=("limit",), dtypes="number", public=False, ref=_ref, samples=_samples,
    work=lambda specs, outs, **_: 8 * specs[0].shape[0] ** 2,
    doc="Which boxes, best first, are kept: those whose overlap with every kept box of their group before them is at most limit.")
