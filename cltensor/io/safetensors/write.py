"""Write an object with tensors in it as a safetensors file."""

import json

import numpy as np

from ...base.errors import SerializationError
from ...nn.parameter import Parameter
from ...tensor import Tensor
from ..atomic import write_all
from .layout import METADATA, arrange, header_bytes
from .structure import MOST, STRUCTURE, VERSION, Encoder, values_in


def prepared(obj):
    """A function of a binary file that writes obj to it.  Raises SerializationError for what cannot be written."""
    collected = _Collected()
    tree = Encoder(collected.add).encode(obj)
    described = json.dumps({"version": VERSION, "object": tree}, separators=(",", ":"))
    if values_in(described) > MOST:
        raise SerializationError(f"save: the object has more than {MOST} values outside tensors; keep large lists of numbers "
                                 "as tensors")
    return of_tensors(collected.tensors, {STRUCTURE: described})


def of_tensors(tensors, metadata):
    """A function of a binary file that writes {name: tensor} and {name: string} to it."""
    entries = arrange({name: (t.dtype, t.shape) for name, t in tensors.items()})
    header = header_bytes(entries, tensors, metadata)

    def write(out):
        write_all(out, header)
        for name in entries:
            array = tensors[name].detach()._read()
            write_all(out, array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8).data)

    return write


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
