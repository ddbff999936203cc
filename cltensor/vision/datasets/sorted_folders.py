"""Datasets that are published as folders of pictures, one for each class: EuroSAT, Country211 and Rendered SST2."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from .downloads import download_and_extract_archive
from .folder import ImageFolder, default_loader, make_dataset
from .utils import verify_str_arg
from .vision import MissingDataError, VisionDataset


class EuroSAT(ImageFolder):
    """Satellite pictures of 10 kinds of land: 27,000.

    Pictures are Pillow images in RGB of 64 by 64 pixels, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder in which eurosat/2750 holds the files; transform and target_transform, functions of a picture and of a
        target; download, whether to get what is not there; loader, a function of a path.
    Attributes: classes, sorted names; class_to_idx; samples; targets.
    Raises MissingDataError, a RuntimeError, where the files are not there; DownloadError where they cannot be fetched;
    SerializationError for a damaged picture.
    Source: Helber et al., EuroSAT (2019); as torchvision 0.29 has it.

    Example::

        land = cltensor.vision.datasets.EuroSAT("data", download=True)
    """

    def __init__(self, root: str | PathLike[str], transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False,
                 loader: Callable[[str], Any] = default_loader):
        base = os.path.join(os.path.expanduser(root), "eurosat")
        _obtain(os.path.join(base, "2750"), download,
                "https://huggingface.co/datasets/torchgeo/eurosat/resolve/c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                "c8fa014336c82ac7804f0398fcb19387", base)
        super().__init__(os.path.join(base, "2750"), transform, target_transform, loader)
        self.root = os.path.expanduser(root)


class Country211(ImageFolder):
    """Photographs from 211 countries, 300 of each.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints, 0 to 210.

    Args: root, the folder in which country211 holds the files; split, "train", "valid" or "test"; transform and target_transform,
        functions of a picture and of a target; download, whether to get what is not there; loader, a function of a path.
    Attributes: classes, the countries' codes; class_to_idx; samples; targets.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where the files are not there; DownloadError where
    they cannot be fetched; SerializationError for a damaged picture.
    Source: Radford et al., Learning Transferable Visual Models From Natural Language Supervision (2021); as torchvision 0.29 has
    it.

    Example::

        countries = cltensor.vision.datasets.Country211("data", "valid", download=True)
    """

    _URL = "https://openaipublic.azureedge.net/clip/data/country211.tgz"
    _MD5 = "84988d7644798601126c29e9877aab6a"

    def __init__(self, root: str | PathLike[str], split: str = "train", transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False,
                 loader: Callable[[str], Any] = default_loader):
        self._split = verify_str_arg(split, "split", ("train", "valid", "test"))
        base = os.path.join(os.path.expanduser(root), "country211")
        _obtain(base, download, self._URL, self._MD5, os.path.dirname(base))
        super().__init__(os.path.join(base, split), transform, target_transform, loader)
        self.root = os.path.expanduser(root)


class RenderedSST2(VisionDataset):
    """Sentences of film reviews as pictures: whether they praise, 9,613.

    Pictures are Pillow images in RGB of 448 by 448 pixels, with bytes (uint8); targets are ints, 0 for blame and 1 for praise.

    Args: root, the folder in which rendered-sst2 holds the files; split, "train", "val" or "test"; transform and target_transform,
        functions of a picture and of a target; download, whether to get what is not there; loader, a function of a path.
    Attributes: classes; class_to_idx.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where the files are not there; DownloadError where
    they cannot be fetched; SerializationError for a damaged picture.
    Source: Radford et al., Learning Transferable Visual Models From Natural Language Supervision (2021); as torchvision 0.29 has
    it.

    Example::

        sentences = cltensor.vision.datasets.RenderedSST2("data", "val", download=True)
    """

    _URL = "https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz"
    _MD5 = "2384d08e9dcfa4bd55b324e610496ee5"

    def __init__(self, root: str | PathLike[str], split: str = "train", transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False,
                 loader: Callable[[str], Any] = default_loader):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split, self.loader = verify_str_arg(split, "split", ("train", "val", "test")), loader
        base = self._folder / "rendered-sst2"
        _obtain(base, download, self._URL, self._MD5, self.root)
        self.classes = ["negative", "positive"]
        self.class_to_idx = {"negative": 0, "positive": 1}
        folder = base / {"val": "valid"}.get(split, split)
        self._samples = make_dataset(str(folder), self.class_to_idx, (".png",))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self._samples[index]
        return self._changed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self._samples)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"split={self._split}"


def _obtain(folder, download, url, md5, root):
    """See that a folder is there: get and unpack its archive first if `download` says so."""
    if download and not Path(folder).is_dir():
        download_and_extract_archive(url, root, md5=md5)
    if not Path(folder).is_dir():
        raise MissingDataError(f"Dataset not found in {folder}. You can use download=True to download it")
