"""What arguments mean that several commands take: dtypes, numbers, files; each a function for argparse's `type`."""

import argparse
import functools
import os
import tempfile
from pathlib import Path

from ..base import dtypes
from .parser import one_of


def dtype(text):
    """A dtype from its name or alias."""
    return one_of({**dtypes.BY_NAME, **dtypes.ALIASES}, text, "there is no dtype", argparse.ArgumentTypeError)


def positive(kind, text):
    """A positive number of this kind (int or float) through functools.partial."""
    try:
        value = kind(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive {'whole ' if kind is int else ''}number")
    return value


count = functools.partial(positive, int)
seconds = functools.partial(positive, float)


def new_file(text):
    """The Path of a file that can be written: what takes long is not started where its result has no place."""
    path = Path(text)
    folder = path.parent
    if not path.name or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a folder; name a file in it")
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {str(folder)!r} for {path.name}; make it first")
    if path.exists() and not path.is_file():  # a device or a pipe
        if not os.access(path, os.W_OK):
            raise argparse.ArgumentTypeError(f"{text!r} may not be written by this user")
        return path
    _try_out(path.resolve().parent, text)
    return path


def new_folder(text):
    """The Path of a folder that is there, or can be made."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is a file; name a folder")
    there = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"{str(there)!r} is a file; there can be no folder {text!r} in it")
    _try_out(there, text)
    return path


def _try_out(folder, text):
    try:
        with tempfile.TemporaryFile(dir=folder):  # a superuser has all permissions, but not every file system is writable
            pass
    except OSError as e:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {e.strerror or e}; choose another folder") from None


def new_file_or_output(text):
    """As new_file, but "-" stands for standard output and is returned as it is."""
    return text if text == "-" else new_file(text)
