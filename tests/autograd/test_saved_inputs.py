"""A node saves only the inputs that the wanted gradients read; the others may change and be freed."""

import weakref

import pytest

import cltensor as ct
from cltensor.nn import functional as F

pytestmark = [pytest.mark.device, pytest.mark.any_style]

#: name: (function, shapes of the inputs, which other inputs the gradient of each reads)
CALLS = {
    "matmul": (ct.matmul, ((3, 4), (4, 2)), ((1,), (0,))),
    "matmul of batches": (ct.matmul, ((2, 3, 4), (2, 4, 2)), ((1,), (0,))),
    "linear": (F.linear, ((3, 4), (2, 4), (2,)), ((1,), (0,), ())),
    "addmm": (lambda x, a, b: ct.addmm(x, a, b, beta=2, alpha=3), ((3, 2), (3, 4), (4, 2)), ((), (2,), (1,))),
    "baddbmm": (ct.baddbmm, ((2, 3, 2), (2, 3, 4), (2, 4, 2)), ((), (2,), (1,))),
    "conv2d": (F.conv2d, ((1, 2, 5, 5), (3, 2, 3, 3), (3,)), ((1,), (0,), ())),
    "dot": (ct.dot, ((4,), (4,)), ((1,), (0,))),
}
CASES = [(name, i) for name, (_, shapes, _) in CALLS.items() for i in range(len(shapes))]


def inputs(name, wanted):
    made = [ct.linspace(-1, 2, ct.ones(s).numel()).reshape(s) for s in CALLS[name][1]]
    made[wanted].requires_grad_()
    return made


@pytest.mark.parametrize(("name", "wanted"), CASES)
def test_inputs_that_no_gradient_reads_may_change(name, wanted):
    fn, _, reads = CALLS[name]
    expected = inputs(name, wanted)
    fn(*expected).square().sum().backward()
    given = inputs(name, wanted)
    y = fn(*given)
    with ct.no_grad():
        for i, x in enumerate(given):
            if i not in reads[wanted]:
                x.add_(1)
    y.square().sum().backward()
    assert ct.equal(given[wanted].grad, expected[wanted].grad)


@pytest.mark.parametrize(("name", "wanted", "read"), [(name, i, read) for name, i in CASES for read in CALLS[name][2][i]])
def test_inputs_that_a_gradient_reads_may_not_change(name, wanted, read):
    given = inputs(name, wanted)
    y = CALLS[name][0](*given)
    given[read].add_(1)
    with pytest.raises(ct.AutogradError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_frozen_layer_keeps_no_activations():
    weight, x = ct.ones(2, 4), ct.ones(3, 4, requires_grad=True)
    hidden = x * 2
    kept = weakref.ref(hidden._storage)
    y = F.linear(hidden, weight)
    del hidden
    assert kept() is None
    y.sum().backward()
    assert x.grad.tolist() == [[4.0] * 4] * 3


def test_what_erfinv_gave_may_be_overwritten():
    x = ct.tensor([0.25, -0.5], requires_grad=True)
    x.erfinv().mul_(2).sum().backward()
    y = ct.tensor([0.25, -0.5], requires_grad=True)
    (y.erfinv() * 2).sum().backward()
    assert ct.equal(x.grad, y.grad)


def test_empty_vectors_are_joined_along_any_dimension():
    assert ct.cat((ct.empty(0), ct.empty(0, dtype=ct.int32)), 2).shape == (0,)


def test_values_gathered_from_nothing_are_no_view():
    x = ct.zeros(0, 2, 0, requires_grad=True)
    y = x[:, :, :, None].max(-1).values
    y.sub_(1)
    assert y._storage is not x._storage
    y.sum().backward()
    assert x.grad.shape == x.shape
