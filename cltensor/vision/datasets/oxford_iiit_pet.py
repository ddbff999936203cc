"""Oxford-IIIT Pet: photographs of cats and dogs of 37 breeds, with masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import Any

from .downloads import download_and_extract_archive
from .listings import choices, lines_in, one_or_all, reading
from .utils import verify_str_arg
from .vision import VisionDataset
from .voc import read_picture


class OxfordIIITPet(VisionDataset):
    """Photographs of cats and dogs, their breeds and masks.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints or masks, Pillow images whose pixels are 1
    for the animal, 2 for what is around it and 3 for its edge.

    Args: root, the folder in which oxford-iiit-pet holds the files; split, "trainval" or "test"; target_types, "category" (the
        breed), "binary-category" (0 for cats), "segmentation", or a list of them; transforms, a function of picture and target; or
        transform and target_transform, of one; download, whether to get what is not there.
    Attributes: classes and bin_classes; class_to_idx and bin_class_to_idx.
    Raises ArgumentError for another split or type; MissingDataError, a RuntimeError, where the files are not there;
    SerializationError where they are damaged; DownloadError where they cannot be fetched.
    Source: Parkhi et al., Cats and Dogs (2012); as torchvision 0.29 has it.

    Example::

        pets = cltensor.vision.datasets.OxfordIIITPet("data", target_types="segmentation", download=True)
    """

    _RESOURCES = (("https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz", "5c4f3ee8e5d25df40f4fd59a7f44e54c"),
                  ("https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz", "95a8c909bbe2e81eed6a22bccdf3f68f"))
    _VALID_TARGET_TYPES = ("category", "binary-category", "segmentation")

    def __init__(self, root: str | PathLike[str], split: str = "trainval", target_types: Sequence[str] | str = "category",
                 transforms: Callable[..., Any] | None = None, transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, download: bool = False):
        self._split = verify_str_arg(split, "split", ("trainval", "test"))
        self._target_types = choices(target_types, "target_types", self._VALID_TARGET_TYPES)
        super().__init__(root, transforms, transform, target_transform)
        base = self._folder / "oxford-iiit-pet"
        pictures, notes = base / "images", base / "annotations"
        self._obtain(lambda: pictures.is_dir() and notes.is_dir(), download, lambda: self._download(base))
        with reading(notes / f"{split}.txt"):
            rows = [line.split() for line in lines_in(notes / f"{split}.txt")]
            names = [row[0] for row in rows]
            self._labels, self._bin_labels = [int(row[1]) - 1 for row in rows], [int(row[2]) - 1 for row in rows]
        self.bin_classes = ["Cat", "Dog"]
        breeds = {label: " ".join(word.title() for word in name.rsplit("_", 1)[0].split("_"))
                  for name, label in zip(names, self._labels, strict=True)}
        self.classes = [breeds[label] for label in sorted(breeds)]
        self.bin_class_to_idx = {name: i for i, name in enumerate(self.bin_classes)}
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self._images = [pictures / f"{name}.jpg" for name in names]
        self._segs = [notes / "trimaps" / f"{name}.png" for name in names]

    def _download(self, base):
        for url, md5 in self._RESOURCES:
            download_and_extract_archive(url, base, md5=md5)

    def _target(self, kind, index):
        if kind == "segmentation":
            return read_picture(self._segs[index], None)
        return (self._labels if kind == "category" else self._bin_labels)[index]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        target = one_or_all([self._target(kind, index) for kind in self._target_types])
        return self._changed_together(read_picture(self._images[index]), target)

    def __len__(self) -> int:
        return len(self._images)
