"""STL-10: photographs of 10 classes, most of them without labels."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from ...base.errors import ArgumentError, SerializationError
from .. import pillow
from .archived import Archived
from .utils import verify_str_arg

_BYTES = 3 * 96 * 96  # of a picture
_FOLDS = 10


class STL10(Archived):
    """Photographs of 10 classes: 5,000 to train with, in 10 folds, 8,000 to test, and 100,000 without labels.

    Pictures are Pillow images in RGB of 96 by 96 pixels, with bytes (uint8); targets are ints, 0 to 9, and -1 where there is no
    label.

    Args: root, the folder in which stl10_binary holds the files; split, "train", "test", "unlabeled" or "train+unlabeled"; folds,
        a fold of "train", 0 to 9, or None for all; transform and target_transform, functions of a picture and of a target;
        download, whether to get what is not there.
    Attributes: data, an array (N, 3, 96, 96) of uint8; labels, an array (N,) of uint8, of int64 where there are some of -1;
    classes.
    Raises ArgumentError for another split or fold; MissingDataError, a RuntimeError, where the files are not there or not whole;
    SerializationError where they hold something else; DownloadError where they cannot be fetched.
    Source: Coates et al., An Analysis of Single Layer Networks in Unsupervised Feature Learning (2011); as torchvision 0.29 has it.

    Example::

        photographs = cltensor.vision.datasets.STL10("data", "train+unlabeled", download=True)
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    class_names_file = "class_names.txt"
    folds_list_file = "fold_indices.txt"
    train_list = [
        ["train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"],
        ["train_y.bin", "5a34089d4802c674881badbb80307741"],
        ["unlabeled_X.bin", "5242ba1fed5e4be9e1e742405eb56ca4"],
    ]
    test_list = [["test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"], ["test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"]]
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(self, root: str | PathLike[str], split: str = "train", folds: int | None = None,
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 download: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split, self.folds = verify_str_arg(split, "split", self.splits), _checked_fold(folds)
        self._obtain(self._check_integrity, download, self.download)
        self.data, self.labels = self._load(split)
        names = self._path(self.class_names_file)
        if os.path.isfile(names):
            with open(names, encoding="utf-8") as file:
                self.classes = file.read().splitlines()

    def _load(self, split):
        """(pictures, labels) of a split."""
        if split == "unlabeled":
            pictures = self._pictures(self.train_list[2][0])
            return pictures, np.full(len(pictures), -1)
        files = self.test_list if split == "test" else self.train_list
        pictures, labels = self._pictures(files[0][0]), self._labels(files[1][0])
        if len(pictures) != len(labels):
            raise SerializationError(f"{self._path(files[0][0])} holds {len(pictures)} pictures, {files[1][0]} {len(labels)} "
                                     "labels; "
                                     "remove the files and get them again")
        if split != "test" and self.folds is not None:
            rows = self._fold(len(labels))
            pictures, labels = pictures[rows], labels[rows]
        if split == "train+unlabeled":
            more = self._pictures(self.train_list[2][0])
            pictures, labels = np.concatenate([pictures, more]), np.concatenate([labels, np.full(len(more), -1)])
        return pictures, labels

    def _pictures(self, name):
        values = np.fromfile(self._path(name), np.uint8)
        if values.size % _BYTES:
            raise SerializationError(f"{self._path(name)} holds {values.size} bytes, which are no pictures of {_BYTES} each; "
                                     "remove it "
                                     "and get it again")
        return values.reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)

    def _labels(self, name):
        return np.fromfile(self._path(name), np.uint8) - np.uint8(1)

    def _fold(self, n):
        """The indices of the pictures in the chosen fold."""
        with open(self._path(self.folds_list_file), encoding="utf-8") as file:
            lines = file.read().splitlines()
        try:
            rows = np.array([int(word) for word in lines[self.folds].split()], np.int64)
            if len(rows) and not 0 <= rows.min() <= rows.max() < n:
                raise IndexError(f"index {rows.max()} of {n} pictures")
        except (ValueError, IndexError) as error:
            raise SerializationError(f"{self._path(self.folds_list_file)} is damaged ({error}); remove it and get it "
                                     "again") from error
        return rows

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture = pillow.module().fromarray(np.ascontiguousarray(self.data[index].transpose(1, 2, 0)))
        return self._changed(picture, None if self.labels is None else int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"Split: {self.split}"


def _checked_fold(fold):
    if fold is None or (isinstance(fold, int) and 0 <= fold < _FOLDS):
        return fold
    raise ArgumentError(f"Value for argument folds should be None or in the range [0, {_FOLDS}), but got {fold!r}.")
