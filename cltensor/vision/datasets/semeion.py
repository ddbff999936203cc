"""SEMEION: handwritten digits in black and white."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from ...base.errors import SerializationError
from .. import pillow
from .downloads import check_integrity, download_url
from .vision import VisionDataset

_PIXELS, _CLASSES = 256, 10


class SEMEION(VisionDataset):
    """Handwritten digits in black and white: 1,593.

    Pictures are Pillow images in grey of 16 by 16 pixels, with bytes (uint8), 0 or 255; targets are ints, 0 to 9.

    Args: root, the folder of the file; transform and target_transform, functions of a picture and of a target; download, whether
        to get what is not there.
    Attributes: data, an array (N, 16, 16) of uint8; labels, an array (N,) of int64.
    Raises MissingDataError, a RuntimeError, where the file is not there or not whole; SerializationError where it holds something
    else; DownloadError where it cannot be fetched.
    Source: Semeion Research Center, UCI Machine Learning Repository (1994); as torchvision 0.29 has it.

    Example::

        digits = cltensor.vision.datasets.SEMEION("data")
    """

    url = "http://archive.ics.uci.edu/ml/machine-learning-databases/semeion/semeion.data"
    filename = "semeion.data"
    md5_checksum = "cb545d371d2ce14ec121470795a77432"

    def __init__(self, root: str | PathLike[str], transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = True):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._obtain(self._check_integrity, download, self.download)
        path = os.path.join(self.root, self.filename)
        try:
            values = np.loadtxt(path, ndmin=2)
        except ValueError as error:
            raise SerializationError(f"{path} is damaged ({error}); remove it and get it again") from error
        if values.shape[1] != _PIXELS + _CLASSES:
            raise SerializationError(f"{path} is damaged: its lines hold {values.shape[1]} numbers, not 266; remove it and get it "
                                     "again")
        self.data = (values[:, :_PIXELS] * 255).astype(np.uint8).reshape(-1, 16, 16)
        self.labels = values[:, _PIXELS:].argmax(axis=1)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(pillow.module().fromarray(self.data[index]), int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def _check_integrity(self):
        return check_integrity(os.path.join(self.root, self.filename), self.md5_checksum)

    def download(self) -> None:
        """Get the file, unless it is there.  Raises DownloadError where it cannot be fetched."""
        download_url(self.url, self.root, self.filename, self.md5_checksum)
