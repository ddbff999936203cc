"""Formats, clamping and soundness of boxes and keypoints."""

from __future__ import annotations

from typing import Any

from .....base.errors import ArgumentError, ArgumentTypeError
from .....tensor import Tensor
from ....tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints
from ....tv_tensors.base import plain
from ....tv_tensors.bounding_boxes import as_format, check_clamping_mode
from ...kernels import box_clamping, box_formats, point_geometry
from .dispatch import is_pure_tensor

Canvas = tuple[int, int]


def _check(name: str, inpt: Any, cls: type) -> None:
    if not (is_pure_tensor(inpt) or isinstance(inpt, cls)):
        raise ArgumentTypeError(f"{name}: Input can either be a plain tensor or a {cls.__name__}, but got {type(inpt)} instead.")


def convert_bounding_box_format(inpt: Tensor, old_format: BoundingBoxFormat | str | None = None,
                                new_format: BoundingBoxFormat | str | None = None, inplace: bool = False) -> Tensor:
    """Boxes (N, K) of any dtype in another format; halves of integers are rounded down.

    old_format: for plain tensors, and for them alone.  inplace: write the result to the boxes, where the formats are as long.

    Raises ArgumentTypeError without new_format and for anything but tensors, ArgumentError for an old_format too many or too few
    and between upright and turned boxes.
    Source: torchvision 0.29's transforms.v2.functional.convert_bounding_box_format.

        corners = functional.convert_bounding_box_format(boxes, new_format="XYXY")
    """
    if new_format is None:
        raise ArgumentTypeError("convert_bounding_box_format() missing 1 required argument: 'new_format'")
    _check("convert_bounding_box_format", inpt, BoundingBoxes)
    new = as_format(new_format)
    boxes = isinstance(inpt, BoundingBoxes)
    if boxes and old_format is not None:
        raise ArgumentError("For bounding box tv_tensor inputs, `old_format` must not be passed.")
    if not boxes and old_format is None:
        raise ArgumentError("For pure tensor inputs, `old_format` has to be passed.")
    old = inpt.format if boxes else as_format(old_format)
    made = box_formats.convert(plain(inpt), old, new)
    if inplace and made is not inpt and made.shape == inpt.shape:
        made = plain(inpt).copy_(made)
    return BoundingBoxes._wrapped(made, inpt, format=new) if boxes else made


def clamp_bounding_boxes(inpt: Tensor, format: BoundingBoxFormat | str | None = None, canvas_size: Canvas | None = None,
                         clamping_mode: str | None = "auto") -> Tensor:
    """Boxes (N, K) of any dtype moved into their canvas.

    clamping_mode: "hard" (all corners inside), "soft" (one corner of a turned box may stay outside at each side), None (nothing is
    done) or "auto" (what the boxes say).  Plain tensors need all three arguments, BoundingBoxes only take the last one.

    Raises ArgumentTypeError for anything but tensors, ArgumentError for arguments too many or too few and for an unknown mode.
    Numerics: turned boxes without any corner inside become a point.
    Source: torchvision 0.29's transforms.v2.functional.clamp_bounding_boxes.

        inside = functional.clamp_bounding_boxes(boxes)
    """
    _check("clamp_bounding_boxes", inpt, BoundingBoxes)
    check_clamping_mode(clamping_mode, "auto")
    if isinstance(inpt, BoundingBoxes):
        if format is not None or canvas_size is not None:
            raise ArgumentError("For bounding box tv_tensor inputs, `format` and `canvas_size` must not be passed.")
        mode = inpt.clamping_mode if clamping_mode == "auto" else clamping_mode
        return BoundingBoxes._wrapped(box_clamping.clamp(plain(inpt), inpt.format, inpt.canvas_size, mode), inpt)
    if format is None or canvas_size is None or clamping_mode == "auto":
        raise ArgumentError("For pure tensor inputs, `format`, `canvas_size` and `clamping_mode` have to be passed.")
    return box_clamping.clamp(inpt, as_format(format), canvas_size, clamping_mode)


def clamp_keypoints(inpt: Tensor, canvas_size: Canvas | None = None) -> Tensor:
    """Points (..., 2) of any dtype moved to the nearest pixel of their canvas (height, width).

    Raises ArgumentTypeError for anything but tensors, ArgumentError for a canvas_size too many or too few.
    Source: torchvision 0.29's transforms.v2.functional.clamp_keypoints.

        inside = functional.clamp_keypoints(points)
    """
    _check("clamp_keypoints", inpt, KeyPoints)
    if isinstance(inpt, KeyPoints):
        if canvas_size is not None:
            raise ArgumentError("For keypoints tv_tensor inputs, `canvas_size` must not be passed.")
        return KeyPoints._wrapped(point_geometry.clamp(plain(inpt), inpt.canvas_size), inpt)
    if canvas_size is None:
        raise ArgumentError("For pure tensor inputs, `canvas_size` has to be passed.")
    return point_geometry.clamp(inpt, canvas_size)


def sanitize_bounding_boxes(bounding_boxes: Tensor, format: BoundingBoxFormat | str | None = None,
                            canvas_size: Canvas | None = None, min_size: float = 1.0,
                            min_area: float = 1.0) -> tuple[Tensor, Tensor]:
    """(the boxes (M, K) of any dtype that lie in their canvas and are large enough, which of the (N, K) they are: bools (N,)).

    Raises ArgumentError for a format or canvas_size too many (of BoundingBoxes) or too few (of plain tensors).
    Source: torchvision 0.29's transforms.v2.functional.sanitize_bounding_boxes.

        kept, which = functional.sanitize_bounding_boxes(boxes, min_size=4)
    """
    _check("sanitize_bounding_boxes", bounding_boxes, BoundingBoxes)
    boxes, given = isinstance(bounding_boxes, BoundingBoxes), (format, canvas_size)
    if boxes and given != (None, None):
        raise ArgumentError("format and canvas_size must be None if bounding_boxes is a tv_tensors.BoundingBoxes object. "
                            f"Got format={format} and canvas_size={canvas_size}. Leave those to None or pass a pure tensor.")
    if not boxes and None in given:
        raise ArgumentError("format and canvas_size cannot be None if bounding_boxes is a pure tensor. "
                            f"Got format={format} and canvas_size={canvas_size}. Set those to appropriate values or pass "
                            "bounding_boxes as a tv_tensors.BoundingBoxes object.")
    format, canvas_size = (bounding_boxes.format, bounding_boxes.canvas_size) if boxes else (as_format(format), canvas_size)
    values = plain(bounding_boxes)
    which = box_clamping.sound(values, format, canvas_size, min_size, min_area)
    kept = values[which]
    return BoundingBoxes._wrapped(kept, bounding_boxes) if boxes else kept, which


def sanitize_keypoints(key_points: Tensor, canvas_size: Canvas | None = None) -> tuple[Tensor, Tensor]:
    """(the points (M, 2), or groups of points (M, ..., 2), of any dtype wholly inside their canvas, which they are: bools (N,)).

    Raises ArgumentError for a canvas_size too many (of KeyPoints) or too few (of plain tensors).
    Source: torchvision 0.29's transforms.v2.functional.sanitize_keypoints.

        kept, which = functional.sanitize_keypoints(points)
    """
    _check("sanitize_keypoints", key_points, KeyPoints)
    points = isinstance(key_points, KeyPoints)
    if points and canvas_size is not None:
        raise ArgumentError("canvas_size must be None if key_points is a tv_tensors.KeyPoints object. "
                            f"Got canvas_size={canvas_size}. Leave it to None or pass key_points as a pure tensor.")
    if not points and canvas_size is None:
        raise ArgumentError("canvas_size cannot be None if key_points is a pure tensor. Set it to an appropriate value or pass "
                            "key_points as a tv_tensors.KeyPoints object.")
    values = plain(key_points)
    which = point_geometry.inside(values, key_points.canvas_size if points else canvas_size)
    kept = values[which]
    return KeyPoints._wrapped(kept, key_points) if points else kept, which
