"""Pointwise functions with more arguments than one op has: rounding to decimals, closeness, powers, special functions."""

import math

from ...autograd.function import Function
from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError, UnsupportedDTypeError
from ...dispatch.autocast import LOW_ON_GPU, PROMOTE_ON_GPU, autocasts
from ...dispatch.binding import check_tensor
from ...dispatch.promotion import result_type
from ...dispatch.run_elementwise import run_elementwise, write_into
from ...dispatch.tensor_base import TensorBase
from ...ops.kinds.precision import in_float32
from ...ops.nn import activations
from ...ops.pointwise import elementary as basic
from ...ops.pointwise import special as ops
from ..api.creation import arange
from ..core.inplace import overwritten, writing
from ..core.public_api import function, method
from ..core.results import result
from ..shape.shape import broadcast_tensors
from .arithmetic import convert, where
from .complex_numbers import view_as_complex, view_as_real

FrExp = result("frexp", "mantissa exponent")


@function(inplace="writing")
def round_(input, *, decimals=0):
    """The nearest integer, ties to even; with decimals, the nearest multiple of 10 ** -decimals."""
    if not input.dtype.is_floating_point and decimals:
        raise DTypeError(f"round: decimals is defined for floating point dtypes, not {input.dtype.name}")
    if decimals == 0:
        return run_elementwise(ops.round_half_even, (input,))
    return _rounded(input, decimals)


@in_float32
def _rounded(input, decimals):
    scale = 10.0 ** abs(decimals)
    scaled = input * scale if decimals > 0 else input / scale
    rounded = run_elementwise(ops.round_half_even, (scaled,))
    return rounded / scale if decimals > 0 else rounded * scale


def _check_same(name, a, b):
    if a.dtype is not b.dtype:
        raise DTypeError(f"{name}: {a.dtype.name} did not match {b.dtype.name}")


@function(out=False)
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, elementwise; infinities are close to themselves, NaN only with equal_nan."""
    _check_same("isclose", input, other)
    if rtol < 0 or atol < 0:
        raise ArgumentError(f"isclose: rtol and atol must be greater than or equal to zero, but got rtol={rtol} and atol={atol}")
    if input.dtype.is_inexact:
        result = run_elementwise(ops.close, (input, other), (rtol, atol))
    else:
        a, b = (convert(x, dtypes.float64 if x.device.profile.fp64 else dtypes.float32) for x in (input, other))
        result = (input == other) | run_elementwise(ops.close, (a, b), (rtol, atol))
    return result | (input.isnan() & other.isnan()) if equal_nan and input.dtype.is_inexact else result


@function(out=False)
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False) -> bool:
    """Whether all elements are close, as a Python bool."""
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@function(out=False)
def equal(input, other) -> bool:
    """Whether both have the same shape and elements, as a Python bool."""
    return tuple(input.shape) == tuple(other.shape) and bool((input == other).all())


def check_power(base, exponent):
    """Raise ArgumentError for an integer tensor to the power of a negative int: the result is not an integer."""
    if isinstance(exponent, int) and exponent < 0 and isinstance(base, TensorBase) and not base.dtype.is_inexact:
        raise ArgumentError(f"pow: Integers to negative integer powers are not allowed: {base.dtype.name} ** {exponent}; use "
                            ".float(), or a float exponent")


@function()
def pow_(input, exponent, *, out=None):
    """input ** exponent, broadcast.  Raises ArgumentError for an integer tensor to a negative int."""
    check_power(input, exponent)
    return run_elementwise(basic.pow, (input, exponent), (), out)


@method("pow_", "__ipow__")
def _pow_in_place(self, exponent):
    """self **= exponent."""
    check_power(self, exponent)
    return write_into(basic.pow, self, (self, exponent))


@method("__pow__")
def _power(self, exponent):
    """self ** exponent."""
    if not isinstance(exponent, TensorBase) and dtypes.category_of(exponent) is None:
        return NotImplemented
    check_power(self, exponent)
    return run_elementwise(basic.pow, (self, exponent))


@method()
def float_power_(self, exponent):
    """float_power in place.  Raises DTypeError unless this is a float64 or complex128 tensor."""
    if self.dtype.to_real() is not dtypes.float64:
        raise DTypeError(f"the base given to float_power_ has dtype {self.dtype.name} but the operation's result requires "
                         "dtype float64")
    return self.copy_(float_power(overwritten(self, exponent), exponent))


@function()
def square(input):
    """input ** 2; bools count as int64."""
    return run_elementwise(basic.square, (input.long() if input.dtype is dtypes.bool_ else input,))


@function()
def float_power(input, exponent, *, out=None):
    """input ** exponent in float64, or in complex128 if either is complex."""
    kinds = [x.dtype if isinstance(x, TensorBase) else dtypes.default_for(dtypes.category_of(x)) for x in (input, exponent)]
    wide, number = (dtypes.complex128, complex) if any(d.is_complex for d in kinds) else (dtypes.float64, float)
    wide = [convert(x, wide) if isinstance(x, TensorBase) else number(x) for x in (input, exponent)]
    return run_elementwise(basic.pow, wide, (), out)


@function(inplace="writing")
def logit(input, eps=None, *, out=None):
    """log(x / (1 - x)), of the input limited to [eps, 1 - eps] if eps is given."""
    if eps is None:
        return run_elementwise(ops.logit, (input,), (), out)
    return run_elementwise(ops.logit_clamped, (input,), (eps, 1 - eps), out)


@function(inplace="writing")
def nan_to_num(input, nan=None, posinf=None, neginf=None, *, out=None):
    """Replace NaN and the infinities; by default, the infinities by the dtype's largest and smallest numbers."""
    if not input.dtype.is_inexact:
        return input.clone() if out is None else out.copy_(input)
    if input.dtype.is_complex:
        parts = view_as_complex(nan_to_num(view_as_real(input), nan, posinf, neginf))
        return parts if out is None else out.copy_(parts)
    limits = dtypes.finfo(input.dtype)
    values = (nan if nan is not None else 0.0, limits.max if posinf is None else posinf, limits.min if neginf is None else neginf)
    return run_elementwise(ops.nan_to_num_values, (input,), values, out)


@function(method=False)
def polygamma(n, input, *, out=None):
    """The n-th derivative of digamma, for a tensor of any shape and floating dtype.  As a method: input.polygamma(n).

    Raises ArgumentError for a negative n.  Source: Abramowitz and Stegun 1964, 6.4.

        >>> ct.polygamma(1, ct.tensor([1.0]))
        tensor([1.6449])
    """
    if n < 0:
        raise ArgumentError(f"polygamma(n, x) does not support negative n, got {n}")
    if n == 0:
        return run_elementwise(ops.digamma, (input,), (), out)
    return run_elementwise(ops.polygamma_term, (input,), (float(n), (-1.0) ** (n + 1) * math.factorial(n)), out)


@method("polygamma")
def _polygamma(self, n):
    """The n-th derivative of digamma, for a tensor of any shape and floating dtype.

    Raises ArgumentError for a negative n.  Source: Abramowitz and Stegun 1964, 6.4.

        >>> ct.tensor([1.0]).polygamma(1)
        tensor([1.6449])
    """
    return polygamma(n, self)


method()(writing(_polygamma, "polygamma_"))


@function(inplace="writing")
@in_float32
def mvlgamma(input, p):
    """The multivariate log-gamma function of dimension p."""
    if p < 1:
        raise ArgumentError(f"mvlgamma: p has to be greater than or equal to 1, got {p}")
    x = input if input.dtype.is_floating_point else convert(input, dtypes.get_default_dtype())
    halves = arange(p, device=x.device).to(x.dtype) * -0.5
    return (x.unsqueeze(-1) + halves).lgamma().sum(-1) + p * (p - 1) / 4 * math.log(math.pi)


@function(inplace="writing")
@autocasts(PROMOTE_ON_GPU)
def addcmul(input, tensor1, tensor2, *, value=1, out=None):
    """input + value * tensor1 * tensor2."""
    return run_elementwise(ops.addcmul_op, (input, tensor1, tensor2), (value,), out)


@function(inplace="writing")
@autocasts(PROMOTE_ON_GPU)
def addcdiv(input, tensor1, tensor2, *, value=1, out=None):
    """input + value * tensor1 / tensor2.  Raises DTypeError for integers, as PyTorch does."""
    if all(not x.dtype.is_inexact for x in (tensor1, tensor2)):
        raise DTypeError("addcdiv: Integer division with addcdiv is no longer supported; use "
                         "(input + value * trunc(tensor1 / tensor2)) or floats")
    return run_elementwise(ops.addcdiv_op, (input, tensor1, tensor2), (value,), out)


@function(out=False)
def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    check_tensor("rsub", "input", 1, input)
    return other - (input if alpha == 1 else input * alpha)


@function(out=False)
def positive(input):
    """input itself.  Raises DTypeError for bool."""
    if input.dtype is dtypes.bool_:
        raise DTypeError("The `+` operator, on a bool tensor is not supported.")
    return input


@function(method=False, out=False)
def numel(input) -> int:
    """The number of elements."""
    return input.numel()


@function(out=False)
def is_nonzero(input) -> bool:
    """Whether a one-element tensor is not 0.  Raises ShapeError for more elements."""
    if input.numel() != 1:
        what = "no values" if not input.numel() else "more than one value"
        raise ShapeError(f"is_nonzero: Boolean value of Tensor with {what} is ambiguous")
    return bool(input)


@function(method=False, out=False)
def is_floating_point(input) -> bool:
    """Whether the dtype is a floating one."""
    return input.dtype.is_floating_point


@function()
def frexp(input) -> FrExp:
    """(mantissa, exponent) with input = mantissa * 2 ** exponent and 0.5 <= |mantissa| < 1."""
    if not input.dtype.is_floating_point:
        raise DTypeError(f"frexp() only supports floating-point dtypes, got {input.dtype.name}")
    return FrExp(*_frexp(input))


@in_float32
def _frexp(input):
    magnitude = input.detach().abs()
    ordinary = (magnitude > 0) & magnitude.isfinite()
    safe = magnitude.where(ordinary, 1.0)
    exponent = safe.log2().floor() + 1
    mantissa = _times_power(safe, -exponent)
    exponent = exponent + (mantissa >= 1).to(exponent.dtype) - (mantissa < 0.5).to(exponent.dtype)
    exponent = exponent.where(ordinary, 0.0)
    return _times_power(input, -exponent).where(ordinary, input), exponent.to(dtypes.int32)


def _times_power(x, exponent):
    """x * 2 ** exponent, even where the power alone would be infinite."""
    half = (exponent * 0.5).floor()
    return x * half.exp2() * (exponent - half).exp2()


@function(inplace="writing")
def nextafter(input, other, *, out=None):
    """The next number of the dtype from input towards other; the gradient is input's, as in PyTorch."""
    check_tensor("nextafter", "input", 1, input)
    check_tensor("nextafter", "other", 2, other)
    dtype = result_type([input._spec, other._spec])
    if not dtype.is_floating_point:
        raise UnsupportedDTypeError(f"nextafter: not defined for {dtype.name}; use .float()")
    if dtype.itemsize == 2:  # in float32, rounding would remove such a step
        y = _NextAfter.apply(*broadcast_tensors(*(convert(x, dtype) for x in (input, other))))
        return y if out is None else out.copy_(y)
    return run_elementwise(ops.nextafter, (input, other), (), out)


class _NextAfter(Function):
    """nextafter of 16-bit floats: their bits count up from 0 in both directions."""

    @staticmethod
    def forward(ctx, a, b):
        bits, target = (x.contiguous().view(dtypes.int16) for x in (a, b))
        moved = bits + where((a < b) == (a > 0), 1, -1).to(dtypes.int16)
        moved = where(a == 0, where(b < 0, -0x7FFF, 1).to(dtypes.int16), moved)
        moved = where(a == b, target, moved)
        ctx.save_for_backward(a == b)
        return where(a.isnan() | b.isnan(), 0x7FFF, moved).to(dtypes.int16).view(a.dtype)

    @staticmethod
    def backward(ctx, g):
        arrived, = ctx.saved_tensors
        return where(arrived, 0.0, g).to(g.dtype), g.new_zeros(g.shape)


@function(out=False)
@autocasts(LOW_ON_GPU)
def prelu(input, weight):
    """x above 0, weight * x below; weight () or (1,) for all, or (C,) for the channels of input (N, C, *)."""
    if weight.ndim > 1:
        raise ShapeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.numel() not in (1, channels):
        raise ShapeError(f"prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                         f"{weight.numel()} and channel size = {channels}; weight needs 1 element or {channels}")
    shape = (weight.numel(), *(1,) * (input.ndim - 2)) if weight.numel() > 1 else (1,) * input.ndim
    return activations.prelu(input, weight.reshape(shape))
