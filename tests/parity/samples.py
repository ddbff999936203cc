"""Choosing an entry's samples: few, and different in structure; the same ones in every run."""

import itertools
import os
import warnings
import zlib

import torch

from .convert import leaves

#: with CLTENSOR_PARITY=full every sample is run
FULL = os.environ.get("CLTENSOR_PARITY") == "full"

#: how many samples are run: per dtype, for gradients, for methods and in-place forms, for out=
LIMITS = {torch.float32: 12, torch.float64: 6, torch.int64: 4, torch.bool: 4, torch.complex64: 6, torch.complex128: 4}

#: the dtypes in which gradients are compared
DIFFERENTIATED = (torch.float64, torch.complex128)
VARIANTS, OUTS = 3, 2

_LARGEST = 1 << 16  # elements in one sample's tensors
_LOOKED_AT = 300


def chosen(op, name, dtype, requires_grad=False):
    """The samples to run for one dtype."""
    limit = LIMITS[dtype]
    looked_at = None if FULL else _LOOKED_AT
    found = list(itertools.islice(_generated(op.sample_inputs, name, "cpu", dtype, requires_grad=requires_grad), looked_at))
    found = [s for s in found if sum(t.numel() for t in leaves([s.input, s.args, s.kwargs])) <= _LARGEST]
    return found if FULL else _differing(found, limit, lambda s: (s.input, s.args, s.kwargs))


def errors(op, name):
    """The entry's inputs that must raise."""
    if op.error_inputs_func is None:
        return ()
    return _generated(op.error_inputs, name, "cpu")  # one by one: running some of them changes tensors of the next


def _generated(source, name, *args, **kwargs):
    torch.manual_seed(zlib.crc32(name.encode()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from source(*args, **kwargs)


def _differing(samples, limit, parts):
    """At most `limit` samples: one of each structure first, spread evenly where there are more structures than that."""
    groups = {}
    for s in samples:
        groups.setdefault(repr(_structure(parts(s))), []).append(s)
    groups = list(groups.values())
    if len(groups) >= limit:
        return [groups[i * len(groups) // limit][0] for i in range(limit)]
    rounds = itertools.zip_longest(*groups)
    return list(itertools.islice((s for row in rounds for s in row if s is not None), limit))


def _structure(x):
    """The properties of an argument that may select another code path."""
    if isinstance(x, torch.Tensor):
        dense = x.layout == torch.strided
        return ("tensor", x.ndim, str(x.dtype), str(x.layout), dense and x.is_contiguous(), x.numel() == 0, 1 in x.shape,
                x.requires_grad)
    if isinstance(x, (list, tuple)):
        return (type(x).__name__, *map(_structure, x))
    if isinstance(x, dict):
        return tuple((k, _structure(v)) for k, v in x.items())
    return repr(x) if isinstance(x, (bool, str, type(None), torch.dtype)) else type(x).__name__
