"""BoundingBoxes: rectangles in a picture, upright or turned."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ...base.dtypes import dtype as DType
from ...base.errors import ArgumentError, MismatchError
from ...runtime.device import device as Device
from .base import TVTensor


class BoundingBoxFormat(Enum):
    """What the numbers of a box are.

    XYXY: two opposite corners; XYWH: corner and size; CXCYWH: centre and size; XYWHR and CXCYWHR: the same and an angle in degrees,
    counter-clockwise; XYXYXYXY: the four corners of a turned box, clockwise from the top left one.

    Of any dtype.  Raises ValueError for a name there is none of.
    Source: torchvision 0.29's tv_tensors.BoundingBoxFormat.

        format = tv_tensors.BoundingBoxFormat("XYXY")
    """

    XYXY = "XYXY"
    XYWH = "XYWH"
    CXCYWH = "CXCYWH"
    XYWHR = "XYWHR"
    CXCYWHR = "CXCYWHR"
    XYXYXYXY = "XYXYXYXY"


_ROTATED = (BoundingBoxFormat.XYWHR, BoundingBoxFormat.CXCYWHR, BoundingBoxFormat.XYXYXYXY)
CLAMPING_MODES = (None, "hard", "soft")


def as_format(format: BoundingBoxFormat | str) -> BoundingBoxFormat:
    """The format of this name.  Raises KeyError for a name there is none of."""
    return BoundingBoxFormat[format.upper()] if isinstance(format, str) else format


def is_rotated_bounding_format(format: BoundingBoxFormat | str) -> bool:
    """Whether boxes of this format may be turned: XYWHR, CXCYWHR and XYXYXYXY; no shape or dtype plays a part.

    Raises KeyError for a name that is no format.
    Source: torchvision 0.29's tv_tensors.is_rotated_bounding_format.

        tv_tensors.is_rotated_bounding_format("XYWHR")    # True
    """
    return as_format(format) in _ROTATED


def check_clamping_mode(mode: str | None, *more: str) -> str | None:
    """mode, if it is one.  Raises ArgumentError."""
    if mode not in (*CLAMPING_MODES, *more):
        raise ArgumentError(f"clamping_mode must be None, hard or soft, got {mode}.")
    return mode


class BoundingBoxes(TVTensor):
    """Boxes (N, 4), or (N, 5) and (N, 8) for turned ones; one box (K,) becomes (1, K).

    data: a tensor, whose memory is shared, an array or nested numbers.  dtype: any for upright boxes, floating for turned ones.
    format: a BoundingBoxFormat or its name; canvas_size: (height, width) of the picture; clamping_mode: whether transforms move
    what is outside of it onto its edge: "hard", "soft" (which differs for turned boxes only: see clamp_bounding_boxes) or None.

    Raises ShapeError (a ValueError) for more than two dimensions, ArgumentError for turned boxes of integers and for an unknown
    clamping_mode, KeyError for an unknown format.
    Source: torchvision 0.29's tv_tensors.BoundingBoxes.

        boxes = tv_tensors.BoundingBoxes([[2, 3, 20, 30]], format="XYXY", canvas_size=(32, 32))
    """

    format: BoundingBoxFormat
    canvas_size: tuple[int, int]
    clamping_mode: str | None

    def __new__(cls, data: Any, *, format: BoundingBoxFormat | str, canvas_size: tuple[int, int],
                clamping_mode: str | None = "soft", dtype: DType | None = None, device: Device | str | int | None = None,
                requires_grad: bool | None = None) -> BoundingBoxes:
        tensor, kind = cls._to_tensor(data, dtype, device, requires_grad), as_format(format)
        if tensor.ndim not in (1, 2):
            raise MismatchError(f"BoundingBoxes: Expected a 1D or 2D tensor, got {tensor.ndim}D")
        if kind in _ROTATED and not tensor.is_floating_point():
            raise ArgumentError(f"BoundingBoxes: Rotated bounding boxes should be floating point tensors, got {tensor.dtype}.")
        check_clamping_mode(clamping_mode)
        return cls._wrapped(tensor.unsqueeze(0) if tensor.ndim == 1 else tensor, None, format=kind, canvas_size=canvas_size,
                            clamping_mode=clamping_mode)

    def _describe(self, like, facts):
        kept = {} if like is None else {name: getattr(like, name) for name in ("format", "canvas_size", "clamping_mode")}
        known = kept | facts
        self.format, self.canvas_size = as_format(known["format"]), known["canvas_size"]
        self.clamping_mode = check_clamping_mode(known["clamping_mode"])

    def __repr__(self) -> str:
        return self._shown(format=self.format, canvas_size=self.canvas_size, clamping_mode=self.clamping_mode)
