"""MNIST and the datasets that share its files' form: FashionMNIST and KMNIST."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from os import PathLike
from typing import Any

from ...base.errors import SerializationError, ShapeError
from ...io.download import DownloadError
from ...io.load import load
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from .. import pillow
from .downloads import check_integrity, download_and_extract_archive
from .host_values import HostValues
from .idx import labels_in, pictures_in
from .vision import VisionDataset


class MNIST(VisionDataset):
    """Handwritten digits: 60,000 to train with and 10,000 to test.

    Pictures are Pillow images in grey of 28 by 28 pixels, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder in which MNIST/raw holds the files; train, which half; transform and target_transform, functions of a
        picture and of a target; download, whether to get what is not there.
    Attributes: data, a tensor (N, 28, 28) of uint8, and targets, (N,) of int64; classes; class_to_idx.
    Raises MissingDataError, a RuntimeError, where the files are not there; SerializationError where they are damaged;
    DownloadError where they cannot be fetched.
    Source: LeCun et al., Gradient-based learning applied to document recognition (1998); as torchvision 0.29 has it.

    Example::

        digits = cltensor.vision.datasets.MNIST("data", download=True)
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    training_file, test_file = "training.pt", "test.pt"
    classes = ["0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - "
                                                                                                                           "nine"]

    def __init__(self, root: str | PathLike[str], train: bool = True, transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train, self._pixels, self._labels = train, HostValues(), HostValues()
        if self._earlier_files():
            self.data, self.targets = self._load_earlier_files()
            return
        self._obtain(self._check_exists, download, self.download)
        self.data, self.targets = map(from_numpy, self._load_data())
        if len(self.data) != len(self.targets):
            raise SerializationError(f"{self.raw_folder} holds {len(self.data)} pictures and {len(self.targets)} targets; remove "
                                     "the files and get them again")

    def _earlier_files(self):
        """Whether files of an earlier torchvision are there, which kept tensors instead."""
        return all(check_integrity(os.path.join(self.processed_folder, name)) for name in (self.training_file, self.test_file))

    def _load_earlier_files(self):
        return load(os.path.join(self.processed_folder, self.training_file if self.train else self.test_file))

    def _load_data(self):
        """(pictures, labels) as arrays."""
        part = os.path.join(self.raw_folder, "train" if self.train else "t10k")
        return pictures_in(f"{part}-images-idx3-ubyte"), labels_in(f"{part}-labels-idx1-ubyte")

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        picture = self._picture(index)
        return self._changed(picture, int(self._labels.of(self.targets)[index]))

    def _picture(self, index):
        pixels = self._pixels.of(self.data)[index]
        if pixels.ndim != 2:
            raise ShapeError(f"data[{index}] has shape {pixels.shape}; a picture in grey has two dimensions")
        return pillow.module().fromarray(pixels)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def train_labels(self) -> Tensor:
        """targets, by its earlier name."""
        return self._renamed("train_labels", "targets")

    @property
    def test_labels(self) -> Tensor:
        """targets, by its earlier name."""
        return self._renamed("test_labels", "targets")

    @property
    def train_data(self) -> Tensor:
        """data, by its earlier name."""
        return self._renamed("train_data", "data")

    @property
    def test_data(self) -> Tensor:
        """data, by its earlier name."""
        return self._renamed("test_data", "data")

    def _renamed(self, earlier, name):
        warnings.warn(f"{earlier} has been renamed {name}", stacklevel=3)
        return getattr(self, name)

    @property
    def raw_folder(self) -> str:
        """The folder of the files."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """The folder of files that earlier versions of torchvision made."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The index of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    def _check_exists(self):
        return all(check_integrity(os.path.join(self.raw_folder, os.path.splitext(name)[0])) for name, _ in self.resources)

    def download(self) -> None:
        """Get the files that are not there.  Raises DownloadError where no mirror has them."""
        for name, md5 in self.resources:
            if not check_integrity(os.path.join(self.raw_folder, os.path.splitext(name)[0])):
                self._download_from_mirrors(name, md5)

    def _download_from_mirrors(self, name, md5):
        errors = []
        for mirror in self.mirrors:
            try:
                target = os.path.join(self.raw_folder, name.removesuffix(".gz"))
                download_and_extract_archive(f"{mirror}{name}", self.raw_folder, target, name, md5)
                return
            except DownloadError as error:
                errors.append(error)
        raise errors[-1]

    def extra_repr(self) -> str:
        """Which half it is, for repr(); never raises."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class FashionMNIST(MNIST):
    """Pictures of clothes in the form of MNIST: 60,000 to train with and 10,000 to test.

    Pictures are Pillow images in grey of 28 by 28 pixels, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder in which FashionMNIST/raw holds the files; train, which half; transform and target_transform, functions
        of a picture and of a target; download, whether to get what is not there.
    Raises MissingDataError, a RuntimeError, where the files are not there; SerializationError where they are damaged;
    DownloadError where they cannot be fetched.
    Source: Xiao et al., Fashion-MNIST (2017); as torchvision 0.29 has it.

    Example::

        clothes = cltensor.vision.datasets.FashionMNIST("data", download=True)
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


class KMNIST(MNIST):
    """Handwritten Japanese syllables in the form of MNIST: 60,000 to train with and 10,000 to test.

    Pictures are Pillow images in grey of 28 by 28 pixels, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder in which KMNIST/raw holds the files; train, which half; transform and target_transform, functions of a
        picture and of a target; download, whether to get what is not there.
    Raises MissingDataError, a RuntimeError, where the files are not there; SerializationError where they are damaged;
    DownloadError where they cannot be fetched.
    Source: Clanuwat et al., Deep Learning for Classical Japanese Literature (2018); as torchvision 0.29 has it.

    Example::

        syllables = cltensor.vision.datasets.KMNIST("data", download=True)
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
