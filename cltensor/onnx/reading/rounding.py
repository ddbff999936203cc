"""Rounding on the device to element types that it does not have."""

import math

import numpy as np

from .element_types import NARROW
from .public import ct

#: name -> (bits of the fraction, exponent of the smallest normal number, largest finite value, what overflow gives: "inf", "nan"
#: or "max")
_FLOATS = {
    "float8_e4m3fn": (3, -6, 448.0, "nan"), "float8_e4m3fnuz": (3, -7, 240.0, "nan"), "float8_e5m2": (2, -14, 57344.0, "inf"),
    "float8_e5m2fnuz": (2, -15, 57344.0, "nan"), "float4_e2m1fn": (1, 0, 6.0, "max"),
}
_INTEGERS = {"uint4": (4, False), "int4": (4, True), "uint2": (2, False), "int2": (2, True)}


def limits(name):
    """(lowest, highest) of an integer type, also of those that devices do not have."""
    bits, signed = _INTEGERS.get(name) or (np.iinfo(name).bits, name.startswith("int"))
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def rounded(x, name, saturate=1, round_mode="up"):
    """The values of an element type nearest to those of x, in the dtype that holds the type."""
    if name in _INTEGERS:
        bits, signed = _INTEGERS[name]
        whole = x.to(ct.int64) & ((1 << bits) - 1)
        if signed:
            whole = whole - ((whole >> (bits - 1)) << bits)
        return whole.to(getattr(ct, NARROW[name]))
    if name == "float8_e8m0fnu":
        return _power_of_two(x.to(ct.float32), saturate, round_mode)
    fraction, smallest, largest, over = _FLOATS[name]
    x = x.to(ct.float32)
    size = ct.abs(x)
    step = ct.exp2(ct.clamp(_exponent(size), min=smallest) - fraction)
    nearest = ct.where(ct.isfinite(x), ct.round(size / step) * step, size)
    edge = largest if over == "max" or saturate else {"inf": math.inf, "nan": math.nan}[over]
    beyond = edge if saturate or over != "inf" else math.inf
    nearest = ct.where(nearest > largest, ct.full_like(nearest, beyond), nearest)
    if over == "max":  # the type has no nan
        nearest = ct.where(ct.isnan(x), ct.zeros_like(nearest), nearest)
    return ct.copysign(nearest, x) if not name.endswith("uz") else ct.where(x < 0, -nearest, nearest)


def _exponent(size):
    """floor(log2(size)) of normal numbers, exactly."""
    return ct.frexp(size)[1].to(ct.float32) - 1


def _power_of_two(x, saturate, round_mode):
    size = ct.abs(x)
    fraction, exponent = ct.frexp(size)
    exponent = exponent.to(ct.float32) - 1  # size = 2 * fraction * 2**exponent
    more = {"up": fraction > 0.5, "down": fraction < 0, "nearest": fraction >= 0.75}[round_mode]
    exponent = ct.where(size == 0, ct.full_like(size, -127.0), exponent + more.to(ct.float32))
    low, high = -127.0, 127.0
    found = ct.exp2(ct.clamp(exponent, low, high))
    if not saturate:
        found = ct.where((exponent > high), ct.full_like(found, math.nan), found)
    return ct.where(ct.isnan(x), x, found)

