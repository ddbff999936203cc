"""CIFAR-10 and CIFAR-100: small photographs, in pickles that are read without running code."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np

from ...base.errors import SerializationError
from .. import pillow
from .archived import Archived
from .downloads import check_integrity
from .pickled import dict_in
from .vision import MissingDataError


class CIFAR10(Archived):
    """Photographs of 10 classes: 50,000 to train with and 10,000 to test.

    Pictures are Pillow images in RGB of 32 by 32 pixels, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder in which cifar-10-batches-py holds the files; train, which part; transform and target_transform,
        functions of a picture and of a target; download, whether to get what is not there.
    Attributes: data, an array (N, 32, 32, 3) of uint8; targets, a list of ints; classes; class_to_idx.
    Raises MissingDataError, a RuntimeError, where the files are not there or not whole; SerializationError where they hold
    something else or ask for code; DownloadError where they cannot be fetched.
    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009); as torchvision 0.29 has it.

    Example::

        photographs = cltensor.vision.datasets.CIFAR10("data", download=True)
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": "5ff9c542aee3614f3951f8cda6e48888"}

    def __init__(self, root: str | PathLike[str], train: bool = True, transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        self._obtain(self._check_integrity, download, self.download)
        batches = [self._batch(name) for name, _ in (self.train_list if train else self.test_list)]
        self.data = np.concatenate([pictures for pictures, _ in batches])
        self.targets = [target for _, targets in batches for target in targets]
        self._load_meta()

    def _batch(self, name):
        """(pictures (N, 32, 32, 3), list of targets) of a file."""
        found = dict_in(self._path(name), "labels", "fine_labels")
        pictures, targets = found.get("data"), found["labels"] if "labels" in found else found["fine_labels"]
        if not (isinstance(pictures, np.ndarray) and pictures.dtype == np.uint8 and pictures.size == 3072 * len(targets)
                and isinstance(targets, list) and all(type(target) is int for target in targets)):
            raise SerializationError(f"{self._path(name)} does not hold one label for each 3072 bytes of pictures; remove it and "
                                     "get "
                                     "it again")
        return pictures.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), targets

    def _load_meta(self):
        path = self._path(self.meta["filename"])
        if not check_integrity(path, self.meta["md5"]):
            raise MissingDataError(f"{path} is not there, or not whole. You can use download=True to download it")
        names = dict_in(path, self.meta["key"])[self.meta["key"]]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise SerializationError(f"{path} does not hold the names of the classes; remove it and get it again")
        self.classes = names
        self.class_to_idx = {name: i for i, name in enumerate(names)}

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(pillow.module().fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class CIFAR100(CIFAR10):
    """Photographs of 100 classes: 50,000 to train with and 10,000 to test.

    Pictures are Pillow images in RGB of 32 by 32 pixels, with bytes (uint8); targets are ints, 0 to 99.

    Args: root, the folder in which cifar-100-python holds the files; train, which part; transform and target_transform, functions
        of a picture and of a target; download, whether to get what is not there.
    Attributes: data, an array (N, 32, 32, 3) of uint8; targets, a list of ints; classes; class_to_idx.
    Raises MissingDataError, a RuntimeError, where the files are not there or not whole; SerializationError where they hold
    something else or ask for code; DownloadError where they cannot be fetched.
    Source: Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009); as torchvision 0.29 has it.

    Example::

        photographs = cltensor.vision.datasets.CIFAR100("data", download=True)
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {"filename": "meta", "key": "fine_label_names", "md5": "7973b15100ade9c7d40fb424638fde48"}
