"""Food-101: photographs of dishes."""

from __future__ import annotations

import json
from collections.abc import Callable
from os import PathLike
from pathlib import PurePosixPath
from typing import Any

from .downloads import download_and_extract_archive
from .folder import default_loader
from .listings import reading
from .utils import verify_str_arg
from .vision import VisionDataset


class Food101(VisionDataset):
    """Photographs of 101 dishes: 75,750 to train with and 25,250 to test.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints, 0 to 100.

    Args: root, the folder in which food-101 holds the files; split, "train" or "test"; transform and target_transform, functions
        of a picture and of a target; download, whether to get what is not there; loader, a function of a path.
    Attributes: classes, sorted names; class_to_idx.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where the files are not there; SerializationError
    where they are damaged; DownloadError where they cannot be fetched.
    Source: Bossard et al., Food-101 (2014); as torchvision 0.29 has it.

    Example::

        dishes = cltensor.vision.datasets.Food101("data", "test", download=True)
    """

    _URL = "http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz"
    _MD5 = "85eeb15f3717b99a5da872d97d918f87"

    def __init__(self, root: str | PathLike[str], split: str = "train", transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False,
                 loader: Callable[[Any], Any] = default_loader):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split, self.loader = verify_str_arg(split, "split", ("train", "test")), loader
        base = self._folder / "food-101"
        pictures, meta = base / "images", base / "meta"
        self._obtain(lambda: pictures.is_dir() and meta.is_dir(), download,
                     lambda: download_and_extract_archive(self._URL, self.root, md5=self._MD5))
        listed = meta / f"{split}.json"
        with reading(listed):
            names = {str(name): [PurePosixPath(one).parts for one in files]
                     for name, files in json.loads(listed.read_text(encoding="utf-8")).items()}
        self.classes = sorted(names)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self._labels = [self.class_to_idx[name] for name, files in names.items() for _ in files]
        self._image_files = [pictures.joinpath(*parts).with_name(f"{parts[-1]}.jpg") for files in names.values() for parts in files]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(self.loader(self._image_files[index]), self._labels[index])

    def __len__(self) -> int:
        return len(self._image_files)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"split={self._split}"
