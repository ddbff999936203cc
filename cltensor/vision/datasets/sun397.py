"""SUN397: photographs of places."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

from ...base.errors import SerializationError
from .downloads import download_and_extract_archive
from .folder import default_loader, paths_below
from .listings import lines_in
from .vision import VisionDataset


class SUN397(VisionDataset):
    """Photographs of 397 kinds of places: 108,754.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints, 0 to 396.

    Args: root, the folder in which SUN397 holds the files; transform and target_transform, functions of a picture and of a target;
        download, whether to get what is not there; loader, a function of a path.
    Attributes: classes; class_to_idx.
    Raises MissingDataError, a RuntimeError, where the files are not there; SerializationError where they are damaged;
    DownloadError where they cannot be fetched.
    Source: Xiao et al., SUN Database (2010); as torchvision 0.29 has it, but sorted.

    Example::

        places = cltensor.vision.datasets.SUN397("data", download=True)
    """

    _DATASET_URL = "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz"
    _DATASET_MD5 = "8ca2778205c41d23104230ba66911c7a"

    def __init__(self, root: str | PathLike[str], transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False,
                 loader: Callable[[Any], Any] = default_loader):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader, base = loader, self._folder / "SUN397"
        self._obtain(base.is_dir, download,
                     lambda: download_and_extract_archive(self._DATASET_URL, self.root, md5=self._DATASET_MD5))
        names = [line.strip() for line in lines_in(base / "ClassName.txt")]
        if not all(len(name) > 3 and name[0] == name[2] == "/" for name in names):  # each begins with the first letter as a folder
            raise SerializationError(f"{base / 'ClassName.txt'} holds lines that are no names such as '/a/abbey'; get it again")
        self.classes = [name[3:] for name in names]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self._image_files = paths_below(base, "**/sun_*.jpg")
        places = ["/".join(path.relative_to(base).parts[1:-1]) for path in self._image_files]
        if not set(places) <= set(self.classes):
            raise SerializationError(f"{base} holds folders that ClassName.txt does not name: "
                                     f"{', '.join(sorted(set(places) - set(self.classes)))}; remove them")
        self._labels = [self.class_to_idx[place] for place in places]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(self.loader(self._image_files[index]), self._labels[index])

    def __len__(self) -> int:
        return len(self._image_files)
