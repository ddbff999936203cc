"""Reading and writing along one dimension by an index tensor: gather, scatter and their one-dimensional forms.

Each op has the attribute `wrap`: if true, negative indices count from the end, as in x[index]; if false, they are out of range.
"""

import math

import numpy as np

from ...base import dtypes
from ...base.errors import DimensionError, DTypeError, ShapeError, UnsupportedDTypeError
from ...base.shapes import collapse, normalize_dim
from ...codegen import expr as E
from ...codegen.templates import render
from ...dispatch import faults
from ...dispatch.plan import In, Out
from ..kinds.elementwise import AHEAD, RANKS, elementwise, row_numbers, work_groups
from ..kinds.kernel import kernel
from ..kinds.launch import step
from ..pointwise.elementary import copy
from . import onnx_rules

ITEMS = 1024  # work-items that keep a GPU's compute unit busy
UFUNC = {"add": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}  # NumPy's counterparts of COMBINE
COMBINE = {"set": "value", "add": "old + value", "prod": "old * value",
           "amax": "old != old || old > value ? old : value", "amin": "old != old || old < value ? old : value"}
#: of pairs, where that differs
COMPLEX_COMBINE = {"prod": "old * value.x + (value_t)(-old.y, old.x) * value.y"}


def check_index(name, index):
    """Raise DTypeError unless index holds int64 or int32."""
    if index.dtype not in (dtypes.int64, dtypes.int32):
        raise DTypeError(f"{name}(): Expected dtype int64 or int32 for index, got {index.dtype.name}; use .long()")


def _check_order(name, x, combine):
    """Raise UnsupportedDTypeError for the extremes of complex numbers, which have no order."""
    if combine in ("amax", "amin") and x.dtype.is_complex:
        raise UnsupportedDTypeError(f"{name}(): {combine} is not defined for {x.dtype.name}, which has no order; use .abs()")


def _layout(shape, strides):
    """Merge dimensions, put the last operand's innermost one last, and pad to a compiled rank."""
    order = sorted(range(len(shape)), key=lambda i: -strides[-1][i])
    dims, runs = collapse([shape[i] for i in order], *([s[i] for i in order] for s in strides))
    rank = next(r for r in RANKS if r >= len(dims))
    return (1,) * (rank - len(dims)) + dims, [(0,) * (rank - len(r)) + r for r in runs], rank


def _class(dims, run):
    return "c" if dims[-1] == 1 else {0: "b", 1: "c"}.get(run[-1], "s")


def _gather_step(x, out, index, index_strides, dim, wrap):
    """One launch over out's elements; the index gives x's position along dim."""
    device = x.device
    walked = [0 if d == dim else s for d, s in enumerate(x.strides)] if x.ndim else []
    dims, runs, rank = _layout(out.shape, (walked, index_strides, out.strides))
    source = render("gather", style=device.profile.style, rank=rank, dtype=x.dtype, index_dtype=index.dtype,
                    x_class=_class(dims, runs[0]), index_class=_class(dims, runs[1]), AHEAD=AHEAD)
    rows = math.prod(dims[:-1])
    size, along = (x.shape[dim], x.strides[dim]) if x.ndim else (1, 0)
    return step(source, x_p=In(0), index_p=In(1), out_p=Out(0), **row_numbers(("x", "index", "out"), dims, runs), rows=rows,
                size=size, low=-size if wrap else 0, along=along, **_noted(device), **work_groups(device.profile, rows, dims[-1]))


def _noted(device):
    return dict(zip(("fault", "who"), faults.note(device), strict=True))


def _scatter_step(name, out, index, index_strides, src, src_strides, dim, combine, wrap):
    """One launch that walks each column in order and combines src into out at the index."""
    device = out.device
    if out.ndim == 0:
        shape, count, lanes = (), 1, ((), (), ())
        size, along, index_t, src_t = 1, 0, 0, 0
    else:
        extent = index.shape if index.ndim == out.ndim and name == "scatter" else src.shape
        count = extent[dim]
        rest = [d for d in range(out.ndim) if d != dim]
        shape = [extent[d] for d in rest]
        lanes = tuple([s[d] for d in rest] for s in (index_strides, src_strides, out.strides))
        size, along, index_t, src_t = out.shape[dim], out.strides[dim], index_strides[dim], src_strides[dim]
    dims, runs, rank = _layout(shape, lanes)
    text = COMPLEX_COMBINE.get(combine, COMBINE[combine]) if out.dtype.is_complex else COMBINE[combine]
    source = render("scatter", style=device.profile.style, rank=rank, dtype=out.dtype, index_dtype=index.dtype, combine=text,
                    index_class="b" if runs[0][-1] == 0 else "s")
    rows = math.prod(dims[:-1])
    groups = work_groups(device.profile, rows, dims[-1])
    if device.profile.style == "gpu":
        groups["parts"] = max(1, min(device.profile.compute_units * ITEMS // max(rows * dims[-1], 1), size, 256))
    return step(source, index_p=In(1), src_p=In(2), out_p=Out(0), **row_numbers(("index", "src", "out"), dims, runs), rows=rows,
                count=count, size=size, low=-size if wrap else 0, along=along, index_t=index_t, src_t=src_t, **_noted(device),
                **groups)


flat_index = elementwise(
    "flat_index", lambda before, index, n, step: E.where(
        before < 0, before, E.where((index >= n) | (index < -n), faults.UNKNOWN + index,
                                    before + E.where(index < 0, index + n, index) * step)),
    tensors="before index", dtypes="index", public=False,
    ref=lambda before, i, n, step: np.where(
        before < 0, before, np.where((i >= n) | (i < -n), faults.UNKNOWN + i, before + np.where(i < 0, i + n, i) * step)),
    samples=lambda rng: [((np.array([0, 5, -1, 2, 3, 9]), np.array([-3, 2, 0, 3, -4, -1])), {"n": 3, "step": 4})],
    doc="A flat position moved on by an index of one more dimension, with n elements; out of range, the index + faults.UNKNOWN.")


# --- NumPy references, for arrays of at least one dimension: kernels see 0-d arrays as 1-d -----------------------------------


def _checked(index, size, wrap):
    """An index array.  Raises IndexError if an index is out of range."""
    wrong = index[(index >= size) | (index < (-size if wrap else 0))]
    if wrong.size:
        raise IndexError(f"index {wrong.flat[0]} is out of bounds for dimension with size {size}")
    return index


def _gather_ref(x, index, dim, wrap=False):
    x, i = np.atleast_1d(x), np.atleast_1d(index)
    dim %= x.ndim
    part = x[tuple(slice(None) if d == dim else slice(0, n) for d, n in enumerate(i.shape))]
    return np.take_along_axis(part, _checked(i, x.shape[dim], wrap), dim).reshape(index.shape)


def _select_ref(x, index, dim, wrap=False):
    if not np.ndim(x):
        return x
    return np.take(x, _checked(np.atleast_1d(index), x.shape[dim], wrap), dim)


def _put(out, places, part, combine):
    if combine == "set":
        out[places] = part
    else:
        UFUNC[combine].at(out, places, part)


def _scatter_ref(x, index, src, dim, combine, wrap=False):
    out, i, src = np.array(x, ndmin=1), np.atleast_1d(index), np.atleast_1d(src)
    if i.size:
        places = list(np.indices(i.shape))
        places[dim] = _checked(i, out.shape[dim], wrap)
        _put(out, tuple(places), src[tuple(slice(0, n) for n in i.shape)], combine)
    return out.reshape(x.shape)


def _combine_ref(x, index, src, dim, combine, wrap=False):
    out = np.array(x, ndmin=1)
    dim %= out.ndim
    i = _checked(np.atleast_1d(index), out.shape[dim], wrap)
    part = np.reshape(src, (*out.shape[:dim], i.size, *out.shape[dim + 1:]))
    _put(np.moveaxis(out, dim, 0), i, np.moveaxis(part, dim, 0), combine)
    return out.reshape(x.shape)


# --- gather, index_select --------------------------------------------------------------------------------------------


def _gather_shape(x, index, *, dim, wrap=False):
    check_index("gather", index)
    if max(x.ndim, 1) != max(index.ndim, 1):
        raise ShapeError(f"gather(): Index tensor must have the same number of dimensions as input tensor: index is "
                         f"{list(index.shape)}, input {list(x.shape)}")
    d = normalize_dim(dim, x.ndim, "gather")
    if x.ndim and index.ndim and index.numel:
        for i, (n, m) in enumerate(zip(index.shape, x.shape, strict=True)):
            if i != d and n > m:
                raise ShapeError(f"gather(): Size does not match at dimension {i}: expected index {list(index.shape)} to be no "
                                 f"larger than self {list(x.shape)} apart from dimension {d}")
    return x.dense(index.shape)


def _gather_launch(specs, outs, dim, wrap):
    x, index = specs
    if x.ndim != index.ndim:  # one is 0-d, the other 1-d
        x = x if x.ndim else index.dense((1,), x.dtype)
        index_strides = index.strides if index.ndim else (0,)
        out = outs[0] if outs[0].ndim else outs[0].dense((1,))
        return [_gather_step(x, out, index, index_strides, 0, wrap)]
    d = normalize_dim(dim, x.ndim, "gather") if x.ndim else 0
    return [_gather_step(x, outs[0], index, index.strides, d, wrap)]


def _zeros_like_x(g, x):
    return g.new_zeros(()).expand(x.shape)  # scatter copies it first; reading one zero is cheaper than reading many


gather = kernel("gather_along", onnx=onnx_rules.gather,
                shape=_gather_shape, launch=_gather_launch, saves="index", reports_faults=True,
                batch="dim", public=False, dtypes="stored",
                vjp=(lambda g, y, x, index, dim, wrap: scatter(_zeros_like_x(g, x), index, g, dim=dim, combine="add", wrap=wrap),
                     lambda *a, **k: None),
                ref=_gather_ref, doc="x's values at index along dim.",
                samples=lambda rng: [((rng.standard_normal((3, 4)), rng.integers(0, 3, (2, 4))), {"dim": 0}),
                                     ((rng.standard_normal((3, 4)), rng.integers(-4, 4, (3, 5))), {"dim": 1, "wrap": True})],
                complex=True)


def _select_shape(x, index, *, dim, wrap=False):
    check_index("index_select", index)
    if index.ndim > 1:
        raise DimensionError(f"index_select(): Index is supposed to be a vector, got shape {list(index.shape)}")
    d = normalize_dim(dim, x.ndim, "index_select")
    if not x.ndim:
        return x.dense(())
    return x.dense((*x.shape[:d], index.numel, *x.shape[d + 1:]))


def _select_launch(specs, outs, dim, wrap):
    x, index = specs
    if not x.ndim:
        return [_gather_step(x, outs[0], index, (), 0, wrap)]
    d = normalize_dim(dim, x.ndim, "index_select")
    step = index.strides[0] if index.ndim else 0
    strides = tuple(step if i == d else 0 for i in range(x.ndim))
    return [_gather_step(x, outs[0], index, strides, d, wrap)]


index_select = kernel("index_select", onnx=onnx_rules.index_select,
                      shape=_select_shape, launch=_select_launch, saves="index", reports_faults=True, public=False,
                      dtypes="stored",
                      vjp=(lambda g, y, x, index, dim, wrap: index_combine(_zeros_like_x(g, x), index, g, dim=dim, combine="add",
                                                                           wrap=wrap), lambda *a, **k: None),
                      ref=_select_ref, doc="x's slices at a vector of indices along dim.",
                      samples=lambda rng: [((rng.standard_normal((3, 4)), rng.integers(0, 3, 5)), {"dim": 0}),
                                           ((rng.standard_normal((3, 4)), np.array([1, -1, -4])), {"dim": -1, "wrap": True})],
                      complex=True)


# --- scatter, index_add, index_copy ----------------------------------------------------------------------------------


def _check_not_empty(name, x, d, index):
    """Raise DimensionError for an index into an empty dimension: no kernel is launched that could detect it."""
    if index.numel and x.ndim and not x.shape[d]:
        raise DimensionError(f"{name}: index is out of bounds for dimension {d} with size 0")


def _scatter_shape(x, index, src, *, dim, combine, wrap=False):
    check_index("scatter", index)
    _check_order("scatter_reduce", x, combine)
    if x.dtype is not src.dtype:
        raise DTypeError(f"scatter(): Expected self.dtype to be equal to src.dtype, got {x.dtype.name} and {src.dtype.name}")
    if max(x.ndim, 1) != max(index.ndim, 1) or (index.numel and max(index.ndim, 1) != max(src.ndim, 1)):
        raise ShapeError(f"scatter(): Index tensor must have the same number of dimensions as self and src: index "
                         f"{list(index.shape)}, self {list(x.shape)}, src {list(src.shape)}")
    d = normalize_dim(dim, x.ndim, "scatter")
    _check_not_empty("scatter", x, d, index)
    for i, n in enumerate(index.shape if index.numel else ()):
        if (i != d and x.ndim and n > x.shape[i]) or (src.ndim and n > src.shape[i]):
            raise ShapeError(f"scatter(): Expected index {list(index.shape)} to be no larger than self {list(x.shape)} apart from "
                             f"dimension {d} and to be no larger than src {list(src.shape)}")
    return x.dense()


def _after_copy(updates):
    """The launch rule that copies the first input, then `updates` it."""
    return lambda specs, outs, **attributes: [*copy.plan_steps(specs[0], outs[0]), *updates(specs, outs, **attributes)]


def _scatter_updates(specs, outs, dim, combine, wrap):
    x, index, src = specs
    if not index.numel:
        return []
    one = outs[0] if outs[0].ndim else outs[0].dense((1,))
    index_strides = index.strides if index.ndim else (0,)
    return [_scatter_step("scatter", one, index if index.ndim else index.dense((1,)), index_strides, src,
                          src.strides if src.ndim else (0,), normalize_dim(dim, x.ndim, "scatter"), combine, wrap)]


def _scatter_self(g, y, x, index, src, dim, combine, wrap):
    if combine == "add":
        return g
    return scatter(g, index, g.new_zeros(()).expand(index.shape), dim=dim, combine="set", wrap=wrap)


def _scatter_src(g, y, x, index, src, dim, combine, wrap):
    part = gather(g, index, dim=dim, wrap=wrap)
    if tuple(part.shape) == tuple(src.shape):
        return part
    full = g.new_zeros(src.shape)
    full[tuple(slice(0, n) for n in part.shape)] = part
    return full


def _scatter_samples(rng):
    x, src, unique = rng.standard_normal((3, 4)), rng.standard_normal((4, 4)), np.array([[2, 0, 1, 1], [0, 2, -1, 0]])
    return [((x, rng.integers(0, 3, (3, 4)), src), {"dim": 0, "combine": "add"}),
            ((x, unique, src[:2]), {"dim": 0, "combine": "set", "wrap": True})]


scatter = kernel("scatter_along", onnx=onnx_rules.scatter,
                 shape=_scatter_shape, launch=_after_copy(_scatter_updates), updates=_scatter_updates,
                 saves="index", reports_faults=True, batch="dim", public=False,
                 vjp=(_scatter_self, lambda *a, **k: None, _scatter_src), ref=_scatter_ref,
                 samples=_scatter_samples, doc="x with src combined into it at index along dim, in order.", complex=True)


def _add_shape(x, index, src, *, dim, combine, wrap=False):
    name = "index_add" if combine == "add" else "index_copy"
    check_index(name, index)
    _check_order("index_reduce", x, combine)
    if x.dtype is not src.dtype:
        raise DTypeError(f"{name}(): self ({x.dtype.name}) and source ({src.dtype.name}) expected to have the same dtype")
    if index.ndim > 1:
        raise DimensionError(f"{name}(): Index is supposed to be a vector, got shape {list(index.shape)}")
    d = normalize_dim(dim, x.ndim, name)
    wanted = (*x.shape[:d], index.numel, *x.shape[d + 1:]) if x.ndim else ()
    if tuple(src.shape) != wanted and not (x.ndim == 0 and src.numel == 1):
        raise (DimensionError if combine == "set" else ShapeError)(
            f"{name}(): source has shape {list(src.shape)}, expected {list(wanted)}: that of self "
            f"{list(x.shape)} with {index.numel} indices at dimension {d}")
    if src.numel:
        _check_not_empty(name, x, d, index)
    return x.dense()


def _combine_updates(specs, outs, dim, combine, wrap):
    x, index, src = specs
    if not (index.numel and src.numel):
        return []
    name = "index_add" if combine == "add" else "index_copy"
    if not x.ndim:
        return [_scatter_step(name, outs[0].dense((1,)), index.dense((1,)), (0,), src.dense((1,)), (0,), 0, combine, wrap)]
    d = normalize_dim(dim, x.ndim, name)
    step = index.strides[0] if index.ndim else 0
    strides = tuple(step if i == d else 0 for i in range(x.ndim))
    # the index is one-dimensional, so the launch walks the source's shape
    return [_scatter_step(name, outs[0], index, strides, src, src.strides, d, combine, wrap)]


def _combine_samples(rng):
    x = rng.standard_normal((3, 4))
    return [((x, np.array([1, 3, 1]), rng.standard_normal((3, 3))), {"dim": 1, "combine": "add"}),
            ((x, np.array([-1, 0]), rng.standard_normal((2, 4))), {"dim": 0, "combine": "set", "wrap": True})]


def _combine_self(g, y, x, index, src, dim, combine, wrap):
    if combine == "add":
        return g
    return index_combine(g, index, g.new_zeros(()).expand(src.shape), dim=dim, combine="set", wrap=wrap)


index_combine = kernel("index_combine", onnx=onnx_rules.index_combine,
                       shape=_add_shape, launch=_after_copy(_combine_updates), updates=_combine_updates,
                       saves="index", reports_faults=True, public=False, dtypes="stored",
                       vjp=(_combine_self, lambda *a, **k: None, lambda g, y, x, index, src, dim, combine, wrap: index_select(
                           g, index, dim=dim, wrap=wrap).reshape(src.shape)),
                       ref=_combine_ref, samples=_combine_samples,
                       doc="x with slices of src combined into it at a vector of indices along dim, in order.", complex=True)
