"""Scattering with a reduction: scatter_reduce and index_reduce, with PyTorch's gradients."""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...base.shapes import normalize_dim
from ...dispatch.run_planned import run_planned
from ...ops.index import indexing
from ...ops.kinds.composite import composite
from ..core.public_api import function

_COMBINES = {"sum": "add", "mean": "add", "prod": "prod", "amax": "amax", "amin": "amin"}


def _identity(dtype, reduce):
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    if dtype.is_floating_point:
        return -math.inf if reduce == "amax" else math.inf
    limits = (0, 1) if dtype is dtypes.bool_ else (dtypes.iinfo(dtype).min, dtypes.iinfo(dtype).max)
    return limits[reduce == "amin"]


def _counts(x, index, src, dim, include_self):
    """How many elements were combined at each place of x; 1 where there were none."""
    start = x.new_ones(x.shape) if include_self else x.new_zeros(x.shape)
    count = start.scatter_add(dim, index, src.new_ones(src.shape))
    return count.where(count != 0, 1)


def _outside(g, index, dim, include_self):
    """g with zeros at the places that were overwritten."""
    return g if include_self else g.scatter(dim, index, 0.0)


def _sum_gradient(g, y, x, index, src, dim, include_self):
    return g, g.gather(dim, index)


def _mean_gradient(g, y, x, index, src, dim, include_self):
    g = g / _counts(x, index, src, dim, include_self)
    return g, g.gather(dim, index)


def _prod_gradient(g, y, x, index, src, dim, include_self):
    """Divide by the factor; where the factor is the only 0, take the product of the others."""
    nonzero = x.where(x != 0, 1)
    gx = g * _reduce(nonzero, index, src, dim=dim, reduce="prod", include_self=include_self) / nonzero
    zero = src == 0
    alone = zero & (x.new_zeros(x.shape).scatter_add(dim, index, zero.to(x.dtype)).gather(dim, index) == 1)
    others = _reduce(x, index, src.where(~alone, 1), dim=dim, reduce="prod", include_self=include_self)
    quotient = (g * y).gather(dim, index) / src.where(~zero, 1)
    return gx, (g * others).gather(dim, index).where(alone, quotient)


def _extreme_gradient(g, y, x, index, src, dim, include_self):
    """Share the gradient equally among the elements equal to the extreme."""
    mine, theirs = (x == y).to(g.dtype), (src == y.gather(dim, index)).to(g.dtype)
    g = g / mine.scatter_add(dim, index, theirs)
    return mine * g, theirs * g.gather(dim, index)


_GRADIENTS = {"sum": _sum_gradient, "mean": _mean_gradient, "prod": _prod_gradient, "amax": _extreme_gradient,
              "amin": _extreme_gradient}


def _gradient(g, y, x, index, src, needs, dim, reduce, include_self):
    part = src[tuple(slice(0, n) for n in index.shape)]
    gx, gsrc = _GRADIENTS[reduce](g, y, x, index, part, dim, include_self)
    if gsrc.shape != src.shape:
        full = gsrc.new_zeros(src.shape)
        full[tuple(slice(0, n) for n in index.shape)] = gsrc
        gsrc = full
    return _outside(gx, index, dim, include_self), None, gsrc


def _reference(x, index, src, dim, reduce, include_self):
    """Reduce the list of elements at each place, in float64 where x is floating."""
    out = np.array(x)
    places = {}
    for at in np.ndindex(*index.shape):
        to = (*at[:dim], int(index[at]), *at[dim + 1:])
        places.setdefault(to, [x[to]] if include_self else []).append(src[at])
    for to, met in places.items():
        found = getattr(np, reduce)(np.array(met))
        whole = np.asarray(np.floor(found)).astype(np.int64) if out.dtype.kind in "iu" else np.asarray(found)
        out[to] = whole.astype(out.dtype)  # integers wrap around
    return out


def _samples(rng):
    x, src = rng.uniform(0.5, 2, (4, 3)), rng.uniform(0.5, 2, (5, 3))
    index = np.array([[0, 1, 3], [0, 1, 1], [2, 0, 3], [0, 1, 1]])
    return [((x, index, src), {"dim": 0, "reduce": reduce, "include_self": include})
            for reduce in _COMBINES for include in (True, False)]


@composite("scatter_reduced", public=False, saves="x index src y", vjp=_gradient, ref=_reference, samples=_samples)
def _reduce(x, index, src, *, dim, reduce, include_self):
    """Combine src into a copy of x at index along dim."""
    start = x if include_self else x.scatter(dim, index, _identity(x.dtype, reduce))
    out = run_planned(indexing.scatter, (start, index, src), (dim, _COMBINES[reduce], False))
    if reduce != "mean":
        return out
    part = src[tuple(slice(0, n) for n in index.shape)]
    counts = _counts(x, index, part, dim, include_self)
    return out / counts if x.dtype.is_inexact else out // counts


@function(inplace="writing")
def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """Reduce src into a copy of input at index along dim: "sum", "prod", "mean", "amax" or "amin".

    Without include_self, input's own values at the places written do not count.
    """
    if reduce not in _COMBINES:
        raise ArgumentError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce!r}")
    d = normalize_dim(dim, input.ndim, "scatter_reduce")
    if not index.numel():
        return input + src.reshape(-1)[:0].sum() if src.requires_grad else input.clone()  # so that src gets a gradient: zeros
    return _reduce(input, index, src, dim=d, reduce=reduce, include_self=bool(include_self))


@function(inplace="writing")
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """Reduce slices of source into a copy of input at a vector of indices along dim: "prod", "mean", "amax" or "amin"."""
    if reduce not in _COMBINES or reduce == "sum":
        raise ArgumentError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    if index.ndim > 1:
        raise ShapeError(f"index_reduce(): Index is supposed to be a vector, got shape {list(index.shape)}")
    if input.dtype is not source.dtype:
        raise DTypeError(f"index_reduce(): self ({input.dtype.name}) and source ({source.dtype.name}) must have the same dtype")
    d = normalize_dim(dim, input.ndim, "index_reduce")
    wanted = (*input.shape[:d], index.numel(), *input.shape[d + 1:]) if input.ndim else ()
    if tuple(source.shape) != wanted:
        raise ShapeError(f"index_reduce(): source has shape {list(source.shape)}, expected {list(wanted)}")
    index = index.reshape((1,) * d + (-1,) + (1,) * (source.ndim - d - 1)) if source.ndim else index.reshape(())
    return scatter_reduce(input, d, index.expand(source.shape), source, reduce, include_self=include_self)
