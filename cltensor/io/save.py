"""save: write an object with tensors in it to a safetensors file."""

from __future__ import annotations

import json
import os
from os import PathLike
from typing import IO

import numpy as np

from ..base.errors import ArgumentTypeError, SerializationError
from ..nn.parameter import Parameter
from ..tensor import Tensor
from .atomic import replacing, write_all
from .layout import METADATA, arrange, header_bytes
from .structure import MOST, Encoder, values_in

STRUCTURE = "cltensor"  # the metadata entry that holds the nesting
VERSION = 1


def save(obj, f: str | PathLike[str] | IO[bytes]):
    """Save tensors, or nested dicts, lists and tuples of tensors and plain values, as a safetensors file.

    Args: obj, for instance a state_dict; f, a path or a binary file open for writing.
    A path is replaced only once the new file is complete.  Tensors that share their memory and layout are stored once
    and shared again after load; any other view is stored as its own data.  For other programs, the tensors' names are
    their keys joined with dots.
    Raises SerializationError naming the place of anything else in obj, ArgumentTypeError if f is not a file.
    """
    collected = _Collected()
    tree = Encoder(collected.add).encode(obj)
    tensors = collected.tensors
    entries = arrange({name: (t.dtype, t.shape) for name, t in tensors.items()})
    described = json.dumps({"version": VERSION, "object": tree}, separators=(",", ":"))
    if values_in(described) > MOST:
        raise SerializationError(f"save: the object has more than {MOST} values outside tensors; keep large lists of numbers "
                                 "as tensors")
    header = header_bytes(entries, tensors, {STRUCTURE: described})
    if hasattr(f, "write"):
        _write(f, header, entries, tensors)
    elif isinstance(f, (str, os.PathLike)):
        with replacing(f) as out:
            _write(out, header, entries, tensors)
    else:
        raise ArgumentTypeError(f"save: expected a path or a binary file open for writing, got {f!r}")


def _write(out, header, entries, tensors):
    write_all(out, header)
    for name in entries:
        array = tensors[name].detach()._read()
        write_all(out, array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8).data)


class _Collected:
    """The tensors of an object, by their names in the file."""

    def __init__(self):
        self.tensors, self.names = {}, {}

    def add(self, value, path):
        """The JSON data of a tensor; None for any other value."""
        if not isinstance(value, Tensor):
            return None
        kind = "parameter" if isinstance(value, Parameter) else "tensor"
        memory = (value.untyped_storage(), value.storage_offset(), value.shape, value.stride(), value.dtype)
        name = self.names.get(memory)
        if name is None:
            name = self.names[memory] = self._fresh_name(path)
            self.tensors[name] = value
        requires_grad = value.requires_grad and value.is_leaf
        extra = {} if requires_grad == (kind == "parameter") else {"requires_grad": requires_grad}
        return {kind: name, **extra}

    def _fresh_name(self, path):
        wanted = name = ".".join(map(str, path)) or "tensor"
        n = 2
        while name in self.tensors or name == METADATA:
            name, n = f"{wanted}~{n}", n + 1
        return name
