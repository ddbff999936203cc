"""Masks of objects: their loss, their probabilities by class, and how they are put into the image.

Source: He et al., Mask R-CNN, 2017.
"""

from __future__ import annotations

import numpy as np

from ....base import dtypes
from ....nn import functional as F
from ....tensor.api.creation import arange
from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat, stack
from ...ops.regions import roi_align


def maskrcnn_inference(x: Tensor, labels: list[Tensor]) -> list[Tensor]:
    """Logits x (N, classes, M, M) of the boxes of all images as probabilities (L, 1, M, M) of each box's own class, by image."""
    own = cat(labels)
    chosen = x.sigmoid()[arange(len(own), device=x.device), own].unsqueeze(1)
    return list(chosen.split([len(label) for label in labels], 0))


def project_masks_on_boxes(gt_masks: Tensor, boxes: Tensor, matched_idxs: Tensor, M: int) -> Tensor:
    """The parts (N, M, M) of masks (G, H, W), by number, that boxes (N, 4) cut out."""
    rois = cat([matched_idxs.unsqueeze(1).to(boxes.dtype), boxes], 1)
    return roi_align(gt_masks.unsqueeze(1).to(boxes.dtype), rois, (M, M), 1.0)[:, 0]


def maskrcnn_loss(mask_logits: Tensor, proposals: list[Tensor], gt_masks: list[Tensor], gt_labels: list[Tensor],
                  mask_matched_idxs: list[Tensor]) -> Tensor:
    """Binary cross entropy of the logits (N, classes, M, M) of each proposal's class against its mask; 0 of nothing."""
    labels = cat([label[idx] for label, idx in zip(gt_labels, mask_matched_idxs, strict=True)])
    wanted = cat([project_masks_on_boxes(m, p, i, mask_logits.shape[-1])
                  for m, p, i in zip(gt_masks, proposals, mask_matched_idxs, strict=True)])
    if wanted.numel() == 0:
        return mask_logits.sum() * 0
    own = mask_logits[arange(len(labels), device=labels.device), labels]
    return F.binary_cross_entropy_with_logits(own, wanted)


def expand_boxes(boxes: Tensor, scale: float) -> Tensor:
    """Boxes (N, 4) enlarged about their centres."""
    left, top, right, bottom = boxes.unbind(1)
    half_w, half_h = (right - left) * 0.5 * scale, (bottom - top) * 0.5 * scale
    x, y = (right + left) * 0.5, (bottom + top) * 0.5
    return stack([x - half_w, y - half_h, x + half_w, y + half_h], 1)


def paste_mask_in_image(mask: Tensor, box: list[int], im_h: int, im_w: int) -> Tensor:
    """mask (M, M) resized to a box of whole pixels, ends included, in an empty image (im_h, im_w)."""
    left, top, right, bottom = box
    wide, high = max(right - left + 1, 1), max(bottom - top + 1, 1)
    mask = F.interpolate(mask[None, None], size=(high, wide), mode="bilinear", align_corners=False)[0, 0]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right + 1, im_w), min(bottom + 1, im_h)
    if x0 >= x1 or y0 >= y1:
        return mask.new_zeros((im_h, im_w))
    return F.pad(mask[y0 - top:y1 - top, x0 - left:x1 - left], [x0, im_w - x1, y0, im_h - y1])


def paste_masks_in_image(masks: Tensor, boxes: Tensor, img_shape: tuple[int, int], padding: int = 1) -> Tensor:
    """Masks (N, 1, M, M) at their boxes (N, 4) in images of img_shape (height, width): (N, 1, height, width)."""
    size = masks.shape[-1]
    padded = F.pad(masks, [padding] * 4)
    places = expand_boxes(boxes, float(size + 2 * padding) / size).detach().numpy().astype(np.int64).tolist()
    high, wide = map(int, img_shape)
    found = [paste_mask_in_image(mask[0], box, high, wide) for mask, box in zip(padded, places, strict=True)]
    return stack(found).unsqueeze(1) if found else masks.new_zeros((0, 1, high, wide), dtype=dtypes.float32)
