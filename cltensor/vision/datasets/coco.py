"""COCO: photographs with boxes, masks, keypoints or captions, listed in a file of JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from ...base.errors import ArgumentError, SerializationError
from .coco_masks import mask_of
from .vision import VisionDataset
from .voc import read_picture


class COCO:
    """What a file in the form of COCO's annotations holds, by identity: pictures, annotations and categories, of any size and
    dtype.

    Args: annotation_file, a path.
    Attributes: dataset, the file as it is; imgs, anns and cats, dicts of dicts by id; imgToAnns and catToImgs, dicts of lists.
    Raises SerializationError for a file that is damaged or of another form, OSError where it cannot be opened.
    Source: the format's description at cocodataset.org; names as the package pycocotools 2 has them.

    Example::

        COCO("instances_val2017.json").getAnnIds(imgIds=[139])
    """

    def __init__(self, annotation_file: str | PathLike[str]):
        self.dataset = _json_in(annotation_file)
        try:
            self.imgs = {image["id"]: image for image in self.dataset.get("images", [])}
            self.anns = {annotation["id"]: annotation for annotation in self.dataset.get("annotations", [])}
            self.cats = {category["id"]: category for category in self.dataset.get("categories", [])}
            self.imgToAnns: dict[int, list[dict[str, Any]]] = {}
            self.catToImgs: dict[int, list[int]] = {}
            for annotation in self.dataset.get("annotations", []):
                self.imgToAnns.setdefault(annotation["image_id"], []).append(annotation)
                if "category_id" in annotation:
                    self.catToImgs.setdefault(annotation["category_id"], []).append(annotation["image_id"])
        except (KeyError, TypeError, AttributeError) as error:
            raise SerializationError(f"{os.fspath(annotation_file)} has not the form of COCO's annotations: {error!r}; see "
                                     "cocodataset.org/#format-data") from error

    def getImgIds(self, imgIds: Sequence[int] | int = (), catIds: Sequence[int] | int = ()) -> list[int]:
        """The ids of the pictures among imgIds that show all of catIds; of all where they are empty."""
        ids = set(_listed(imgIds) or self.imgs)
        for category in _listed(catIds):
            ids &= set(self.catToImgs.get(category, ()))
        return list(ids)

    def getAnnIds(self, imgIds: Sequence[int] | int = (), catIds: Sequence[int] | int = (), areaRng: Sequence[float] = (),
                  iscrowd: bool | None = None) -> list[int]:
        """The ids of the annotations of these pictures and categories, of an area between two numbers, of crowds or not."""
        pictures, categories = _listed(imgIds), set(_listed(catIds))
        found = ([a for i in pictures for a in self.imgToAnns.get(i, ())] if pictures else self.dataset.get("annotations", []))
        return [a["id"] for a in found if (not categories or a["category_id"] in categories)
                and (not areaRng or areaRng[0] < a["area"] < areaRng[1]) and (iscrowd is None or a["iscrowd"] == iscrowd)]

    def getCatIds(self, catNms: Sequence[str] | str = (), supNms: Sequence[str] | str = (),
                  catIds: Sequence[int] | int = ()) -> list[int]:
        """The ids of the categories of these names, of these kinds, and among catIds."""
        names, kinds, ids = _listed(catNms), _listed(supNms), _listed(catIds)
        return [c["id"] for c in self.dataset.get("categories", []) if (not names or c["name"] in names)
                and (not kinds or c["supercategory"] in kinds) and (not ids or c["id"] in ids)]

    def loadImgs(self, ids: Sequence[int] | int = ()) -> list[dict[str, Any]]:
        """The pictures of these ids."""
        return [self.imgs[i] for i in _listed(ids)]

    def loadAnns(self, ids: Sequence[int] | int = ()) -> list[dict[str, Any]]:
        """The annotations of these ids."""
        return [self.anns[i] for i in _listed(ids)]

    def loadCats(self, ids: Sequence[int] | int = ()) -> list[dict[str, Any]]:
        """The categories of these ids."""
        return [self.cats[i] for i in _listed(ids)]

    def annToMask(self, ann: dict[str, Any]) -> Any:
        """The pixels of an annotation, an array (H, W) of uint8: 1 where it is."""
        image = self.imgs[ann["image_id"]]
        return mask_of(ann["segmentation"], image["height"], image["width"])


def _json_in(path):
    with open(path, "rb") as file:
        data = file.read()
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SerializationError(f"{os.fspath(path)} is no valid JSON ({error}); get it again") from error
    if not isinstance(found, dict):
        raise SerializationError(f"{os.fspath(path)} holds a {type(found).__name__}, not an object with images and annotations")
    return found


def _listed(values):
    return list(values) if isinstance(values, (list, tuple, set, range)) else [values]


class CocoDetection(VisionDataset):
    """Photographs with boxes, masks and keypoints, listed in a file of JSON in the form of COCO; it needs no other package.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are lists of dicts, as the file has them.

    Args: root, the folder of the pictures; annFile, the file of JSON; transform and target_transform, functions of a picture and
        of a target; or transforms, one of both.
    Attributes: coco, a COCO; ids, the sorted ids of the pictures.
    Raises OSError where the file cannot be opened, SerializationError where it or a picture is damaged, MissingDataError for a
    picture that is not there.
    Source: Lin et al., Microsoft COCO (2014); as torchvision 0.29 has it.

    Example::

        data = cltensor.vision.datasets.CocoDetection("val2017", "annotations/instances_val2017.json")
    """

    def __init__(self, root: str | PathLike[str], annFile: str, transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, transforms: Callable[..., Any] | None = None):
        super().__init__(root, transforms, transform, target_transform)
        self.coco = COCO(annFile)
        self.ids = sorted(self.coco.imgs)

    def _load_image(self, id):
        image = self.coco.imgs[id]
        name = image.get("file_name") if isinstance(image, dict) else None
        if not isinstance(name, str):
            raise SerializationError(f"picture {id} of the annotations has no file_name")
        return read_picture(os.path.join(self.root, name))

    def _load_target(self, id):
        return self.coco.loadAnns(self.coco.getAnnIds(id))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not isinstance(index, int):
            raise ArgumentError(f"an index must be an int, got {index!r}")
        id = self.ids[index]
        return self._changed_together(self._load_image(id), self._load_target(id))

    def __len__(self) -> int:
        return len(self.ids)


class CocoCaptions(CocoDetection):
    """Photographs with captions, listed in a file of JSON in the form of COCO; it needs no other package.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are lists of str.

    Args: root, the folder of the pictures; annFile, the file of JSON; transform and target_transform, functions of a picture and
        of a target; or transforms, one of both.
    Raises OSError where the file cannot be opened, SerializationError where it or a picture is damaged, MissingDataError for a
    picture that is not there.
    Source: Chen et al., Microsoft COCO Captions (2015); as torchvision 0.29 has it.

    Example::

        data = cltensor.vision.datasets.CocoCaptions("val2017", "annotations/captions_val2017.json")
    """

    def _load_target(self, id):
        return [annotation["caption"] for annotation in super()._load_target(id)]
