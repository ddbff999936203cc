"""SVHN: digits of house numbers in photographs of streets."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from ...base.errors import SerializationError
from .. import pillow
from .downloads import check_integrity, download_url
from .matlab import arrays_in
from .utils import verify_str_arg
from .vision import VisionDataset


class SVHN(VisionDataset):
    """Digits of house numbers: 73,257 to train with, 26,032 to test, and 531,131 easier ones.  SciPy reads the files.

    Pictures are Pillow images in RGB of 32 by 32 pixels, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder of the files; split, "train", "test" or "extra"; transform and target_transform, functions of a picture
        and of a target; download, whether to get what is not there.
    Attributes: data, an array (N, 3, 32, 32) of uint8; labels, an array (N,) of int64.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where the file is not there or not whole;
    MissingPackageError without SciPy; SerializationError where it holds something else; DownloadError where it cannot be fetched.
    Source: Netzer et al., Reading Digits in Natural Images (2011); as torchvision 0.29 has it.

    Example::

        numbers = cltensor.vision.datasets.SVHN("data", "test", download=True)
    """

    split_list = {
        "train": ["http://ufldl.stanford.edu/housenumbers/train_32x32.mat", "train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"],
        "test": ["http://ufldl.stanford.edu/housenumbers/test_32x32.mat", "test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"],
        "extra": ["http://ufldl.stanford.edu/housenumbers/extra_32x32.mat", "extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"],
    }

    def __init__(self, root: str | PathLike[str], split: str = "train", transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", self.split_list)
        self.url, self.filename, self.file_md5 = self.split_list[split]
        self._obtain(self._check_integrity, download, self.download)
        path = os.path.join(self.root, self.filename)
        pictures, labels = arrays_in(path, "X", "y")
        labels = labels.astype(np.int64).reshape(-1)
        if pictures.dtype != np.uint8 or pictures.shape != (32, 32, 3, len(labels)):
            raise SerializationError(f"{path} holds {pictures.dtype} of shape {pictures.shape} and {len(labels)} labels, where "
                                     "bytes of "
                                     "shape (32, 32, 3, N) and N labels are expected; remove it and get it again")
        self.data = pictures.transpose(3, 2, 0, 1)
        self.labels = np.where(labels == 10, 0, labels)  # the file calls a zero 10

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture = pillow.module().fromarray(np.ascontiguousarray(self.data[index].transpose(1, 2, 0)))
        return self._changed(picture, int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def _check_integrity(self):
        return check_integrity(os.path.join(self.root, self.filename), self.file_md5)

    def download(self) -> None:
        """Get the file, unless it is there.  Raises DownloadError where it cannot be fetched."""
        download_url(self.url, self.root, self.filename, self.file_md5)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"Split: {self.split}"
