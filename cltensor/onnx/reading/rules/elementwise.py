"""Elementwise arithmetic, comparisons, logic and bits."""

import functools
import math

from ..operators import operator
from ..public import ct
from ..unsigned import ordered, widened

_UNARY = {
    "Acos": ct.acos, "Acosh": ct.acosh, "Asin": ct.asin, "Asinh": ct.asinh, "Atan": ct.atan, "Atanh": ct.atanh, "Ceil": ct.ceil,
    "Cos": ct.cos, "Cosh": ct.cosh, "Erf": ct.erf, "Exp": ct.exp, "Floor": ct.floor, "IsNaN": ct.isnan, "Log": ct.log,
    "Reciprocal": ct.reciprocal, "Round": ct.round, "Sin": ct.sin, "Sinh": ct.sinh, "Sqrt": ct.sqrt, "Tan": ct.tan,
    "BitwiseNot": ct.bitwise_not, "Not": ct.logical_not, "Neg": ct.neg, "Abs": ct.abs, "Sign": ct.sign,
}
_BINARY = {
    "Add": ct.add, "Sub": ct.sub, "Mul": ct.mul, "And": ct.logical_and, "Or": ct.logical_or, "Xor": ct.logical_xor,
    "BitwiseAnd": ct.bitwise_and, "BitwiseOr": ct.bitwise_or, "BitwiseXor": ct.bitwise_xor, "Equal": ct.eq,
}
_ORDERED = {"Greater": ct.gt, "GreaterOrEqual": ct.ge, "Less": ct.lt, "LessOrEqual": ct.le}


def _unary(function):
    return lambda x: function(x)


def _binary(function):
    return lambda a, b: function(a, b)


for _name, _function in _UNARY.items():
    operator(_name)(widened(_unary(_function)))
for _name, _function in _BINARY.items():
    operator(_name, since=7)(widened(_binary(_function)))
for _name, _function in _ORDERED.items():
    operator(_name, since=7)(ordered(_binary(_function)))


@operator("Div", since=7)
@widened
def div(a, b):
    return ct.div(a, b) if a.dtype.is_floating_point else ct.div(a, b, rounding_mode="trunc")


@operator("Mod", since=10)
@widened
def mod(a, b, *, fmod=0):
    return ct.fmod(a, b) if fmod else ct.remainder(a, b)


@operator("Pow", since=7)
@widened
def power(base, exponent):
    return ct.pow(base, exponent).to(base.dtype)


@operator("BitShift", since=11)
@widened
def bit_shift(x, y, *, direction):
    if direction == "LEFT":
        return ct.bitwise_left_shift(x, y)
    if x.dtype is ct.int64:  # stands for a uint64, whose highest bit is no sign
        kept = ct.bitwise_right_shift(x, y) & ct.bitwise_not(ct.bitwise_left_shift(ct.full_like(x, -2), 63 - y))
        return ct.where(y == 0, x, kept)
    return ct.bitwise_right_shift(x, y)


@operator("IsInf", since=10)
def is_inf(x, *, detect_negative=1, detect_positive=1):
    if detect_negative and detect_positive:
        return ct.isinf(x)
    found = ct.isposinf(x) if detect_positive else ct.isneginf(x)
    return found if detect_negative or detect_positive else ct.zeros_like(found)


@operator("Max", since=8)
def largest(*inputs):
    return functools.reduce(_largest_of_two, inputs)


@operator("Min", since=8)
def smallest(*inputs):
    return functools.reduce(_smallest_of_two, inputs)


@operator("Sum", since=8)
def added(*inputs):
    return functools.reduce(ct.add, inputs)


@operator("Mean", since=8)
def averaged(*inputs):
    return functools.reduce(ct.add, inputs) / len(inputs)


@operator("Clip", since=6)
def clip_by_attributes(x, *, min=-math.inf, max=math.inf):
    return ct.clamp(x, min, max)


@operator("Clip", since=11, either="min max", buffers="min max")
def clip(x, min=None, max=None):
    if min is not None:
        x = _bounded(x, min, _largest_of_two)
    return x if max is None else _bounded(x, max, _smallest_of_two)


@operator("Where", since=9)
def where(condition, x, y):
    return ct.where(condition, x, y)


def _bounded(x, bound, function):
    bound = bound if hasattr(bound, "requires_grad") else ct.tensor(bound.tolist(), dtype=x.dtype, device=x.device)
    return function(x, bound)


@widened
def _plain_largest(a, b):
    return ct.maximum(a, b)


@widened
def _plain_smallest(a, b):
    return ct.minimum(a, b)


def _largest_of_two(a, b):
    return _by_order(a, b, ct.gt) if a.dtype is ct.uint64 else _plain_largest(a, b)


def _smallest_of_two(a, b):
    return _by_order(a, b, ct.lt) if a.dtype is ct.uint64 else _plain_smallest(a, b)


def _by_order(a, b, compare):
    """One of two uint64."""
    return ct.where(ordered(compare)(a, b), a.to(ct.int64), b.to(ct.int64)).to(ct.uint64)
