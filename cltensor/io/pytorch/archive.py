"""Read a zip archive as torch.save writes it: data.pkl, the storages in data/, the order of their bytes."""

import sys

from ...base.errors import SerializationError
from ..source import InMemory
from . import endianness
from .pickles import names_in, unpickled
from .storages import ArchiveStorages
from .stream import Stream

DATA = "data.pkl"
_NEWEST = 10  # of the archive's layout; PyTorch 2.13 writes 3


def read(archive, options):
    """The object in an Archive.  Raises SerializationError."""
    root = root_of(archive)
    _check(archive, root)
    storages = ArchiveStorages(archive, root, options.placement, _order(archive, root) != sys.byteorder)
    return unpickled(_stream(archive, root), options, storages)


def names(archive):
    """The globals that the archive's pickle names, (module, name) each; none where there is no pickle."""
    root = root_of(archive)
    return names_in(_stream(archive, root)) if root else []


def root_of(archive):
    """The folder in the archive that holds everything, or None where it is not one of PyTorch's."""
    roots = [name.removesuffix(f"/{DATA}") for name in archive.members if name.count("/") == 1 and name.endswith(f"/{DATA}")]
    return roots[0] if len(roots) == 1 else None


def _stream(archive, root):
    return Stream(InMemory(archive.read(f"{root}/{DATA}"), archive.source.name))


def _check(archive, root):
    if root is None:
        raise SerializationError(f"this is a zip archive without one {DATA} in it, so neither torch.save nor numpy.savez wrote it")
    if f"{root}/constants.pkl" in archive.members:
        raise SerializationError("this is a TorchScript program, which is code; where PyTorch is installed, load it with "
                                 "torch.jit.load and save its state_dict() with torch.save")
    version = _text(archive, f"{root}/version") or "3"
    if not version.isdecimal() or not 1 <= int(version) <= _NEWEST:
        raise SerializationError(f"the version of its layout is {version!r}; versions up to {_NEWEST} are read")


def _order(archive, root):
    found = _text(archive, f"{root}/byteorder") or endianness.default()
    if found not in ("little", "big"):
        raise SerializationError(f"the order of its bytes is {found!r}, neither little nor big")
    return found


def _text(archive, name):
    """A short text in the archive, or None."""
    member = archive.members.get(name)
    if member is None:
        return None
    if member.size > 100:
        raise SerializationError(f"{name!r} in the archive has {member.size} bytes, where a word is expected")
    return archive.read(name).tobytes().decode("ascii", "replace").strip()
