"""Every op of the registry on other than flat layouts: transposed, strided, broadcast, expanded, empty, 0-d; in float32
(or the first integer dtype of ops without it)."""

import warnings

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from cltensor.base.errors import ShapeError
from ops import samples

pytestmark = [pytest.mark.device, pytest.mark.plain]


def _ops(*kinds):
    return [pytest.param(op, id=op.name) for op in samples.referenced(*kinds)]


def _dtype(op):
    return dtypes.float32 if dtypes.float32 in samples.allowed(op) else samples.allowed(op)[-1]


def transposed(a, dtype):
    """a as a tensor whose dimensions lie in reverse order in memory."""
    order = tuple(reversed(range(a.ndim)))
    return samples.tensor(np.ascontiguousarray(a.transpose(order)), dtype).permute(order)


def strided(a, dtype):
    """a as every second element, from the second on, of a larger tensor full of other values."""
    whole = np.full([2 * n + 1 for n in a.shape], 1, a.dtype)
    part = tuple(slice(1, None, 2) for _ in a.shape)
    whole[part] = a
    return samples.tensor(whole, dtype)[part]


def laid(layout, arrays, dtype):
    return [layout(a, dtype) if isinstance(a, np.ndarray) and a.ndim else samples.tensor(a, dtype) for a in arrays]


@pytest.mark.parametrize("op", _ops("elementwise", "reduction", "other"))
@pytest.mark.parametrize("layout", [transposed, strided], ids=lambda f: f.__name__)
def test_not_contiguous(op, layout):
    if op.name in samples.DENSE_ONLY:
        pytest.skip(samples.DENSE_ONLY[op.name])
    dtype = _dtype(op)
    for arrays, attrs in samples.samples(op, dtype):
        samples.check(op, laid(layout, arrays, dtype), arrays, attrs, dtype, str(attrs))


@pytest.mark.parametrize("op", [p for p in _ops("elementwise", "reduction") if len(p.values[0].inputs) > 1])
def test_mixed(op):
    """The first operand transposed, the others not."""
    dtype = _dtype(op)
    for arrays, attrs in samples.samples(op, dtype)[:2]:
        inputs = [transposed(arrays[0], dtype), *samples.tensors(arrays[1:], dtype)]
        samples.check(op, inputs, arrays, attrs, dtype, str(attrs))


@pytest.mark.parametrize("op", [p for p in _ops("elementwise") if len(p.values[0].inputs) > 1])
def test_broadcast(op, rng):
    dtype = _dtype(op)
    attrs = samples.samples(op, dtype)[0][1]
    for shapes in ([(3, 1, 4), (5, 1)], [(), (3, 4)], [(1,), (3, 4)]):
        arrays = samples.drawn(op, rng, dtype, *shapes)
        samples.check(op, samples.tensors(arrays, dtype), arrays, attrs, dtype, str(shapes))


@pytest.mark.parametrize("op", _ops("elementwise", "reduction"))
def test_expanded(op, rng):
    """A column repeated without a copy."""
    dtype = _dtype(op)
    small = samples.drawn(op, rng, dtype, (3, 1))
    arrays = [np.broadcast_to(a, (3, 4)) for a in small]
    inputs = [t.expand(3, 4) for t in samples.tensors(small, dtype)]
    for _, attrs in samples.samples(op, dtype, shape=(3, 4, 2))[:2]:
        samples.check(op, inputs, arrays, attrs, dtype, str(attrs))


@pytest.mark.parametrize("op", _ops("elementwise", "reduction"))
def test_zero_dimensions(op, rng):
    dtype = _dtype(op)
    arrays = samples.drawn(op, rng, dtype, ())
    samples.check(op, samples.tensors([np.asarray(a) for a in arrays], dtype), arrays, samples.samples(op, dtype)[0][1], dtype)


@pytest.mark.parametrize("op", _ops("elementwise"))
def test_empty(op, rng):
    dtype = _dtype(op)
    attrs = samples.samples(op, dtype)[0][1]
    arrays = samples.drawn(op, rng, dtype, (0, 3))
    samples.check(op, samples.tensors(arrays, dtype), arrays, attrs, dtype)


@pytest.mark.parametrize("op", _ops("reduction"))
def test_empty_reduction(op, rng):
    dtype = _dtype(op)
    arrays = samples.drawn(op, rng, dtype, (0, 3))
    inputs, numbers = samples.tensors(arrays, dtype), samples.numbers(op, dtype)
    if op.nonempty:
        with pytest.raises(ShapeError, match="a size is 0 and there is no such value of nothing"):
            op(*inputs, dim=0, **numbers)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of a mean of nothing
            samples.check(op, inputs, arrays, {"dim": 0, **numbers}, dtype)
    found = op(*inputs, dim=1, **numbers)
    found = found[0] if isinstance(found, tuple) else found
    assert found.shape == (0,)


@pytest.mark.parametrize("op", _ops("elementwise", "reduction"))
def test_many_dimensions(op, rng):
    """More dimensions than merge into a few."""
    dtype = _dtype(op)
    if op.name not in ("copy", "add", "where_select", "sum_reduce", "amax"):
        pytest.skip("the rank is the template's business: a few ops stand for all")
    arrays = samples.drawn(op, rng, dtype, (2, 3, 2, 3, 2, 3, 2))
    inputs = laid(strided, arrays, dtype)
    for attrs in ({"dim": (1, 3, 5)}, {"dim": (0, 2, 6)}) if op.kind == "reduction" else ({},):
        samples.check(op, inputs, arrays, attrs, dtype, str(attrs))
    assert isinstance(inputs[0], ct.Tensor)
