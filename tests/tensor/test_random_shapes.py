"""Views, indexing and writes on shapes that hypothesis draws, against NumPy."""

import numpy as np
import pytest

import cltensor as ct

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

pytestmark = [pytest.mark.device, pytest.mark.any_style]
drawn = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5)


def numbered(shape):
    return np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)


def same(ours, theirs):
    assert tuple(ours.shape) == theirs.shape
    np.testing.assert_array_equal(ours.numpy(), theirs)


@drawn
@given(st.data())
def test_basic_index_and_write(data):
    a = numbered(data.draw(SHAPES))
    index = data.draw(hnp.basic_indices(a.shape, allow_newaxis=True, allow_ellipsis=True).filter(_forward))
    x = ct.from_numpy(a.copy())
    same(x[index], a[index])
    x[index], a[index] = -1.0, -1.0
    same(x, a)


def _forward(index):
    parts = index if isinstance(index, tuple) else (index,)
    return all(not isinstance(p, slice) or p.step is None or p.step > 0 for p in parts)


@drawn
@given(st.data())
def test_permuted_sliced_and_reshaped(data):
    a = numbered(data.draw(SHAPES))
    order = data.draw(st.permutations(range(a.ndim)))
    x, a = ct.from_numpy(a).permute(tuple(order)), a.transpose(order)
    index = tuple(slice(data.draw(st.integers(0, n)), None, data.draw(st.integers(1, 3))) for n in a.shape)
    x, a = x[index], a[index]
    same(x, a)
    same(x.reshape(-1), a.reshape(-1))
    same(x.contiguous().flatten(), a.ravel())
    same((x + x).sum(), np.float32(2 * a.sum(dtype=np.float64)))


@drawn
@given(st.data())
def test_advanced_index(data):
    a = numbered(data.draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5)))
    index = data.draw(hnp.integer_array_indices(a.shape, result_shape=hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)))
    same(ct.from_numpy(a)[tuple(ct.from_numpy(i) for i in index)], a[index])


@drawn
@given(st.data())
def test_broadcast(data):
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4))
    a, b = (numbered(s) for s in shapes.input_shapes)
    same(ct.from_numpy(a) + ct.from_numpy(b), a + b)
    same(ct.from_numpy(a).expand(shapes.result_shape), np.broadcast_to(a, shapes.result_shape))
