"""The bytes of an ONNX file, and of the files beside it that hold its large tensors."""

import io
import os
import stat
from pathlib import Path

import numpy as np

from ...base.errors import ArgumentTypeError, SerializationError
from .package import package

_LARGEST = 1 << 31  # what protobuf reads in one piece


class ModelFile:
    """A model's protobuf, its name for errors, and the folder that its external data must lie in (None: there is none)."""

    def __init__(self, proto, name, folder):
        self.proto, self.name, self.folder = proto, name, folder

    def external(self, entries, size):
        """`size` bytes of external data, by the entries of TensorProto.external_data, as an array of uint8 that maps the file."""
        path = self._path(entries)
        offset, length = _number(entries, "offset", 0), _number(entries, "length", size)
        held = path.stat().st_size
        if length != size:
            raise SerializationError(f"external data in {path.name!r}: length {length}, and the tensor has {size} bytes")
        if offset + size > held:
            raise SerializationError(f"external data in {path.name!r}: bytes {offset} to {offset + size} of a file of {held}; "
                                     "it is cut short")
        return np.memmap(path, np.uint8, "r", offset, (size,)) if size else np.empty(0, np.uint8)

    def _path(self, entries):
        location = entries.get("location", "")
        if self.folder is None:
            raise SerializationError(f"external data in {location!r}: bytes have no folder; give the path of the model")
        path = self.folder / location
        outside = not location or "\\" in location or "\0" in location or os.path.isabs(location) or ".." in Path(location).parts
        if outside or not path.resolve().is_relative_to(self.folder.resolve()):
            raise SerializationError(f"external data in {location!r}: must lie in the model's folder, below {self.folder}")
        try:
            regular = stat.S_ISREG(path.stat().st_mode)
        except OSError as error:
            raise SerializationError(f"external data in {location!r}: there is no such file in {self.folder}") from error
        if not regular:
            raise SerializationError(f"external data in {location!r}: is no regular file")
        return path


def opened(given, call):
    """The ModelFile of a path, of bytes or of a binary file.  Raises SerializationError for what is no ONNX model."""
    name, folder, data = _bytes(given, call)
    onnx = package(call=call)
    try:
        proto = onnx.ModelProto.FromString(data)
    except Exception as error:  # protobuf's DecodeError, of whichever implementation is installed
        raise SerializationError(f"{call}: {name}: is no ONNX model, or is cut short or damaged ({error})") from error
    lacking = "graph" if not proto.HasField("graph") else "operator set" if not proto.opset_import else None
    if lacking:
        raise SerializationError(f"{call}: {name}: is no ONNX model: it has no {lacking}")
    return ModelFile(proto, name, folder)


def _bytes(given, call):
    """(name, folder or None, bytes) of what was given."""
    if isinstance(given, (bytes, bytearray, memoryview)):
        return "these bytes", None, bytes(given)
    if isinstance(given, io.IOBase) or hasattr(given, "read"):
        return getattr(given, "name", "this file"), None, given.read()
    if not isinstance(given, (str, os.PathLike)):
        raise ArgumentTypeError(f"{call}: expected a path, bytes or a binary file, got {type(given).__name__}")
    path = Path(given)
    size = os.stat(path)
    if not stat.S_ISREG(size.st_mode):
        raise SerializationError(f"{call}: {path}: is no regular file")
    if size.st_size >= _LARGEST:
        raise SerializationError(f"{call}: {path}: has {size.st_size} bytes, and a protobuf has less than 2 GiB; "
                                 "keep large tensors as external data")
    return str(path), path.parent, path.read_bytes()


def _number(entries, key, default):
    text = entries.get(key)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise SerializationError(f"external data: {key} is {text!r}, not a number of bytes")
    return int(text)
