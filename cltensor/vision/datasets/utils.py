"""datasets.utils: files of datasets, and checks of arguments, under the names that torchvision has them by."""

from __future__ import annotations

import os
from collections.abc import Iterable
from os import PathLike

from ...base.calls import named_all as _named_all
from ...base.errors import ArgumentError
from .downloads import (
    calculate_md5,
    check_integrity,
    check_md5,
    download_and_extract_archive,
    download_file_from_google_drive,
    download_url,
    extract_archive,
)

__all__ = ["calculate_md5", "check_integrity", "check_md5", "download_and_extract_archive", "download_file_from_google_drive",
           "download_url", "extract_archive", "iterable_to_str", "list_dir", "list_files", "verify_str_arg"]


def list_dir(root: str | PathLike[str], prefix: bool = False) -> list[str]:
    """The names of the folders in a folder, with its path before them if prefix; pictures in them have any size and dtype.

    Raises OSError where root is no folder.  Source: as torchvision 0.29 has it.

    Example::

        list_dir("omniglot-py/images_background")
    """
    return _listed(root, prefix, os.path.isdir)


def list_files(root: str | PathLike[str], suffix: str | tuple[str, ...], prefix: bool = False) -> list[str]:
    """The names of the files in a folder that end with suffix, with its path before them if prefix; they have any size and dtype.

    Raises OSError where root is no folder.  Source: as torchvision 0.29 has it.

    Example::

        list_files("pictures", ".png", prefix=True)
    """
    return _listed(root, prefix, lambda path: os.path.isfile(path) and path.endswith(suffix))


def _listed(root, prefix, wanted):
    root = os.path.expanduser(root)
    names = [name for name in os.listdir(root) if wanted(os.path.join(root, name))]
    return [os.path.join(root, name) for name in names] if prefix else names


def iterable_to_str(iterable: Iterable[object]) -> str:
    """Its values in quotes, joined by commas, for messages; they have any dtype, and any size.  Never raises.

    Source: as torchvision 0.29 has it.

    Example::

        iterable_to_str(["train", "test"])
    """
    return ", ".join(f"'{value}'" for value in iterable)


def verify_str_arg(value: str, arg: str | None = None, valid_values: Iterable[str] | None = None,
                   custom_msg: str | None = None) -> str:
    """value, if it is a str and one of valid_values; arg, the argument's name, and custom_msg are for the error.

    It says nothing of shapes and dtypes.  Raises ArgumentError, a ValueError.  Source: as torchvision 0.29 has it.

    Example::

        verify_str_arg("train", "split", ("train", "test"))
    """
    of_argument = f" for argument {arg}" if arg else ""
    if not isinstance(value, str):
        raise ArgumentError(f"Expected type str{of_argument}, but got {value!r} of type {type(value).__name__}")
    if valid_values is not None and value not in (valid_values := list(valid_values)):
        raise ArgumentError(custom_msg or f"Unknown value {value!r}{of_argument}. Valid values are "
                                          f"{{{iterable_to_str(valid_values)}}}.")
    return value


_named_all(globals())


def __dir__():
    return sorted(__all__)
