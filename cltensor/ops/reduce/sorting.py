"""Sorting rows, searching sorted rows, and selecting by a mask."""

import functools
import itertools
import math

import numpy as np

from ...base import dtypes
from ...codegen.templates import render
from ...dispatch.plan import In, Out, Scratch
from ..kinds.kernel import kernel
from ..kinds.launch import step
from . import onnx_rules

B, CHUNK = 32, 512


def flat_groups(profile, units, each=1):
    """The work-groups of the cpu style for `units` independent pieces of `each` elements."""
    return max(1, min(profile.groups, units, units * each // 2048))


def _rows(x):
    n = x.shape[-1] if x.ndim else 1
    return math.prod(x.shape[:-1]), n


def _sort_launch(specs, outs, descending):
    """Sort short runs by insertion, then merge them in passes between two pairs of buffers; the last writes the outputs."""
    x, profile = specs[0], specs[0].device.profile
    rows, n = _rows(x)
    passes = max(0, math.ceil(math.log2(max(1, -(-n // B)))))
    options = {"style": profile.style, "dtype": x.dtype, "descending": descending}
    blocks, merge = render("sort_blocks", B=B, **options), _merge_source(profile.style, x.dtype, descending)
    outputs = Out(0), Out(1)
    spare = (Scratch(x.numel * x.itemsize), Scratch(x.numel * 8)) if passes else outputs
    ends = [outputs if (passes - i) % 2 == 0 else spare for i in range(passes + 1)]
    steps = [step(blocks, x_p=In(0), keys_p=ends[0][0], places_p=ends[0][1], rows=rows, n=n,
                  groups=flat_groups(profile, rows * -(-n // B), B))]
    for i, ((keys, places), (to, to_places)) in enumerate(itertools.pairwise(ends)):
        steps.append(step(merge, from_p=keys, from_places=places, to_p=to, to_places=to_places, rows=rows, n=n, width=B << i,
                          groups=flat_groups(profile, rows * -(-n // CHUNK), CHUNK)))
    return steps


@functools.cache
def _merge_source(style, dtype, descending):
    return render("sort_merge", style=style, dtype=dtype, descending=descending, CHUNK=CHUNK)


def _sort_samples(rng):
    return [((rng.standard_normal((3, 70)),), {"descending": False}), ((rng.standard_normal((2, 5)),), {"descending": True})]


def _sort_ref(x, descending):
    x = np.atleast_1d(x)
    if descending:  # reverse twice, so that equal elements keep their order
        order = x.shape[-1] - 1 - np.argsort(x[..., ::-1], -1, kind="stable")[..., ::-1]
    else:
        order = np.argsort(x, -1, kind="stable")
    return np.take_along_axis(x, order, -1), order


def _search_ref(sequence, values, sorter, right, int32):
    side, values = "right" if right else "left", np.asarray(values)
    if sequence.ndim == 1:
        return np.searchsorted(sequence, values, side, sorter)
    rows = [np.searchsorted(*each, side) for each in zip(
        (sequence if sorter is None else np.take_along_axis(sequence, sorter, -1)).reshape(-1, sequence.shape[-1]),
        values.reshape(-1, values.shape[-1]), strict=True)]
    return np.reshape(rows, values.shape)


def _mode_ref(keys, places):
    best = np.array([max(range(len(r)), key=[np.sum(r[:i + 1] == v) for i, v in enumerate(r)].__getitem__)
                     for r in keys.reshape(-1, keys.shape[-1])], np.int64).reshape(*keys.shape[:-1], 1)
    return tuple(np.take_along_axis(a, best, -1)[..., 0] for a in (keys, places))


sort_rows = kernel("sort_rows", onnx=onnx_rules.sort_rows, batch="leading", launch=_sort_launch,
                   shape=lambda x, *, descending: (x.dense(), x.dense(dtype=dtypes.int64)),
                   public=False, saves="y1", ref=_sort_ref, samples=_sort_samples,
                   vjp=(lambda g, y, x, descending: g[0].new_zeros(x.shape).scatter(-1, y[1], g[0]),),
                   doc="The last dimension of a dense tensor in order, stably, and where each element came from; NaN is largest.")


def _search_launch(specs, outs, right):
    sequence, values, sorter = specs
    profile = values.device.profile
    n = sequence.shape[-1]
    m = values.shape[-1] if sequence.ndim > 1 else values.numel
    rows = math.prod(values.shape[:-1]) if sequence.ndim > 1 else 1
    source = render("search", style=profile.style, dtype=sequence.dtype, out_dtype=outs[0].dtype, right=right,
                    sorter=sorter is not None)
    return [step(source, sorted_p=In(0), values_p=In(1), sorter_p=In(2), out_p=Out(0), rows=rows, n=n, m=m,
                 rows_apart=n if sequence.ndim > 1 else 0, groups=flat_groups(profile, rows * m, 32))]


search_rows = kernel("search_rows", onnx=onnx_rules.search_rows,
                     shape=lambda sequence, values, sorter, *, right, int32: values.dense(
                     dtype=dtypes.int32 if int32 else dtypes.int64),
                     launch=lambda specs, outs, right, int32: _search_launch(specs, outs, right), public=False,
                     ref=_search_ref, samples=lambda rng: [((np.sort(rng.standard_normal(9)), rng.standard_normal((2, 3)), None),
                                           {"right": False, "int32": False})],
                     doc="Where values would be inserted into sorted rows.")


def _compact_launch(specs, outs, count):
    profile = specs[0].device.profile
    source = render("compact", style=profile.style)
    n = specs[0].numel
    return [step(source, mask_p=In(0), counts_p=In(1), out_p=Out(0), n=n, groups=flat_groups(profile, n))]


compact = kernel("compact", onnx=onnx_rules.compact,
                 shape=lambda mask, counts, *, count: mask.dense((count,), dtypes.int64), launch=_compact_launch,
                 public=False, ref=lambda mask, counts, count: np.flatnonzero(mask),
                 samples=lambda rng: [((np.array([True, False, True]), np.array([1, 1, 2])), {"count": 2})],
                 doc="The flat positions a dense mask marks, given the running count of its marks.")


def _mode_launch(specs, outs):
    profile = specs[0].device.profile
    rows, n = _rows(specs[0])
    source = render("mode", style=profile.style, dtype=specs[0].dtype)
    return [step(source, keys_p=In(0), places_p=In(1), values_p=Out(0), indices_p=Out(1), rows=rows, n=n,
                 groups=flat_groups(profile, rows, n))]


mode_rows = kernel("mode_rows", onnx=onnx_rules.mode_rows, batch="leading", shape=lambda keys, places: (
                       keys.dense(keys.shape[:-1]), keys.dense(keys.shape[:-1], dtypes.int64)),
                   launch=_mode_launch, public=False, ref=_mode_ref,
                   samples=lambda rng: [((np.array([[1.0, 2.0, 2.0], [0.0, 1.0, 2.0]]), np.array([[0, 1, 2], [2, 1, 0]])), {})],
                   doc="The most frequent value of each sorted row, the smallest where several are.")
