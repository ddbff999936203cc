"""Make one batch of samples: stack them on the host as NumPy arrays, then upload, one copy per field."""

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

import numpy as np

from ...base.dtypes import get_default_dtype
from ...base.errors import ArgumentTypeError, ShapeError
from ...dispatch.host_plan import shown
from ...dispatch.spec import dense
from ...dispatch.storage import Storage
from ...runtime.host_buffers import HostBuffer
from ...tensor import Tensor
from ...tensor.api.creation import from_numpy
from ...tensor.shape.joining import stack
from .dataset import TensorBatch

_HOST_SCALARS = (bool, int, float, np.bool_, np.number)


def default_collate(batch):
    """Stack a list of samples field by field: numbers, arrays and tensors (*) become tensors (B, *).

    Tuples become lists, dicts and named tuples keep their form, strings stay lists.  Raises ArgumentTypeError for samples
    of another type, ShapeError if the samples' sizes differ.
    """
    return default_convert(stack_on_host(batch))


def default_convert(data):
    """Turn every NumPy array or number in a nesting into a tensor; everything else stays as it is."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return from_numpy(np.asarray(data)) if data.dtype.kind not in "OSUV" else data
    if isinstance(data, Mapping):
        return _rebuilt(data, {k: default_convert(v) for k, v in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _refilled(data, list(map(default_convert, data)))
    return data


def stack_on_host(batch, empty=None):
    """default_collate without the upload: fields are NumPy arrays, or tensors if the samples hold tensors.

    empty: (shape, NumPy dtype) -> the array to stack samples in, or None to allocate one.
    """
    if isinstance(batch, TensorBatch):
        return list(batch.columns)
    first = batch[0]
    if isinstance(first, Tensor):
        return _stack_tensors(batch, empty)
    if isinstance(first, np.ndarray) and first.dtype.kind not in "OSUV":
        return _stack_arrays(batch, empty)
    if isinstance(first, _HOST_SCALARS):
        return _stack_numbers(batch, first)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _rebuilt(first, {k: stack_on_host([sample[k] for sample in batch], empty) for k in first})
    if isinstance(first, Sequence):
        return _stack_fields(batch, first, empty)
    raise ArgumentTypeError("default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
                            f"found {_described(first)}; convert the samples in the dataset or pass a collate_fn")


def _stack_tensors(batch, empty):
    s = batch[0]._spec
    if not s.device.host or any(t._spec is not s or t.requires_grad for t in batch):
        return stack(list(batch))
    together = dense((len(batch), *s.shape), s.dtype, s.device)
    place = empty and empty((together.nbytes,), np.dtype(np.uint8))
    storage = Storage(s.device, together.nbytes)
    if place is not None:
        storage.buffer = HostBuffer(place)
    np.stack([shown(t._storage.buffer, s, t._offset) for t in batch], out=shown(storage.buffer, together))
    return Tensor._make(storage, together)


def _stack_arrays(batch, empty):
    first = batch[0]
    for at, a in enumerate(batch):
        if a.shape != first.shape:
            raise ShapeError(f"default_collate: each sample of a batch must have the same size, but got {first.shape} "
                             f"at entry 0 and {a.shape} at entry {at}; pad them or pass your own collate_fn")
    alike = empty and all(a.dtype == first.dtype for a in batch)
    return np.stack(batch, out=empty((len(batch), *first.shape), first.dtype) if alike else None)


def _stack_numbers(batch, first):
    if isinstance(first, np.generic):
        return np.asarray(batch, dtype=first.dtype)
    if isinstance(first, float):
        return np.asarray(batch, dtype=np.float64)
    if any(isinstance(n, float) for n in batch):
        return np.asarray(batch, get_default_dtype().numpy)
    return np.asarray(batch, dtype=bool if all(isinstance(n, bool) for n in batch) else np.int64)


def _stack_fields(batch, first, empty):
    if len({len(sample) for sample in batch}) > 1:
        raise ShapeError("default_collate: each element in list of batch should be of equal size; lengths are "
                         f"{[len(sample) for sample in batch]}; pad them or pass your own collate_fn")
    fields = [stack_on_host(list(field), empty) for field in zip(*batch, strict=True)]
    return type(first)(*fields) if isinstance(first, tuple) and hasattr(first, "_fields") else _refilled(first, fields)


def _rebuilt(mapping, contents):
    """`contents` in a mapping of the same class, or in a plain dict if the class does not allow that."""
    try:
        if isinstance(mapping, MutableMapping):  # a copy keeps other attributes, such as a defaultdict's factory
            made = copy.copy(mapping)
            made.update(contents)
            return made
        return type(mapping)(contents)
    except TypeError:
        return contents


def _refilled(sequence, contents):
    """`contents` in a sequence of the same class if that is mutable, else in a list."""
    if type(sequence) is list or not isinstance(sequence, MutableSequence):
        return contents
    try:
        made = copy.copy(sequence)
        for i, x in enumerate(contents):
            made[i] = x
        return made
    except TypeError:
        return contents


def _described(value):
    return f"{type(value)} of dtype {value.dtype}" if isinstance(value, (np.ndarray, np.generic)) else str(type(value))
