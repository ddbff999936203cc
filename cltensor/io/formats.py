"""Formats: how a file is recognised by its first bytes, and which module reads it."""

from ..base.errors import SerializationError
from . import numpy_files
from .foreign import recognised
from .pytorch import archive, legacy
from .safetensors import index, read
from .zip_archive import MAGIC as ZIP
from .zip_archive import archive_in

_START = 512


def object_in(source, options):
    """The object in a Source, whatever its format.  Raises SerializationError."""
    start = source.read(0, min(_START, source.size)).tobytes()
    if read.starts(start):
        return read.read(source, options.placement)
    if start.startswith(ZIP):
        found = archive_in(source)
        return (numpy_files.read_archive if numpy_files.is_archive(found) else archive.read)(found, options)
    if start.startswith(numpy_files.MAGIC):
        return numpy_files.read(source, options)
    if legacy.starts(source):
        return legacy.read(source, options)
    if index.starts(start):
        return index.read(source, options, object_in)
    if (what := recognised(start)) is not None:
        raise SerializationError(f"this is {what}")
    return read.read(source, options.placement)


def names_in(source):
    """The globals that the pickle of a file names, (module, name) each; none where there is no pickle in it."""
    start = source.read(0, min(_START, source.size)).tobytes()
    if start.startswith(ZIP):
        return archive.names(archive_in(source))
    return legacy.names(source) if legacy.starts(source) else []
