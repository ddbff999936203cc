"""Conversions between float and the two 16-bit formats: exact over all patterns, correctly rounded from float."""

import functools

import numpy as np
import pytest

from cltensor.runtime.device import default_device
from codegen.applied import Applied

pytestmark = pytest.mark.device
PATTERNS = np.arange(65536, dtype=np.uint16)


@functools.cache
def widen():
    bodies = {f: ([], f"as_uint(ct_{f}_to_float(a))") for f in ("half", "bfloat16")}
    return Applied(default_device(), bodies, "ushort", "uint", arity=1)


@functools.cache
def narrow():
    bodies = {f: ([], f"ct_float_to_{f}(as_float(a))") for f in ("half", "bfloat16")}
    return Applied(default_device(), bodies, "uint", "ushort", arity=1)


@functools.cache
def eights():
    """The same on vectors of eight, of which one number is looked at."""
    bodies = {}
    for f in ("half", "bfloat16"):
        bodies[f"widen {f}"] = [], f"as_uint(ct_{f}_to_float8((ushort8)((ushort)a)).s5)"
        bodies[f"narrow {f}"] = [], f"ct_float8_to_{f}((float8)(as_float(a))).s5"
    return Applied(default_device(), bodies, "uint", arity=1)


@pytest.fixture
def floats(rng):
    """Bits of floats: random ones, and every half and bfloat16 with its neighbours and the midpoints between."""
    halves = PATTERNS.view(np.float16).astype(np.float32).view(np.uint32)
    brains = PATTERNS.astype(np.uint32) << 16
    near = [base + np.uint32(step) for base in (halves, brains) for step in (0, 1, 0xFFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001)]
    subnormal = (rng.integers(0, 2**12, 50000) * 2.0**-26).astype(np.float32).view(np.uint32)
    return np.concatenate([rng.integers(0, 2**32, 200000, np.uint32), subnormal, *near])


def test_half_to_float_is_exact():
    want = PATTERNS.view(np.float16).astype(np.float32)
    got = widen()("half", PATTERNS, dtype=np.uint32).view(np.float32)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


def test_bfloat16_to_float_is_exact():
    np.testing.assert_array_equal(widen()("bfloat16", PATTERNS, dtype=np.uint32), PATTERNS.astype(np.uint32) << 16)


def test_float_to_half_rounds_to_nearest_even(floats):
    with np.errstate(over="ignore", invalid="ignore"):
        want = floats.view(np.float32).astype(np.float16)
    got = narrow()("half", floats, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got), np.signbit(want))


def test_float_to_bfloat16_rounds_to_nearest_even(floats):
    values = floats.view(np.float32)
    low = floats & np.uint32(0xFFFF0000)
    below, rest = (low >> 16).astype(np.uint16), floats & np.uint32(0xFFFF)
    up = (rest > 0x8000) | ((rest == 0x8000) & (below & 1 == 1))
    want = below + up.astype(np.uint16)
    got = narrow()("bfloat16", floats, dtype=np.uint16)
    number = ~np.isnan(values)
    np.testing.assert_array_equal(got[number], want[number])
    assert np.isnan((got[~number].astype(np.uint32) << 16).view(np.float32)).all()


@pytest.mark.parametrize("name", ["half", "bfloat16"])
def test_there_and_back_changes_nothing(name):
    wide = widen()(name, PATTERNS, dtype=np.uint32)
    number = ~np.isnan(wide.view(np.float32))
    np.testing.assert_array_equal(narrow()(name, wide, dtype=np.uint16)[number], PATTERNS[number])


@pytest.mark.parametrize("name", ["half", "bfloat16"])
def test_eight_at_once_are_the_same_bits(name, floats):
    patterns = PATTERNS.astype(np.uint32)
    np.testing.assert_array_equal(eights()(f"widen {name}", patterns, dtype=np.uint32), widen()(name, PATTERNS, dtype=np.uint32))
    np.testing.assert_array_equal(eights()(f"narrow {name}", floats, dtype=np.uint32), narrow()(name, floats, dtype=np.uint16))
