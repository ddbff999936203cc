"""CelebA: faces of celebrities, with attributes, names, boxes and landmarks."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from ...base.errors import SerializationError
from ...tensor.api.creation import from_numpy
from .downloads import check_integrity, download_file_from_google_drive, extract_archive
from .listings import choices, lines_in, one_or_all, reading
from .utils import verify_str_arg
from .vision import VisionDataset
from .voc import read_picture

_SPLITS = {"train": 0, "valid": 1, "test": 2, "all": None}
#: kind of target -> its file, and the number of its line with the names of its columns, None where there is none
_TARGETS = {"attr": ("list_attr_celeba.txt", 1), "identity": ("identity_CelebA.txt", None), "bbox": ("list_bbox_celeba.txt", 1),
            "landmarks": ("list_landmarks_align_celeba.txt", 1)}


class CelebA(VisionDataset):
    """Faces of 10,177 celebrities: 202,599 pictures.

    Pictures are Pillow images in RGB of 178 by 218 pixels, with bytes (uint8); targets are tensors of int64: (40,) of attributes,
    0 or 1; a person; (4,) of a box, left, top, width and height; (10,) of landmarks, x and y.

    Args: root, the folder in which celeba holds the files; split, "train", "valid", "test" or "all"; target_type, "attr",
        "identity", "bbox", "landmarks", a list of them, or [] for None; transform and target_transform, functions of a picture and
        of a target; download, whether to get what is not there.
    Attributes: filename, a list; attr, identity, bbox and landmarks_align, tensors; attr_names.
    Raises ArgumentError for another split or type; MissingDataError, a RuntimeError, where the files are not there or not whole;
    SerializationError where they hold something else; DownloadError where they cannot be fetched.
    Source: Liu et al., Deep Learning Face Attributes in the Wild (2015); as torchvision 0.29 has it.

    Example::

        faces = cltensor.vision.datasets.CelebA("data", "valid", ["attr", "bbox"], download=True)
    """

    base_folder = "celeba"
    file_list = [
        ("0B7EVK8r0v71pZjFTYXZWM3FlRnM", "00d2c5bc6d35e252742224ab0c1e8fcb", "img_align_celeba.zip"),
        ("0B7EVK8r0v71pblRyaVFSWGxPY0U", "75e246fa4810816ffd6ee81facbd244c", "list_attr_celeba.txt"),
        ("1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS", "32bd1bd63d3c78cd57e08160ec5ed1e2", "identity_CelebA.txt"),
        ("0B7EVK8r0v71pbThiMVRxWXZ4dU0", "00566efa6fedff7a56946cd1c10f1c16", "list_bbox_celeba.txt"),
        ("0B7EVK8r0v71pd0FJY3Blby1HUTQ", "cc24ecafdb5b50baae59b03474781f8c", "list_landmarks_align_celeba.txt"),
        ("0B7EVK8r0v71pY0NSMzRuSXJEVkk", "d32c9cbf5e040fd4025c592c306e6668", "list_eval_partition.txt"),
    ]

    def __init__(self, root: str | PathLike[str], split: str = "train", target_type: list[str] | str = "attr",
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 download: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split, self.target_type = verify_str_arg(split, "split", _SPLITS), choices(target_type, "target_type", _TARGETS)
        self._obtain(self._check_integrity, download, self.download)
        names, parts, _ = self._table("list_eval_partition.txt", None)
        rows = np.arange(len(names)) if _SPLITS[split] is None else np.flatnonzero(parts[:, 0] == _SPLITS[split])
        self.filename = [names[i] for i in rows]
        tables = {kind: self._table(*where, len(names)) for kind, where in _TARGETS.items()}
        self._values = {kind: values[rows] for kind, (_, values, _) in tables.items()}
        self._values["attr"] = (self._values["attr"] + 1) // 2
        self.attr_names = tables["attr"][2]
        self.attr, self.identity = from_numpy(self._values["attr"]), from_numpy(self._values["identity"])
        self.bbox, self.landmarks_align = from_numpy(self._values["bbox"]), from_numpy(self._values["landmarks"])

    def _path(self, name):
        return os.path.join(self.root, self.base_folder, name)

    def _table(self, name, header, expected=None):
        """(names, numbers as an array, names of the columns) of a file."""
        path = self._path(name)
        lines = lines_in(path)
        with reading(path):
            columns = [] if header is None else lines[header].split()
            rows = [line.split() for line in lines[0 if header is None else header + 1 :]]
            values = np.array([[int(word) for word in row[1:]] for row in rows], np.int64)
        if values.ndim != 2 or expected not in (None, len(values)):
            raise SerializationError(f"{path} has not the same columns in each of {expected or 'its'} lines; remove it and get it "
                                     "again")
        return [row[0] for row in rows], values, columns

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture = read_picture(self._path(os.path.join("img_align_celeba", self.filename[index])), None)
        targets = [self._target(kind, index) for kind in self.target_type]
        return self._changed(picture, one_or_all(targets)) if targets else (self._changed(picture, None)[0], None)

    def _target(self, kind, index):
        row = self._values[kind][index]
        return from_numpy(np.array(row[0] if kind == "identity" else row))

    def __len__(self) -> int:
        return len(self.filename)

    def _check_integrity(self):
        files = [(name, md5) for _, md5, name in self.file_list if not name.endswith(".zip")]
        return all(check_integrity(self._path(name), md5) for name, md5 in files) and os.path.isdir(self._path("img_align_celeba"))

    def download(self) -> None:
        """Get the files and unpack them, unless they are there.  Raises DownloadError where they cannot be fetched."""
        if self._check_integrity():
            return
        for identity, md5, name in self.file_list:
            download_file_from_google_drive(identity, os.path.join(self.root, self.base_folder), name, md5)
        extract_archive(self._path("img_align_celeba.zip"))

    def extra_repr(self) -> str:
        """What targets are, and which part it is, for repr(); never raises."""
        return f"Target type: {self.target_type}\nSplit: {self.split}"
