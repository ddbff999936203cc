"""USPS: handwritten digits of zip codes."""

from __future__ import annotations

import bz2
import os
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from ...base.errors import SerializationError
from .. import pillow
from .downloads import check_integrity, download_url
from .vision import VisionDataset

_PIXELS = 256


class USPS(VisionDataset):
    """Handwritten digits of zip codes: 7,291 to train with and 2,007 to test.

    Pictures are Pillow images in grey of 16 by 16 pixels, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder of the files; train, which part; transform and target_transform, functions of a picture and of a target;
        download, whether to get what is not there.
    Attributes: data, an array (N, 16, 16) of uint8; targets, a list of ints.
    Raises MissingDataError, a RuntimeError, where the file is not there; SerializationError where it is damaged; DownloadError
    where it cannot be fetched.
    Source: Hull, A Database for Handwritten Text Recognition Research (1994), in LIBSVM's format; as torchvision 0.29 has it.

    Example::

        digits = cltensor.vision.datasets.USPS("data", train=False, download=True)
    """

    split_list = {
        "train": ["https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/usps.bz2", "usps.bz2",
                  "ec16c51db3855ca6c91edd34d0e9b197"],
        "test": ["https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/usps.t.bz2", "usps.t.bz2",
                 "8ea070ee2aca1ac39742fdd1ef5ed118"],
    }

    def __init__(self, root: str | PathLike[str], train: bool = True, transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        url, name, md5 = self.split_list["train" if train else "test"]
        path = os.path.join(self.root, name)
        self._obtain(lambda: check_integrity(path), download, lambda: download_url(url, self.root, name, md5))
        self.data, self.targets = _samples_in(path)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(pillow.module().fromarray(self.data[index]), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)


def _samples_in(path):
    """(pictures, targets) of a file of lines "target 1:value 2:value ...", with values from -1 to 1."""
    try:
        with bz2.open(path) as file:
            rows = [line.split() for line in file.read().decode("ascii").splitlines() if line.strip()]
        values = np.array([[float(word.partition(":")[2]) for word in row[1:]] for row in rows], np.float64)
        targets = [int(float(row[0])) - 1 for row in rows]
        pixels = ((values.reshape(-1, 16, 16) + 1) / 2 * 255).astype(np.uint8)
    except (OSError, ValueError, EOFError) as error:
        raise SerializationError(f"{path} is damaged ({error}); remove it and get it again") from error
    if len(pixels) != len(targets):
        raise SerializationError(f"{path} is damaged: not every line has {_PIXELS} values; remove it and get it again")
    return pixels, targets
