"""Omniglot: handwritten letters of 50 alphabets."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import Any

from .downloads import check_integrity, download_and_extract_archive
from .utils import list_dir, list_files
from .vision import VisionDataset
from .voc import read_picture


class Omniglot(VisionDataset):
    """Handwritten letters of 50 alphabets, each written by 20 people.

    Pictures are Pillow images in grey of 105 by 105 pixels, with bytes (uint8); targets are ints, a class for each letter.

    Args: root, the folder in which omniglot-py holds the files; background, whether to take the 30 alphabets to learn with, else
        the 20 to evaluate; transform and target_transform, functions of a picture and of a target; download, whether to get what
        is not there; loader, a function of a path.
    Raises MissingDataError, a RuntimeError, where the files are not there or not whole; SerializationError where they are damaged;
    DownloadError where they cannot be fetched.
    Source: Lake et al., Human-level concept learning through probabilistic program induction (2015); as torchvision 0.29 has it,
    but sorted.

    Example::

        letters = cltensor.vision.datasets.Omniglot("data", download=True)
    """

    folder = "omniglot-py"
    download_url_prefix = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"
    zips_md5 = {"images_background": "68d2efa1b9178cc56df9314c21c6e718", "images_evaluation": "6b91aef0f799c5bb55b94e3f2daec811"}

    def __init__(self, root: str | PathLike[str], background: bool = True, transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False,
                 loader: Callable[[Any], Any] | None = None):
        base = os.path.join(os.path.expanduser(root), self.folder)
        super().__init__(base, transform=transform, target_transform=target_transform)
        self.background, self.loader = background, loader
        self._obtain(self._check_integrity, download, self.download)
        self.target_folder = os.path.join(self.root, self._get_target_folder())
        self._alphabets = sorted(list_dir(self.target_folder))
        self._characters = [os.path.join(alphabet, letter) for alphabet in self._alphabets
                            for letter in sorted(list_dir(os.path.join(self.target_folder, alphabet)))]
        folders = [os.path.join(self.target_folder, letter) for letter in self._characters]
        self._flat_character_images = [(path, i) for i, folder in enumerate(folders)
                                       for path in sorted(list_files(folder, ".png", prefix=True))]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self._flat_character_images[index]
        return self._changed(self.loader(path) if self.loader else read_picture(path, "L"), target)

    def __len__(self) -> int:
        return len(self._flat_character_images)

    def _check_integrity(self):
        name = self._get_target_folder()
        return check_integrity(os.path.join(self.root, f"{name}.zip"), self.zips_md5[name])

    def download(self) -> None:
        """Get the archive and unpack it, unless it is there.  Raises DownloadError where it cannot be fetched."""
        if not self._check_integrity():
            name = f"{self._get_target_folder()}.zip"
            download_and_extract_archive(f"{self.download_url_prefix}/{name}", self.root, filename=name,
                                         md5=self.zips_md5[self._get_target_folder()])

    def _get_target_folder(self):
        return "images_background" if self.background else "images_evaluation"
