"""GTSRB: photographs of German traffic signs."""

from __future__ import annotations

import csv
from collections.abc import Callable
from os import PathLike
from typing import Any

from .downloads import download_and_extract_archive
from .folder import make_dataset
from .listings import reading
from .utils import verify_str_arg
from .vision import VisionDataset
from .voc import read_picture

_SITE = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
_TRAINING = ("GTSRB-Training_fixed.zip", "513f3c79a4c5141765e10e952eaa2478")
_TESTS = (("GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185"),
          ("GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5"))


class GTSRB(VisionDataset):
    """Photographs of 43 traffic signs: 26,640 to train with and 12,630 to test.

    Pictures are Pillow images of any size, as they are in the files; targets are ints, 0 to 42.

    Args: root, the folder in which gtsrb holds the files; split, "train" or "test"; transform and target_transform, functions of a
        picture and of a target; download, whether to get what is not there.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where the files are not there; SerializationError
    where they are damaged; DownloadError where they cannot be fetched.
    Source: Houben et al., Detection of Traffic Signs in Real-World Images (2013); as torchvision 0.29 has it.

    Example::

        signs = cltensor.vision.datasets.GTSRB("data", "test", download=True)
    """

    def __init__(self, root: str | PathLike[str], split: str = "train", transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split = verify_str_arg(split, "split", ("train", "test"))
        self._base_folder = self._folder / "gtsrb"
        self._target_folder = self._base_folder / "GTSRB" / ("Training" if split == "train" else "Final_Test/Images")
        self._obtain(self._target_folder.is_dir, download, self.download)
        self._samples = make_dataset(str(self._target_folder), extensions=(".ppm",)) if split == "train" else self._tests()

    def _tests(self):
        path = self._base_folder / "GT-final_test.csv"
        with reading(path), open(path, encoding="utf-8", newline="") as file:
            return [(str(self._target_folder / row["Filename"]), int(row["ClassId"]))
                    for row in csv.DictReader(file, delimiter=";", skipinitialspace=True)]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self._samples[index]
        return self._changed(read_picture(path), target)

    def __len__(self) -> int:
        return len(self._samples)

    def download(self) -> None:
        """Get the archives and unpack them, unless the files are there.  Raises DownloadError where they cannot be fetched."""
        if not self._target_folder.is_dir():
            for name, md5 in ((_TRAINING,) if self._split == "train" else _TESTS):
                download_and_extract_archive(f"{_SITE}{name}", self._base_folder, md5=md5)
