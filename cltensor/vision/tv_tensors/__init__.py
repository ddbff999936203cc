"""tv_tensors: tensors that say what they are a picture of, so that transforms treat each as they should."""

from __future__ import annotations

from .base import TVTensor, set_return_type, wrap
from .bounding_boxes import BoundingBoxes, BoundingBoxFormat, is_rotated_bounding_format
from .keypoints import KeyPoints
from .pictures import Image, Mask, Video

__all__ = ["BoundingBoxFormat", "BoundingBoxes", "Image", "KeyPoints", "Mask", "TVTensor", "Video", "is_rotated_bounding_format",
           "set_return_type", "wrap"]


def __dir__():
    return sorted(__all__)
