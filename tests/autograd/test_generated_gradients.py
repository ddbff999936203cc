"""First and second gradients of every differentiable op against finite differences, in float64."""

import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck
from cltensor.base import dtypes
from ops import samples

pytestmark = pytest.mark.device


def _differentiable():
    return [pytest.param(op, id=op.name) for op in samples.ops("elementwise", "reduction", "other")
            if op.differentiable and dtypes.float64 in samples.allowed(op)]


def _calls(op):
    """(function of the floating inputs, those inputs) per sample."""
    for arrays, attrs in samples.samples(op, dtypes.float64, shape=(2, 3, 2) if op.kind == "reduction" else (2, 3)):
        inputs = samples.tensors(arrays, dtypes.float64)
        places = [i for i, x in enumerate(inputs) if isinstance(x, ct.Tensor) and x.is_floating_point()
                  and i not in samples.NO_GRADIENT.get(op.name, ())]

        def call(*xs, inputs=tuple(inputs), places=places, attrs=attrs):
            args = list(inputs)
            for i, x in zip(places, xs, strict=True):
                args[i] = x
            return op(*args, **attrs)

        yield call, [inputs[i].requires_grad_() for i in places]


def _with_gradient(op):
    """The calls of _calls whose results are floats.  Skips an op without any."""
    found = [(call, inputs) for call, inputs in _calls(op) if any(map(ct.is_floating_point, _tuple(call(*inputs))))]
    if not found:
        pytest.skip("its results are bools or integers")
    return found


def _tuple(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


@pytest.mark.parametrize("op", _differentiable())
def test_first(op):
    for call, inputs in _with_gradient(op):
        assert gradcheck(call, inputs)


@pytest.mark.parametrize("op", _differentiable())
def test_second(op):
    for call, inputs in _with_gradient(op):
        assert gradgradcheck(call, inputs, fast_mode=True)
