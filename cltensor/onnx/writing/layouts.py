"""Layouts: views as ONNX's nodes.  What a program sees of memory by strides is found by Transpose, Reshape, Slice and Expand.

`shown` reads a Use of memory that a wire holds, `rewritten` gives the memory after a write to a part of it.  What no such nodes
give, as overlapping windows or diagonals, is looked up by index.
"""

import itertools
import math
from typing import NamedTuple

from ...base.shapes import contiguous_strides


class _Dim(NamedTuple):
    """A dimension of a view that moves through memory: its place in the view, its size, its stride."""

    place: int
    size: int
    stride: int


class _Axis(NamedTuple):
    """An axis of memory: its size, its stride, and the dimensions of the view that move along it, the slowest first."""

    size: int
    stride: int
    dims: tuple


def in_memory_order(builder, x, spec):
    """A wire laid out as a dense Spec, with its dimensions in the order of memory: (wire, sizes)."""
    order = sorted(range(x.ndim), key=lambda d: (-spec.strides[d], d))
    order = list(range(x.ndim)) if _row_major(spec) else order
    return builder.transpose(x, order), [x.shape[d] for d in order]


def _row_major(spec):
    return spec.numel == 0 or all(n == 1 or s == c for n, s, c in zip(spec.shape, spec.strides, contiguous_strides(spec.shape),
                                                                      strict=True))


def shown(builder, x, spec, wanted, offset):
    """The wire of a view `wanted` (a Spec) from an offset, in elements, of memory that x holds, laid out as `spec`."""
    if wanted is spec and not offset:
        return x
    if not wanted.numel:
        return builder.expand(builder.constant(0, wanted.dtype), wanted.shape)
    moving = [_Dim(d, n, s) for d, (n, s) in enumerate(zip(wanted.shape, wanted.strides, strict=True)) if n > 1 and s]
    moving.sort(key=lambda dim: -dim.stride)
    order = sorted(range(x.ndim), key=lambda d: (-spec.strides[d], d))
    sizes = [x.shape[d] for d in order]
    axes = _axes(sizes, moving, offset)
    if axes is None:
        found = builder("Gather", builder.flat(in_memory_order(builder, x, spec)[0]), _places(builder, wanted, moving, offset),
                        shape=[d.size for d in moving], dtype=x.dtype)
        made = [d.place for d in moving]
    else:
        found, made = _along_axes(builder, x, order, sizes, axes, offset)
    found = builder.transpose(found, sorted(range(len(made)), key=made.__getitem__))
    return _filled_out(builder, found, sorted(made), wanted)


def _filled_out(builder, x, made, wanted):
    """x, whose dimensions are those `made` of the view, with the view's other dimensions: of size 1 or repeated."""
    missing = [d for d in range(wanted.ndim) if d not in made]
    return builder.expand(builder.unsqueeze(x, missing), wanted.shape)


def _axes(sizes, moving, offset):
    """Memory of these sizes as _Axis along which the moving dimensions go, some sizes merged; None where no axes do."""
    if any(a.stride == b.stride for a, b in itertools.pairwise(moving)):
        return None
    strides = contiguous_strides(sizes)
    crossed = [any(d.stride < s * n <= d.stride * (d.size - 1) for d in moving) for n, s in zip(sizes, strides, strict=True)]
    merged = []  # (size, stride); an axis whose outer boundary a dimension crosses joins the one before
    for n, s, joins in zip(sizes, strides, crossed, strict=True):
        if merged and (joins or n == 1 or merged[-1][0] == 1):
            merged[-1] = (merged[-1][0] * n, s)
        else:
            merged.append((n, s))
    axes, left = [], list(moving)
    for n, s in merged:
        dims = [d for d in left if s <= d.stride < s * n]
        left = [d for d in left if d not in dims]
        if not _nests(n, s, dims, offset // s % n):
            return None
        axes.append(_Axis(n, s, tuple(dims)))
    return None if left else axes


def _nests(size, stride, dims, first):
    """Whether dimensions move along an axis without one running into the next, from index `first` on."""
    if any(d.stride % stride for d in dims):
        return False
    steps = [d.stride // stride for d in dims]
    if len(dims) > 1 and (size % steps[0] or any(a % b for a, b in itertools.pairwise(steps))):
        return False
    rooms, at = [size, *steps][: len(steps)], first
    for dim, step, room in zip(dims, steps, rooms, strict=True):
        if at + (dim.size - 1) * step >= room:
            return False
        at %= step
    return True


def _along_axes(builder, x, order, sizes, axes, offset):
    """The view cut out of memory axis by axis: (wire, the place in the view of each of its dimensions)."""
    cuts, shape, places = {}, [], []
    for axis in axes:
        first, room = offset // axis.stride % axis.size, axis.size
        steps = [d.stride // axis.stride for d in axis.dims]
        for i, (dim, step) in enumerate(zip(axis.dims, steps, strict=True)):
            if i + 1 < len(steps) or (len(steps) > 1 and step > 1):  # an axis of its own for each
                cuts[len(shape)] = (first // step, dim.size, 1)
                shape.append(room // step)
                first, room = first % step, step
            else:
                cuts[len(shape)] = (first, dim.size, step)
                shape.append(room)
                room = 1
            places.append(dim.place)
        if room > 1 or not axis.dims:
            cuts[len(shape)] = (first, 1, 1)
            shape.append(room)
            places.append(None)
    kept = [n for n in sizes if n != 1]
    if [n for n in shape if n != 1] == kept and len(shape) == len(kept):  # the axes are those of x: cut first, then turn
        turned = [d for d in order if x.shape[d] != 1]
        x = builder.squeeze(x, [d for d in range(x.ndim) if x.shape[d] == 1])
        rank = {d: i for i, d in enumerate(sorted(turned))}
        turned = [rank[d] for d in turned]
        x = builder.slice(x, {turned[i]: cut for i, cut in cuts.items()})
        by_axis = {turned[i]: place for i, place in enumerate(places)}
        places = [by_axis[d] for d in range(len(turned))]
    else:
        x = builder.slice(builder.reshape(builder.transpose(x, order), shape), cuts)
    x = builder.squeeze(x, [i for i, place in enumerate(places) if place is None])
    return x, [place for place in places if place is not None]


def _places(builder, wanted, moving, offset):
    """The flat positions in memory of a view's elements, a dimension for each that moves."""
    found = None
    for i, dim in enumerate(moving):
        run = builder.arange(dim.size, dim.stride, offset if i == 0 else 0)
        run = builder.unsqueeze(run, [d for d in range(len(moving)) if d != i])
        found = run if found is None else builder("Add", found, run)
    return builder.constant(offset) if found is None else found


def rewritten(builder, x, spec, new, wanted, offset):
    """Memory that x holds, laid out as `spec`, after `new` was written where a Spec shows it from an offset.

    Returns (wire, sizes): its dimensions are in the order of memory.
    """
    x, sizes = in_memory_order(builder, x, spec)
    moving = [_Dim(d, n, s) for d, (n, s) in enumerate(zip(wanted.shape, wanted.strides, strict=True)) if n > 1]
    if not wanted.numel:
        return x, sizes
    part = _one_axis(sizes, moving, offset)
    new = builder.cast(new, x.dtype)
    if part is not None:
        return _side_by_side(builder, x, sizes, new, moving, *part), sizes
    places = builder.flat(_places(builder, wanted, moving, offset))
    if not moving:
        places = builder.reshape(places, (1,))
    flat = builder("ScatterElements", builder.flat(x), places, builder.flat(new), shape=(math.prod(sizes),), axis=0)
    return builder.reshape(flat, sizes), sizes


def _one_axis(sizes, moving, offset):
    """(axis, start, count) where a view is all of memory but for a range of one axis; None where it is not."""
    strides, by_stride = contiguous_strides(sizes), {d.stride: d.size for d in moving}
    partial = [i for i, (n, s) in enumerate(zip(sizes, strides, strict=True)) if n > 1 and by_stride.get(s, 1) != n]
    if len(partial) != 1 or len(by_stride) != len(moving) or any(s not in strides for s in by_stride):
        return None
    if len({s for n, s in zip(sizes, strides, strict=True) if n > 1}) != sum(n > 1 for n in sizes):
        return None
    axis, = partial
    start, count = offset // strides[axis], by_stride.get(strides[axis], 1)
    return (axis, start, count) if offset == start * strides[axis] and start + count <= sizes[axis] else None


def _side_by_side(builder, x, sizes, new, moving, axis, start, count):
    strides = contiguous_strides(sizes)
    by_stride = sorted(moving, key=lambda d: -d.stride)
    order = [d.place for d in by_stride]
    new = builder.squeeze(new, [d for d in range(new.ndim) if d not in order])
    rank = {place: i for i, place in enumerate(sorted(order))}
    new = builder.transpose(new, [rank[place] for place in order])
    present = {d.stride for d in moving}
    new = builder.unsqueeze(new, [i for i, (n, s) in enumerate(zip(sizes, strides, strict=True)) if n == 1 or s not in present])
    parts = [builder.slice(x, {axis: (0, start, 1)})] if start else []
    parts.append(new)
    after = sizes[axis] - start - count
    if after:
        parts.append(builder.slice(x, {axis: (start + count, after, 1)}))
    return builder.concat(parts, axis)
