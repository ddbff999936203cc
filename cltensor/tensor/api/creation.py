"""Create tensors: from values, from NumPy, and filled."""

import math
from collections.abc import Sequence

import numpy as np

from ...base import calls, dtypes
from ...base.errors import ArgumentError, ArgumentTypeError, ShapeError, UnsupportedDTypeError
from ...base.layouts import contiguous_format, format_strides, preserve_format
from ...base.observed_sizes import as_index, plain
from ...base.overlap import packed
from ...base.shapes import contiguous_strides, dense_strides
from ...dispatch.run_elementwise import filled
from ...dispatch.spec import dense, spec
from ...dispatch.tensor_base import TensorBase, check_fp64
from ...runtime import host_memory
from ...runtime.device import real_default
from ..core.public_api import FUNCTIONS, function, method
from ..core.tensor import Tensor
from ..core.values import array_of, pick_device


def count(op, name, value):
    """Return an int argument as an int.  Raises ArgumentTypeError for anything without __index__."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentTypeError(f"{op}(): argument '{name}' must be int, not {calls.kind(value)}")
    return as_index(value)


def sizes(args, op="size"):
    """Return a shape, given as ints or as one sequence of ints, as a tuple.  Raises ArgumentTypeError, ShapeError."""
    if len(args) == 1 and (not hasattr(args[0], "__index__") or isinstance(args[0], Sequence)):
        args = args[0]
    try:
        shape = tuple([n if type(n) is int else as_index(n) for n in args])
        if True in map(_is_bool, args):
            raise TypeError
    except (AttributeError, TypeError):
        raise ArgumentTypeError(f"{op}: expected ints or a tuple of ints, got {args!r}") from None
    return shape


def _is_bool(n):
    return n is True or n is False


def _shape(args, op):
    shape = sizes(args, op)
    if any(n < 0 for n in shape):
        raise ShapeError(f"{op}: Trying to create tensor with negative dimension: {list(shape)}")
    return shape


def made(t, requires_grad):
    """t, as a leaf that requires grad if requires_grad."""
    return t.requires_grad_() if requires_grad else t


def from_array(array, dtype, d):
    """A tensor holding a copy of a NumPy array that stores dtype's bytes."""
    return Tensor._from_array(array, dtype, d)


def from_values(array, dtype, d):
    """A tensor of the values of a NumPy array, converted to dtype."""
    array, dtype = array_of(array, dtype)
    return from_array(array, dtype, d)


def computed(n, dtype, d, values):
    """A vector of the n values that values() computes on the host, converted to dtype.  Raises OutOfMemoryError."""
    if d.meta:
        return Tensor._fresh(dense((n,), dtype, d))
    check_room(n, dtype, d)
    return from_values(values(), dtype, d)


def check_room(n, dtype, d):
    """Raise OutOfMemoryError if the device or the host cannot hold n values that the host is about to compute."""
    if n * dtype.itemsize > d.profile.max_allocation:
        Tensor._fresh(dense((n,), dtype, d))
    host_memory.require(2 * 8 * n, f"computing {n} values")


@function(method=False, out=False)
def tensor(data, *, dtype=None, device=None, requires_grad=False):
    """A new tensor holding a copy of data: numbers, nested sequences, a NumPy array or a tensor.

    Floats take the default dtype, ints int64, bools bool; arrays keep theirs.  Raises ArgumentError for ragged
    sequences, ArgumentTypeError for elements that are not numbers.
    """
    dtype = None if dtype is None else dtypes.as_dtype(dtype)
    if isinstance(data, TensorBase):
        return made(data.detach().clone().to(device=device or data.device, dtype=dtype or data.dtype), requires_grad)
    array, dtype = array_of(data, dtype)
    return made(from_array(array, dtype, pick_device(device)), requires_grad)


class _Legacy(type):
    """The metaclass of FloatTensor and its like: calling one makes a tensor; tensors of its dtype are instances."""

    def __call__(cls, *data, device=None):
        if all(hasattr(n, "__index__") and not isinstance(n, TensorBase) for n in data):
            return empty(data if data else 0, dtype=cls.dtype, device=device or real_default())
        return tensor(*data, dtype=cls.dtype, device=device or real_default())

    def __instancecheck__(cls, obj):
        return isinstance(obj, TensorBase) and obj.dtype is cls.dtype


for _name, _dtype in dtypes.LEGACY.items():
    _doc = f"""A {_dtype.name} tensor of a sequence's values, or of sizes with uninitialised memory; better: tensor, empty.

    Raises: ArgumentTypeError for other arguments, DTypeError for a dtype that the device has not.  Source: Torch7's tensor types
    (Collobert et al. 2011).

        {_name}Tensor([1, 2])
    """
    FUNCTIONS[f"{_name}Tensor"] = _Legacy(f"{_name}Tensor", (), {"dtype": _dtype, "__doc__": _doc, "__module__": "cltensor"})


@function(method=False, out=False)
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """obj as a tensor, copied where necessary, or where copy is True.

    requires_grad: None is as obj does; False detaches it.
    Raises ArgumentError when copy is False and a copy is necessary: for all but tensors of the right dtype and device.
    """
    out = as_tensor(obj, dtype=dtype, device=device)
    if copy is False and out is not obj:
        raise ArgumentError("asarray: copy=False, but only a tensor of the right dtype and device can do without a copy")
    out = out.clone() if copy and out is obj else out
    wanted = out.requires_grad if requires_grad is None else bool(requires_grad)
    return out if wanted == out.requires_grad else out.detach().requires_grad_(wanted)


@function(method=False, out=False)
def as_tensor(data, dtype=None, device=None):
    """data as a tensor: return a tensor of the right dtype and device as it is, copy anything else."""
    if isinstance(data, TensorBase):
        return data.to(device=device or data.device, dtype=dtypes.as_dtype(dtype) if dtype else data.dtype)
    return tensor(data, dtype=dtype, device=device)


@function(method=False, out=False)
def from_numpy(ndarray):
    """A tensor with the values of a NumPy array.  Unlike in PyTorch it is a copy: the values move to the device."""
    if not isinstance(ndarray, np.ndarray):
        raise ArgumentTypeError(f"from_numpy: expected a NumPy array, got {calls.kind(ndarray)}")
    return tensor(ndarray, device=real_default())


def _options(dtype, device):
    dtype = dtypes.get_default_dtype() if dtype is None else dtypes.as_dtype(dtype)
    d = pick_device(device)
    check_fp64(d, dtype)
    return dtype, d


@function(method=False)
def empty(*size, dtype=None, device=None, requires_grad=False, memory_format=contiguous_format):
    """A tensor of the given shape with uninitialised memory."""
    dtype, d = _options(dtype, device)
    shape = _shape(size, "empty")
    return made(Tensor._fresh(spec(shape, format_strides(shape, memory_format, "empty"), dtype, d)), requires_grad)


@function(method=False, out=False)
def empty_strided(size, stride, *, dtype=None, device=None, requires_grad=False):
    """A tensor of the given shape and strides (in elements) with uninitialised memory."""
    dtype, d = _options(dtype, device)
    if len(size) != len(stride):
        raise ShapeError(f"empty_strided: {len(size)} sizes but {len(stride)} strides")
    return made(Tensor._fresh(spec(tuple(size), tuple(stride), dtype, d)), requires_grad)


@function(method=False, out=False)
def empty_permuted(size, physical_layout, *, dtype=None, device=None, requires_grad=False):
    """A dense tensor with uninitialised memory, its dimensions laid out in the order given, outermost first."""
    dtype, d = _options(dtype, device)
    if sorted(physical_layout) != list(range(len(size))):
        raise ShapeError(f"empty_permuted: physical_layout {list(physical_layout)} must hold each of the {len(size)} dimensions of "
                         f"size {list(size)} once")
    packed = contiguous_strides([size[i] for i in physical_layout])
    strides = tuple(packed[list(physical_layout).index(i)] for i in range(len(size)))
    return made(Tensor._fresh(spec(tuple(size), strides, dtype, d)), requires_grad)


@function(method=False)
def zeros(*size, dtype=None, device=None, requires_grad=False):
    """A tensor of zeros."""
    return full(_shape(size, "zeros"), 0, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


@function(method=False)
def ones(*size, dtype=None, device=None, requires_grad=False):
    """A tensor of ones."""
    return full(_shape(size, "ones"), 1, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


@function(method=False)
def full(size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """A tensor of fill_value; its dtype follows from the value unless given."""
    if isinstance(fill_value, TensorBase):
        fill_value = fill_value.item()
    if dtype is None:
        category = dtypes.category_of(fill_value)
        if category is None:
            raise ArgumentTypeError(f"full: fill_value must be a number, got {fill_value!r}")
        dtype = dtypes.default_for(category)
    dtype, d = _options(dtype, device)
    return made(filled(Tensor, dense(_shape((size,), "full"), dtype, d), fill_value), requires_grad)


def _like(input, dtype, device):
    dtype = input.dtype if dtype is None else dtypes.as_dtype(dtype)
    d = input.device if device is None else pick_device(device)
    check_fp64(d, dtype)
    return dtype, d


def _like_spec(input, dtype, d, memory_format):
    s = input._spec
    strides = format_strides(s.shape, memory_format, "memory_format")
    if strides is not None:
        return spec(s.shape, strides, dtype, d)
    kept = s.strides if packed(s.shape, s.strides) else dense_strides(s.shape, s.strides)
    return spec(s.shape, kept, dtype, d)


@function(method=False, out=False)
def empty_like(input, *, dtype=None, device=None, requires_grad=False, memory_format=preserve_format):
    """An uninitialised tensor of input's shape, dtype and device."""
    return made(Tensor._fresh(_like_spec(input, *_like(input, dtype, device), memory_format)), requires_grad)


@function(method=False, out=False)
def full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False, memory_format=preserve_format):
    """A tensor of fill_value with input's shape, dtype and device."""
    t = Tensor._fresh(_like_spec(input, *_like(input, dtype, device), memory_format))
    return made(t.fill_(fill_value), requires_grad)


@function(method=False, out=False)
def zeros_like(input, *, dtype=None, device=None, requires_grad=False, memory_format=preserve_format):
    """Zeros of input's shape, dtype and device."""
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad, memory_format=memory_format)


@function(method=False, out=False)
def ones_like(input, *, dtype=None, device=None, requires_grad=False, memory_format=preserve_format):
    """Ones of input's shape, dtype and device."""
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad, memory_format=memory_format)


@method()
def new_empty(self, *size, dtype=None, device=None, requires_grad=False):
    """An uninitialised tensor of another shape, with this one's dtype and device."""
    dtype, d = _like(self, dtype, device)
    return empty(_shape(size, "new_empty"), dtype=dtype, device=d, requires_grad=requires_grad)


@method()
def new_empty_strided(self, size, stride, dtype=None, device=None, requires_grad=False):
    """An uninitialised tensor of the given shape and strides, with this one's dtype and device."""
    dtype, d = _like(self, dtype, device)
    return empty_strided(size, stride, dtype=dtype, device=d, requires_grad=requires_grad)


@method()
def new_zeros(self, *size, dtype=None, device=None, requires_grad=False):
    """Zeros of another shape, with this one's dtype and device."""
    return new_full(self, _shape(size, "new_zeros"), 0, dtype=dtype, device=device, requires_grad=requires_grad)


@method()
def new_ones(self, *size, dtype=None, device=None, requires_grad=False):
    """Ones of another shape, with this one's dtype and device."""
    return new_full(self, _shape(size, "new_ones"), 1, dtype=dtype, device=device, requires_grad=requires_grad)


@method()
def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """fill_value in another shape, with this one's dtype and device."""
    dtype, d = _like(self, dtype, device)
    return full(size, fill_value, dtype=dtype, device=d, requires_grad=requires_grad)


@method()
def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """tensor(data) with this one's dtype and device."""
    dtype, d = _like(self, dtype, device)
    return tensor(data, dtype=dtype, device=d, requires_grad=requires_grad)


@method()
def new_arange(self, end):
    """0, 1, ..., end - 1 as int64 on this tensor's device."""
    return arange(end, device=self.device)


def _refuse_complex(name, dtype):
    if dtype.is_complex:
        raise UnsupportedDTypeError(f"{name}: not defined for {dtype.name}, which has no order; convert the result")


@function(method=False)
def arange(start=None, end=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """start, start + step, ... below end, computed on the host in float64 or int64.

    Raises ArgumentError when step leads away from end.
    """
    start, end = (0, start if end is None else end) if start is None or end is None else (start, end)
    if end is None:
        raise ArgumentTypeError("arange() missing required argument 'end'")
    start, end, step = (x.item() if isinstance(x, TensorBase) else x for x in (start, end, step))
    if step == 0 or (end - start) / step < 0 or not all(map(math.isfinite, plain((start, end, step)))):
        raise ArgumentError(f"arange: upper bound and lower bound inconsistent with step sign, or not finite: "
                            f"start {start}, end {end}, step {step}")
    if dtype is None:
        floating = any(isinstance(x, (float, np.floating)) for x in (start, end, step))
        dtype = dtypes.get_default_dtype() if floating else dtypes.int64
    dtype, d = _options(dtype, device)
    _refuse_complex("arange", dtype)
    if dtype.category == "int":  # as in PyTorch: convert the numbers before counting them
        start, end, step = map(math.trunc, (start, end, step))
        if step == 0:
            raise ArgumentError("arange: step must be nonzero")
    n, start, step = plain((math.ceil((end - start) / step), start, step))
    exact = np.int64 if not any(isinstance(x, (float, np.floating)) for x in (start, end, step)) else np.float64
    return made(computed(n, dtype, d, lambda: np.arange(n, dtype=exact) * exact(step) + exact(start)), requires_grad)


@function(method=False)
def range_(start, end, step=1, *, dtype=None, device=None, requires_grad=False):
    """start, start + step, ... up to end, included if it is met, in the default floating dtype; PyTorch advises arange."""
    if step == 0 or (end - start) / step < 0 or not all(map(math.isfinite, plain((start, end, step)))):
        raise ArgumentError(f"range: upper bound and lower bound inconsistent with step sign, or not finite: "
                            f"start {start}, end {end}, step {step}")
    dtype, d = _options(dtype, device)
    _refuse_complex("range", dtype)
    n, start, step = plain((math.floor((end - start) / step) + 1, start, step))
    return made(computed(n, dtype, d, lambda: np.arange(n) * float(step) + float(start)), requires_grad)


@function(method=False)
def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False):
    """`steps` evenly spaced values from start to end, both included."""
    if steps < 0:
        raise ArgumentError(f"linspace: number of steps must be non-negative, got {steps}")
    dtype, d = _options(dtype, device)
    kind = complex if dtype.is_complex else float if dtype.is_floating_point else int
    ends = [kind(x) for x in (start, end)]  # the ends are of the dtype, too
    return made(computed(steps, dtype, d, lambda: np.linspace(*ends, steps)), requires_grad)


@function(method=False)
def eye(n, m=None, *, dtype=None, device=None, requires_grad=False):
    """The identity matrix, n x m."""
    dtype, d = _options(dtype, device)
    m = n if m is None else m
    if n < 0 or m < 0:
        raise ShapeError(f"eye: n and m must be greater or equal to 0, got {n} and {m}")
    t = filled(Tensor, dense((n, m), dtype, d), 0)
    t.diagonal().fill_(1)
    return made(t, requires_grad)


@function(method=False, out=False)
def scalar_tensor(s, *, dtype=None, device=None, requires_grad=False):
    """A 0-d tensor."""
    return full((), s, dtype=dtype or dtypes.get_default_dtype(), device=device, requires_grad=requires_grad)


__all__ = ["Tensor"]
