"""cltensor.func and autograd.functional: derivatives and vmap against formulas and loops."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import functional
from cltensor.func import (
    functional_call,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    stack_module_state,
    value_and_grad,
    vjp,
    vmap,
)

pytestmark = pytest.mark.device


def tensor(*shape, seed=0):
    return ct.tensor(np.random.default_rng(seed).standard_normal(shape))


def same(a, b, tolerance=1e-12):
    np.testing.assert_allclose(a.detach().numpy(), np.asarray(b), rtol=tolerance, atol=tolerance)


def loop(f, x):
    return np.stack([f(x[i]).numpy() for i in range(len(x))])


BATCHED = {
    "pointwise": lambda a: (a * 2 + a.exp()).tanh(),
    "number": lambda a: a.sum() + a,
    "reduce": lambda a: a.mean(0, keepdim=True) - a.amax(),
    "argmax": lambda a: a.argmax(0),
    "scan": lambda a: a.cumsum(0) + a.sort().values,
    "softmax": lambda a: ct.softmax(a, 0),
    "views": lambda a: a.reshape(1, 4).t().flip(0).squeeze(1)[1:],
    "index": lambda a: a[ct.tensor([0, 2])] + a[1],
    "vector product": lambda a: a @ a + (a.unsqueeze(0) @ ct.ones(4, 3, dtype=ct.float64)).squeeze(0),
    "cat": lambda a: ct.cat([a, a[:1] * 2]),
    "where": lambda a: ct.where(a > 0, a, -a),
    "in place": lambda a: a.clone().mul_(3).add_(1),
    "fresh": lambda a: a.new_zeros(2, 4).copy_(a.expand(2, 4)),
    "norm": lambda a: a.norm(),
    "masked": lambda a: a.masked_fill(a < 0, 7.0),
}


@pytest.mark.parametrize("name", BATCHED)
def test_vmap_equals_a_loop(name):
    x = tensor(3, 4)
    same(vmap(BATCHED[name])(x), loop(BATCHED[name], x))


def test_vmap_dimensions_nesting_and_chunks():
    x, y = tensor(3, 4), tensor(4, 3, seed=1)
    same(vmap(lambda a, b: a * b, in_dims=(0, 1), out_dims=1)(x, y), (x * y.t()).t().numpy())
    same(vmap(vmap(lambda a, b: a + b, (0, None)), (None, 0))(x[0], x[:, 0]), x.numpy()[0][None] + x.numpy()[:, 0][:, None])
    same(vmap(lambda a: a.sum(), chunk_size=2)(x), x.numpy().sum(1))
    out = vmap(lambda d: {"s": d["a"].sum(), "t": (d["a"] + d["b"],)}, in_dims=({"a": 0, "b": None},))({"a": x, "b": x[0]})
    same(out["s"], x.numpy().sum(1))
    same(out["t"][0], x.numpy() + x.numpy()[0])


def test_vmap_of_grad_and_grad_of_vmap():
    x, w = tensor(3, 4), tensor(4, 2, seed=2)
    f = lambda a: (a @ w).tanh().sum()  # noqa: E731
    same(vmap(grad(f))(x), loop(grad(f), x))
    leaf = x.clone().requires_grad_()
    vmap(lambda a: (a * a).sum())(leaf).sum().backward()
    same(leaf.grad, 2 * x.numpy())


def test_vmap_of_linalg():
    a = tensor(4, 3, 3) + 3 * ct.eye(3, dtype=ct.float64)
    same(vmap(ct.linalg.inv)(a), np.linalg.inv(a.numpy()), 1e-10)


def test_vmap_errors():
    x = tensor(3, 4)
    with pytest.raises(ct.ArgumentError, match="same size in the mapped dimension"):
        vmap(lambda a, b: a)(x, tensor(2, 4))
    with pytest.raises(ct.AutogradError, match="cannot be read inside"):
        vmap(lambda a: a * a.sum().item())(x)
    with pytest.raises(ct.ShapeError, match="cannot write a batched result"):
        vmap(lambda a: ct.zeros(4, dtype=ct.float64).copy_(a))(x)
    with pytest.raises(ct.ArgumentError, match="randomness"):
        vmap(lambda a: ct.nn.functional.dropout(a, 0.5))(x)
    with pytest.raises(ct.ArgumentError, match="in_dims"):
        vmap(lambda a: a, in_dims=(0, 0))(x)
    same(vmap(lambda a: a * 2)(x), 2 * x.numpy())  # nothing is left behind by the errors


def test_vmap_randomness():
    ct.manual_seed(0)
    same_draw = vmap(lambda a: a * 0 + ct.rand(4, dtype=ct.float64), randomness="same")(tensor(3, 4))
    same(same_draw[0], same_draw[1].numpy())
    different = vmap(lambda a: a * 0 + ct.rand(4, dtype=ct.float64), randomness="different")(tensor(3, 4)).numpy()
    assert np.abs(different[0] - different[1]).max() > 1e-3


def test_derivatives():
    x = tensor(3)
    cube = lambda a: (a**3).sum()  # noqa: E731
    same(grad(cube)(x), 3 * x.numpy() ** 2)
    same(hessian(cube)(x), np.diag(6 * x.numpy()))
    same(jacrev(lambda a: a**2)(x), np.diag(2 * x.numpy()))
    same(jacfwd(lambda a: a**2)(x), np.diag(2 * x.numpy()))
    same(grad(grad(grad(lambda a: a**4)))(ct.tensor(2.0)), 48.0)
    g, (value, aux) = grad_and_value(lambda a: (cube(a), "note"), has_aux=True)(x)
    assert aux == "note"
    same(value, (x.numpy() ** 3).sum())
    gx, gy = grad(lambda a, b: (a * b).sum(), argnums=(0, 1))(x, x + 1)
    same(gx, x.numpy() + 1)
    same(gy, x.numpy())
    assert not g.requires_grad


def test_products():
    x, v = tensor(3), tensor(3, seed=3)
    out, moved = jvp(lambda a: a.sin(), (x,), (v,))
    same(out, np.sin(x.numpy()))
    same(moved, np.cos(x.numpy()) * v.numpy())
    _, pull = vjp(lambda a: a.sin(), x)
    same(pull(v)[0], np.cos(x.numpy()) * v.numpy())
    same(linearize(lambda a: a.sin(), x)[1](v), np.cos(x.numpy()) * v.numpy())


def test_autograd_functional():
    x, v = tensor(3), tensor(3, seed=4)
    cube = lambda a: (a**3).sum()  # noqa: E731
    same(functional.hessian(cube, x), np.diag(6 * x.numpy()))
    same(functional.jacobian(lambda a: a.exp(), x), np.diag(np.exp(x.numpy())))
    same(functional.hvp(cube, x, v)[1], 6 * x.numpy() * v.numpy())
    same(functional.vhp(cube, x, v)[1], 6 * x.numpy() * v.numpy())
    same(functional.vjp(lambda a: a * a, x, v)[1], 2 * x.numpy() * v.numpy())
    same(functional.jvp(lambda a: a * a, x, v)[1], 2 * x.numpy() * v.numpy())
    with pytest.raises(ct.AutogradError, match="single element"):
        functional.hessian(lambda a: a, x)
    with pytest.raises(ct.AutogradError, match="strict"):
        functional.jacobian(lambda a, b: a * 2, (x, v), strict=True)


def test_functional_call_and_ensembles():
    models = [ct.nn.Linear(4, 2) for _ in range(3)]
    parameters, buffers = stack_module_state(models)
    x = ct.ones(5, 4)
    results = vmap(lambda p: functional_call(models[0], p, (x,)))(parameters).detach().numpy()
    for model, result in zip(models, results, strict=True):
        np.testing.assert_allclose(result, model(x).detach().numpy(), rtol=1e-5, atol=1e-6)
    assert buffers == {}
    before = models[0].weight
    with pytest.raises(ct.ArgumentError, match="no parameter"):
        functional_call(models[0], {"wrong": x}, (x,))
    assert models[0].weight is before


def test_vmap_over_an_index():
    x = ct.arange(12.0).reshape(2, 2, 3)
    assert ct.vmap(lambda row, i: row[:, i])(x, ct.tensor([0, 2])).tolist() == [[0, 3], [8, 11]]


def test_value_and_grad():
    x = ct.tensor([1.0, 2.0])
    value, g = value_and_grad(lambda x: (x * x).sum())(x)
    assert (value.item(), g.tolist()) == (5, [2, 4])
    (value, aux), g = value_and_grad(lambda x: ((x * x).sum(), "aux"), has_aux=True)(x)
    assert (value.item(), aux, g.tolist()) == (5, "aux", [2, 4])


@pytest.mark.parametrize("transform", [grad, jacrev, jacfwd, hessian])
def test_only_tensors_are_differentiated(transform):
    with pytest.raises(ct.ArgumentError, match="expected Tensors to differentiate with respect to, got int"):
        transform(lambda x: x)(3)


def test_strategies_of_jacobians():
    x = tensor(3)
    same(functional.jacobian(ct.sin, x, vectorize=True, strategy="forward-mode"), np.diag(np.cos(x.numpy())))
    same(functional.hessian(lambda a: a.sin().sum(), x, outer_jacobian_strategy="forward-mode"), np.diag(-np.sin(x.numpy())))
    with pytest.raises(AssertionError, match=r'jacobian: Expected strategy to be either "forward-mode" or "reverse-mode", got 1'):
        functional.jacobian(ct.sin, x, strategy=1)
    with pytest.raises(AssertionError, match="hessian: Expected strategy"):
        functional.hessian(ct.sum, x, outer_jacobian_strategy="backward")


@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 5, 4)])
@pytest.mark.parametrize("mapped", [(0, None, None), (None, 0, None), (0, 0, None), (None, None, 0), (0, 0, 0), (1, 1, 0)])
@pytest.mark.parametrize("bias", [False, True])
def test_linear_of_batches(shape, mapped, bias):
    rng = np.random.default_rng(0)
    at = mapped if bias else (mapped[0], mapped[1], None)
    if at == (None, None, None):
        at = (0, None, None)
    given = [rng.standard_normal(s) for s in (shape, (3, 4), (3,))]
    arrays = [a if d is None else np.stack([a * k for k in (1, -2, 3)], d) for a, d in zip(given, at, strict=True)]
    leaves = [ct.tensor(a, requires_grad=True) for a in arrays][: 2 + bias]

    def f(x, w, b=None):
        return ct.nn.functional.linear(x, w, b)

    found = ct.vmap(f, in_dims=at[: 2 + bias])(*leaves)
    singles = [[leaf if d is None else leaf.select(d, k) for leaf, d in zip(leaves, at, strict=False)] for k in range(3)]
    expected = ct.stack([f(*each) for each in singles])
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-12)
    g = ct.tensor(rng.standard_normal(found.shape))
    for ours, theirs in zip(ct.autograd.grad(found, leaves, g), ct.autograd.grad(expected, leaves, g), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-10)


def test_gradients_of_linear_by_sample_are_launches_of_the_whole_batch():
    def launches(count):
        def loss(w, b, x):
            return ct.nn.functional.linear(x, w, b).square().sum()

        step = ct.compile(ct.vmap(ct.func.grad(loss, argnums=(0, 1))))
        step(ct.ones(count, 3, 4), ct.ones(count, 3), ct.ones(count, 5, 4))
        return step.explain().launches_before

    assert launches(12) == launches(4)
