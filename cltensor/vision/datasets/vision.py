"""VisionDataset: what all datasets of pictures share."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from ...base.errors import ArgumentError, CLTensorError, MissingError
from ...utils.data import Dataset
from .. import pillow


class MissingDataError(CLTensorError, FileNotFoundError):
    """The files of a dataset are not where they were looked for."""


class VisionDataset(Dataset):
    """Pictures and their targets by index: subclasses write `__getitem__(index)` and `__len__()`.

    Samples have any shape and dtype; they are Pillow images where no transform changes them.

    Args: root, the folder of the files; transforms, a function of (picture, target) that returns both; or transform, a function of
        the picture, and target_transform, one of the target.
    Raises ArgumentError where transforms is given beside one of the others.
    Source: as torchvision 0.29 has it.

    Example::

        class Mine(cltensor.vision.datasets.VisionDataset):
            def __len__(self):
                return 1
    """

    _repr_indent = 4

    def __init__(self, root: str | PathLike[str] | None = None, transforms: Callable[..., Any] | None = None,
                 transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None):
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ArgumentError("Only transforms or transform/target_transform can be passed as argument; combine them in "
                                "transforms")
        pillow.ready()
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        self.transform, self.target_transform = transform, target_transform
        if transform is not None or target_transform is not None:
            transforms = StandardTransform(transform, target_transform)
        self.transforms = transforms

    def __getitem__(self, index: int) -> Any:
        raise MissingError(f"{type(self).__name__}: a dataset must define __getitem__(index)")

    def __len__(self) -> int:
        raise MissingError(f"{type(self).__name__}: a dataset must define __len__()")

    def __repr__(self):
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        if getattr(self, "transforms", None) is not None:
            lines.append(repr(self.transforms))
        indent = "\n" + " " * self._repr_indent
        return f"Dataset {type(self).__name__}" + "".join(indent + line for line in lines)

    def extra_repr(self) -> str:
        """More lines for repr(); never raises."""
        return ""

    @property
    def _folder(self):
        """root as a Path."""
        return Path(self.root)

    def _changed(self, picture, target):
        """A sample after transform and target_transform."""
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target

    def _changed_together(self, picture, target):
        """A sample after transforms."""
        return (picture, target) if self.transforms is None else self.transforms(picture, target)

    def _obtain(self, there, download, fetch):
        """See that the files are there: call fetch() first if `download` says so.  there: tells whether they are."""
        if download and not there():
            fetch()
        if not there():
            raise MissingDataError(f"Dataset not found in {self.root}, or not whole. You can use download=True to download it")


class StandardTransform:
    """A function of a picture and one of its target, as one of both; None leaves what it would change.

    Samples have any shape and dtype.  Never raises by itself.  Source: as torchvision 0.29 has it.

    Example::

        StandardTransform(target_transform=str)(picture, 3)
    """

    def __init__(self, transform: Callable[..., Any] | None = None, target_transform: Callable[..., Any] | None = None):
        self.transform, self.target_transform = transform, target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self):
        lines = [type(self).__name__]
        for head, fn in (("Transform: ", self.transform), ("Target transform: ", self.target_transform)):
            if fn is not None:
                lines.append(head + repr(fn).replace("\n", "\n" + " " * len(head)))
        return "\n".join(lines)
