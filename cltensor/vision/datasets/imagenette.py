"""Imagenette: ten classes of ImageNet that are easily told apart."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

from ...base.errors import SerializationError
from .downloads import download_and_extract_archive
from .folder import default_loader, find_classes, make_dataset
from .utils import verify_str_arg
from .vision import VisionDataset

#: folder -> names of its class
_NAMES = {
    "n01440764": ("tench", "Tinca tinca"),
    "n02102040": ("English springer", "English springer spaniel"),
    "n02979186": ("cassette player",),
    "n03000684": ("chain saw", "chainsaw"),
    "n03028079": ("church", "church building"),
    "n03394916": ("French horn", "horn"),
    "n03417042": ("garbage truck", "dustcart"),
    "n03425413": ("gas pump", "gasoline pump", "petrol pump", "island dispenser"),
    "n03445777": ("golf ball",),
    "n03888257": ("parachute", "chute"),
}


class Imagenette(VisionDataset):
    """Photographs of ten classes of ImageNet: 9,469 to train with and 3,925 to validate.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints, 0 to 9.

    Args: root, the folder in which imagenette2 holds the files; split, "train" or "val"; size, "full", "320px" or "160px" for the
        shorter side; download, whether to get what is not there; transform and target_transform, functions of a picture and of a
        target; loader, a function of a path.
    Attributes: classes, tuples of names; class_to_idx; wnids and wnid_to_idx, the names of the folders.
    Raises ArgumentError for another split or size; MissingDataError, a RuntimeError, where the files are not there; DownloadError
    where they cannot be fetched; SerializationError for other folders and damaged pictures.
    Source: github.com/fastai/imagenette; as torchvision 0.29 has it.

    Example::

        photographs = cltensor.vision.datasets.Imagenette("data", "val", "160px", download=True)
    """

    _ARCHIVES = {
        "full": ("https://s3.amazonaws.com/fast-ai-imageclas/imagenette2.tgz", "fe2fc210e6bb7c5664d602c3cd71e612"),
        "320px": ("https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz", "3df6f0d01a2c9592104656642f5e78a3"),
        "160px": ("https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz", "e793b78cc4c9e9a4ccc0c1155377a412"),
    }

    def __init__(self, root: str | PathLike[str], split: str = "train", size: str = "full", download: bool = False,
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 loader: Callable[[Any], Any] = default_loader):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self._split, self._size = verify_str_arg(split, "split", ("train", "val")), verify_str_arg(size, "size", self._ARCHIVES)
        self.loader, (url, md5) = loader, self._ARCHIVES[size]
        base = self._folder / url.rpartition("/")[2].removesuffix(".tgz")
        self._obtain(base.is_dir, download, lambda: download_and_extract_archive(url, self.root, md5=md5))
        folder = str(base / split)
        self.wnids, self.wnid_to_idx = find_classes(folder)
        if not set(self.wnids) <= set(_NAMES):
            raise SerializationError(f"{folder} holds folders that are no classes of Imagenette: "
                                     f"{', '.join(sorted(set(self.wnids) - set(_NAMES)))}; remove them")
        self.classes = [_NAMES[wnid] for wnid in self.wnids]
        self.class_to_idx = {name: i for i, names in enumerate(self.classes) for name in names}
        self._samples = make_dataset(folder, self.wnid_to_idx, extensions=".jpeg")

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self._samples[index]
        return self._changed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self._samples)
