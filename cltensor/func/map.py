"""vmap: turn a function of single examples into a function of batches.

The function runs once, on tensors that hide their batch dimension (func/batching.py).  Rules: elementwise ops, views,
reductions, scans, matrix products, softmax, gather, scatter, sort and cat run on the whole batch at once; other kernel ops run
example by example; values cannot be read inside; a batched value cannot be written into a tensor that is not batched; random
ops need `randomness`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd.trees import leaves, rebuild
from ..base.errors import ArgumentError, ArgumentTypeError
from ..base.shapes import normalize_dim
from ..tensor import Tensor
from ..tensor.shape.joining import cat
from . import batching


def _flat_dims(in_dims, args):
    """One dimension (or None) for every leaf of args."""
    if isinstance(in_dims, int) or in_dims is None:
        return [in_dims if isinstance(x, Tensor) else None for x in leaves(list(args))]
    if not isinstance(in_dims, (tuple, list)) or len(in_dims) != len(args):
        raise ArgumentError(f"vmap: in_dims must be an int, None, or a tuple with one entry for each of the {len(args)} arguments, "
                            f"got {in_dims!r}")
    dims = []
    for d, arg in zip(in_dims, args, strict=True):
        if isinstance(d, int) or d is None:
            dims += [d if isinstance(x, Tensor) else None for x in leaves(arg)]
        else:
            within = (tuple(d.values()), list(arg.values())) if isinstance(d, dict) else (d, arg)
            dims += _flat_dims(*within)
    return dims


def vmap(func: Callable[..., Any], in_dims=0, out_dims=0, randomness: str = "error", *, chunk_size=None):
    """Return a function that applies func to every index of in_dims of its arguments and stacks the results along out_dims.

    in_dims: the dimension of each argument that is mapped over, None for one that all share; an int serves all.  Arguments are
    tensors of any shape and dtype, or nests of them; func sees them without that dimension.  randomness: "error", "same" or
    "different" random numbers along the batch.  chunk_size: how many indices run at once.

    Raises ArgumentError where the batch sizes differ or nothing is batched; ArgumentTypeError where func returns anything but
    tensors; an error for a random op unless randomness allows it, and for reading a value inside.
    Source: names and rules of torch.func.vmap.

        >>> ct.func.vmap(ct.dot)(ct.tensor([[1.0, 2.0], [3.0, 4.0]]), ct.ones(2, 2))
        tensor([3., 7.])
    """

    @functools.wraps(func)
    def mapped(*args, **kwargs):
        flat, dims = leaves(list(args)), _flat_dims(in_dims, args)
        moved = [x.movedim(normalize_dim(d, x.ndim, "vmap"), 0) if d is not None else x for x, d in zip(flat, dims, strict=True)]
        sizes = {x.shape[0] for x, d in zip(moved, dims, strict=True) if d is not None}
        if len(sizes) != 1:
            what = f"inconsistent sizes {sorted(sizes)}" if sizes else "no batched argument"
            raise ArgumentError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got {what} with "
                                f"in_dims {in_dims!r}")
        size = sizes.pop()
        step = chunk_size or max(size, 1)
        if step < 1:
            raise ArgumentError(f"vmap: chunk_size must be None or greater than 0, got {chunk_size}")
        pieces = []
        for start in range(0, max(size, 1), step):
            part = [x.narrow(0, start, min(step, size - start)) if d is not None else x for x, d in zip(moved, dims, strict=True)]
            pieces.append(_run(func, rebuild(list(args), part), dims, kwargs, min(step, size - start), randomness, out_dims))
        if len(pieces) == 1:
            return pieces[0]
        columns = zip(*map(leaves, pieces), strict=True)
        joined = [cat(parts, d) for parts, d in zip(columns, _out_dims(out_dims, pieces[0]), strict=True)]
        return rebuild(pieces[0], joined) if not isinstance(pieces[0], Tensor) else joined[0]

    return mapped


def _run(func, args, dims, kwargs, size, randomness, out_dims):
    level = batching.enter(size, randomness)
    try:
        seen = [batching.wrap(x, level) if d is not None else x for x, d in zip(leaves(args), dims, strict=True)]
        out = func(*rebuild(args, seen), **kwargs)
        results = []
        for y, d in zip(leaves(out), _out_dims(out_dims, out), strict=True):
            if not isinstance(y, Tensor):
                raise ArgumentTypeError(f"vmap: the mapped function must only return Tensors, got {type(y).__name__}")
            full = batching.unwrap(y, level)
            results.append(full if d == 0 else full.movedim(0, d))
    finally:
        batching.leave()
    return results[0] if isinstance(out, Tensor) else rebuild(out, results)


def _out_dims(out_dims, out):
    n = len(leaves(out))
    if isinstance(out_dims, int):
        return [out_dims] * n
    flat = leaves(out_dims)
    if len(flat) != n:
        raise ArgumentError(f"vmap: out_dims {out_dims!r} does not fit the {n} outputs of the function")
    return flat
