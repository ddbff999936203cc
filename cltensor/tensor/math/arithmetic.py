"""Arithmetic beyond one op: alpha, rounding modes, clamping, choosing, filling, dtype and device conversion."""

import warnings

from ...base import calls, dtypes
from ...base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from ...base.layouts import preserve_format
from ...dispatch.promotion import result_type as promoted
from ...dispatch.run_elementwise import run_elementwise, write_into
from ...dispatch.spec import dense
from ...dispatch.tensor_base import TensorBase, check_fp64
from ...ops.kinds.composite import composite
from ...ops.pointwise import elementary
from ...runtime.device import device as Device
from ..api.creation import from_array, pick_device
from ..core.public_api import function, method
from ..core.tensor import Tensor


def _operand(x):
    if not isinstance(x, TensorBase) and type(x) not in (bool, int, float, complex):
        raise ArgumentTypeError(f"result_type: expected a Tensor or a number, got {calls.kind(x)}")
    return x._spec if isinstance(x, TensorBase) else type(x)


@function()
def add(input, other, *, alpha=1, out=None):
    """input + alpha * other, broadcast."""
    if alpha == 1:
        return run_elementwise(elementary.add, (input, other), (), out)
    return run_elementwise(elementary.axpy, (input, other), (alpha,), out)


@function("subtract")
def sub(input, other, *, alpha=1, out=None):
    """input - alpha * other, broadcast."""
    if alpha == 1:
        return run_elementwise(elementary.sub, (input, other), (), out)
    elementary.sub.compute_dtype((_operand(input), _operand(other)))  # no bool
    return run_elementwise(elementary.axpy, (input, other), (-alpha,), out)


@method()
def add_(self, other, *, alpha=1):
    """self += alpha * other."""
    if alpha == 1:
        return write_into(elementary.add, self, (self, other))
    return write_into(elementary.axpy, self, (self, other), (alpha,))


@method("subtract_")
def sub_(self, other, *, alpha=1):
    """self -= alpha * other."""
    if alpha == 1:
        return write_into(elementary.sub, self, (self, other))
    elementary.sub.compute_dtype((_operand(self), _operand(other)))
    return write_into(elementary.axpy, self, (self, other), (-alpha,))


@function("divide")
def div(input, other, *, rounding_mode=None, out=None):
    """input / other, broadcast; rounding_mode "floor" or "trunc" rounds the quotient and keeps integers integers."""
    return run_elementwise(_quotient(rounding_mode), (input, other), (), out)


@method("divide_")
def div_(self, other, *, rounding_mode=None):
    """self /= other, rounded as div does."""
    return write_into(_quotient(rounding_mode), self, (self, other))


_QUOTIENTS = {None: elementary.div, "floor": elementary.floor_divide, "trunc": elementary.trunc_divide}


def _quotient(rounding_mode):
    if rounding_mode not in _QUOTIENTS:
        raise ArgumentError("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
                            f"{rounding_mode!r}")
    return _QUOTIENTS[rounding_mode]


@function("clip")
def clamp(input, min=None, max=None, *, out=None):
    """input limited to [min, max]; either may be left out, and either may be a tensor."""
    if min is None and max is None:
        raise ArgumentError("clamp: At least one of 'min' or 'max' must not be None")
    if max is None:
        return run_elementwise(elementary.clamp_min, (input, min), (), out)
    if min is None:
        return run_elementwise(elementary.clamp_max, (input, max), (), out)
    return run_elementwise(elementary.clamp_both, (input, min, max), (), out)


@method("clip_")
def clamp_(self, min=None, max=None):
    """Limit to [min, max] in place."""
    if min is None and max is None:
        raise ArgumentError("clamp_: At least one of 'min' or 'max' must not be None")
    if max is None:
        return write_into(elementary.clamp_min, self, (self, min))
    if min is None:
        return write_into(elementary.clamp_max, self, (self, max))
    return write_into(elementary.clamp_both, self, (self, min, max))


@function(method=False)
def where(condition, input=None, other=None, *, out=None):
    """input where condition holds, else other; with condition alone, the indices where it holds."""
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition.dtype not in (dtypes.bool_, dtypes.uint8):
        raise DTypeError(f"where expected condition to be a boolean tensor, but got a tensor with dtype {condition.dtype.name}; "
                         "compare it with something")
    return run_elementwise(elementary.where_op, (condition, input, other), (), out)


@method("where")
def _where(self, condition, other):
    """self where condition holds, else other."""
    return where(condition, self, other)


@function(contiguous=True, out=False)
def masked_fill(input, mask, value):
    """input with value where mask holds."""
    _check_mask(mask)
    return run_elementwise(elementary.where_op, (mask, _one(value, input.dtype), input), dtype=input.dtype)


@method()
def masked_fill_(self, mask, value):
    """Write value where mask holds."""
    _check_mask(mask)
    return write_into(elementary.where_op, self, (mask, _one(value, self.dtype), self))


def _one(value, dtype):
    if not isinstance(value, TensorBase):
        return as_stored(value, dtype, "masked_fill")
    if value.ndim:
        raise ArgumentError(f"masked_fill only supports a 0-dimensional value tensor, but got tensor with {value.ndim} "
                            f"dimension(s).")
    if value.dtype.is_complex and not dtype.is_complex:
        raise ArgumentError(f"masked_fill: value cannot be converted to type {dtype.name} without overflow: it is "
                            f"{value.dtype.name}; use its .real")
    return convert(value, dtype)


def as_stored(value, dtype, op):
    """Convert a number to store it as dtype.  Raises ArgumentTypeError if it is no number, ArgumentError if beyond the range."""
    if dtypes.category_of(value) is None:
        raise ArgumentTypeError(f"{op}(): argument 'value' must be Number, not {calls.kind(value)}: {value!r}")
    return dtypes.stored(value, dtype, op)


def _check_mask(mask):
    if mask.dtype is not dtypes.bool_:
        raise ArgumentTypeError(f"masked_fill: expected mask to be a boolean tensor, but got {mask.dtype.name}")


# --- writing ---------------------------------------------------------------------------------------------------------


@method()
def fill_(self, value):
    """Set every element to one value."""
    if isinstance(value, TensorBase):
        return self.copy_(value.expand(self.shape))
    return write_into(elementary.full, self, (), (as_stored(value, self.dtype, "fill_"),))


@function(method=False, out=False)
def fill(input, value):
    """A copy of input with every element set to one value."""
    return input.clone().fill_(value)


@method()
def fill_diagonal_(self, fill_value, wrap=False):
    """Write a number on the main diagonal; with wrap, the diagonal of a tall matrix repeats after one empty row.

    Raises ShapeError for fewer than two dimensions, or more than two of different lengths.
    """
    if self.ndim < 2:
        raise ShapeError(f"fill_diagonal_: dimensions must larger than 1, got shape {list(self.shape)}")
    if self.ndim > 2 and len(set(self.shape)) > 1:
        raise ShapeError(f"fill_diagonal_: all dimensions of input must be of equal length, got shape {list(self.shape)}")
    rows, width = self.shape[0], min(self.shape)
    for top in range(0, rows if wrap and self.ndim == 2 else 1, self.shape[1] + 1):
        n = min(width, rows - top)
        self[top:top + n].as_strided((n,), (sum(self.stride()),), self.storage_offset() + top * self.stride(0)).fill_(fill_value)
    return self


@method()
def zero_(self):
    """Set every element to zero."""
    return write_into(elementary.full, self, (), (0,))


@method()
def copy_(self, other, non_blocking=False):
    """Write other, a tensor or a number, broadcast and converted to this tensor's dtype and device."""
    if isinstance(other, (bool, int, float, complex)):
        return self.fill_(other)
    if not isinstance(other, TensorBase):
        raise ArgumentTypeError(f"copy_: expected a Tensor, got {calls.kind(other)}")
    other = to_device(other, self.device)
    if other.shape != self.shape:
        other = other.expand(self.shape)
    _warn_of_discarding(other.dtype, self.dtype)
    return write_into(elementary.copy, self, (other,))


# --- conversion ------------------------------------------------------------------------------------------------------


def to_device(x, d):
    """x on device d, copied through the host."""
    return x if x.device is d else _device_copy(x, device=str(d))


@composite("device_copy", public=False, vjp=(lambda g, y, x, device: to_device(g, x.device),))
def _device_copy(x, *, device):
    """x on another device."""
    d = Device(device)
    return Tensor._fresh(dense(x.shape, x.dtype, d)) if d.meta else from_array(x.detach()._read(), x.dtype, d)


def convert(x, dtype):
    """x in another dtype."""
    if x.dtype is dtype:
        return x
    check_fp64(x.device, dtype)
    _warn_of_discarding(x.dtype, dtype)
    return run_elementwise(elementary.copy, (x,), dtype=dtype)


def _warn_of_discarding(found, wanted):
    """Warn that a conversion from one dtype to another drops the imaginary part; to bool it does not."""
    if found.is_complex and not wanted.is_complex and wanted is not dtypes.bool_:
        warnings.warn("Casting complex values to real discards the imaginary part", UserWarning, stacklevel=4)


@method()
def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=preserve_format, tensor=None):
    """Convert the tensor to another dtype, device, or both of another tensor; return itself where nothing changes."""
    args, flags = (args if tensor is None else (tensor, *args)), []
    for a in args:
        if isinstance(a, TensorBase):
            dtype, device = a.dtype, a.device
        elif isinstance(a, (str, Device)):
            device = a
        elif isinstance(a, bool):
            flags.append(a)  # non_blocking, copy; the first changes nothing: copies are enqueued in order anyway
        elif isinstance(a, int):
            device = a
        elif a is not None:
            dtype = dtypes.as_dtype(a)
    copy = copy or flags[1:] == [True]
    dtype = self.dtype if dtype is None else dtypes.as_dtype(dtype)
    out = convert(to_device(self, self.device if device is None else pick_device(device)), dtype)
    out = self.clone() if copy and out is self else out
    return out if memory_format in (None, preserve_format) else out.contiguous(memory_format)


@method("type")
def _type(self, dtype=None, non_blocking=False):
    """"cltensor.FloatTensor" or the like; or the tensor converted to a dtype, or to the dtype of such a name (or class).

    Raises ArgumentError for an unknown name.
    """
    if dtype is None:
        return f"cltensor.{'meta.' * self.is_meta}{dtypes.legacy_name(self.dtype)}Tensor"
    return convert(self, legacy_dtype(dtype))


def legacy_dtype(kind):
    """The dtype given as itself, as "torch.FloatTensor", "cltensor.FloatTensor" or as the class FloatTensor."""
    if isinstance(kind, dtypes.dtype) or kind in (bool, int, float, complex):
        return dtypes.as_dtype(kind)
    home, _, name = kind.rpartition(".") if isinstance(kind, str) else ("", "", getattr(kind, "__name__", str(kind)))
    found = dtypes.LEGACY.get(name.removesuffix("Tensor")) if name.endswith("Tensor") else None
    if found is None or home not in ("", "torch", "cltensor"):
        raise ArgumentError(f"invalid type: {kind!r}; give a dtype, or a name such as 'cltensor.FloatTensor'")
    return found


@method("to_device")
def _to_device(self, device, /, *, stream=None):
    """Move the tensor to a device: the array API standard's spelling."""
    return to(self, device=device)


@method()
def type_as(self, other):
    """The tensor converted to other's dtype."""
    return self.to(other)


def _conversion(name, dtype):
    def fn(self, memory_format=preserve_format):
        return self.to(dtype, memory_format=memory_format)

    fn.__name__ = name
    fn.__doc__ = f"""The tensor, of any shape, as {dtype.name}: itself if it is already.

    Raises: DTypeError for 64-bit floats on a device without them.  Numbers are rounded to nearest (IEEE 754-2019).

        x.{name}()
    """
    method()(fn)


for _name, _dtype in dtypes.CONVERSIONS.items():
    _conversion(_name, _dtype)


@method()
def cpu(self, memory_format=preserve_format):
    """The tensor on the CPU's OpenCL device."""
    return self.to(Device("cpu"), memory_format=memory_format)


@function(method=False, out=False)
def result_type(tensor=None, other=None, *, scalar=None, scalar1=None, scalar2=None):
    """The dtype of arithmetic on two tensors of any shape, or numbers, under whichever of the names.

    Raises ArgumentTypeError for more or fewer than two, and for what is neither.  Source: PyTorch 2.13's promotion.

        >>> ct.result_type(ct.ones(2, dtype=ct.int32), 1.5)
        cltensor.float32
    """
    given = [x for x in (tensor, other, scalar, scalar1, scalar2) if x is not None]
    if len(given) != 2:
        raise ArgumentTypeError(f"result_type(): expected two tensors or numbers, got {len(given)}")
    return promoted([_operand(x) for x in given])


@function(method=False, out=False)
def promote_types(type1, type2):
    """The smallest dtype that both convert to."""
    return dtypes.promote_types(dtypes.as_dtype(type1), dtypes.as_dtype(type2))


@function(method=False, out=False)
def can_cast(from_, to) -> bool:
    """Whether PyTorch's casting rule allows storing from_ as to."""
    return dtypes.can_cast(dtypes.as_dtype(from_), dtypes.as_dtype(to))
