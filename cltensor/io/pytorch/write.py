"""Write an object so that torch.load(weights_only=True) reads it: a zip archive of a pickle and the storages that it names."""

import struct
import sys

import numpy as np

from ..zip_archive import ALIGNMENT, ArchiveWriter
from .archive import DATA
from .emitter import Emitter

ROOT = "archive"


def prepared(obj):
    """A function of a binary file that writes obj to it.  Raises SerializationError for what cannot be written."""
    emitter = Emitter()
    return archive_of(emitter.pickled(obj), emitter.storages)


def archive_of(text, storages):
    """A function of a binary file that writes a pickle and the storages that it names, in the order of their keys."""

    def write(out):
        archive = ArchiveWriter(out)
        archive.add(f"{ROOT}/{DATA}", text)
        archive.add(f"{ROOT}/.format_version", b"1")
        archive.add(f"{ROOT}/.storage_alignment", str(ALIGNMENT).encode())
        archive.add(f"{ROOT}/byteorder", sys.byteorder.encode())
        for key, storage in enumerate(storages):
            archive.add(f"{ROOT}/data/{key}", np.ascontiguousarray(storage.read()))
        archive.add(f"{ROOT}/version", b"3\n")
        archive.add(f"{ROOT}/.data/serialization_id", struct.pack("<Q", len(storages)).hex().zfill(40).encode())
        archive.finish()

    return write
