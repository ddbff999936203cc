"""Keypoints of objects: heatmaps of where they are, their loss, and places from heatmaps.

Source: He et al., Mask R-CNN, 2017, section 5.
"""

from __future__ import annotations

import math

from ....base import dtypes
from ....nn import functional as F
from ....tensor.api.creation import arange
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat, stack


def keypoints_to_heatmap(keypoints: Tensor, rois: Tensor, heatmap_size: int) -> tuple[Tensor, Tensor]:
    """(cells (N, K) that keypoints (N, K, 3) fall in of heatmaps over the boxes rois (N, 4); whether they are seen and inside)."""
    left, top, right, bottom = (side.unsqueeze(1) for side in rois.unbind(1))
    x, y, seen = keypoints.unbind(2)
    columns, rows = ((at - low) * (heatmap_size / (high - low)) for at, low, high in ((x, left, right), (y, top, bottom)))
    columns, rows = ((heatmap_size - 1 + 0 * cell).where(at == high, cell.floor()).to(dtypes.int64)
                     for cell, at, high in ((columns, x, right), (rows, y, bottom)))
    inside = (columns >= 0) & (rows >= 0) & (columns < heatmap_size) & (rows < heatmap_size) & (seen > 0)
    return (rows * heatmap_size + columns) * inside.to(dtypes.int64), inside.to(dtypes.int64)


def keypointrcnn_loss(keypoint_logits: Tensor, proposals: list[Tensor], gt_keypoints: list[Tensor],
                      keypoint_matched_idxs: list[Tensor]) -> Tensor:
    """Cross entropy of heatmaps (N, K, S, S) against the cells of the keypoints that are seen; 0 of nothing."""
    n, count, size, width = keypoint_logits.shape
    found = [keypoints_to_heatmap(gt[idx], boxes, size)
             for boxes, gt, idx in zip(proposals, gt_keypoints, keypoint_matched_idxs, strict=True)]
    cells, seen = (cat([part[i].flatten() for part in found]) for i in (0, 1))
    seen = seen.nonzero().squeeze(1)
    if cells.numel() == 0 or len(seen) == 0:
        return keypoint_logits.sum() * 0
    return F.cross_entropy(keypoint_logits.reshape(n * count, size * width)[seen], cells[seen])


def heatmaps_to_keypoints(maps: Tensor, rois: Tensor) -> tuple[Tensor, Tensor]:
    """(keypoints (N, K, 3): x, y and 1; scores (N, K)) where heatmaps (N, K, S, S), as large as boxes rois (N, 4), are largest."""
    left, top, right, bottom = rois.unbind(1)
    sizes = stack([(bottom - top).clamp(min=1), (right - left).clamp(min=1)], 1)
    places, scores = [], []
    for heat, origin, size in zip(maps, stack([left, top], 1), sizes, strict=True):
        high, wide = (math.ceil(v) for v in size.tolist())
        enlarged = F.interpolate(heat.unsqueeze(0), size=(high, wide), mode="bicubic", align_corners=False)[0]
        best = enlarged.reshape(len(heat), -1).argmax(1)
        y, x = best // wide, best % wide
        across, down = ((at.to(heat.dtype) + 0.5) * (length / cells) + start
                        for at, length, cells, start in ((x, size[1], wide, origin[0]), (y, size[0], high, origin[1])))
        places.append(stack([across, down, heat.new_ones((len(heat),))], 1))
        scores.append(enlarged[arange(len(heat), device=heat.device), y, x])
    if not places:
        return maps.new_zeros((0, maps.shape[1], 3)), maps.new_zeros((0, maps.shape[1]))
    return stack(places), stack(scores)


def keypointrcnn_inference(x: Tensor, boxes: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """(keypoints, scores) of each image from the heatmaps x (N, K, S, S) of all of its boxes."""
    found = [heatmaps_to_keypoints(own, rois) for own, rois in zip(x.split([len(b) for b in boxes], 0), boxes, strict=True)]
    return [points for points, _ in found], [scores for _, scores in found]
