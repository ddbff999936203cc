"""Checks of what detectors are given to learn from."""

from __future__ import annotations

from ....base.errors import AssertedError
from ....tensor.core.tensor import Tensor


def check_targets(targets: list[dict[str, Tensor]] | None) -> None:
    """Raise AssertedError unless every target has boxes (N, 4)."""
    if targets is None:
        raise AssertedError("targets should not be none when in training mode; give a dict with boxes and labels for each image")
    for target in targets:
        boxes = target["boxes"]
        if not isinstance(boxes, Tensor):
            raise AssertedError(f"Expected target boxes to be of type Tensor, got {type(boxes).__name__}.")
        if boxes.ndim != 2 or boxes.shape[-1] != 4:
            raise AssertedError(f"Expected target boxes to be a tensor of shape [N, 4], got {tuple(boxes.shape)}.")


def check_sizes(targets: list[dict[str, Tensor]] | None) -> None:
    """Raise AssertedError unless every box of every target is wider and higher than 0."""
    for i, target in enumerate(targets or []):
        boxes = target["boxes"]
        flat = (boxes[:, 2:] <= boxes[:, :2]).any(1)
        if flat.any():
            first = boxes[flat.nonzero()[0, 0]].tolist()
            raise AssertedError(f"All bounding boxes should have positive height and width. Found invalid box {first} for "
                                "target at index "
                                f"{i}.")
