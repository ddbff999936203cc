"""Pascal VOC: photographs with boxes around things, or with masks."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

from ...base.errors import SerializationError
from .. import pillow
from .downloads import download_and_extract_archive
from .utils import verify_str_arg
from .vision import MissingDataError, VisionDataset

_SITE = "https://thor.robots.ox.ac.uk/pascal/VOC/"

#: year -> where its archive is, its name and MD5, and the folder in it
_ARCHIVES = {
    "2012": ("voc2012/", "VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd", "VOCdevkit/VOC2012"),
    "2011": ("voc2011/", "VOCtrainval_25-May-2011.tar", "6c3384ef61512963050cb5d687e5bf1e", "TrainVal/VOCdevkit/VOC2011"),
    "2010": ("voc2010/", "VOCtrainval_03-May-2010.tar", "da459979d0c395079b5c75ee67908abb", "VOCdevkit/VOC2010"),
    "2009": ("voc2009/", "VOCtrainval_11-May-2009.tar", "a3e00b113cfcfebf17e343f59da3caa1", "VOCdevkit/VOC2009"),
    "2008": ("voc2008/", "VOCtrainval_14-Jul-2008.tar", "2629fa636546599198acfcfbfcf1904a", "VOCdevkit/VOC2008"),
    "2007": ("voc2007/", "VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64", "VOCdevkit/VOC2007"),
    "2007-test": ("voc2007/", "VOCtest_06-Nov-2007.tar", "b6e924de25625d8de591ea690078ad9f", "VOCdevkit/VOC2007"),
}


class _VOCBase(VisionDataset):
    """What both share: a list of names, the pictures of these names, and a file for each target."""

    _SPLITS_DIR = _TARGET_DIR = _TARGET_FILE_EXT = ""

    def __init__(self, root: str | PathLike[str], year: str = "2012", image_set: str = "train", download: bool = False,
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 transforms: Callable[..., Any] | None = None):
        super().__init__(root, transforms, transform, target_transform)
        self.year = verify_str_arg(year, "year", [str(n) for n in range(2007, 2013)])
        sets = ["train", "trainval", "val", *(["test"] if year == "2007" else [])]
        self.image_set = verify_str_arg(image_set, "image_set", sets)
        where, self.filename, self.md5, folder = _ARCHIVES["2007-test" if (year, image_set) == ("2007", "test") else year]
        self.url = f"{_SITE}{where}{self.filename}"
        base = os.path.join(self.root, folder)
        listed = os.path.join(base, "ImageSets", self._SPLITS_DIR, f"{image_set}.txt")
        self._obtain(lambda: os.path.isfile(listed), download, self._download)
        with open(listed, encoding="utf-8") as file:
            names = file.read().split()
        self.images = [os.path.join(base, "JPEGImages", f"{name}.jpg") for name in names]
        self.targets = [os.path.join(base, self._TARGET_DIR, name + self._TARGET_FILE_EXT) for name in names]

    def _download(self):
        download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.md5)

    def _picture(self, index):
        return read_picture(self.images[index])

    def __len__(self) -> int:
        return len(self.images)


def read_picture(path, mode="RGB"):
    """The Pillow image in a file, converted to a mode, or as it is for None.  Raises SerializationError for one that is damaged."""
    image = pillow.module()
    try:
        with image.open(path) as found:
            found.load()
            return found.convert(mode) if mode else found
    except FileNotFoundError:
        raise MissingDataError(f"{path} is not there, although the dataset lists it; get the dataset again") from None
    except (OSError, SyntaxError, ValueError, image.DecompressionBombError) as error:
        raise pillow.DamagedPictureError(f"{path} is damaged, or no picture: {error}; remove it or get it again") from error


class VOCSegmentation(_VOCBase):
    """Photographs with a mask of the classes of their pixels, from Pascal VOC.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are Pillow images of the same size whose pixels are
    the indices of classes, 255 where there is none.

    Args: root, the folder in which VOCdevkit lies; year, "2007" to "2012"; image_set, "train", "trainval", "val", or "test" of
        2007; download, whether to get what is not there; transform and target_transform, functions of a picture and of a target; or
        transforms, one of both.
    Attributes: images and masks, lists of paths.
    Raises ArgumentError for another year or set; MissingDataError, a RuntimeError, where the files are not there;
    SerializationError where they are damaged; DownloadError where they cannot be fetched.
    Source: Everingham et al., The Pascal Visual Object Classes Challenge (2010); as torchvision 0.29 has it.

    Example::

        data = cltensor.vision.datasets.VOCSegmentation("data", "2007", "val", download=True)
    """

    _SPLITS_DIR, _TARGET_DIR, _TARGET_FILE_EXT = "Segmentation", "SegmentationClass", ".png"

    @property
    def masks(self) -> list[str]:
        """The paths of the masks."""
        return self.targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed_together(self._picture(index), read_picture(self.masks[index], None))


class VOCDetection(_VOCBase):
    """Photographs with boxes around things, and what they are, from Pascal VOC.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are dicts as the files have it, all values as text,
    in which annotation.object is a list.

    Args: root, the folder in which VOCdevkit lies; year, "2007" to "2012"; image_set, "train", "trainval", "val", or "test" of
        2007; download, whether to get what is not there; transform and target_transform, functions of a picture and of a target; or
        transforms, one of both.
    Attributes: images and annotations, lists of paths.
    Raises ArgumentError for another year or set; MissingDataError, a RuntimeError, where the files are not there;
    SerializationError where they are damaged; DownloadError where they cannot be fetched.
    Source: Everingham et al., The Pascal Visual Object Classes Challenge (2010); as torchvision 0.29 has it.

    Example::

        data = cltensor.vision.datasets.VOCDetection("data", "2007", "val", download=True)
        data[0][1]["annotation"]["object"][0]["bndbox"]
    """

    _SPLITS_DIR, _TARGET_DIR, _TARGET_FILE_EXT = "Main", "Annotations", ".xml"

    @property
    def annotations(self) -> list[str]:
        """The paths of the targets."""
        return self.targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed_together(self._picture(index), self.parse_voc_xml(xml_in(self.annotations[index])))

    @staticmethod
    def parse_voc_xml(node: Element) -> dict[str, Any]:
        """An element of XML as a dict: its children by their tags, in lists where there are several.

        Text of any size is kept as str.  Never raises.  Source: as torchvision 0.29 has it.

        Example::

            VOCDetection.parse_voc_xml(xml.etree.ElementTree.fromstring("<size><width>3</width></size>"))
        """
        value = _value_of(node)
        return {} if value is None else {node.tag: value}


def xml_in(path):
    """The root element of a file of XML.  Raises SerializationError for one that is damaged, or defines entities."""
    with open(path, "rb") as file:
        data = file.read()
    if b"<!" in data.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise SerializationError(f"{path} has a document type or entities of its own, which no annotation needs; get it again")
    try:
        return fromstring(data, XMLParser(encoding=None))
    except (ParseError, ValueError, LookupError) as error:
        raise SerializationError(f"{path} is no valid XML ({error}); get it again") from error


def _value_of(node):
    """The text of an element, or a dict of its children; None where there is neither."""
    if not len(node):
        return node.text.strip() if node.text else None
    found: dict[str, list[Any]] = {}
    for child in node:
        value = _value_of(child)
        if value is not None:
            found.setdefault(child.tag, []).append(value)
    single = {tag: values[0] if len(values) == 1 else values for tag, values in found.items()}
    return {**single, "object": found.get("object", [])} if node.tag == "annotation" else single
