"""Samples as flat lists: nestings of dicts, lists and tuples taken apart and put together again; what is found in them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

from ....base.errors import ArgumentError, ArgumentTypeError
from ... import pillow
from ...tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, Video
from . import functional as F
from .functional import is_pure_tensor

Check = type | Callable[[Any], bool]


def flatten(sample: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """(the leaves of a sample in order, a function that puts others in their places)."""
    leaves: list[Any] = []
    shape = _shape(sample, leaves)
    return leaves, lambda new: _filled(shape, iter(new))


def _shape(x, leaves):
    """What to rebuild x from: (how, its parts), or None for a leaf."""
    kind = type(x)
    if kind in (dict, OrderedDict, defaultdict):
        return x, [_shape(v, leaves) for v in x.values()]
    if kind in (list, tuple, deque) or (isinstance(x, tuple) and hasattr(x, "_fields")):
        return x, [_shape(v, leaves) for v in x]
    leaves.append(x)
    return None


def _filled(shape, leaves):
    if shape is None:
        return next(leaves)
    like, parts = shape
    made = [_filled(part, leaves) for part in parts]
    if isinstance(like, defaultdict):
        return defaultdict(like.default_factory, zip(like, made, strict=True))
    if isinstance(like, dict):
        return type(like)(zip(like, made, strict=True))
    if isinstance(like, deque):
        return deque(made, like.maxlen)
    return type(like)(*made) if hasattr(like, "_fields") else type(like)(made)


def check_type(obj: Any, types_or_checks: tuple[Check, ...]) -> bool:
    """Whether obj, a tensor of any shape and dtype or anything else, is of one of these types or passes one of these checks.

    Never raises.  Source: torchvision 0.29's transforms.v2.check_type.

        v2.check_type(image, (tv_tensors.Image, functional.is_pure_tensor))
    """
    return any(isinstance(obj, t) if isinstance(t, type) else t(obj) for t in types_or_checks)


def has_any(flat_inputs: list[Any], *types_or_checks: Check) -> bool:
    """Whether a list has something, of any shape and dtype, of one of these types or that passes one of these checks.

    Never raises.  Source: torchvision 0.29's transforms.v2.has_any.

        v2.has_any([image, 3], tv_tensors.Image)    # True
    """
    return any(check_type(x, types_or_checks) for x in flat_inputs)


def has_all(flat_inputs: list[Any], *types_or_checks: Check) -> bool:
    """Whether a list has something, of any shape and dtype, of each of these types, and that passes each of these checks.

    Never raises.  Source: torchvision 0.29's transforms.v2.has_all.

        v2.has_all([image, 3], tv_tensors.Image, tv_tensors.Mask)    # False
    """
    return all(has_any(flat_inputs, t) for t in types_or_checks)


def _first(flat_inputs, cls, name):
    found = next((x for x in flat_inputs if isinstance(x, cls)), None)
    if found is None:
        raise ArgumentError(f"No {name} were found in the sample")
    return found


def get_bounding_boxes(flat_inputs: list[Any]) -> BoundingBoxes:
    """The first BoundingBoxes (N, K) of a list, of any dtype.

    Raises ArgumentError where there are none.  Source: torchvision 0.29's transforms.v2.get_bounding_boxes.

        boxes = v2.get_bounding_boxes([image, boxes])
    """
    return _first(flat_inputs, BoundingBoxes, "bounding boxes")


def get_keypoints(flat_inputs: list[Any]) -> KeyPoints:
    """The first KeyPoints (..., 2) of a list, of any size and dtype.

    Raises ArgumentError where there are none.  Source: torchvision 0.29's transforms.v2.get_keypoints.

        points = v2.get_keypoints([image, points])
    """
    return _first(flat_inputs, KeyPoints, "keypoints")


PICTURES = (is_pure_tensor, Image, pillow.is_pillow, Video)


def query_chw(flat_inputs: list[Any]) -> tuple[int, int, int]:
    """(channels, height, width) of the pictures of a list, of any dtype.

    Raises ArgumentTypeError where there are none, ArgumentError where they differ.
    Source: torchvision 0.29's transforms.v2.query_chw.

        channels, height, width = v2.query_chw([image, label])
    """
    found = {tuple(F.get_dimensions(x)) for x in flat_inputs if check_type(x, PICTURES)}
    if not found:
        raise ArgumentTypeError("No image or video was found in the sample")
    return _one(found, "CxHxW")


def query_size(flat_inputs: list[Any]) -> tuple[int, int]:
    """(height, width) of what a list has: pictures, masks, boxes and keypoints, of any dtype.

    Raises ArgumentTypeError where there is nothing, ArgumentError where sizes differ.
    Source: torchvision 0.29's transforms.v2.query_size.

        height, width = v2.query_size([image, boxes])
    """
    found = {tuple(F.get_size(x)) for x in flat_inputs if check_type(x, (*PICTURES, Mask, BoundingBoxes, KeyPoints))}
    if not found:
        raise ArgumentTypeError("No image, video, mask, bounding box of keypoint was found in the sample")
    return _one(found, "HxW")


def _one(found, name):
    if len(found) > 1:
        raise ArgumentError(f"Found multiple {name} dimensions in the sample: {', '.join(map(str, sorted(found)))}")
    return next(iter(found))
