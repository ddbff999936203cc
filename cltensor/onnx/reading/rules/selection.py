"""Taking elements: gathering, masks, extremes, sorting."""

import math

import numpy as np

from ..operators import operator
from ..public import axis_of, ct, integer, number
from ..unsigned import in_order


def from_the_front(indices, size):
    """Indices of int64 that count from the front."""
    indices = indices.to(ct.int64)
    return ct.where(indices < 0, indices + size, indices)


@operator("Gather", narrow="same")
def gather(data, indices, *, axis=0):
    axis = axis_of(axis, data.ndim)
    found = ct.index_select(data, axis, from_the_front(indices, data.shape[axis]).reshape(-1))
    return found.reshape([*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :]])


@operator("GatherElements", since=11)
def gather_elements(data, indices, *, axis=0):
    return ct.gather(data, axis, from_the_front(indices, data.shape[axis]))


def flat_places(indices, shape):
    """Positions in a flattened tensor of the places that the last dimension of indices names."""
    places = 0
    for i, size in enumerate(shape):
        places = places * size + from_the_front(indices[..., i], size)
    return places


@operator("GatherND", since=11)
def gather_nd(data, indices, *, batch_dims=0):
    depth = indices.shape[-1]
    batch, named = list(data.shape[:batch_dims]), data.shape[batch_dims : batch_dims + depth]
    rest = list(data.shape[batch_dims + depth :])
    places = flat_places(indices, named)
    if batch_dims:
        first = ct.arange(math.prod(batch), device=data.device) * math.prod(named)
        places = places + first.reshape(batch + [1] * (places.ndim - batch_dims))
    rows = data.reshape([math.prod(batch) * math.prod(named), *rest])
    return ct.index_select(rows, 0, places.reshape(-1)).reshape([*indices.shape[:-1], *rest])


@operator("Compress", since=9)
def compress(input, condition, *, axis=None):
    if axis is None:
        input, axis = input.reshape(-1), 0
    return ct.index_select(input, axis, ct.nonzero(condition).reshape(-1))


@operator("NonZero", since=9)
def non_zero(x):
    return ct.nonzero(x).T


@operator("OneHot", since=9, host="depth")
def one_hot(indices, depth, values, *, axis=-1):
    depth = int(integer(depth))
    axis = axis_of(axis, indices.ndim + 1)
    shape = [1] * (indices.ndim + 1)
    shape[axis] = depth
    places = ct.arange(depth, device=indices.device).reshape(shape)
    found = places == ct.remainder(indices.to(ct.int64), depth).unsqueeze(axis)
    inside = ((indices >= -depth) & (indices < depth)).unsqueeze(axis)
    return ct.where(found & inside, values[1], values[0])


@operator("TopK")
def top_by_attribute(x, *, k, axis=-1):
    return tuple(ct.topk(x, k, axis))


@operator("TopK", since=10, host="k")
def top(x, k, *, axis=-1, largest=1, sorted=1):
    order = in_order(x)
    _, places = ct.sort(order, axis, bool(largest), stable=True)
    places = places.narrow(axis, 0, integer(k))
    return ct.gather(x, axis, places), places


@operator("Unique", since=11)
def unique(x, *, axis=None, sorted=1):
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = axis_of(axis, x.ndim)
    rows = x.movedim(axis, 0)
    _, inverse = ct.unique(rows, dim=0, return_inverse=True) if rows.ndim > 1 else ct.unique(rows, return_inverse=True)
    n = rows.shape[0]
    count = int(inverse.max().item()) + 1 if n else 0
    where = ct.arange(n, device=x.device)
    first = ct.scatter_reduce(ct.full((count,), n, device=x.device), 0, inverse, where, "amin")
    if not sorted:
        order = ct.argsort(first)
        rank = ct.scatter(ct.zeros_like(order), 0, order, ct.arange(count, device=x.device))
        inverse, first = rank[inverse], first[order]
    counts = ct.zeros(count, dtype=ct.int64, device=x.device).scatter_add(0, inverse, ct.ones_like(inverse))
    return ct.index_select(rows, 0, first).movedim(0, axis), first, inverse, counts


@operator("ReverseSequence", since=10)
def reverse_sequence(input, sequence_lens, *, batch_axis=1, time_axis=0):
    n = input.shape[time_axis]
    times = ct.arange(n, device=input.device).reshape(-1, 1)
    lengths = sequence_lens.to(ct.int64).reshape(1, -1)
    places = ct.where(times < lengths, lengths - 1 - times, times)
    if batch_axis < time_axis:
        places = places.T
    places = places.reshape([*places.shape, *[1] * (input.ndim - 2)])
    return ct.gather(input, time_axis, places.expand(input.shape))


@operator("TensorScatter", since=24)
def tensor_scatter(past_cache, update, write_indices=None, *, axis=-2, mode="linear"):
    axis = axis_of(axis, past_cache.ndim)
    n, batch = past_cache.shape[axis], past_cache.shape[0]
    places = ct.arange(update.shape[axis], device=past_cache.device).reshape(1, -1)
    if write_indices is not None:
        places = places + write_indices.to(ct.int64).reshape(-1, 1)
    places = ct.remainder(places, n) if mode == "circular" else places
    shape = [1] * past_cache.ndim
    shape[axis] = update.shape[axis]
    shape[0] = batch if write_indices is not None else 1
    return ct.scatter(past_cache, axis, places.reshape(shape).expand(update.shape), update)


@operator("NonMaxSuppression", since=10, host="boxes scores max_output_boxes_per_class iou_threshold score_threshold")
def non_max_suppression(boxes, scores, max_output_boxes_per_class=None, iou_threshold=None, score_threshold=None, *,
                        center_point_box=0):
    most = 0 if max_output_boxes_per_class is None else integer(max_output_boxes_per_class)
    limit = 0.0 if iou_threshold is None else number(iou_threshold)
    least = -math.inf if score_threshold is None else number(score_threshold)
    chosen = [(batch, kind, box) for batch in range(scores.shape[0]) for kind in range(scores.shape[1])
              for box in _kept(_corners(boxes[batch], center_point_box), scores[batch, kind], most, limit, least)]
    return np.array(chosen, np.int64).reshape(-1, 3)


def _corners(boxes, centered):
    """(y1, x1, y2, x2) of boxes, the smaller ones first."""
    if centered:
        x, y, w, h = boxes.T
        return np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], 1)
    first, second = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], 1)


def _kept(boxes, scores, most, limit, least):
    """Indices of the boxes that no better one overlaps by more than the limit, the best first."""
    order = [i for i in np.argsort(-scores, kind="stable") if scores[i] > least]
    area = np.prod(boxes[:, 2:] - boxes[:, :2], 1)
    kept = []
    while order and len(kept) < most:
        best = order.pop(0)
        kept.append(best)
        rest = np.array(order, np.int64)
        sides = np.minimum(boxes[rest, 2:], boxes[best, 2:]) - np.maximum(boxes[rest, :2], boxes[best, :2])
        inside = np.clip(sides, 0, None).prod(1)
        union = area[rest] + area[best] - inside
        order = [i for i, over in zip(order, inside > limit * union, strict=True) if not over]
    return kept
