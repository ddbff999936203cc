"""Pictures sorted into folders, one for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from ...base.errors import ArgumentError, SerializationError
from .. import pillow
from .vision import MissingDataError, VisionDataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename: str, extensions: str | tuple[str, ...]) -> bool:
    """Whether a name ends with one of these extensions, in any case; never raises.

    Pictures of any size and dtype have one.  Source: as torchvision 0.29 has it.

    Example::

        has_file_allowed_extension("a.PNG", (".png",))
    """
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename: str) -> bool:
    """Whether a name is that of a picture, by its extension; never raises.

    Pictures of any size and dtype have one.  Source: as torchvision 0.29 has it.

    Example::

        is_image_file("a.PNG")
    """
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def pil_loader(path: str | PathLike[str]) -> Any:
    """The picture in a file as a Pillow image in RGB, of any size, with bytes (uint8) for colours.

    Raises SerializationError, here an OSError too, for a file that is damaged or no picture; OSError for one that cannot be opened.
    Source: Pillow's readers.

    Example::

        pil_loader("cat.jpg").size
    """
    image = pillow.module()
    with open(path, "rb") as file:
        try:
            return image.open(file).convert("RGB")
        except image.DecompressionBombError as error:
            raise SerializationError(f"{os.fspath(path)} is too large a picture: {error}; raise PIL.Image.MAX_IMAGE_PIXELS if you "
                                     "trust it") from error
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise pillow.DamagedPictureError(f"{os.fspath(path)} is damaged, or no picture: {error}; remove it or get it "
                                             "again") from error


def default_loader(path: str | PathLike[str]) -> Any:
    """What folders of pictures are read with: pil_loader, for pictures of any size, in bytes (uint8).

    Raises SerializationError, here an OSError too, for a file that is damaged or no picture; OSError for one that cannot be opened.
    Source: as torchvision 0.29 has it.

    Example::

        default_loader("cat.jpg").size
    """
    return pil_loader(path)


def find_classes(directory: str | PathLike[str]) -> tuple[list[str], dict[str, int]]:
    """The names of the folders in a folder, sorted, and the index of each; pictures in them have any size and dtype.

    Raises MissingDataError, a FileNotFoundError, where there is none.  Source: as torchvision 0.29 has it.

    Example::

        classes, class_to_idx = find_classes("train")
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise MissingDataError(f"Couldn't find any class folder in {os.fspath(directory)}; it must hold one folder for each class")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(directory: str | PathLike[str], class_to_idx: dict[str, int] | None = None,
                 extensions: str | tuple[str, ...] | None = None, is_valid_file: Callable[[str], bool] | None = None,
                 allow_empty: bool = False) -> list[tuple[str, int]]:
    """The files in the folders of classes, of any depth, as a list of (path, index of the class); pictures have any size and dtype.

    Args: directory; class_to_idx, by default what find_classes finds; extensions, or is_valid_file, a function of a path, one of
        them; allow_empty, whether folders may hold no such file.
    Raises ArgumentError for arguments that exclude each other, MissingDataError, a FileNotFoundError, for classes without files.
    Source: as torchvision 0.29 has it.

    Example::

        samples = make_dataset("train", extensions=".png")
    """
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ArgumentError("'class_to_index' must have at least one entry to collect any samples; leave it out to find the "
                            "classes")
    if (extensions is None) == (is_valid_file is None):
        raise ArgumentError("Both extensions and is_valid_file cannot be None or not None at the same time; give one of them")
    valid = is_valid_file or (lambda path: has_file_allowed_extension(path, extensions))
    found = {name: _files(os.path.join(os.path.expanduser(directory), name), valid) for name in sorted(class_to_idx)}
    empty = [name for name, paths in found.items() if not paths]
    if empty and not allow_empty:
        shown = "" if extensions is None else (f" Supported extensions are: "
                                               f"{extensions if isinstance(extensions, str) else ', '.join(extensions)};")
        raise MissingDataError(f"Found no valid file for the classes {', '.join(empty)}.{shown} allow_empty=True allows that")
    return [(path, class_to_idx[name]) for name, paths in found.items() for path in paths]


def _files(folder, valid):
    """The valid files below a folder, sorted by folder and name; folders that links lead to included."""
    found = sorted(os.walk(folder, followlinks=True))
    return [path for top, _, names in found for name in sorted(names) if valid(path := os.path.join(top, name))]


class DatasetFolder(VisionDataset):
    """Samples in files that are sorted into folders, root/class/.../file; their targets are the indices of the classes.

    Samples have the shape and dtype that the loader gives them; targets are ints.

    Args: root; loader, a function of a path; extensions, a tuple of what names end with, or is_valid_file, a function of a path;
        transform and target_transform, functions of a sample and of a target; allow_empty, whether classes may have no files.
    Attributes: classes, sorted names; class_to_idx; samples, a list of (path, index); targets, a list of indices.
    Raises MissingDataError, a FileNotFoundError, for a folder without classes and classes without files.
    Source: as torchvision 0.29 has it.

    Example::

        data = DatasetFolder("train", numpy.load, extensions=(".npy",))
    """

    def __init__(self, root: str | PathLike[str], loader: Callable[[str], Any], extensions: tuple[str, ...] | None = None,
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None,
                 is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        classes, class_to_idx = self.find_classes(self.root)
        self.loader, self.extensions = loader, extensions
        self.classes, self.class_to_idx = classes, class_to_idx
        self.samples = self.make_dataset(self.root, class_to_idx, extensions, is_valid_file, allow_empty)
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(directory: str | PathLike[str], class_to_idx: dict[str, int], extensions: tuple[str, ...] | None = None,
                     is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False) -> list[tuple[str, int]]:
        """The samples of a folder; see the function of this name.  Override it to find others."""
        if class_to_idx is None:
            raise ArgumentError("The class_to_idx parameter cannot be None; find_classes gives it")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: str | PathLike[str]) -> tuple[list[str], dict[str, int]]:
        """The classes of a folder; see the function of this name.  Override it to find others."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._changed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Pictures that are sorted into folders, root/class/.../picture.png; their targets are the indices of the classes.

    Pictures are Pillow images of any size in RGB, with bytes (uint8) for colours; targets are ints.

    Args: root; transform and target_transform, functions of a picture and of a target; loader, a function of a path;
        is_valid_file, a function of a path, by default whether its extension is a picture's; allow_empty, whether classes may have
        no files.
    Attributes: classes, sorted names; class_to_idx; samples and imgs, a list of (path, index); targets, a list of indices.
    Raises MissingDataError, a FileNotFoundError, for a folder without classes and classes without files.
    Source: as torchvision 0.29 has it.

    Example::

        data = cltensor.vision.datasets.ImageFolder("train")
        picture, target = data[0]
    """

    def __init__(self, root: str | PathLike[str], transform: Callable[..., Any] | None = None,
                 target_transform: Callable[..., Any] | None = None, loader: Callable[[str], Any] = default_loader,
                 is_valid_file: Callable[[str], bool] | None = None, allow_empty: bool = False):
        super().__init__(root, loader, None if is_valid_file else IMG_EXTENSIONS, transform, target_transform, is_valid_file,
                         allow_empty)
        self.imgs = self.samples


def paths_below(folder, pattern):
    """The files below a folder that match a pattern, sorted, as Paths."""
    return sorted(Path(folder).glob(pattern))
