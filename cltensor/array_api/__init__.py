"""The Python array API standard (2024.12) over cltensor: what `tensor.__array_namespace__()` returns.

Not here: uint16, uint32, uint64 (no arithmetic is defined for them).  docs/array-api.md has the whole list, with reasons.
"""

import builtins as _builtins
import math as _math
from collections import namedtuple as _namedtuple

from ..base import absent as _absent
from ..base import dtypes as _dtypes
from ..base.errors import ArgumentError as _ArgumentError
from ..base.errors import DTypeError as _DTypeError
from ..base.shapes import normalize_dim as _normalize_dim
from ..runtime import device as _devices
from ..tensor import namespace as _namespace
from . import fft, linalg

__array_api_version__ = "2024.12"

e, inf, nan, pi, newaxis = _math.e, _math.inf, _math.nan, _math.pi, None
bool, int8, int16, int32, int64, uint8, float32, float64, complex64, complex128 = (
    _dtypes.BY_NAME[n] for n in ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64", "complex64",
                                 "complex128"))

_f = _namespace()

#: standard name -> name here, for functions whose arguments agree as they are
_SAME = {
    name: name for name in (
        "abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor "
        "ceil conj copysign cos cosh divide empty empty_like equal exp expm1 floor floor_divide full full_like greater "
        "greater_equal hypot imag isfinite isinf isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not "
        "logical_or logical_xor matmul maximum meshgrid minimum multiply negative nextafter not_equal ones ones_like positive pow "
        "real reciprocal remainder round signbit sin sinh sqrt square subtract tan tanh trunc where zeros zeros_like "
        "from_dlpack broadcast_to").split()
} | {"bitwise_invert": "bitwise_not", "permute_dims": "permute", "equal": "eq", "broadcast_arrays": "broadcast_tensors"}

globals().update({name: _f[source] for name, source in _SAME.items()})

_Unique = _namedtuple("unique_all_result", ("values", "indices", "inverse_indices", "counts"))
_Counts = _namedtuple("unique_counts_result", ("values", "counts"))
_Inverse = _namedtuple("unique_inverse_result", ("values", "inverse_indices"))
_Unique.__qualname__, _Counts.__qualname__, _Inverse.__qualname__ = "_Unique", "_Counts", "_Inverse"  # where pickles find them


class _Info:
    """What the namespace can do, as the standard's inspection functions ask."""

    def capabilities(self):
        """Boolean indexing and data-dependent shapes are there; the number of dimensions has no limit."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": None}

    def default_device(self):
        """The device tensors are made on."""
        return _devices.default_device()

    def devices(self):
        """All devices."""
        return [_devices.get(i) for i in range(_devices.count())]

    def default_dtypes(self, *, device=None):
        """The dtypes given to Python numbers and indices."""
        return {"real floating": _dtypes.get_default_dtype(), "complex floating": _dtypes.default_for("complex"), "integral": int64,
                "indexing": int64}

    def dtypes(self, *, device=None, kind=None):
        """The dtypes of a kind (or of several)."""
        standard = {d.name: d for d in (bool, int8, int16, int32, int64, uint8, float32, float64, complex64, complex128)}
        return standard if kind is None else {n: d for n, d in standard.items() if isdtype(d, kind)}


def __array_namespace_info__():
    """The namespace's capabilities, devices and dtypes."""
    return _Info()


# Creation and dtypes


def asarray(obj, /, *, dtype=None, device=None, copy=None):
    """obj as a tensor."""
    if copy is False and not hasattr(obj, "_spec"):
        raise _ArgumentError("asarray: copy=False is only possible for a tensor of the right dtype and device")
    out = _f["as_tensor"](obj, dtype=dtype, device=device)
    if copy is False and out is not obj:
        raise _ArgumentError("asarray: copy=False, but another dtype or device needs a copy")
    return out.clone() if copy and out is obj else out


def eye(n_rows, n_cols=None, /, *, k=0, dtype=None, device=None):
    """Ones on diagonal k, zeros elsewhere."""
    out = _f["zeros"](n_rows, n_rows if n_cols is None else n_cols, dtype=dtype, device=device)
    if -out.shape[0] < k < out.shape[1]:
        out.diagonal(k).fill_(1)
    return out


def linspace(start, stop, /, num, *, dtype=None, device=None, endpoint=True):
    """num evenly spaced values from start to stop, which is left out unless endpoint."""
    if endpoint:
        return _f["linspace"](start, stop, num, dtype=dtype, device=device)
    return _f["linspace"](start, stop, num + 1, dtype=dtype, device=device)[:num]


def tril(x, /, *, k=0):
    """The last two axes with zeros above diagonal k."""
    return _f["tril"](x, k)


def triu(x, /, *, k=0):
    """The last two axes with zeros below diagonal k."""
    return _f["triu"](x, k)


def finfo(type, /):
    """The limits of a floating dtype, or of a tensor's."""
    return _dtypes.finfo(getattr(type, "dtype", type))


def iinfo(type, /):
    """The limits of an integer dtype, or of a tensor's."""
    return _dtypes.iinfo(getattr(type, "dtype", type))


def arange(start, /, stop=None, step=1, *, dtype=None, device=None):
    """start, start + step, ... below stop; empty where step leads away from stop."""
    start, stop = (0, start) if stop is None else (start, stop)
    empty_ = (stop - start) / step <= 0
    floating = _has_float(start, stop, step)
    dtype = dtype or (_dtypes.get_default_dtype() if floating else int64)
    return _f["zeros"](0, dtype=dtype, device=device) if empty_ else _f["arange"](start, stop, step, dtype=dtype, device=device)


def _has_float(*numbers):
    """Whether any of the numbers is a float."""
    return _builtins.any(isinstance(n, float) for n in numbers)


def astype(x, dtype, /, *, copy=True, device=None):
    """x in another dtype, copied even if it has that dtype already, unless copy is False."""
    out = x.to(dtype=dtype, device=device)
    return out.clone() if copy and out is x else out


def can_cast(from_, to, /):
    """Whether from_ (a dtype or tensor) can be stored as to without changing category or losing range."""
    source = getattr(from_, "dtype", from_)
    return _dtypes.promote_types(source, to) is to


def isdtype(dtype, kind):
    """Whether dtype is of a kind: a dtype, a name of the standard, or a tuple of those."""
    if isinstance(kind, tuple):
        return _builtins.any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, _dtypes.dtype):
        return dtype is kind
    kinds = {"bool": dtype.category == "bool", "signed integer": dtype.category == "int" and dtype.is_signed,
             "unsigned integer": dtype.category == "int" and not dtype.is_signed, "integral": dtype.category == "int",
             "real floating": dtype.is_floating_point, "complex floating": dtype.is_complex,
             "numeric": dtype.category != "bool"}
    if kind not in kinds:
        raise _ArgumentError(f"isdtype: kind {kind!r} is none of {', '.join(kinds)}")
    return kinds[kind]


def result_type(*arrays_and_dtypes):
    """The dtype a mix of tensors, dtypes and Python numbers computes in."""
    found, numbers = None, []
    for a in arrays_and_dtypes:
        d = a if isinstance(a, _dtypes.dtype) else getattr(a, "dtype", None)
        if d is None:
            numbers.append(_dtypes.category_of(a))
        else:
            found = d if found is None else _dtypes.promote_types(found, d)
    if found is None:
        raise _DTypeError("result_type: at least one tensor or dtype is needed")
    for category in numbers:
        if category == "float" and not found.is_inexact:
            found = _dtypes.get_default_dtype()
        if category == "complex":
            found = _dtypes.complex_for(found)
    return found


def sign(x, /):
    """-1, 0 or 1 as x is below, at or above 0, x / |x| for complex x; NaN where x is NaN, unlike PyTorch's sign."""
    if x.dtype.is_complex:
        return _f["sgn"](x)
    out = _f["sign"](x)
    return out.where(x == x, x) if x.dtype.is_floating_point else out


def clip(x, /, min=None, max=None):
    """x limited to [min, max]."""
    return x.clone() if min is None and max is None else _f["clamp"](x, min, max)


# Manipulation


def concat(arrays, /, *, axis=0):
    """Tensors joined along an axis; None joins their elements."""
    return _f["cat"]([x.reshape(-1) for x in arrays] if axis is None else list(arrays), 0 if axis is None else axis)


def expand_dims(x, /, *, axis=0):
    """x with a new axis of size 1."""
    return x.unsqueeze(axis)


def flip(x, /, *, axis=None):
    """The order of elements reversed along axes (all for None)."""
    axes = tuple(range(x.ndim)) if axis is None else axis
    return _f["flip"](x, (axes,) if isinstance(axes, int) else tuple(axes))


def moveaxis(x, source, destination, /):
    """Axes moved to other places."""
    return _f["movedim"](x, source, destination)


def repeat(x, repeats, /, *, axis=None):
    """Each element repeated in place."""
    return _f["repeat_interleave"](x, repeats, axis)


def reshape(x, /, shape, *, copy=None):
    """Another shape.  Raises ArgumentError when copy is False and one is needed."""
    if copy is False:
        return x.view(shape)
    out = x.reshape(shape)
    return out.clone() if copy else out


def roll(x, /, shift, *, axis=None):
    """Elements shifted around along axes."""
    return _f["roll"](x, shift, axis)


def squeeze(x, /, axis):
    """Without axes of size 1.  Raises ArgumentError for an axis of another size."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    wrong = [a for a in axes if x.shape[a] != 1]
    if wrong:
        raise _ArgumentError(f"squeeze: axis {wrong[0]} of shape {tuple(x.shape)} has size {x.shape[wrong[0]]}, not 1")
    return _f["squeeze"](x, axes)


def stack(arrays, /, *, axis=0):
    """Tensors joined along a new axis."""
    return _f["stack"](list(arrays), axis)


def unstack(x, /, *, axis=0):
    """The slices along an axis, as a tuple."""
    return x.unbind(axis)


def tile(x, repetitions, /):
    """x repeated along its axes."""
    return _f["tile"](x, tuple(repetitions))


matrix_transpose, tensordot, vecdot = linalg.matrix_transpose, linalg.tensordot, linalg.vecdot


# Searching, sets, sorting


def argmax(x, /, *, axis=None, keepdims=False):
    """Index of the largest element."""
    return _f["argmax"](x, axis, keepdims)


def argmin(x, /, *, axis=None, keepdims=False):
    """Index of the smallest element."""
    return _f["argmin"](x, axis, keepdims)


def count_nonzero(x, /, *, axis=None, keepdims=False):
    """How many elements are not 0."""
    return _f["sum"](x != 0, axis, keepdims)


def nonzero(x, /):
    """The indices of the elements that are not 0, one vector an axis."""
    return _f["nonzero"](x, as_tuple=True)


def searchsorted(x1, x2, /, *, side="left", sorter=None):
    """Where x2's values would be inserted into the sorted vector x1."""
    return _f["searchsorted"](x1, x2, side=side, sorter=sorter)


def take(x, indices, /, *, axis=None):
    """Slices at a vector of indices along an axis; a negative one counts from the end."""
    if axis is None:
        if x.ndim != 1:
            raise _ArgumentError(f"take: axis is needed for a tensor of {x.ndim} dimensions")
        axis = 0
    return x[(slice(None),) * _normalize_dim(axis, x.ndim, "take") + (indices.long(),)]


def take_along_axis(x, indices, /, *, axis=-1):
    """Elements at indices along an axis."""
    return _f["take_along_dim"](x, indices, axis)


def unique_all(x, /):
    """(values, first indices, inverse, counts) of the distinct elements."""
    values, inverse, counts = _f["unique"](x, return_inverse=True, return_counts=True)
    order = x.reshape(-1).argsort()
    starts = counts.cumsum(0) - counts
    return _Unique(values, order.index_select(0, starts), inverse, counts)


def unique_counts(x, /):
    """(values, counts) of the distinct elements."""
    return _Counts(*_f["unique"](x, return_counts=True))


def unique_inverse(x, /):
    """(values, inverse) of the distinct elements."""
    return _Inverse(*_f["unique"](x, return_inverse=True))


def unique_values(x, /):
    """The distinct elements."""
    return _f["unique"](x)


def argsort(x, /, *, axis=-1, descending=False, stable=True):
    """The indices that put an axis in order."""
    return _f["argsort"](x, axis, descending)


def sort(x, /, *, axis=-1, descending=False, stable=True):
    """The elements of an axis in order."""
    return _f["sort"](x, axis, descending).values


# Statistics


def _reduced(name, x, axis, keepdims, **more):
    if axis == ():  # over no axis: element by element
        return _f[name](x.unsqueeze(0), 0, **more)
    return _f[name](x, axis, keepdim=keepdims, **more)


def all(x, /, *, axis=None, keepdims=False):
    """Whether every element is true."""
    return _reduced("all", x, axis, keepdims).bool()


def any(x, /, *, axis=None, keepdims=False):
    """Whether any element is true."""
    return _reduced("any", x, axis, keepdims).bool()


def max(x, /, *, axis=None, keepdims=False):
    """The largest element."""
    return _reduced("amax", x, axis, keepdims)


def min(x, /, *, axis=None, keepdims=False):
    """The smallest element."""
    return _reduced("amin", x, axis, keepdims)


def mean(x, /, *, axis=None, keepdims=False):
    """The mean."""
    return _reduced("mean", x, axis, keepdims)


def prod(x, /, *, axis=None, dtype=None, keepdims=False):
    """The product."""
    axes = (axis,) if isinstance(axis, int) else tuple(range(x.ndim)) if axis is None else axis
    out = x if dtype is None else x.to(dtype)
    for a in sorted((a % x.ndim for a in axes), reverse=True):
        out = _f["prod"](out, a, keepdims)
    return out.to(out.dtype if dtype is None else dtype)


def sum(x, /, *, axis=None, dtype=None, keepdims=False):
    """The sum."""
    return _reduced("sum", x, axis, keepdims, dtype=dtype)


def std(x, /, *, axis=None, correction=0.0, keepdims=False):
    """The standard deviation."""
    return _reduced("std", x, axis, keepdims, correction=correction)


def var(x, /, *, axis=None, correction=0.0, keepdims=False):
    """The variance."""
    return _reduced("var", x, axis, keepdims, correction=correction)


def cumulative_sum(x, /, *, axis=None, dtype=None, include_initial=False):
    """The running sum."""
    return _cumulative("cumsum", 0, x, axis, dtype, include_initial)


def cumulative_prod(x, /, *, axis=None, dtype=None, include_initial=False):
    """The running product."""
    return _cumulative("cumprod", 1, x, axis, dtype, include_initial)


def _cumulative(name, first, x, axis, dtype, include_initial):
    if axis is None:
        if x.ndim != 1:
            raise _ArgumentError(f"{name}: axis is needed for a tensor of {x.ndim} dimensions")
        axis = 0
    out = _f[name](x, axis, dtype=dtype)
    if not include_initial:
        return out
    shape = [1 if i == axis % x.ndim else n for i, n in enumerate(x.shape)]
    return _f["cat"]([out.new_full(shape, first), out], axis)


def diff(x, /, *, axis=-1, n=1, prepend=None, append=None):
    """Differences of neighbours, n times."""
    return _f["diff"](x, n, axis, prepend, append)


def __getattr__(name):
    _absent.refuse("cltensor.array_api", name, _absent.REASONS)
    raise AttributeError(f"module 'cltensor.array_api' has no attribute {name!r}")


__all__ = sorted(name for name in globals() if not name.startswith("_"))  # noqa: PLE0605


def __dir__():
    return __all__
