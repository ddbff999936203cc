"""FGVC Aircraft: photographs of aeroplanes, by variant, family and manufacturer."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

from .downloads import download_and_extract_archive
from .folder import default_loader
from .listings import lines_in, reading
from .utils import verify_str_arg
from .vision import VisionDataset

_LISTS = {"variant": "variants.txt", "family": "families.txt", "manufacturer": "manufacturers.txt"}


class FGVCAircraft(VisionDataset):
    """Photographs of aeroplanes: 10,000 of 100 variants.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints.

    Args: root, the folder in which fgvc-aircraft-2013b holds the files; split, "train", "val", "trainval" or "test";
        annotation_level, "variant", "family" or "manufacturer"; transform and target_transform, functions of a picture and of a
        target; download, whether to get what is not there; loader, a function of a path.
    Attributes: classes; class_to_idx.
    Raises ArgumentError for another split or level; MissingDataError, a RuntimeError, where the files are not there;
    SerializationError where they are damaged; DownloadError where they cannot be fetched.
    Source: Maji et al., Fine-Grained Visual Classification of Aircraft (2013); as torchvision 0.29 has it.

    Example::

        aeroplanes = cltensor.vision.datasets.FGVCAircraft("data", annotation_level="family", download=True)
    """

    _URL = "https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz"

    def __init__(self, root: str | PathLike[str], split: str = "trainval", annotation_level: str = "variant",
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 download: bool = False, loader: Callable[[Any], Any] = default_loader):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split = verify_str_arg(split, "split", ("train", "val", "trainval", "test"))
        self._annotation_level = verify_str_arg(annotation_level, "annotation_level", _LISTS)
        self.loader, base = loader, self._folder / "fgvc-aircraft-2013b" / "data"
        self._obtain(base.is_dir, download, lambda: download_and_extract_archive(self._URL, self.root))
        self.classes = [line.strip() for line in lines_in(base / _LISTS[annotation_level])]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        listed = base / f"images_{annotation_level}_{split}.txt"
        with reading(listed):
            pairs = [line.strip().split(" ", 1) for line in lines_in(listed)]
            self._image_files = [base / "images" / f"{name}.jpg" for name, _ in pairs]
            self._labels = [self.class_to_idx[name] for _, name in pairs]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(self.loader(self._image_files[index]), self._labels[index])

    def __len__(self) -> int:
        return len(self._image_files)
