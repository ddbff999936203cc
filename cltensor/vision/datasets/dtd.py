"""DTD: photographs of textures."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

from ...base.errors import ArgumentError
from .downloads import download_and_extract_archive
from .folder import default_loader
from .listings import lines_in, reading
from .utils import verify_str_arg
from .vision import VisionDataset

_PARTITIONS = 10


class DTD(VisionDataset):
    """Photographs of 47 kinds of textures, divided in ten ways.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints.

    Args: root, the folder in which dtd holds the files; split, "train", "val" or "test"; partition, 1 to 10; transform and
        target_transform, functions of a picture and of a target; download, whether to get what is not there; loader, a function of
        a path.
    Attributes: classes, sorted names; class_to_idx.
    Raises ArgumentError for another split or partition; MissingDataError, a RuntimeError, where the files are not there;
    SerializationError where they are damaged; DownloadError where they cannot be fetched.
    Source: Cimpoi et al., Describing Textures in the Wild (2014); as torchvision 0.29 has it.

    Example::

        textures = cltensor.vision.datasets.DTD("data", partition=2, download=True)
    """

    _URL = "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz"
    _MD5 = "fff73e5086ae6bdbea199a49dfb8a4c1"

    def __init__(self, root: str | PathLike[str], split: str = "train", partition: int = 1,
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 download: bool = False, loader: Callable[[Any], Any] = default_loader):
        self._split = verify_str_arg(split, "split", ("train", "val", "test"))
        if not isinstance(partition, int) or not 1 <= partition <= _PARTITIONS:
            raise ArgumentError(f"Parameter 'partition' should be an integer with `1 <= partition <= 10`, but got {partition!r} "
                                "instead")
        self._partition, self.loader = partition, loader
        super().__init__(root, transform=transform, target_transform=target_transform)
        base = self._folder / "dtd" / "dtd"
        self._obtain(base.is_dir, download, lambda: download_and_extract_archive(self._URL, base.parent, md5=self._MD5))
        listed = base / "labels" / f"{split}{partition}.txt"
        with reading(listed):
            pairs = [line.split("/") for line in lines_in(listed)]
            self._image_files = [base / "images" / name / file for name, file in pairs]
        self.classes = sorted({name for name, _ in pairs})
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self._labels = [self.class_to_idx[name] for name, _ in pairs]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(self.loader(self._image_files[index]), self._labels[index])

    def __len__(self) -> int:
        return len(self._image_files)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"split={self._split}, partition={self._partition}"
