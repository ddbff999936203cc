"""QMNIST: MNIST with the whole of its tests, and where each digit came from."""

from __future__ import annotations

import os
from os import PathLike
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from ...base.errors import SerializationError
from .downloads import check_integrity, download_and_extract_archive
from .idx import array_in, pictures_in
from .mnist import MNIST
from .utils import verify_str_arg

_ADDRESS = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"
_COLUMNS = 8  # of a label


class QMNIST(MNIST):
    """Handwritten digits: MNIST rebuilt, with 60,000 digits for tests, and what is known of each.

    Pictures are Pillow images in grey of 28 by 28 pixels, with bytes (uint8); targets are ints, 0 to 9, or with compat=False
    tensors of 8 int64: class, series, writer, index in the series, class in the original, index in the original, and two that are
    0.

    Args: root, the folder in which QMNIST/raw holds the files; what, "train", "test", "test10k" (which MNIST has), "test50k"
        (which it lost) or "nist" (all that there are); compat, whether targets are classes alone; train, "train" or "test" where
        what is None; kwargs, what MNIST takes: transform, target_transform, download.
    Raises ArgumentError for another part; MissingDataError, a RuntimeError, where the files are not there; SerializationError
    where they are damaged; DownloadError where they cannot be fetched.
    Source: Yadav and Bottou, Cold Case: The Lost MNIST Digits (2019); as torchvision 0.29 has it.

    Example::

        lost = cltensor.vision.datasets.QMNIST("data", "test50k", download=True)
    """

    subsets = {"train": "train", "test": "test", "test10k": "test", "test50k": "test", "nist": "nist"}
    resources = {  # type: ignore[assignment]
        "train": [(f"{_ADDRESS}qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
                  (f"{_ADDRESS}qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4")],
        "test": [(f"{_ADDRESS}qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
                 (f"{_ADDRESS}qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa")],
        "nist": [(f"{_ADDRESS}xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
                 (f"{_ADDRESS}xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d")],
    }

    def __init__(self, root: str | PathLike[str], what: str | None = None, compat: bool = True, train: bool = True, **kwargs: Any):
        self.what = verify_str_arg(("train" if train else "test") if what is None else what, "what", self.subsets)
        self.compat = compat
        self.data_file = self.training_file = self.test_file = f"{self.what}.pt"
        super().__init__(root, train, **kwargs)

    @property
    def images_file(self) -> str:
        """The path of the pictures."""
        return self._path(0)

    @property
    def labels_file(self) -> str:
        """The path of the labels."""
        return self._path(1)

    def _path(self, which):
        name = os.path.basename(urlsplit(self.resources[self.subsets[self.what]][which][0]).path)
        return os.path.join(self.raw_folder, os.path.splitext(name)[0])

    def _check_exists(self):
        return check_integrity(self.images_file) and check_integrity(self.labels_file)

    def _load_data(self):
        pictures, labels = pictures_in(self.images_file), array_in(self.labels_file)
        if labels.ndim != 2 or labels.shape[1] != _COLUMNS or labels.dtype != np.int32:
            raise SerializationError(f"{self.labels_file} holds {labels.dtype} of shape {labels.shape}, where int32 of shape (N, "
                                     "8) is "
                                     "expected; remove it and get it again")
        part = {"test10k": slice(10000), "test50k": slice(10000, None)}.get(self.what, slice(None))
        return pictures[part].copy(), labels[part].astype(np.int64)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        target = int(self._labels.of(self.targets)[index][0]) if self.compat else self.targets[index]
        return self._changed(self._picture(index), target)

    def download(self) -> None:
        """Get the files of this part that are not there.  Raises DownloadError where they cannot be fetched."""
        for (url, md5), path in zip(self.resources[self.subsets[self.what]], (self.images_file, self.labels_file), strict=True):
            if not check_integrity(path):
                download_and_extract_archive(url, self.raw_folder, path, md5=md5)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"Split: {self.what}"
