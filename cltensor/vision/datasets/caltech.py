"""Caltech 101 and 256: photographs of things, sorted into folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from .downloads import download_and_extract_archive, extract_archive
from .listings import choices, one_or_all
from .matlab import arrays_in
from .vision import VisionDataset
from .voc import read_picture

#: categories whose folder of outlines has another name
_OUTLINES = {"Faces": "Faces_2", "Faces_easy": "Faces_3", "Motorbikes": "Motorbikes_16", "airplanes": "Airplanes_Side_2"}


class _Sorted(VisionDataset):
    """Pictures of categories that are numbered from 1 on in each."""

    def _number(self, folder, categories):
        """Set index and y, the number in its category and the category of each picture."""
        self.categories, self.index, self.y = categories, [], []
        for y, name in enumerate(categories):
            n = len([path for path in Path(folder, name).iterdir() if path.suffix == ".jpg"])
            self.index += range(1, n + 1)
            self.y += [y] * n

    def __len__(self) -> int:
        return len(self.index)


def _folders(path):
    return sorted(entry.name for entry in os.scandir(path) if entry.is_dir())


class Caltech101(_Sorted):
    """Photographs of 101 kinds of things, with their outlines.  SciPy reads the outlines.

    Pictures are Pillow images of any size, as they are in the files; targets are ints, or outlines, arrays (2, N) of float64.

    Args: root, the folder in which caltech101 holds the files; target_type, "category", "annotation" or a list of them; transform
        and target_transform, functions of a picture and of a target; download, whether to get what is not there.
    Attributes: categories; index and y, the number in its category and the category of each.
    Raises ArgumentError for another type; MissingDataError, a RuntimeError, where the files are not there; SerializationError
    where they are damaged; MissingPackageError without SciPy; DownloadError where they cannot be fetched.
    Source: Fei-Fei et al., Learning Generative Visual Models from Few Training Examples (2004); as torchvision 0.29 has it.

    Example::

        things = cltensor.vision.datasets.Caltech101("data", download=True)
    """

    def __init__(self, root: str | PathLike[str], target_type: list[str] | str = "category",
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 download: bool = False):
        base = os.path.join(os.path.expanduser(root), "caltech101")
        super().__init__(base, transform=transform, target_transform=target_transform)
        self.target_type = choices(target_type, "target_type", ("category", "annotation"))
        self._obtain(self._check_integrity, download, self.download)
        pictures = os.path.join(self.root, "101_ObjectCategories")
        self._number(pictures, [name for name in _folders(pictures) if name != "BACKGROUND_Google"])
        self.annotation_categories = [_OUTLINES.get(name, name) for name in self.categories]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        category, number = self.y[index], self.index[index]
        path = os.path.join(self.root, "101_ObjectCategories", self.categories[category], f"image_{number:04d}.jpg")
        targets = [category if kind == "category" else self._outline(category, number) for kind in self.target_type]
        return self._changed(read_picture(path, None), one_or_all(targets))

    def _outline(self, category, number):
        path = os.path.join(self.root, "Annotations", self.annotation_categories[category], f"annotation_{number:04d}.mat")
        return arrays_in(path, "obj_contour")[0]

    def _check_integrity(self):
        return os.path.exists(os.path.join(self.root, "101_ObjectCategories"))

    def download(self) -> None:
        """Get the archive and unpack it, unless the files are there.  Raises DownloadError where it cannot be fetched."""
        if self._check_integrity():
            return
        download_and_extract_archive("https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip?download=1", self.root,
                                     filename="caltech-101.zip", md5="3138e1922a9193bfa496528edbbc45d0")
        inside = os.path.join(self.root, "caltech-101")
        for name in ("101_ObjectCategories.tar.gz", "Annotations.tar"):
            extract_archive(os.path.join(inside, name), self.root)

    def extra_repr(self) -> str:
        """What targets are, for repr(); never raises."""
        return f"Target type: {self.target_type}"


class Caltech256(_Sorted):
    """Photographs of 256 kinds of things, and of others.

    Pictures are Pillow images of any size, as they are in the files; targets are ints.

    Args: root, the folder in which caltech256 holds the files; transform and target_transform, functions of a picture and of a
        target; download, whether to get what is not there.
    Attributes: categories; index and y, the number in its category and the category of each.
    Raises MissingDataError, a RuntimeError, where the files are not there; SerializationError where they are damaged;
    DownloadError where they cannot be fetched.
    Source: Griffin et al., Caltech-256 Object Category Dataset (2007); as torchvision 0.29 has it.

    Example::

        things = cltensor.vision.datasets.Caltech256("data", download=True)
    """

    def __init__(self, root: str | PathLike[str], transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False):
        base = os.path.join(os.path.expanduser(root), "caltech256")
        super().__init__(base, transform=transform, target_transform=target_transform)
        self._obtain(self._check_integrity, download, self.download)
        pictures = os.path.join(self.root, "256_ObjectCategories")
        self._number(pictures, _folders(pictures))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        category, number = self.y[index], self.index[index]
        path = os.path.join(self.root, "256_ObjectCategories", self.categories[category], f"{category + 1:03d}_{number:04d}.jpg")
        return self._changed(read_picture(path, None), category)

    def _check_integrity(self):
        return os.path.exists(os.path.join(self.root, "256_ObjectCategories"))

    def download(self) -> None:
        """Get the archive and unpack it, unless the files are there.  Raises DownloadError where it cannot be fetched."""
        if not self._check_integrity():
            download_and_extract_archive("https://data.caltech.edu/records/nyy15-4j048/files/256_ObjectCategories.tar?download=1",
                                         self.root, filename="256_ObjectCategories.tar", md5="67b4f42ca05d46448c6bb8ecd2220f6d")
