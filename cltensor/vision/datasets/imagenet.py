"""ImageNet 2012: photographs of a thousand classes, unpacked from the archives that its site gives to those who ask."""

from __future__ import annotations

import os
import shutil
import tempfile
from os import PathLike
from pathlib import Path
from typing import Any

from ...base.errors import SerializationError
from ...io.load import load
from ...io.save import save
from .downloads import check_integrity, extract_archive
from .folder import ImageFolder
from .listings import lines_in, reading
from .matlab import arrays_in
from .utils import verify_str_arg
from .vision import MissingDataError

ARCHIVE_META = {
    "train": ("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"),
    "val": ("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"),
    "devkit": ("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf"),
}
META_FILE = "meta.bin"


class ImageNet(ImageFolder):
    """Photographs of 1,000 classes: 1,281,167 to train with and 50,000 to validate.  The archives have to be in root; SciPy reads
    the list.

    Pictures are Pillow images in RGB of any size, with bytes (uint8); targets are ints, 0 to 999.

    Args: root, the folder of the archives, or of what earlier calls made of them; split, "train" or "val"; kwargs, what
        ImageFolder takes: transform, target_transform, loader.
    Attributes: classes, tuples of names; class_to_idx; wnids and wnid_to_idx, the names of the folders; samples; targets.
    Raises ArgumentError for another split; MissingDataError, a RuntimeError, where an archive is not there or not whole;
    SerializationError where it holds something else; MissingPackageError without SciPy.
    Source: Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge (2015); as torchvision 0.29 has it.

    Example::

        photographs = cltensor.vision.datasets.ImageNet("imagenet", "val")
    """

    def __init__(self, root: str | PathLike[str], split: str = "train", **kwargs: Any):
        self.root = os.path.expanduser(root)
        self.split = verify_str_arg(split, "split", ("train", "val"))
        self.parse_archives()
        names = _meta(self.root)[0]
        super().__init__(self.split_folder, **kwargs)
        self.root = os.path.expanduser(root)
        self.wnids, self.wnid_to_idx = self.classes, self.class_to_idx
        with reading(os.path.join(self.root, META_FILE)):
            self.classes = [names[wnid] for wnid in self.wnids]
        self.class_to_idx = {name: i for i, given in enumerate(self.classes) for name in given}

    def parse_archives(self) -> None:
        """Unpack what is needed of the archives, unless it is there.  Raises MissingDataError where one is not there or not
        whole."""
        if not check_integrity(os.path.join(self.root, META_FILE)):
            parse_devkit_archive(self.root)
        if not os.path.isdir(self.split_folder):
            (parse_train_archive if self.split == "train" else parse_val_archive)(self.root)

    @property
    def split_folder(self) -> str:
        """The folder of this part."""
        return os.path.join(self.root, self.split)

    def extra_repr(self) -> str:
        """Which part it is, for repr(); never raises."""
        return f"Split: {self.split}"


def _meta(root):
    """({folder: names of its class}, folders of the pictures to validate with, in order)."""
    path = os.path.join(root, META_FILE)
    found = load(path)
    if not isinstance(found, (tuple, list)) or len(found) != 2 or not isinstance(found[0], dict):
        raise SerializationError(f"{path} does not hold the names of classes; remove it, and it is made of the archive again")
    return found


def _archive(root, kind, file):
    """The path of an archive, checked."""
    name, md5 = ARCHIVE_META[kind]
    path = os.path.join(root, file or name)
    if not check_integrity(path, md5):
        raise MissingDataError(f"{path} is not there, or not whole. Get it from image-net.org, which gives it to those who ask, "
                               "and put it "
                               "there")
    return path


def parse_devkit_archive(root: str | PathLike[str], file: str | None = None) -> None:
    """Write root/meta.bin, with the names of the classes, from the archive of ImageNet's development kit; SciPy reads it.

    Names are str of any size; no dtype matters.  Raises MissingDataError where it is not there or not whole.
    Source: as torchvision 0.29 has it.

    Example::

        parse_devkit_archive("imagenet")
    """
    path = _archive(root, "devkit", file)
    with tempfile.TemporaryDirectory() as folder:
        extract_archive(path, folder)
        kit = Path(folder) / "ILSVRC2012_devkit_t12"
        (synsets,) = arrays_in(kit / "data" / "meta.mat", "synsets")
        with reading(path):
            leaves = [row for row in synsets.ravel().tolist() if int(row[4].squeeze()) == 0]
            folders = {int(row[0].squeeze()): str(row[1].squeeze()) for row in leaves}
            names = {str(row[1].squeeze()): tuple(str(row[2].squeeze()).split(", ")) for row in leaves}
            answers = [folders[int(line)] for line in lines_in(kit / "data" / "ILSVRC2012_validation_ground_truth.txt")]
    save((names, answers), os.path.join(root, META_FILE), format="torch")


def parse_train_archive(root: str | PathLike[str], file: str | None = None, folder: str = "train") -> None:
    """Unpack the archive of the pictures to train with, of any size and dtype, into a folder for each class.

    Raises MissingDataError where it is not there or not whole.  Source: as torchvision 0.29 has it.

    Example::

        parse_train_archive("imagenet")
    """
    path, target = _archive(root, "train", file), Path(root) / folder
    with tempfile.TemporaryDirectory(dir=root, prefix=".cltensor-") as unpacked:
        made = Path(unpacked) / folder
        extract_archive(path, made)
        for archive in sorted(made.glob("*.tar")):
            extract_archive(archive, archive.with_suffix(""), remove_finished=True)
        made.rename(target)


def parse_val_archive(root: str | PathLike[str], file: str | None = None, wnids: list[str] | None = None,
                      folder: str = "val") -> None:
    """Unpack the archive of the pictures to validate with, of any size and dtype, into a folder for each class.

    wnids: the folder of each, by default as root/meta.bin has it.  Raises MissingDataError where it is not there or not whole.
    Source: as torchvision 0.29 has it.

    Example::

        parse_val_archive("imagenet")
    """
    path, target = _archive(root, "val", file), Path(root) / folder
    wnids = _meta(root)[1] if wnids is None else wnids
    with tempfile.TemporaryDirectory(dir=root, prefix=".cltensor-") as unpacked:
        made = Path(unpacked) / folder
        extract_archive(path, made)
        pictures = sorted(p for p in made.iterdir() if p.is_file())
        if len(pictures) != len(wnids):
            raise SerializationError(f"{path} holds {len(pictures)} pictures, and {len(wnids)} classes are known of them")
        for name in set(wnids):
            (made / name).mkdir()
        for name, picture in zip(wnids, pictures, strict=True):
            shutil.move(picture, made / name / picture.name)
        made.rename(target)
