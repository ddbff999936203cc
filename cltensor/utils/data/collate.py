"""From a list of samples to one batch: stacked on the host as NumPy arrays, then uploaded, one copy a field."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...base.errors import ArgumentTypeError, ShapeError
from ...tensor import Tensor
from ...tensor.creation import from_numpy
from ...tensor.shape import stack
from .dataset import TensorBatch
from .worker_info import refuse_in_worker

_HOST_SCALARS = (bool, int, float, np.bool_, np.number)


def default_collate(batch):
    """Stack a list of samples field by field: numbers, arrays and tensors (*) become tensors (B, *).

    Tuples give lists, dicts and named tuples keep their form, strings stay lists.  Raises ArgumentTypeError for samples
    of another type, ShapeError when the samples' sizes differ.
    """
    return default_convert(stack_on_host(batch))


def default_convert(data):
    """The same nesting with every NumPy array or number as a tensor; everything else as it is."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return from_numpy(np.asarray(data)) if data.dtype.kind not in "OSUV" else data
    if isinstance(data, Mapping):
        return _rebuilt(data, {k: default_convert(v) for k, v in data.items()})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return list(map(default_convert, data))
    return data


def stack_on_host(batch):
    """default_collate without the upload: fields are NumPy arrays, or tensors where the samples hold tensors."""
    if isinstance(batch, TensorBatch):
        return list(batch.columns)
    first = batch[0]
    if isinstance(first, Tensor):
        refuse_in_worker()
        return stack(list(batch))
    if isinstance(first, np.ndarray) and first.dtype.kind not in "OSUV":
        return _stack_arrays(batch)
    if isinstance(first, _HOST_SCALARS):
        return _stack_numbers(batch, first)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return _rebuilt(first, {k: stack_on_host([sample[k] for sample in batch]) for k in first})
    if isinstance(first, Sequence):
        return _stack_fields(batch, first)
    raise ArgumentTypeError("default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
                            f"found {_described(first)}; convert the samples in the dataset or pass a collate_fn")


def _stack_arrays(batch):
    shapes = {a.shape for a in batch}
    if len(shapes) > 1:
        at = next(i for i, a in enumerate(batch) if a.shape != batch[0].shape)
        raise ShapeError(f"default_collate: each sample of a batch must have the same size, but got {batch[0].shape} "
                         f"at entry 0 and {batch[at].shape} at entry {at}; pad them or pass your own collate_fn")
    return np.stack(batch)


def _stack_numbers(batch, first):
    if isinstance(first, np.generic):
        return np.asarray(batch, dtype=first.dtype)
    if isinstance(first, float):
        return np.asarray(batch, dtype=np.float64)
    return np.asarray(batch, dtype=bool if all(isinstance(n, bool) for n in batch) else np.int64)


def _stack_fields(batch, first):
    if len({len(sample) for sample in batch}) > 1:
        raise ShapeError("default_collate: each element in list of batch should be of equal size; lengths are "
                         f"{[len(sample) for sample in batch]}; pad them or pass your own collate_fn")
    fields = [stack_on_host(list(field)) for field in zip(*batch, strict=True)]
    return type(first)(*fields) if isinstance(first, tuple) and hasattr(first, "_fields") else fields


def _rebuilt(mapping, contents):
    """`contents` in a mapping of the same class; a plain dict where the class cannot be made from one."""
    try:
        return type(mapping)(contents)
    except TypeError:
        return contents


def _described(value):
    return f"{type(value)} of dtype {value.dtype}" if isinstance(value, (np.ndarray, np.generic)) else str(type(value))
