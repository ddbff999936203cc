"""Write a dict of tensors as several safetensors files and an index.

The index is replaced last, and files that the index in force names are never written to: whenever the process ends, the index names
files that belong together.
"""

import contextlib
import itertools
import json
import os
import re

from ...base.errors import ArgumentError, SerializationError
from ...tensor import Tensor
from ..atomic import replacing, write_all
from ..source import opened
from .index import weight_map
from .write import of_tensors

SUFFIX = ".index.json"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B", re.IGNORECASE)
_POWERS = " KMGT"


def save(obj, path, max_shard_size):
    """Write {name: tensor} beside an index at `path`.  Raises SerializationError for any other object, ArgumentError for a size."""
    groups = _groups(_flat(obj), _bytes(max_shard_size))
    folder, stem = os.path.split(path.removesuffix(SUFFIX))
    stem = stem.removesuffix(".safetensors")
    before = _named(path)
    names = _free(folder, stem, len(groups))
    for name, tensors in zip(names, groups, strict=True):
        write = of_tensors(tensors, {"format": "pt"})
        with replacing(os.path.join(folder, name)) as out:
            write(out)
    places = {tensor: name for name, tensors in zip(names, groups, strict=True) for tensor in tensors}
    total = sum(t.nbytes for tensors in groups for t in tensors.values())
    with replacing(path) as out:
        write_all(out, json.dumps({"metadata": {"total_size": total}, "weight_map": places}, indent=2).encode())
    for name in before - set(names):
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(folder, name))


def _flat(obj):
    if not isinstance(obj, dict) or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in obj.items()):
        wrong = next((k for k, v in obj.items() if not isinstance(k, str) or not isinstance(v, Tensor)), None) \
            if isinstance(obj, dict) else type(obj).__name__
        raise SerializationError("save: an index holds a flat dict from names to tensors, such as a state_dict; "
                                 f"{wrong!r} does not fit")
    return obj


def _bytes(size):
    """A number of bytes from an int, or from text such as "5GB" or "200MiB"."""
    match = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    if match:
        number, unit, binary = match.groups()
        return int(float(number) * (1024 if binary else 1000) ** _POWERS.index(unit.upper() or " "))
    if isinstance(size, bool) or not isinstance(size, int) or size <= 0:
        raise ArgumentError(f'save: max_shard_size is {size!r}; give a number of bytes, or text such as "5GB" or "200MiB"')
    return size


def _groups(tensors, most):
    """The tensors as dicts of at most so many bytes, in order; a larger tensor is alone."""
    groups, used = [{}], 0
    for name, t in tensors.items():
        if groups[-1] and used + t.nbytes > most:
            groups.append({})
            used = 0
        groups[-1][name] = t
        used += t.nbytes
    return groups


def _named(path):
    """The files that the index at `path` names, if there is one."""
    with contextlib.suppress(OSError, SerializationError), opened(path) as source:
        return set(weight_map(source).values())
    return set()


def _free(folder, stem, count):
    """Names for so many files, none of which exists."""
    for attempt in itertools.count(1):
        mark = "" if attempt == 1 else f"-v{attempt}"
        names = [f"{stem}{mark}-{i + 1:05d}-of-{count:05d}.safetensors" for i in range(count)]
        if not any(os.path.lexists(os.path.join(folder, name)) for name in names):
            return names
    raise AssertionError
