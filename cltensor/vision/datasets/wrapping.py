"""Datasets whose boxes and masks say what they are, as transforms of version 2 need it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ...base.calls import named
from ...base.errors import ArgumentError, ArgumentTypeError, UnsupportedError
from ...tensor.api.creation import from_numpy
from .caltech import Caltech101, Caltech256
from .celeba import CelebA
from .cifar import CIFAR10
from .coco import CocoCaptions, CocoDetection
from .coco_masks import mask_of
from .dtd import DTD
from .fgvc_aircraft import FGVCAircraft
from .flowers102 import Flowers102
from .folder import DatasetFolder
from .food101 import Food101
from .gtsrb import GTSRB
from .imagenette import Imagenette
from .mnist import MNIST
from .omniglot import Omniglot
from .oxford_iiit_pet import OxfordIIITPet
from .semeion import SEMEION
from .sorted_folders import RenderedSST2
from .stl10 import STL10
from .sun397 import SUN397
from .svhn import SVHN
from .usps import USPS
from .vision import VisionDataset
from .voc import VOCDetection, VOCSegmentation

_VOC_CLASSES = ("__background__ aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
                "pottedplant sheep sofa train tvmonitor").split()
_COCO_KEYS = ("image_id", "boxes", "masks", "labels", "segmentation", "area", "iscrowd", "bbox", "category_id")


def wrap_dataset_for_transforms_v2(dataset: VisionDataset, target_keys: Collection[str] | str | None = None) -> VisionDataset:
    """The dataset with targets that transforms of version 2 understand: boxes become BoundingBoxes, masks Mask, ids of classes
    tensors.

    Pictures keep their shape and dtype; boxes are (N, 4), masks (N, H, W) of uint8, labels (N,) of int64.  CocoDetection and
    VOCDetection give dicts with "boxes" and "labels" (COCO also "image_id"); the dataset's transforms run after that.

    Args: dataset, of this package; target_keys, for these two the keys of the dict, or "all": COCO's lists of what annotations
        hold, "masks", "image_id", and VOC's "annotation".
    Raises ArgumentTypeError for a dataset without boxes, masks or classes known here, ArgumentError for keys that it has not,
    UnsupportedError for targets that cannot be transformed.
    Source: as torchvision 0.29 has it; masks of polygons are those of the pixels' centres.

    Example::

        data = wrap_dataset_for_transforms_v2(CocoDetection("val2017", "annotations/instances_val2017.json"))
    """
    if not isinstance(dataset, VisionDataset):
        raise ArgumentTypeError(f"dataset is a {type(dataset).__name__}; it must be a VisionDataset")
    if not (target_keys in (None, "all") or (isinstance(target_keys, Collection) and all(isinstance(k, str) for k in target_keys))):
        raise ArgumentError(f"`target_keys` can be None, 'all', or a collection of strings denoting the keys to be loaded, but got "
                            f"{target_keys!r}")
    base = type(dataset)
    return type(f"Wrapped{base.__name__}", (_Wrapped, base), {"__module__": __name__})(dataset, target_keys)


named(wrap_dataset_for_transforms_v2, "wrap_dataset_for_transforms_v2")


class _Wrapped:
    """A dataset around another, without its transforms, which run last."""

    def __init__(self, dataset, target_keys):
        self._inner, self._target_keys = copy.copy(dataset), target_keys
        self.transform, self.target_transform, self.transforms = dataset.transform, dataset.target_transform, dataset.transforms
        self._inner.transform = self._inner.target_transform = self._inner.transforms = None
        self._wrap = _wrapper_of(dataset)(dataset, target_keys)

    def __getattr__(self, name):
        if name in ("_inner", "__setstate__"):  # before __init__, as copies are made
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __getitem__(self, index):
        sample = self._wrap(index, *self._inner[index])
        return self._changed_together(*sample)

    def __len__(self):
        return len(self._inner)

    def __reduce__(self):
        plain = copy.copy(self._inner)
        plain.transform, plain.target_transform, plain.transforms = self.transform, self.target_transform, self.transforms
        return wrap_dataset_for_transforms_v2, (plain, self._target_keys)


def _wrapper_of(dataset):
    for kinds, made in _WRAPPERS:
        if isinstance(dataset, kinds):
            return made
    raise ArgumentTypeError(f"No wrapper exists for dataset class {type(dataset).__name__}. Wrap what it gives yourself, with "
                            "cltensor.vision.tv_tensors")


def _same(dataset, keys):
    """Targets that are classes or text stay."""
    _no_keys(dataset, keys)
    return lambda index, picture, target: (picture, target)


def _no_keys(dataset, keys):
    if keys is not None:
        raise ArgumentError("`target_keys` is currently only supported for `CocoDetection` and `VOCDetection`, but got "
                            f"{type(dataset).__name__}.")


def _keys_of(keys, default, known, more=()):
    """The chosen keys of a dict: `default`, all of `known`, or some, also of `more`."""
    chosen, there = set(default) if keys is None else set(known) if keys == "all" else set(keys), {*known, *more}
    if not chosen <= there:
        raise ArgumentError(f"Target keys {sorted(chosen - there)} are not available; they are {sorted(there)}")
    return chosen


def _boxes(corners, picture):
    """BoundingBoxes from left, top, right and bottom."""
    from .. import tv_tensors

    return tv_tensors.BoundingBoxes(from_numpy(np.array(corners).reshape(-1, 4)), format="XYXY", canvas_size=_size(picture))


def _mask(pixels):
    from .. import tv_tensors

    return tv_tensors.Mask(from_numpy(np.array(pixels)))


def _size(picture):
    return (picture.size[1], picture.size[0]) if hasattr(picture, "getpixel") else tuple(picture.shape[-2:])


def _coco(dataset, keys):
    noted = {key for anns in dataset.coco.imgToAnns.values() for ann in anns[:1] for key in ann}
    chosen = _keys_of(keys, ("image_id", "boxes", "labels"), _COCO_KEYS, noted)

    def wrap(index, picture, anns):
        made: dict[str, Any] = {"image_id": dataset.ids[index]} if "image_id" in chosen else {}
        if not anns:
            return picture, {"image_id": dataset.ids[index]}
        height, width = _size(picture)
        if "boxes" in chosen:
            made["boxes"] = _boxes([(x, y, x + w, y + h) for x, y, w, h in (ann["bbox"] for ann in anns)], picture)
        if "masks" in chosen:
            made["masks"] = _mask(np.stack([mask_of(ann["segmentation"], height, width) for ann in anns]))
        if "labels" in chosen:
            made["labels"] = from_numpy(np.array([ann["category_id"] for ann in anns], np.int64))
        more = [key for key in anns[0] if key in chosen and key not in made]
        return picture, made | {key: [ann.get(key) for ann in anns] for key in more}

    return wrap


def _voc(dataset, keys):
    chosen = _keys_of(keys, ("boxes", "labels"), ("annotation", "boxes", "labels"))

    def wrap(index, picture, target):
        made, things = {}, target["annotation"]["object"]
        if "annotation" in chosen:
            made["annotation"] = target["annotation"]
        if "boxes" in chosen:
            given = [thing["bndbox"] for thing in things if "bndbox" in thing]
            corners = [[int(float(box[side])) for side in ("xmin", "ymin", "xmax", "ymax")] for box in given]
            made["boxes"] = _boxes(np.array(corners, np.int64), picture)
        if "labels" in chosen:
            made["labels"] = from_numpy(np.array([_VOC_CLASSES.index(thing["name"]) for thing in things], np.int64))
        return picture, made

    return wrap


def _segmented(dataset, keys):
    _no_keys(dataset, keys)
    return lambda index, picture, mask: (picture, _mask(mask))


def _by_kind(kinds, made):
    """A wrapper of targets of several kinds: made[kind](target, picture), the same where there is none."""

    def wrap(index, picture, target):
        if not kinds:
            return picture, target
        parts = [target] if len(kinds) == 1 else target
        parts = [made.get(kind, lambda part, _: part)(part, picture) for kind, part in zip(kinds, parts, strict=True)]
        return picture, parts[0] if len(kinds) == 1 else tuple(parts)

    return wrap


def _pets(dataset, keys):
    _no_keys(dataset, keys)
    return _by_kind(dataset._target_types, {"segmentation": lambda part, _: _mask(part)})


def _celeba(dataset, keys):
    _no_keys(dataset, keys)
    _supported(dataset, [kind for kind in dataset.target_type if kind == "landmarks"])

    def box(part, picture):
        x, y, w, h = part.tolist()
        return _boxes([(x, y, x + w, y + h)], picture)

    return _by_kind(dataset.target_type, {"bbox": box})


def _caltech(dataset, keys):
    _no_keys(dataset, keys)
    _supported(dataset, [kind for kind in dataset.target_type if kind == "annotation"])
    return _same(dataset, keys)


def _supported(dataset, refused):
    if refused:
        raise UnsupportedError(f"`{type(dataset).__name__}` with the target type {refused[0]!r} cannot be wrapped: no tensor type "
                               "is made "
                               "for it; choose other target types")


_WRAPPERS: list[tuple[tuple[type, ...], Callable[..., Any]]] = [
    ((CocoCaptions,), _same), ((CocoDetection,), _coco), ((VOCDetection,), _voc), ((VOCSegmentation,), _segmented),
    ((OxfordIIITPet,), _pets), ((CelebA,), _celeba), ((Caltech101,), _caltech),
    ((Caltech256, CIFAR10, DatasetFolder, DTD, FGVCAircraft, Flowers102, Food101, GTSRB, Imagenette, MNIST, Omniglot, RenderedSST2,
      SEMEION, STL10, SUN397, SVHN, USPS), _same),
]
