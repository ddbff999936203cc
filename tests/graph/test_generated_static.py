"""Every public op of the registry in a static graph: the same bits as eager, with all sizes known and with none."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from cltensor.graph import Graph, Symbol
from ops import samples

from .test_generated_capture import as_tuple

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def cases():
    for op in samples.ops("elementwise", "reduction", "other"):
        allowed = samples.allowed(op)
        dtype = next((d for d in (dtypes.float32, dtypes.int64, dtypes.bool_, dtypes.complex64) if d in allowed), None)
        if op.public and dtype is not None and op.kind != "view":
            yield pytest.param(op, dtype, id=op.name)


def defined(op, dtype, arrays, attrs, known):
    """(the graph, {placeholder: tensor}, the symbols of the results)."""
    g, feeds, given = Graph(), {}, []
    for t in samples.tensors(arrays, dtype):
        x = g.placeholder(t.shape if known else (None,) * t.ndim, t.dtype) if isinstance(t, ct.Tensor) else t
        given.append(x)
        if x is not t:
            feeds[x] = t
    with g:
        return g, feeds, as_tuple(op(*given, **attrs))


def check(op, dtype, known):
    arrays, attrs = samples.samples(op, dtype)[0]
    g, feeds, found = defined(op, dtype, arrays, attrs, known)
    assert all(isinstance(y, Symbol) for y in found)
    wanted = as_tuple(op(*samples.tensors(arrays, dtype), **attrs))
    for y, a, b in zip(found, g.run(found, feeds), wanted, strict=True):
        assert a.dtype is y.dtype is b.dtype
        assert all(n in (None, m) for n, m in zip(y.sizes(), b.shape, strict=True))
        np.testing.assert_array_equal(samples.values(a), samples.values(b))


@pytest.mark.parametrize(("op", "dtype"), list(cases()))
def test_sizes_known(op, dtype):
    check(op, dtype, True)


@pytest.mark.parametrize(("op", "dtype"), list(cases()))
def test_sizes_not_known(op, dtype):
    check(op, dtype, False)
