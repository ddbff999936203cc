"""Every op of the registry, captured and replayed on other values: the same bits as eager, gradients included."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from cltensor.graph.compiled import Compiled
from ops import samples

pytestmark = pytest.mark.device
#: ops that read values on the host run eagerly
READING = ("are read by the host", "the host writes", "memory is copied")


def cases():
    found = []
    for op in samples.ops("elementwise", "reduction", "other"):
        allowed = samples.allowed(op)
        real = next((d for d in (dtypes.float32, dtypes.int64, dtypes.bool_) if d in allowed), None)
        found.extend(pytest.param(op, dtype, id=f"{op.name}-{dtype.name}") for dtype in (real, dtypes.complex64)
                     if dtype in allowed and op.kind != "view")
    return found


def same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(samples.values(a), samples.values(b))


def as_tuple(x):
    return x if isinstance(x, tuple) else (x,)


@pytest.mark.parametrize(("op", "dtype"), cases())
def test_replay(op, dtype):
    for arrays, attrs in samples.samples(op, dtype)[:2]:
        compiled = Compiled(lambda *given, attrs=attrs: as_tuple(op(*given, **attrs)))
        for _ in range(3):
            same(compiled(*samples.tensors(arrays, dtype)), as_tuple(op(*samples.tensors(arrays, dtype), **attrs)))
        refused = list(compiled.eager.values())
        assert compiled.programs or all(any(r in reason for r in READING) for reason in refused), refused
        told = compiled.explain()
        assert told.launches <= told.launches_before
        assert told.bytes_moved <= told.bytes_moved_before
        assert told.flops >= 0
        assert str(told)


@pytest.mark.parametrize(("op", "dtype"), [c for c in cases() if c.values[0].differentiable and c.values[1].is_floating_point])
def test_replay_of_gradients(op, dtype):
    def gradients(*given):
        given = [t.detach().requires_grad_() if isinstance(t, ct.Tensor) and t.is_floating_point() else t for t in given]
        total = sum(((y * y.conj()).real.sum() for y in as_tuple(op(*given, **attrs)) if y.requires_grad), ct.zeros(()))
        if not total.requires_grad:
            return ()
        wanted = [t for t in given if isinstance(t, ct.Tensor) and t.requires_grad]
        return tuple(g for g in ct.autograd.grad(total, wanted, allow_unused=True) if g is not None)

    arrays, attrs = samples.samples(op, dtype)[0]
    compiled = Compiled(gradients)
    for _ in range(3):
        found, wanted = compiled(*samples.tensors(arrays, dtype)), gradients(*samples.tensors(arrays, dtype))
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(samples.values(a), samples.values(b), rtol=1e-5, atol=1e-6)
