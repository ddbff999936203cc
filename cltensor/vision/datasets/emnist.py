"""EMNIST: handwritten digits and letters in the form of MNIST."""

from __future__ import annotations

import os
import shutil
import string
from os import PathLike
from pathlib import Path
from typing import Any

from .downloads import check_integrity, download_and_extract_archive, extract_archive
from .idx import labels_in, pictures_in
from .mnist import MNIST
from .utils import verify_str_arg

_ALL = [*string.digits, *string.ascii_uppercase, *string.ascii_lowercase]
_MERGED = sorted(set(_ALL) - set("cijklmopsuvwxyz"))  # letters that are written alike in both cases count as capitals


class EMNIST(MNIST):
    """Handwritten digits and letters in the form of MNIST, cut in several ways.

    Pictures are Pillow images in grey of 28 by 28 pixels, with bytes (uint8), transposed as they are in the files; targets are
    ints.

    Args: root, the folder in which EMNIST/raw holds the files; split, "byclass", "bymerge", "balanced", "letters" (of which
        targets begin with 1), "digits" or "mnist"; kwargs, what MNIST takes: train, transform, target_transform, download.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where the files are not there; SerializationError
    where they are damaged; DownloadError where they cannot be fetched.
    Source: Cohen et al., EMNIST (2017); as torchvision 0.29 has it.

    Example::

        letters = cltensor.vision.datasets.EMNIST("data", "letters", download=True)
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    classes_split_dict = {
        "byclass": sorted(_ALL), "bymerge": _MERGED, "balanced": _MERGED, "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits), "mnist": list(string.digits),
    }

    def __init__(self, root: str | PathLike[str], split: str, **kwargs: Any):
        self.split = verify_str_arg(split, "split", self.splits)
        self.training_file, self.test_file = f"training_{split}.pt", f"test_{split}.pt"
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[self.split]

    @property
    def images_file(self) -> str:
        """The path of the pictures."""
        return f"{self._part}-images-idx3-ubyte"

    @property
    def labels_file(self) -> str:
        """The path of the labels."""
        return f"{self._part}-labels-idx1-ubyte"

    @property
    def _part(self):
        return os.path.join(self.raw_folder, f"emnist-{self.split}-{'train' if self.train else 'test'}")

    def _load_data(self):
        return pictures_in(self.images_file), labels_in(self.labels_file)

    def _check_exists(self):
        return check_integrity(self.images_file) and check_integrity(self.labels_file)

    def download(self) -> None:
        """Get the archive of all splits and unpack it, unless it is there.  Raises DownloadError where it cannot be fetched."""
        if self._check_exists():
            return
        download_and_extract_archive(self.url, self.raw_folder, md5=self.md5)
        packed = Path(self.raw_folder) / "gzip"
        for path in packed.glob("*.gz"):
            extract_archive(path, Path(self.raw_folder) / path.stem)
        shutil.rmtree(packed)
