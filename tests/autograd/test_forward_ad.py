"""Forward mode: tangents of ops against PyTorch's and against differences; levels, reverse over forward, refusals."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import autograd, nn
from cltensor.autograd import forward_ad

pytestmark = pytest.mark.device

FUNCTIONS = {
    "arithmetic": lambda m, x: x * x / (x + 2) - 3 * x,
    "elementary": lambda m, x: x.exp().sin() + x.abs().sqrt() + x.sigmoid().log(),
    "reductions": lambda m, x: x.sum(0) * x.mean() + x.var(0) + x.prod(1).sum(),
    "products": lambda m, x: x @ x.T + (x * x).softmax(-1).sum(),
    "views": lambda m, x: x.T[1:, ::2].reshape(-1).flip(0) + x[0, 0],
    "indices": lambda m, x: x.index_select(1, m.tensor([2, 0])) * x.gather(1, m.tensor([[0, 1], [1, 1], [2, 0]])),
    "extremes": lambda m, x: x.max(0).values + x.sort(0).values[0] + x.cumsum(1)[0],
    "layers": lambda m, x: m.nn.functional.layer_norm(x, (3,)) + m.nn.functional.gelu(x) + m.nn.functional.log_softmax(x, -1),
    "convolution": lambda m, x: m.nn.functional.conv1d(x[None], x[:1, :2].expand(1, 3, 2).contiguous()),
    "where": lambda m, x: m.where(x > 0, x * 2, x ** 2),
    "in place": lambda m, x: _in_place(x),
}


def _in_place(x):
    y = x.clone()
    y.mul_(x)
    y[1] += x[0]
    return y.exp_()


def pushed(library, name, x, direction):
    fw = library.autograd.forward_ad
    with fw.dual_level():
        dual = fw.make_dual(library.tensor(x), library.tensor(direction))
        primal, tangent = fw.unpack_dual(FUNCTIONS[name](library, dual))
        return primal.detach().numpy(), tangent.detach().numpy()


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_tangents_are_pytorchs(name, rng):
    torch = pytest.importorskip("torch")
    x, direction = (rng.standard_normal((3, 3)).astype(np.float32) for _ in range(2))
    for got, expected in zip(pushed(ct, name, x, direction), pushed(torch, name, x, direction), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-4, atol=2e-5)


def test_a_module_and_a_function():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, t):
            ctx.save_for_backward(t)
            return t ** 3

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

    layer = nn.Linear(2, 3)
    x, t = ct.tensor([1.0, 2.0]), ct.tensor([1.0, -1.0])
    with forward_ad.dual_level():
        tangent = forward_ad.unpack_dual(Cube.apply(layer(forward_ad.make_dual(x, t)))).tangent
    slope = 3 * layer(x) ** 2 * (layer.weight @ t)
    np.testing.assert_allclose(tangent.detach().numpy(), slope.detach().numpy(), rtol=1e-5)


def test_several_duals_and_constants():
    with forward_ad.dual_level():
        a = forward_ad.make_dual(ct.tensor(2.0), ct.tensor(1.0))
        b = forward_ad.make_dual(ct.tensor(3.0), ct.tensor(10.0))
        assert forward_ad.unpack_dual(a * b).tangent.item() == 3 + 20
        assert forward_ad.unpack_dual(b).tangent.item() == 10
        assert forward_ad.unpack_dual(a.round()).tangent.item() == 0
        for constant in (a.detach(), a > 1, ct.tensor(1.0), a.argmax()):
            assert forward_ad.unpack_dual(constant).tangent is None
        with ct.no_grad():
            assert forward_ad.unpack_dual(a * 5).tangent.item() == 5
    assert forward_ad.unpack_dual(a).tangent is None


def test_reverse_over_forward():
    x = ct.tensor([0.5, 1.5], requires_grad=True)
    t = ct.tensor([1.0, 2.0], requires_grad=True)
    with forward_ad.dual_level():
        primal, tangent = forward_ad.unpack_dual((forward_ad.make_dual(x, t) ** 3).sum())
    gx, gt = autograd.grad(tangent, (x, t), retain_graph=True)
    np.testing.assert_allclose(gx.numpy(), [6 * 0.5 * 1, 6 * 1.5 * 2], rtol=1e-6)
    np.testing.assert_allclose(gt.numpy(), [3 * 0.25, 3 * 2.25], rtol=1e-6)
    np.testing.assert_allclose(autograd.grad(primal, x)[0].numpy(), [3 * 0.25, 3 * 2.25], rtol=1e-6)


def test_levels():
    with pytest.raises(RuntimeError, match="no level exists"):
        forward_ad.make_dual(ct.ones(2), ct.ones(2))
    with pytest.raises(RuntimeError, match="no level to exit"):
        forward_ad.exit_dual_level()
    with ct.no_grad(), forward_ad.dual_level() as level:
        assert level == 0
        with pytest.raises(RuntimeError, match="Nested forward mode"):
            forward_ad.enter_dual_level()
        with pytest.raises(RuntimeError, match="not the last one"):
            forward_ad.exit_dual_level(level=2)
        with pytest.raises(RuntimeError, match="Invalid level"):
            forward_ad.unpack_dual(ct.ones(2), level=1)
    assert not (ct.ones(2, requires_grad=True) * 2).detach().requires_grad
    with ct.no_grad():
        assert not (ct.ones(2, requires_grad=True) * 2).requires_grad


@pytest.mark.parametrize(("primal", "tangent", "error", "text"), [
    (lambda: ct.ones(2), lambda: ct.ones(3), RuntimeError, r"size \[2\].*size \[3\]"),
    (lambda: ct.tensor([1]), lambda: ct.ones(1), ValueError, "primal to be floating point"),
    (lambda: ct.ones(1), lambda: ct.tensor([1]), ValueError, "tangent to be floating point"),
    (lambda: 3, lambda: ct.ones(1), TypeError, "primal to be a Tensor"),
    (lambda: forward_ad.make_dual(ct.ones(1), ct.ones(1)), lambda: ct.ones(1), RuntimeError, "already has a forward gradient"),
])
def test_bad_duals(primal, tangent, error, text):
    with forward_ad.dual_level(), pytest.raises(error, match=text):
        forward_ad.make_dual(primal(), tangent())


def test_a_level_around_a_function():
    @forward_ad.dual_level()
    def slope(x):
        return forward_ad.unpack_dual(forward_ad.make_dual(x, ct.ones(1)) ** 2).tangent.item()

    assert slope(ct.tensor([3.0])) == slope(ct.tensor([3.0])) == 6.0


def test_bad_arguments_of_unpack():
    with pytest.raises(TypeError, match="expected a Tensor"):
        forward_ad.unpack_dual(3)
