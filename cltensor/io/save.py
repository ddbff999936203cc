"""save: write an object with tensors in it to a file, or to several with an index."""

from __future__ import annotations

import os
from collections.abc import Callable
from os import PathLike
from typing import IO, Any

from ..base.errors import ArgumentError, ArgumentTypeError
from .atomic import replacing
from .pytorch import whole
from .pytorch import write as pytorch
from .safetensors import shards
from .safetensors import write as safetensors

#: format -> a function of an object that returns one of a file
_FORMATS: dict[str, Callable[[Any], Callable[[IO[bytes]], None]]] = {
    "safetensors": safetensors.prepared, "torch": pytorch.prepared, "pickle": whole.prepared}


def save(obj: Any, f: str | PathLike[str] | IO[bytes], pickle_module: Any = None, pickle_protocol: int = 2, *,
         format: str = "safetensors", max_shard_size: int | str = "5GB"):
    """Save tensors, or nested dicts, lists and tuples of tensors and plain values, to a file.

    Tensors of any shape and dtype keep it; a path is replaced only once the new file is complete.

    Args: obj, for instance a state_dict; f, a path or a binary file open for writing; format, one of
        "safetensors": never runs code.  Tensors that share their memory and layout are stored once and shared again after load;
            any other view is stored as its own data.  For other programs, the tensors' names are their keys joined with dots.
            A path that ends with .index.json gives an index and files of at most max_shard_size (bytes, or "5GB") beside it, for a
            flat dict of tensors;
        "torch": what PyTorch reads with torch.load(weights_only=True).  Storages are stored whole, and views share them again;
        "pickle": any object, whole modules among them, by Python's pickle; only load(weights_only=False) reads it, and it needs the
            same classes then.
        pickle_module and pickle_protocol are accepted as PyTorch has them; formats that run no code have no use for them.
    Raises SerializationError naming the place of what the format cannot hold, ArgumentTypeError if f is not a file, ArgumentError
    for an unknown format.
    Source: the layouts of safetensors 0.4 and of torch.save 2.13.

    Example::

        cltensor.save(model.state_dict(), "model.pt", format="torch")
    """
    if format not in _FORMATS:
        raise ArgumentError(f"save: there is no format {format!r}; it must be one of {', '.join(_FORMATS)}")
    to_file = hasattr(f, "write")
    if not to_file and not isinstance(f, (str, os.PathLike)):
        raise ArgumentTypeError(f"save: expected a path or a binary file open for writing, got {f!r}")
    if not to_file and os.fsdecode(f).endswith(shards.SUFFIX) and format == "safetensors":
        shards.save(obj, os.fsdecode(f), max_shard_size)
        return
    write = _FORMATS[format](obj)
    if to_file:
        write(f)
    else:
        with replacing(f) as out:
            write(out)
