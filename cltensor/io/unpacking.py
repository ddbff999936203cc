"""Unpack archives that others have made: nothing is written outside the folder, no links lead out of it, and all or nothing
appears."""

import bz2
import contextlib
import gzip
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from ..base.errors import SerializationError

#: compression -> how to open a file of it for reading
OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile, NotImplementedError,
           FileExistsError, NotADirectoryError, IsADirectoryError)
_LINK = 0o120000


def unpack_tar(path, folder, compression=None):
    """Unpack a tar archive into a folder.  compression: a key of OPENERS, or None.  Raises SerializationError for one that is
    damaged or whose members would be written elsewhere; the folder is as it was then."""
    opener = OPENERS.get(compression, open)
    with (_all_or_nothing(path, folder) as temporary, opener(path, "rb") as file,
          tarfile.open(fileobj=file, mode="r|") as archive):
        for member in archive:
            _unpack_member(archive, member, temporary)


def unpack_zip(path, folder):
    """Unpack a zip archive into a folder.  Raises SerializationError for one that is damaged or whose members would be written
    elsewhere; the folder is as it was then."""
    with _all_or_nothing(path, folder) as temporary, zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            target = temporary / _inside(member.filename)
            if (member.external_attr >> 16) & 0o170000 == _LINK:
                raise SerializationError(f"{member.filename!r} in it is a link, which no data set needs")
            if member.flag_bits & 1:
                raise SerializationError(f"{member.filename!r} in it is encrypted; unpack it by other means")
            if member.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            with archive.open(member) as source:
                _write(source, target)


def decompress(path, target, compression):
    """Write what a compressed file holds to another.  Raises SerializationError for one that is damaged; target is as it was
    then."""
    target = Path(target)
    with _all_or_nothing(path, target.parent) as temporary, OPENERS[compression](path) as source:
        _write(source, temporary / target.name)


def _unpack_member(archive, member, folder):
    target = folder / _inside(member.name)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif member.isfile():
        _write(archive.extractfile(member), target)
    elif member.issym() or member.islnk():
        _link(member, target, folder)
    else:
        raise SerializationError(f"{member.name!r} in it is a device or pipe, which no data set needs")


def _link(member, target, folder):
    """Write a copy of what a link inside the archive leads to, which must be a file that came before it."""
    base = PurePosixPath(member.name).parent if member.issym() else PurePosixPath()
    linked = os.path.normpath(base / member.linkname)
    if PurePosixPath(member.linkname).is_absolute() or linked.startswith(".."):
        raise SerializationError(f"{member.name!r} in it is a link to {member.linkname!r}, outside the folder")
    source = folder / _inside(linked)
    if not source.is_file():
        raise SerializationError(f"{member.name!r} in it is a link to {member.linkname!r}, which is no file before it")
    with open(source, "rb") as file:
        _write(file, target)


def _inside(name):
    """A member's name as a path below the folder."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not name or "\0" in name or ".." in parts or PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive or (
            name.startswith("\\")):
        raise SerializationError(f"{name!r} in it would be written outside the folder")
    return Path(*parts)


def _write(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)


@contextlib.contextmanager
def _all_or_nothing(path, folder):
    """A temporary folder beside the files of `folder`; what it holds is moved there if nothing fails."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cltensor-", dir=folder) as temporary:
        try:
            yield Path(temporary)
        except SerializationError as error:
            raise type(error)(f"{path}: {error}; nothing was unpacked") from error.__cause__
        except DAMAGED as error:
            raise SerializationError(f"{path} is damaged ({error}); remove it and get it again. Nothing was unpacked") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise SerializationError(f"{path} is damaged ({error}); remove it and get it again. Nothing was unpacked") from error
        _move(Path(temporary), folder)


def _move(source, folder):
    """Move what a folder holds into another, where files of the same names are replaced; all of it or nothing."""
    found = sorted(p.relative_to(source) for p in source.rglob("*"))
    for path in found:
        target, is_folder = folder / path, (source / path).is_dir()
        if os.path.lexists(target) and target.is_dir() != is_folder:
            raise SerializationError(f"{target} is in the way of a {'folder' if is_folder else 'file'} of this name; remove it")
    for path in found:
        if (source / path).is_dir():
            (folder / path).mkdir(exist_ok=True)
        else:
            os.replace(source / path, folder / path)
