"""Boxes as differences from reference boxes, which networks learn, and back.

BoxCoder: shifts of the centre in units of the size, and logarithms of how much wider and higher (Girshick et al., Rich feature
hierarchies, 2014, appendix C).  BoxLinearCoder: distances of the four sides from the centre (Tian et al., FCOS, 2019).
"""

from __future__ import annotations

import math

from ....tensor.core.tensor import Tensor
from ....tensor.shape.joining import cat, stack


def centred(boxes):
    """(x, y, width, height) of boxes (..., 4), each of shape (...)."""
    left, top, right, bottom = boxes.unbind(-1)
    width, height = right - left, bottom - top
    return left + 0.5 * width, top + 0.5 * height, width, height


class BoxCoder:
    """Shifts (dx, dy, dw, dh) of boxes (N, 4) from reference boxes (N, 4), times weights, and back.

    bbox_xform_clip: the most that dw and dh may be when decoded.  Floating dtypes.  Raises MismatchError for other shapes.
    Source: Girshick et al., Rich feature hierarchies, 2014.

        >>> from cltensor.vision.models.detection.box_coder import BoxCoder
        >>> coder, anchor = BoxCoder((1.0, 1.0, 1.0, 1.0)), ct.tensor([[0.0, 0, 4, 4]])
        >>> coder.encode_single(ct.tensor([[2.0, 0, 6, 4]]), anchor)
        tensor([[0.5000, 0.0000, 0.0000, 0.0000]])
    """

    def __init__(self, weights: tuple[float, float, float, float], bbox_xform_clip: float = math.log(1000.0 / 16)) -> None:
        self.weights, self.bbox_xform_clip = weights, bbox_xform_clip

    def encode(self, reference_boxes: list[Tensor], proposals: list[Tensor]) -> list[Tensor]:
        """encode_single for each image."""
        return [self.encode_single(r, p) for r, p in zip(reference_boxes, proposals, strict=True)]

    def encode_single(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Shifts that take proposals (N, 4) to reference_boxes (N, 4)."""
        x, y, w, h = centred(proposals)
        wanted_x, wanted_y, wanted_w, wanted_h = centred(reference_boxes)
        wx, wy, ww, wh = self.weights
        return stack([wx * (wanted_x - x) / w, wy * (wanted_y - y) / h, ww * (wanted_w / w).log(), wh * (wanted_h / h).log()], 1)

    def decode(self, rel_codes: Tensor, boxes: list[Tensor]) -> Tensor:
        """Boxes (N, classes, 4) that shifts (N, 4 * classes) make of the boxes of all images."""
        count = sum(len(b) for b in boxes)
        found = self.decode_single(rel_codes.reshape(count, -1) if count else rel_codes, cat(list(boxes)))
        return found.reshape(count, -1, 4) if count else found.reshape(0, max(rel_codes.shape[-1] // 4, 1), 4)

    def decode_single(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Boxes (N, 4 * classes) that shifts of that shape make of boxes (N, 4)."""
        shifts = rel_codes.reshape(len(boxes), rel_codes.shape[-1] // 4, 4)
        x, y, w, h = (v.unsqueeze(1) for v in centred(boxes.to(rel_codes.dtype)))
        dx, dy, dw, dh = (shifts[..., i] / weight for i, weight in enumerate(self.weights))
        middle_x, middle_y = dx * w + x, dy * h + y
        half_w, half_h = (0.5 * (d.clamp(max=self.bbox_xform_clip).exp() * size) for d, size in ((dw, w), (dh, h)))
        return stack([middle_x - half_w, middle_y - half_h, middle_x + half_w, middle_y + half_h], 2).flatten(1)


class BoxLinearCoder:
    """Distances (left, top, right, bottom) of the sides of boxes (..., 4) from the centres of reference boxes (..., 4), and back.

    normalize_by_size: in units of the reference boxes' width and height.  Floating dtypes.  Raises MismatchError for other
    shapes.  Source: Tian et al., FCOS, 2019.

        >>> from cltensor.vision.models.detection.box_coder import BoxLinearCoder
        >>> BoxLinearCoder(False).encode(ct.tensor([[0.0, 0, 4, 4]]), ct.tensor([[1.0, 1, 3, 3]]))
        tensor([[1., 1., 1., 1.]])
    """

    def __init__(self, normalize_by_size: bool = True) -> None:
        self.normalize_by_size = normalize_by_size

    def _frame(self, boxes):
        """Centre (..., 2) and unit (..., 2) of boxes."""
        low, high = boxes[..., :2], boxes[..., 2:]
        return 0.5 * (low + high), high - low

    def encode(self, reference_boxes: Tensor, proposals: Tensor) -> Tensor:
        """Distances of the sides of proposals from the centres of reference_boxes."""
        centre, size = self._frame(reference_boxes)
        found = cat([centre - proposals[..., :2], proposals[..., 2:] - centre], -1)
        return found / cat([size, size], -1) if self.normalize_by_size else found

    def decode(self, rel_codes: Tensor, boxes: Tensor) -> Tensor:
        """Boxes whose sides lie at distances rel_codes from the centres of boxes."""
        boxes = boxes.to(rel_codes.dtype)
        centre, size = self._frame(boxes)
        away = rel_codes * cat([size, size], -1) if self.normalize_by_size else rel_codes
        return cat([centre - away[..., :2], centre + away[..., 2:]], -1)


