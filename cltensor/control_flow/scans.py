"""scan, map and associative_scan: functions along a dimension."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base import calls
from ..base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from ..base.shapes import normalize_dim
from ..dispatch.tensor_base import TensorBase
from ..func.map import vmap
from ..graph.structure import flatten, unflatten
from ..tensor.shape.joining import cat, stack


def scan(combine_fn: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any, *, dim: int = 0,
         reverse: bool = False) -> tuple[Any, Any]:
    """(last carry, outputs): combine_fn(carry, x) gives the next carry and an output, for each slice x of xs along a dimension.

    init: the first carry, a tensor of any shape and dtype, or tuples, lists and dicts of tensors; each carry has its structure,
    shapes and dtypes.  xs: a tensor, or tensors in such a structure, of one size along `dim`.  reverse: go from the last slice to
    the first; each output stays at the place of its slice.  The outputs are stacked along `dim`.  Gradients flow through all steps.

    Under compile the steps are captured one by one.  Numerics: those of combine_fn.

    Raises ArgumentTypeError where combine_fn cannot be called or returns something else than two values, or for leaves that are no
    tensors; ArgumentError for an init without tensors; DimensionError for a dimension that xs lacks; ShapeError and DTypeError for
    slices of different number, none at all, and where a carry or an output changes its layout.
    Source: torch._higher_order_ops.scan.

        >>> total, sums = ct.scan(lambda total, x: (total + x, total + x), ct.zeros(()), ct.ones(4))
        >>> sums
        tensor([1., 2., 3., 4.])
    """
    if not callable(combine_fn):
        raise ArgumentTypeError(f"scan: Combine_fn must be a callable, but got {combine_fn!r}")
    carry, template = _tensors("scan", "init", init)
    if not carry:
        raise ArgumentError("scan: scan() operator requires init leaves; give the carry a tensor")
    leaves, form = _tensors("scan", "xs", xs)
    if not leaves:
        return init, []
    outs, shape = [], None
    for x in _slices("scan", leaves, form, dim, reverse):
        found = combine_fn(unflatten(template, iter(carry)), x)
        if not isinstance(found, tuple) or len(found) != 2:
            raise ArgumentTypeError(f"scan: combine_fn must return (next carry, output), got {calls.kind(found)}; return a tuple "
                                    "of two")
        carry = _like("scan", "the carry", carry, template, found[0])
        out, seen = _tensors("scan", "the output of combine_fn", found[1])
        if shape is not None:
            _like("scan", "the output of combine_fn", outs[-1], shape, found[1])
        outs.append(out)
        shape = seen
    outs = outs[::-1] if reverse else outs
    return unflatten(template, iter(carry)), unflatten(shape, iter([stack(list(ts), dim) for ts in zip(*outs, strict=True)]))


def map(f: Callable[..., Any], xs: Any, *args: Any) -> Any:
    """f(x, *args) of each slice x of xs along the first dimension, stacked.

    xs: a tensor of any shape and dtype with at least one slice, or tensors of one length in tuples, lists and dicts; x has its
    structure.  f returns tensors of the same shapes and dtypes for each slice, in any structure; None may stand among them.
    Gradients flow.

    Under compile the calls are captured one by one.  vmap is the faster way for what it can do.  Numerics: those of f.

    Raises ArgumentTypeError where f cannot be called, and for leaves that are no tensors; ArgumentError for an xs without tensors;
    ShapeError for lengths that differ or are 0, and where f changes the shapes or dtypes of what it returns.
    Source: torch._higher_order_ops.map.

        >>> ct.map(lambda row, scale: row.sum() * scale, ct.ones(3, 2), 10)
        tensor([20., 20., 20.])
    """
    if not callable(f):
        raise ArgumentTypeError(f"map: expected a function, got {calls.kind(f)}")
    leaves, form = _tensors("map", "xs", xs)
    if not leaves:
        raise ArgumentError("map: xs holds no tensor to go along")
    made, template = [], None
    for x in _slices("map", leaves, form, 0, False):
        found, seen = flatten(f(x, *args))
        strange = next((v for v in found if not isinstance(v, (TensorBase, type(None)))), None)
        if strange is not None:
            raise ArgumentTypeError(f"map: f must return tensors, got {strange!r}; make a tensor of it")
        if template is not None and (seen != template or [_layout(v) for v in found] != [_layout(v) for v in made[-1]]):
            raise ShapeError(f"map: f must return the same structure, shapes and dtypes for each slice, got {_shown(made[-1])} and "
                             f"{_shown(found)}")
        made.append(found)
        template = seen
    return unflatten(template, iter([None if ts[0] is None else stack(list(ts)) for ts in zip(*made, strict=True)]))


def associative_scan(combine_fn: Callable[[Any, Any], Any], xs: Any, dim: int, reverse: bool = False,
                     combine_mode: str = "pointwise") -> Any:
    """combine_fn over all slices of xs up to each one, along a dimension, in a number of steps that grows with the logarithm.

    xs: a tensor of any shape and dtype, or tensors of one size along `dim` in tuples, lists and dicts.  combine_fn(a, b) takes and
    returns values in the structure of xs, and must be associative.  reverse: over the slices from each one on.  combine_mode:
    "pointwise" where combine_fn works element by element, whatever the shape; "generic" where it needs single slices: then it runs
    in vmap.  Gradients flow.  Numerics: sums are taken in pairs, not in order.

    Raises ArgumentTypeError where combine_fn cannot be called, and for leaves that are no tensors; ArgumentError for another
    combine_mode and an xs without tensors; DimensionError for a dimension that xs lacks; ShapeError for sizes that differ or are 0,
    and where combine_fn changes structure or shapes.
    Source: torch._higher_order_ops.associative_scan; Blelloch, Prefix sums and their applications, 1990.

        >>> ct.associative_scan(lambda a, b: a * b, ct.tensor([1.0, 2.0, 3.0, 4.0]), 0)
        tensor([ 1.,  2.,  6., 24.])
    """
    if not callable(combine_fn):
        raise ArgumentTypeError(f"associative_scan: Combine_fn must be a callable, but got {combine_fn!r}")
    if combine_mode not in ("pointwise", "generic"):
        raise ArgumentError(f"associative_scan: Combine_mode must either 'pointwise' or 'generic', but got {combine_mode}")
    leaves, template = _tensors("associative_scan", "xs", xs)
    if not leaves:
        raise ArgumentError("associative_scan: xs holds no tensor to go along")
    dim, _ = _length("associative_scan", leaves, dim)
    leaves = [t.movedim(dim, 0) for t in leaves]
    if reverse:
        leaves = [t.flip(0) for t in leaves]

    def combined(a, b):
        found, seen = flatten(whole(unflatten(template, iter(a)), unflatten(template, iter(b))))
        if seen != template or [t.shape for t in found] != [t.shape for t in a]:
            raise ShapeError("associative_scan: combine_fn must return what it is given in structure and shape, got "
                             f"{_shown(found)} for {_shown(a)}")
        return found

    whole = combine_fn if combine_mode == "pointwise" else vmap(combine_fn)
    found = _prefixes(combined, leaves)
    if reverse:
        found = [t.flip(0) for t in found]
    return unflatten(template, iter([t.movedim(0, dim) for t in found]))


def _prefixes(combined, ts):
    """The inclusive scan along the first dimension: of pairs first, then of what lies between."""
    n = len(ts[0])
    if n < 2:
        return ts
    pairs = combined([t[:-1:2] for t in ts], [t[1::2] for t in ts])
    odd = _prefixes(combined, pairs)
    even = combined([t[: (n - 1) // 2] for t in odd], [t[2::2] for t in ts]) if n > 2 else [t[:0] for t in odd]
    return [_interleaved(cat([t[:1].to(e.dtype), e]), o) for t, e, o in zip(ts, even, odd, strict=True)]


def _interleaved(even, odd):
    """A tensor with the slices of two in turn."""
    n = len(odd)
    mixed = stack([even[:n], odd], 1).flatten(0, 1)
    return mixed if len(even) == n else cat([mixed, even[n:]])


def _tensors(name, what, value):
    """(leaves, template) of a value.  Raises ArgumentTypeError for a leaf that is no tensor."""
    leaves, template = flatten(value)
    for x in leaves:
        if not isinstance(x, TensorBase):
            raise ArgumentTypeError(f"{name}: all leaves of {what} must be tensors, got {x!r}; make a tensor of it")
    return leaves, template


def _length(name, leaves, dim):
    """(the dimension, its size).  Raises ShapeError where sizes differ or are 0."""
    at = normalize_dim(dim, leaves[0].dim(), name)
    if any(at >= t.dim() for t in leaves):
        raise ShapeError(f"{name}: all tensors of xs must have dimension {at}, got shapes {_shown(leaves)}")
    sizes = {t.shape[at] for t in leaves}
    if len(sizes) > 1:
        raise ShapeError(f"{name}: Leading dimensions of mapped xs must be consistent. Got shapes {_shown(leaves)} along dimension "
                         f"{at}")
    if 0 in sizes:
        raise ShapeError(f"{name}: dimension {at} of xs must not be 0, got shapes {_shown(leaves)}; there must be a first slice")
    return at, sizes.pop()


def _slices(name, leaves, form, dim, reverse):
    """The values of xs at each index along a dimension."""
    dim, n = _length(name, leaves, dim)
    for i in reversed(range(n)) if reverse else range(n):
        yield unflatten(form, iter([t.select(dim, i) for t in leaves]))


def _like(name, what, before, template, value):
    """The leaves of a value.  Raises ShapeError or DTypeError where it is laid out in another way than before."""
    leaves, seen = flatten(value)
    if seen != template or not all(isinstance(x, TensorBase) for x in leaves):
        raise ShapeError(f"{name}: {what} must keep its structure, got {_shown(leaves)} after {_shown(before)}")
    for x, old in zip(leaves, before, strict=True):
        if x._spec.shape != old._spec.shape:
            raise ShapeError(f"{name}: {what} must keep its shape, got {list(x.shape)} after {list(old.shape)}; reshape it or init")
        if x._spec.dtype is not old._spec.dtype:
            raise DTypeError(f"{name}: {what} must keep its dtype, got {x.dtype.name} after {old.dtype.name}; convert it with "
                             ".to(dtype)")
    return leaves


def _layout(x):
    return None if x is None else (x._spec.shape, x._spec.dtype)


def _shown(leaves):
    return ", ".join(f"{x.dtype.name} {list(x.shape)}" if isinstance(x, TensorBase) else repr(x) for x in leaves) or "nothing"
