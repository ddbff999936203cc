"""Indexes of tensors in several files: {"metadata": {...}, "weight_map": {name of a tensor: name of a file beside the index}}.

Source: the file model.safetensors.index.json of Hugging Face's checkpoints, and pytorch_model.bin.index.json.
"""

import json
import os

from ...base.errors import SerializationError
from ...tensor import Tensor
from ..source import opened

_LARGEST = 16 << 20  # bytes; a tensor takes some 100 of them, and JSON objects 25 times their text


def starts(start):
    """Whether a file with these first bytes is an index: a safetensors file's JSON comes after 8 bytes of length."""
    return start.lstrip()[:1] == b"{" and b"\0" not in start[:8]


def read(source, options, object_in):
    """{name: tensor} of an index's files.  object_in(source, options): what one of them holds."""
    places = weight_map(source)
    if source.folder is None:
        raise SerializationError("this is an index of other files; give its path, so that they can be found")
    found = {}
    for name in dict.fromkeys(places.values()):
        wanted = [tensor for tensor, place in places.items() if place == name]
        found.update(_part(os.path.join(source.folder, name), wanted, source, options, object_in))
    return {name: found[name] for name in places}


def weight_map(source):
    """{name of a tensor: name of a file} of an index, checked."""
    if source.size > _LARGEST:
        raise SerializationError(f"the index has {source.size} bytes, more than the {_LARGEST} that are read")
    try:
        described = json.loads(source.read(0, source.size).tobytes().decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise SerializationError(f"the index is not valid JSON: {error}") from None
    places = described.get("weight_map") if isinstance(described, dict) else None
    if not isinstance(places, dict):
        raise SerializationError('the index has no "weight_map" from names of tensors to names of files')
    for place in set(map(str, places.values())):
        if place in ("", ".", "..") or "/" in place or "\\" in place or "\0" in place or ":" in place:
            raise SerializationError(f"the index names the file {place[:80]!r}; only files in its own folder are read")
    if not all(isinstance(place, str) for place in places.values()):
        raise SerializationError("the index names a file by something else than a string")
    return places


def _unique(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key appears twice in one object")
    return found


def _part(path, wanted, source, options, object_in):
    """{name: tensor} of those wanted from one file."""
    try:
        with opened(path, mmap=source.trusted) as part:
            if starts(part.read(0, min(64, part.size)).tobytes()):
                raise SerializationError("it is an index itself")
            tensors = object_in(part, options)
    except FileNotFoundError:
        raise SerializationError(f"the index names the file {path!r}, which is not there; copy or download it too") from None
    except SerializationError as error:
        raise type(error)(f"{path}: {error}") from None
    missing = [name for name in wanted if not isinstance(tensors, dict) or not isinstance(tensors.get(name), Tensor)]
    if missing:
        raise SerializationError(f"the index says that {path!r} holds the tensor {missing[0]!r}, but it does not")
    return {name: tensors[name] for name in wanted}
