"""First and second gradients of every differentiable op against finite differences, in float64 and in complex128."""

import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck
from cltensor.base import dtypes
from ops import samples

pytestmark = pytest.mark.device


def _differentiable():
    return [pytest.param(op, d, id=f"{op.name}-{d.name}") for op in samples.ops("elementwise", "reduction", "other")
            for d in (dtypes.float64, dtypes.complex128) if d in samples.allowed(op) and _form(op, d).differentiable]


def _form(op, dtype):
    return op.on_complex if dtype.is_complex and op.kind == "elementwise" else op


def _calls(op, dtype):
    """(function of the floating and complex inputs, those inputs) per sample."""
    for arrays, attrs in samples.samples(op, dtype, shape=(2, 3, 2) if op.kind == "reduction" else (2, 3)):
        inputs = samples.tensors(arrays, dtype)
        places = [i for i, x in enumerate(inputs) if isinstance(x, ct.Tensor) and x.dtype.is_inexact
                  and i not in samples.NO_GRADIENT.get(op.name, ())]

        def call(*xs, inputs=tuple(inputs), places=places, attrs=attrs):
            args = list(inputs)
            for i, x in zip(places, xs, strict=True):
                args[i] = x
            return op(*args, **attrs)

        yield call, [inputs[i].requires_grad_() for i in places]


def _with_gradient(op, dtype):
    """The calls of _calls whose results are floating or complex.  Skips an op without any."""
    found = [(call, inputs) for call, inputs in _calls(op, dtype) if any(y.dtype.is_inexact for y in _tuple(call(*inputs)))]
    if not found:
        pytest.skip("its results are bools or integers")
    return found


def _tuple(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


@pytest.mark.parametrize(("op", "dtype"), _differentiable())
def test_first(op, dtype):
    for call, inputs in _with_gradient(op, dtype):
        assert gradcheck(call, inputs)


@pytest.mark.parametrize(("op", "dtype"), _differentiable())
def test_second(op, dtype):
    for call, inputs in _with_gradient(op, dtype):
        assert gradgradcheck(call, inputs, fast_mode=True)
