"""Every op of the registry against its NumPy reference: each dtype it allows, on the flat layout."""

import numpy as np
import pytest

from cltensor.base import dtypes
from ops import samples

pytestmark = pytest.mark.device
MANY = (9001,)  # more than one work-group, and no multiple of a vector
# The dtypes in which each op is compiled as users' programs are; the conversions of the others have tests in tests/codegen.
OPTIMISED = (dtypes.float32, dtypes.int64, dtypes.bool_)


def _cases(*kinds):
    return [pytest.param(op, d, id=f"{op.name}-{d.name}", marks=() if d in OPTIMISED else pytest.mark.plain)
            for op in samples.referenced(*kinds) for d in samples.tried(op)]


@pytest.mark.parametrize(("op", "dtype"), _cases("elementwise"))
def test_elementwise(op, dtype):
    for arrays, attrs in samples.samples(op, dtype, shape=MANY):
        samples.check(op, samples.tensors(arrays, dtype), arrays, attrs, dtype, str(attrs))


@pytest.mark.parametrize(("op", "dtype"), _cases("reduction"))
def test_reduction(op, dtype):
    everything = dtype in (dtypes.float32, dtypes.int64)
    for arrays, attrs in samples.samples(op, dtype)[slice(None if everything else 1)]:
        samples.check(op, samples.tensors(arrays, dtype), arrays, attrs, dtype, str(attrs))


def _long():
    """Reductions in float32 and int64, but for the product of many floats, which is 0 or infinite."""
    return [pytest.param(op, d, id=f"{op.name}-{d.name}") for d in (dtypes.float32, dtypes.int64)
            for op in samples.referenced("reduction")
            if d in samples.allowed(op) and not (op.name == "prod_reduce" and d is dtypes.float32)]


@pytest.mark.parametrize(("op", "dtype"), _long())
def test_long_reduction(op, dtype, rng):
    """Enough elements that the reduced range is cut into parts, which a second launch joins."""
    arrays = samples.drawn(op, rng, dtype, (3, 20011))
    for dim in (1, 0, None):
        attrs = {"dim": dim, **samples.numbers(op, dtype)}
        samples.check(op, samples.tensors(arrays, dtype), arrays, attrs, dtype, str(attrs))


@pytest.mark.parametrize(("op", "dtype"), _cases("other"))
def test_sampled(op, dtype):
    for arrays, attrs in samples.samples(op, dtype):
        samples.check(op, samples.tensors(arrays, dtype), arrays, attrs, dtype, str(attrs))


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 1e30, -1e30, 1e-30, -1e-30])


@pytest.mark.parametrize("op", [pytest.param(op, id=op.name) for op in samples.referenced("elementwise")
                                if dtypes.float32 in samples.allowed(op) and op.samples is None])
def test_special_values(op):
    """NaN, infinities, signed zeros, large and small, in every combination."""
    if op.name in samples.NOT_SPECIAL:
        pytest.skip(samples.NOT_SPECIAL[op.name])
    grid = np.meshgrid(*[SPECIAL] * len(op.inputs))
    arrays = tuple(samples.representable(a.ravel(), dtypes.float32) for a in grid)
    arrays = tuple(a > 0 if n in op.exempt else a for n, a in zip(op.inputs, arrays, strict=True))
    attrs = samples.samples(op, dtypes.float32)[0][1]
    samples.check(op, samples.tensors(arrays, dtypes.float32), arrays, attrs, dtypes.float32)
