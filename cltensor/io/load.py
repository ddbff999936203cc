"""load: read the object in a safetensors file; check it completely, and never run code."""

from __future__ import annotations

import os
from os import PathLike
from typing import IO

import numpy as np

from ..base.errors import ArgumentTypeError, SerializationError
from ..nn.parameter import Parameter
from ..runtime.device import device
from ..tensor.api.creation import from_array, pick_device
from .foreign import recognised
from .layout import HEADER_LIMIT, LENGTH_BYTES, parse_header
from .save import STRUCTURE, VERSION
from .structure import Decoder, parse


def load(f: str | PathLike[str] | IO[bytes], map_location=None, *, device: device | str | int | None = None,
         weights_only: bool = True):
    """Load what `save` wrote, or the dict of tensors in any safetensors file.

    Args: f, a path or a binary file; device (or map_location), where the tensors go, by default the default device.
        weights_only is accepted either way: files hold data only, and loading never runs code.
    Raises SerializationError, naming the file, the problem and the cure, before any tensor is made.
    """
    target = pick_device(device if device is not None else map_location)
    if hasattr(f, "read"):
        return _loaded(_InMemory(f), target)
    if not isinstance(f, (str, os.PathLike)):
        raise ArgumentTypeError(f"load: expected a path or a binary file open for reading, got {f!r}")
    with open(f, "rb") as file:
        return _loaded(_OnDisk(file, os.fspath(f)), target)


class _OnDisk:
    def __init__(self, file, name):
        self.file, self.name, self.size = file, name, os.fstat(file.fileno()).st_size

    def read(self, at, nbytes):
        """nbytes bytes from position at, as a NumPy array of uint8."""
        data = np.empty(nbytes, np.uint8)
        self.file.seek(at)
        if self.file.readinto(data) != nbytes:
            raise SerializationError("the file became shorter while it was read")
        return data


class _InMemory:
    def __init__(self, file):
        data = file.read()
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise ArgumentTypeError(f"load: expected a file open for reading bytes, this one reads {type(data).__name__}; open it "
                                    "with mode 'rb'")
        self.data = np.frombuffer(data, np.uint8)
        self.name, self.size = str(getattr(file, "name", "the given file")), self.data.size

    def read(self, at, nbytes):
        """nbytes bytes from position at, as a NumPy array of uint8."""
        return self.data[at:at + nbytes]


def _loaded(source, device):
    try:
        entries, metadata, start = _read_header(source)
        tree = _tree(entries, metadata)
        Decoder(_Check(entries)).decode(tree)  # first without data, so that a bad file makes no tensor
        return Decoder(_Tensors(source, entries, start, device)).decode(tree)
    except SerializationError as error:
        raise SerializationError(f"load: {source.name}: {error}") from None


def _read_header(source):
    """(entries, metadata, position of the first data byte)."""
    if source.size < LENGTH_BYTES:
        raise SerializationError(f"the file has {source.size} bytes, a safetensors file at least {LENGTH_BYTES}; it is "
                                 "empty or truncated: copy or download it again")
    length = int.from_bytes(source.read(0, LENGTH_BYTES).tobytes(), "little")
    room = source.size - LENGTH_BYTES
    start = source.read(LENGTH_BYTES, min(1, room)).tobytes()
    if start != b"{" or length > room:
        _refuse(source, length, room, start == b"{")
    if length > HEADER_LIMIT:
        raise SerializationError(f"the header is {length} bytes long, the format allows {HEADER_LIMIT}")
    text = source.read(LENGTH_BYTES, length).tobytes()
    return *parse_header(text, room - length), LENGTH_BYTES + length


def _refuse(source, length, room, plausible):
    if plausible:
        raise SerializationError(f"the header should be {length} bytes long, but only {room} follow; the file is "
                                 "truncated: copy or download it again")
    what = recognised(source.read(0, min(LENGTH_BYTES, source.size)).tobytes())
    raise SerializationError(f"this is {what}" if what else "this is no safetensors file: it does not start with a "
                             "length and a JSON header; what cltensor.save writes, and safetensors, can be loaded")


def _tree(entries, metadata):
    """The JSON data of the object; for other programs' files, a dict of all tensors."""
    if STRUCTURE not in metadata:
        return {"dict": [[name, {"tensor": name}] for name in entries]}
    described = parse(metadata[STRUCTURE])
    if not isinstance(described, dict) or type(described.get("version")) is not int or "object" not in described:
        raise SerializationError(f"its {STRUCTURE!r} metadata does not describe an object")
    if described["version"] > VERSION:
        raise SerializationError(f"it was written in version {described['version']} of the format, this cltensor reads "
                                 f"up to {VERSION}; update cltensor")
    return described["object"]


class _Check:
    """A stand-in for the tensors while the description is checked."""

    def __init__(self, entries):
        self.entries = entries

    def __call__(self, kind, name, requires_grad):
        if name not in self.entries:
            raise SerializationError(f"the object names a tensor {name!r} that the file does not hold")
        if requires_grad and not self.entries[name].dtype.is_inexact:
            raise SerializationError(f"tensor {name!r} of dtype {self.entries[name].dtype.name} cannot require grad")


class _Tensors:
    """Creates each tensor once, when it is first named."""

    def __init__(self, source, entries, start, device):
        self.source, self.entries, self.start, self.device = source, entries, start, device
        self.data, self.made = {}, {}

    def __call__(self, kind, name, requires_grad):
        key = kind, name, requires_grad
        if key not in self.made:
            data = self._data(name)
            if kind == "parameter":
                self.made[key] = Parameter(data, requires_grad)
            else:
                self.made[key] = data.detach().requires_grad_(requires_grad)
        return self.made[key]

    def _data(self, name):
        if name not in self.data:
            e = self.entries[name]
            raw = self.source.read(self.start + e.begin, e.end - e.begin)
            values = raw != 0 if e.dtype.category == "bool" else raw.view(e.dtype.numpy.newbyteorder("<"))
            values = values.astype(e.dtype.numpy, copy=False).reshape(e.shape)
            self.data[name] = from_array(values, e.dtype, self.device)
        return self.data[name]
