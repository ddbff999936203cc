"""Layers that do the activation after them in the same launch: Sequential gives what the modules called one by one give."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.ops.gemm.matmul import linear_activated

pytestmark = pytest.mark.device
LAYERS = {
    "matrix": (lambda: nn.Linear(7, 5), (4, 7)),
    "vector": (lambda: nn.Linear(300, 1, bias=False), (3, 300)),
    "direct": (lambda: nn.Conv2d(3, 8, 3, padding=1, stride=2), (2, 3, 9, 8)),
    "winograd": (lambda: nn.Conv2d(128, 128, 3, padding=1), (1, 128, 15, 12)),
    "one tap": (lambda: nn.Conv2d(8, 16, 1), (2, 8, 12, 12)),
    "planes": (lambda: nn.Conv2d(8, 8, 3, groups=8), (2, 8, 12, 13)),
    "cut": (lambda: nn.Conv1d(200, 4, 3), (1, 200, 9)),
    "volume": (lambda: nn.Conv3d(2, 3, 2), (1, 2, 4, 4, 4)),
}


def gradients(f, x, seed):
    x = x.detach().requires_grad_()
    y = f(x)
    y.backward(seed)
    return y, x.grad


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.Tanh])
@pytest.mark.parametrize("layer", LAYERS)
def test_as_one_by_one(layer, activation, rng):
    make, shape = LAYERS[layer]
    first, second = make(), activation()
    x = ct.tensor(rng.standard_normal(shape).astype(np.float32))
    seed = ct.tensor(rng.standard_normal(tuple(first(x).shape)).astype(np.float32))
    y, gx = gradients(nn.Sequential(first, second), x, seed)
    fused = [p.grad for p in first.parameters()]
    first.zero_grad()
    expected, expected_gx = gradients(lambda x: second(first(x)), x, seed)
    for a, b in zip([y, gx, *fused], [expected, expected_gx, *(p.grad for p in first.parameters())], strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-5, atol=1e-5)
    assert y.grad_fn.name() == expected.grad_fn.name()


def nodes(y):
    """How many nodes lie between y and its first leaf."""
    n, node = 0, y.grad_fn
    while node.next_functions:
        n, node = n + 1, node.next_functions[0][0]
    return n


def test_one_node_for_two_modules():
    x = ct.ones(2, 3, requires_grad=True)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    assert nodes(net(x)) == 3


@pytest.mark.parametrize("hooked", [0, 1])
def test_a_hook_sees_what_is_between(hooked):
    net, seen = nn.Sequential(nn.Linear(3, 4), nn.ReLU()), []
    net[hooked].register_forward_hook(lambda module, args, output: seen.append((args[0], output)))
    x = ct.ones(2, 3)
    y = net(x)
    (given, made), = seen
    assert (given if hooked else made).shape == (2, 4)
    np.testing.assert_array_equal(y.detach().numpy(), np.maximum((made if not hooked else given).detach().numpy(), 0))


def test_a_layer_at_the_end_and_layers_in_a_row():
    net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5), nn.Sigmoid(), nn.Conv1d(1, 2, 3))
    x = ct.ones(1, 3)
    one_by_one = net[3](net[2](net[1](net[0](x))))
    np.testing.assert_allclose(net(x).detach().numpy(), one_by_one.detach().numpy(), rtol=1e-6)


def test_a_subclass_is_called_as_it_wants():
    class Doubled(nn.Linear):
        def forward(self, input):
            return 2 * super().forward(input)

    layer = Doubled(3, 4)
    x = ct.ones(2, 3)
    np.testing.assert_array_equal(nn.Sequential(layer, nn.ReLU())(x).detach().numpy(), ct.relu(layer(x)).detach().numpy())


def test_padding_by_copies_stays_apart():
    layer = nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular")
    x = ct.ones(1, 2, 5, 5)
    np.testing.assert_array_equal(nn.Sequential(layer, nn.ReLU())(x).detach().numpy(), ct.relu(layer(x)).detach().numpy())


def test_second_derivative():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    assert ct.autograd.gradgradcheck(net.double(), (ct.ones(2, 3, dtype=ct.float64, requires_grad=True),))


@pytest.mark.parametrize("name", ["gelu", "sin", "add", "isnan", "no such op"])
def test_what_cannot_be_applied(name):
    with pytest.raises(ct.ArgumentError, match=f"linear_activated: activation='{name}' is no elementwise op"):
        linear_activated(ct.ones(2, 3), ct.ones(4, 3), None, activation=name)


def test_wrong_sizes_are_named():
    with pytest.raises(ct.ShapeError, match="linear: sizes do not fit"):
        nn.Sequential(nn.Linear(3, 4), nn.ReLU())(ct.ones(2, 5))
