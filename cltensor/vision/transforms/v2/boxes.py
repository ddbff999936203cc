"""Transforms of boxes and keypoints, and of labels and masks that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ....base.errors import ArgumentError
from ....tensor import Tensor
from ...tv_tensors import BoundingBoxes, BoundingBoxFormat, KeyPoints, Mask, TVTensor
from ...tv_tensors.base import plain
from ...tv_tensors.bounding_boxes import as_format, check_clamping_mode
from . import functional as F
from .samples import flatten, get_bounding_boxes, get_keypoints
from .transform import Transform


class ConvertBoundingBoxFormat(Transform):
    """Boxes (N, K) of any dtype in another format.

    Raises KeyError for a format there is none of, ArgumentError between upright and turned boxes.
    Source: torchvision 0.29's transforms.v2.ConvertBoundingBoxFormat.

        boxes = v2.ConvertBoundingBoxFormat("CXCYWH")(boxes)
    """

    _transformed_types = (BoundingBoxes,)

    def __init__(self, format: str | BoundingBoxFormat) -> None:
        super().__init__()
        self.format = format

    def transform(self, inpt: BoundingBoxes, params: dict[str, Any]) -> BoundingBoxes:
        """Boxes in the format."""
        return F.convert_bounding_box_format(inpt, new_format=as_format(self.format))


class ClampBoundingBoxes(Transform):
    """Boxes (N, K) of any dtype moved into their canvas, as functional.clamp_bounding_boxes does.

    Raises ArgumentError for a clamping_mode there is none of.  Source: torchvision 0.29's transforms.v2.ClampBoundingBoxes.

        boxes = v2.ClampBoundingBoxes()(boxes)
    """

    _transformed_types = (BoundingBoxes,)

    def __init__(self, clamping_mode: str | None = "auto") -> None:
        super().__init__()
        self.clamping_mode = clamping_mode

    def transform(self, inpt: BoundingBoxes, params: dict[str, Any]) -> BoundingBoxes:
        """Boxes inside their canvas."""
        return F.clamp_bounding_boxes(inpt, clamping_mode=self.clamping_mode)


class ClampKeyPoints(Transform):
    """Points (..., 2) of any dtype moved to the nearest pixel of their canvas.

    Never raises.  Source: torchvision 0.29's transforms.v2.ClampKeyPoints.

        points = v2.ClampKeyPoints()(points)
    """

    _transformed_types = (KeyPoints,)

    def transform(self, inpt: KeyPoints, params: dict[str, Any]) -> KeyPoints:
        """Points inside their canvas."""
        return F.clamp_keypoints(inpt)


class SetClampingMode(Transform):
    """Say how later transforms clamp the boxes (N, K), of any dtype: "soft", "hard" or None.

    Raises ArgumentError for another mode.  Source: torchvision 0.29's transforms.v2.SetClampingMode.

        boxes = v2.SetClampingMode(None)(boxes)
    """

    _transformed_types = (BoundingBoxes,)

    def __init__(self, clamping_mode: str | None) -> None:
        super().__init__()
        self.clamping_mode = check_clamping_mode(clamping_mode)

    def transform(self, inpt: BoundingBoxes, params: dict[str, Any]) -> BoundingBoxes:
        """The boxes, with the mode."""
        return BoundingBoxes._wrapped(plain(inpt), inpt, clamping_mode=self.clamping_mode)


def labels_of(getter: str | Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    """A function from a sample to its labels.  Raises ArgumentError for a getter that is none."""
    if getter == "default":
        return _default_labels
    if callable(getter):
        return getter
    if getter is None:
        return _no_labels
    raise ArgumentError(f"labels_getter should either be 'default', a callable, or None, but got {getter}.")


def _no_labels(inputs):
    return None


def _default_labels(inputs):
    """The labels: what a dict has under a key like "labels", or the second of two things that is a tensor or such a dict."""
    found = inputs
    if isinstance(found, (tuple, list)):
        found = found[1] if len(found) == 2 else None
    if isinstance(found, Tensor) and not isinstance(inputs, Tensor):
        return found
    if not isinstance(found, Mapping):
        raise ArgumentError("When using the default labels_getter, the input passed to forward must be a dictionary or a two-tuple "
                            f"whose second item is a dictionary or a tensor, but got {inputs!r:.200} instead.")
    key = next((k for k in found if str(k).lower() == "labels"), None)
    key = next((k for k in found if "label" in str(k).lower()), None) if key is None else key
    if key is None:
        raise ArgumentError("Could not infer where the labels are in the sample. Try passing a callable as the labels_getter "
                            "parameter? If there are no labels in the sample by design, pass labels_getter=None.")
    return found[key]


class _Sanitize(Transform):
    """Drops what is not sound, and the labels that belong to it."""

    def __init__(self, labels_getter: str | Callable[[Any], Any] | None) -> None:
        super().__init__()
        self.labels_getter, self._labels = labels_getter, labels_of(labels_getter)

    def _which(self, leaves: list[Any]) -> tuple[Any, Tensor]:
        """(the boxes or points, which of them stay)."""
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        """The sample, without what is dropped."""
        sample = inputs if len(inputs) > 1 else inputs[0]
        labels = self._labels(sample)
        labels = tuple(labels) if isinstance(labels, (tuple, list)) else () if labels is None else (labels,)
        for label in labels:
            if not isinstance(label, Tensor):
                raise ArgumentError(f"The labels in the input to forward() must be a tensor or None, got {type(label)} instead.")
        leaves, rebuilt = flatten(sample)
        whole, kept = self._which(leaves)
        for label in labels:
            if label.shape[0] != whole.shape[0]:
                raise ArgumentError(f"Number of boxes or keypoints (shape={tuple(whole.shape)}) must match the number of labels. "
                                    f"Found labels with shape={tuple(label.shape)}).")
        return rebuilt([self._cut(x, whole, kept) if x is whole or any(x is label for label in labels) or self._follows(x, whole)
                        else x for x in leaves])

    def _follows(self, x: Any, whole: Any) -> bool:
        """Whether a leaf has an entry for each of the boxes."""
        return False

    def _cut(self, x, whole, kept):
        cut = plain(x)[kept.to(x.device)]
        return type(x)._wrapped(cut, x) if isinstance(x, TVTensor) else cut


class SanitizeBoundingBoxes(_Sanitize):
    """Drop boxes smaller than min_size or min_area, or with a corner outside of their canvas, and what belongs to them.

    labels_getter: "default" (a key "labels" in the sample, or its second item), a function from the sample to a tensor or several,
    or None.  Masks (N, H, W) with one for each box go with them; of any dtype.

    Raises ArgumentError for labels that are no tensor or not as many, and for negative or zero min_size and min_area below their
    least sense.  Source: torchvision 0.29's transforms.v2.SanitizeBoundingBoxes.

        image, target = v2.SanitizeBoundingBoxes()(image, {"boxes": boxes, "labels": labels})
    """

    def __init__(self, min_size: float = 1.0, min_area: float = 1.0,
                 labels_getter: Callable[[Any], Any] | str | None = "default") -> None:
        for name, value in (("min_size", min_size), ("min_area", min_area)):
            if value < 1:
                raise ArgumentError(f"{name} must be >= 1, got {value}.")
        super().__init__(labels_getter)
        self.min_size, self.min_area = min_size, min_area

    def _which(self, leaves):
        boxes = get_bounding_boxes(leaves)
        return boxes, F.sanitize_bounding_boxes(boxes, min_size=self.min_size, min_area=self.min_area)[1]

    def _follows(self, x, whole):
        return isinstance(x, Mask) and x.ndim >= 3 and x.shape[0] == whole.shape[0]

    def extra_repr(self) -> str:
        """The settings."""
        getter = f", labels_getter={self.labels_getter}" if isinstance(self.labels_getter, str) else ""
        return f"min_size={self.min_size}, min_area={self.min_area}{getter}"


class SanitizeKeyPoints(_Sanitize):
    """Drop points (N, 2), or groups of them (N, ..., 2), of any dtype, that are not wholly inside their canvas, with their labels.

    labels_getter: as for SanitizeBoundingBoxes, by default None.

    Raises ArgumentError for labels that are no tensor or not as many.
    Source: torchvision 0.29's transforms.v2.SanitizeKeyPoints.

        image, points = v2.SanitizeKeyPoints()(image, points)
    """

    def __init__(self, labels_getter: Callable[[Any], Any] | str | None = None) -> None:
        super().__init__(labels_getter)

    def _which(self, leaves):
        points = get_keypoints(leaves)
        return points, F.sanitize_keypoints(points)[1]
