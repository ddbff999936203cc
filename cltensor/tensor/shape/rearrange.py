"""Repeating, reversing and shifting along dimensions."""

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, ArgumentTypeError, DimensionError, ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.run_planned import run_planned
from ...dispatch.tensor_base import TensorBase
from ...ops.index.reverse import reverse
from ..api.creation import arange, from_array, sizes
from ..core.public_api import function, method
from .joining import cat
from .shape import narrow

# --- repeating -------------------------------------------------------------------------------------------------------


@method()
def repeat(self, *repeats):
    """Copy the tensor repeats[i] times along dimension i; more repeats than dimensions add leading ones."""
    if not repeats:
        raise ArgumentTypeError("repeat(): missing 1 required argument: 'repeats', how often to repeat each dimension")
    times = sizes(repeats, "repeat")
    if len(times) < self.ndim:
        raise ShapeError("repeat: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
                         f"{list(times)} for shape {list(self.shape)}")
    if any(n < 0 for n in times):
        raise ShapeError(f"repeat: repeats must not be negative, got {list(times)}")
    padded = self.reshape((1,) * (len(times) - self.ndim) + tuple(self.shape))
    spread = [n for r, k in zip(times, padded.shape, strict=True) for n in (r, k)]
    paired = padded.reshape([n for k in padded.shape for n in (1, k)])
    return paired.expand(spread).reshape([r * k for r, k in zip(times, padded.shape, strict=True)]).clone()


@function(contiguous=True, out=False)
def tile(input, *dims):
    """repeat, with missing leading repeats taken as 1."""
    times = sizes(dims, "tile")
    return input.repeat((1,) * (input.ndim - len(times)) + times)


@function(out=False)
def repeat_interleave(input=None, repeats=None, dim=None, *, output_size=None):
    """Repeat each element (slice along dim) in place: by one number, or by a tensor with one number per slice."""
    if repeats is None or input is None:
        input = repeats if input is None else input
        input, repeats, dim = arange(input.numel(), device=input.device), input, 0
    if dim is None:
        input, dim = input.reshape(-1), 0
    d = normalize_dim(dim, input.ndim, "repeat_interleave")
    input = input if input.ndim else input.reshape(1)
    n = input.shape[d]
    counts = np.atleast_1d(repeats.numpy()) if isinstance(repeats, TensorBase) else np.atleast_1d(np.asarray(repeats))
    if counts.ndim != 1 or counts.dtype.kind not in "iu":
        raise ArgumentError(f"repeat_interleave: repeats must be an int or a 1-D tensor of integers, got {repeats!r}")
    if counts.size not in (1, n):
        raise ShapeError(f"repeat_interleave: repeats must have the same size as input along dim, got {counts.size} for {n}")
    if (counts < 0).any():
        raise ArgumentError("repeat_interleave: repeats can not be negative")
    if counts.size == 1:
        r = int(counts[0])
        spread = (*input.shape[:d + 1], r, *input.shape[d + 1:])
        return input.unsqueeze(d + 1).expand(spread).clone().flatten(d, d + 1) if r != 1 else input.clone()
    places = np.repeat(np.arange(n), counts)
    return input.index_select(d, from_array(places.astype(np.int64), dtypes.int64, input.device))


# --- reversing and shifting ------------------------------------------------------------------------------------------


@function(out=False)
def flip(input, *dims):
    """Reverse the order of elements along dims."""
    dims = sizes(dims, "flip")
    wanted = [normalize_dim(d, input.ndim, "flip") for d in dims]
    if len(set(wanted)) < len(wanted):
        raise ShapeError(f"flip: dim appears multiple times in the list of dims {list(dims)}")
    turned = tuple(d - input.ndim for d in sorted(wanted) if input.ndim and input.shape[d] > 1)
    return run_planned(reverse, (input,), (turned,)) if turned else input.clone()


@function(out=False)
def fliplr(input):
    """flip along dimension 1.  Raises ShapeError below two dimensions."""
    if input.ndim < 2:
        raise ShapeError("fliplr: Input must be >= 2-d.")
    return flip(input, 1)


@function(out=False)
def flipud(input):
    """flip along dimension 0.  Raises ShapeError for 0-d tensors."""
    if input.ndim < 1:
        raise ShapeError("flipud: Input must be >= 1-d.")
    return flip(input, 0)


@function(contiguous=True, out=False)
def roll(input, shifts, dims=None):
    """Shift elements along dims; those pushed out enter at the other end; without dims, shift the flattened tensor."""
    shifts = tuple(shifts) if not hasattr(shifts, "__index__") else (int(shifts),)
    if dims is None or dims == ():
        if len(shifts) != 1:
            raise ShapeError(f"roll: shifts and dimensions must align: {len(shifts)} shifts, no dims")
        return roll(input.reshape(-1), shifts, 0).reshape(input.shape)
    dims = tuple(dims) if not hasattr(dims, "__index__") else (int(dims),)
    if len(shifts) != len(dims) or not shifts:
        raise ShapeError(f"roll: shifts and dimensions must align: {len(shifts)} shifts, {len(dims)} dims")
    if not input.ndim:
        raise DimensionError(f"roll: Dimension specified as {dims[0]} but tensor has no dimensions")
    out = input.clone()
    for shift, dim in zip(shifts, dims, strict=True):
        d = normalize_dim(dim, input.ndim, "roll")
        n = input.shape[d] if input.ndim else 1
        if n > 1 and shift % n:
            k = n - shift % n
            out = cat([narrow(out, d, k, n - k), narrow(out, d, 0, k)], d)
    return out


@function(out=False)
def rot90(input, k=1, dims=(0, 1)):
    """Rotate by k quarter turns in the plane of two dimensions."""
    if len(dims) != 2:
        raise ShapeError(f"rot90: expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise ShapeError(f"rot90: expected total dims >= 2, but got total dims = {input.ndim}")
    a, b = (normalize_dim(d, input.ndim, "rot90") for d in dims)
    if a == b:
        raise ShapeError(f"rot90: expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    k %= 4
    if k == 0:
        return input.clone()
    if k == 2:
        return flip(input, a, b)
    return flip(input, b if k == 1 else a).transpose_(a, b)


# --- turning ---------------------------------------------------------------------------------------------------------


@function()
def matrix_transpose(input):
    """Exchange the last two dimensions."""
    if input.ndim < 2:
        raise ShapeError(f"matrix_transpose: needs at least 2 dimensions, got {list(input.shape)}")
    return input.transpose(-2, -1)


@function(out=False)
def adjoint(input):
    """The conjugate transpose of matrices: the last two dimensions exchanged.

    Args: input: (*, M, N), of any dtype.
    Returns: (*, N, M), a view if input is real.
    Raises: ShapeError for fewer than two dimensions.
    Source: Golub and Van Loan, "Matrix Computations", 2013.

        adjoint(tensor([[1j, 2]]))  # tensor([[0.-1.j], [2.-0.j]])
    """
    if input.ndim < 2:
        raise ShapeError(f"adjoint: tensor.adjoint() is only supported on matrices or batches of matrices. Got "
                         f"{input.ndim}-D tensor.")
    return input.conj().transpose(-2, -1)
