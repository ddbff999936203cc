"""Functions with gradients of their own under vmap: values and gradients outside and inside, against loops."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import Function, forward_ad
from cltensor.base.errors import AutogradError
from cltensor.func import grad, jvp, vmap

pytestmark = pytest.mark.device


class Product(Function):
    """x * y * k, with gradients three times as large, so that it is seen whose they are."""

    @staticmethod
    def forward(ctx, x, y, k):
        ctx.save_for_backward(x, y)
        ctx.k = k
        return x * y * k

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        assert ctx.needs_input_grad[2] is False
        return 3 * g * y * ctx.k, 3 * g * x * ctx.k, None


class Exp(Function):
    """Saves its output; has a second output without a gradient."""

    @staticmethod
    def forward(x):
        return x.exp(), x > 0

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output[0])
        ctx.mark_non_differentiable(output[1])

    @staticmethod
    def backward(ctx, g, nothing):
        y, = ctx.saved_tensors
        return 2 * g * y


told = []


class Whole(Exp):
    """With a rule for batches."""

    @staticmethod
    def vmap(info, in_dims, x):
        told.append((info.batch_size, info.randomness, in_dims, x.shape))
        return (x.exp(), x > 0), (in_dims[0], 0)


@pytest.fixture
def x(rng):
    return ct.tensor(rng.standard_normal((3, 2)))


@pytest.fixture
def y(rng):
    return ct.tensor(rng.standard_normal(2))


def same(a, b):
    np.testing.assert_allclose(a.detach().numpy(), np.asarray(b), rtol=1e-12)


def test_gradients_outside(x, y):
    leaves = x.clone().requires_grad_(), y.clone().requires_grad_()
    out = vmap(lambda a, b: Product.apply(a, b, 2), in_dims=(0, None))(*leaves)
    same(out, 2 * x.numpy() * y.numpy())
    out.sum().backward()
    same(leaves[0].grad, np.broadcast_to(6 * y.numpy(), (3, 2)))
    same(leaves[1].grad, 6 * x.numpy().sum(0))


def test_gradients_inside(x, y):
    f = vmap(grad(lambda a, b: Product.apply(a, b, 2).sum()), in_dims=(0, None))
    same(f(x, y), np.broadcast_to(6 * y.numpy(), (3, 2)))
    same(grad(lambda b: f(x, b).sum())(y), np.full(2, 18.0))


@pytest.mark.parametrize("kind", [Exp, Whole])
def test_saved_outputs(kind, x):
    e = np.exp(x.numpy())

    def f(v):
        return kind.apply(v)[0].sum()

    same(grad(lambda v: vmap(f)(v).sum())(x), 2 * e)
    same(vmap(grad(f))(x), 2 * e)
    same(vmap(vmap(grad(lambda v: kind.apply(v)[0])))(x), 2 * e)
    same(grad(lambda v: vmap(grad(f))(v).sum())(x), 4 * e)
    same(vmap(grad(lambda v: grad(f)(v).sum()))(x), 4 * e)
    out, positive = vmap(kind.apply, in_dims=1, out_dims=1)(x)
    same(out, e)
    same(positive, x.numpy() > 0)


def test_the_rule_is_told(x):
    told.clear()
    vmap(Whole.apply, in_dims=1, randomness="same")(x)
    assert told == [(2, "same", (0,), (2, 3))]


class Doubled(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    @staticmethod
    def backward(ctx, g):
        return 5 * g


def test_in_place(x):
    before = x.numpy().copy()

    def f(v):
        w = v.clone()
        result = Doubled.apply(w)
        assert result is w
        return w.sum()

    same(vmap(f)(x), 2 * before.sum(1))
    same(grad(lambda v: vmap(f)(v).sum())(x), np.full((3, 2), 5.0))
    same(vmap(grad(f))(x), np.full((3, 2), 5.0))


class Sine(Function):
    """A jvp four times as large, which needs no backward()."""

    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_forward(x)
        ctx.k = k
        return x.sin() * k, x.shape

    @staticmethod
    def jvp(ctx, t, nothing):
        assert nothing is None
        x, = ctx.saved_tensors
        return 4 * t * x.cos() * ctx.k, None


def test_jvp(x):
    t = ct.ones_like(x)
    expected = 8 * np.cos(x.numpy())
    same(jvp(lambda v: Sine.apply(v, 2)[0], (x,), (t,))[1], expected)
    same(ct.autograd.functional.jvp(lambda v: Sine.apply(v, 2)[0], x, t)[1], expected)
    with forward_ad.dual_level():
        same(forward_ad.unpack_dual(Sine.apply(forward_ad.make_dual(x, t), 2)[0] * 3).tangent, 3 * expected)
    same(vmap(lambda v: jvp(lambda w: Sine.apply(w, 2)[0], (v,), (ct.ones_like(v),))[1])(x), expected)
    same(jvp(lambda v: vmap(lambda w: Sine.apply(w, 2)[0])(v), (x,), (t,))[1], expected)
    slope = grad(lambda v: jvp(lambda w: Sine.apply(w, 2)[0], (v,), (t,))[1].sum())
    same(slope(x), -8 * np.sin(x.numpy()))


def test_jvp_beside_backward(x):
    class Both(Exp):
        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(output[0])
            ctx.save_for_forward(inputs[0])

        @staticmethod
        def jvp(ctx, t):
            return 7 * t, None

    same(jvp(lambda v: Both.apply(v)[0], (x,), (ct.ones_like(x),))[1], np.full((3, 2), 7.0))
    same(grad(lambda v: Both.apply(v)[0].sum())(x), 2 * np.exp(x.numpy()))


def test_missing_tangents_are_zeros_or_none(x):
    given = []

    class Two(Function):
        materialize = True

        @staticmethod
        def forward(ctx, a, b):
            ctx.set_materialize_grads(Two.materialize)
            return a + b

        @staticmethod
        def jvp(ctx, s, t):
            given.append(t)
            return s

    for materialize in (True, False):
        Two.materialize = materialize
        jvp(lambda v: Two.apply(v, x.clone().requires_grad_()), (x,), (ct.ones_like(x),))
    assert not given[0].numpy().any()
    assert given[1] is None


def wrong(**members):
    return type("Wrong", (Exp,), {name: staticmethod(m) if callable(m) else m for name, m in members.items()})


@pytest.mark.parametrize(("cls", "text"), [
    (wrong(vmap=lambda info, dims, x: x.exp()), "two returns, an output and out_dims"),
    (wrong(vmap=lambda info, dims, x: ((x.exp(), x > 0), (0, 0, 0))), "returned 2 outputs"),
    (wrong(vmap=lambda info, dims, x: x, generate_vmap_rule=True), "both generate_vmap_rule=True and an overridden vmap"),
    (type("Ctx", (Doubled,), {"vmap": staticmethod(lambda info, dims, x: (x, 0))}), "whose forward takes ctx"),
])
def test_errors(cls, text, x):
    with pytest.raises(AutogradError, match=text):
        vmap(cls.apply)(x)


def test_errors_of_jvp(x):
    with pytest.raises(AutogradError, match=r"Wrong.jvp returned an incorrect number of tangents \(expected 2, got 1\)"):
        jvp(lambda v: wrong(jvp=lambda ctx, t: t).apply(v)[0], (x,), (ct.ones_like(x),))
    with pytest.raises(AutogradError, match="must implement the jvp"):
        Function.jvp(None, x)
    with pytest.raises(AutogradError, match="must override the vmap"):
        Function.vmap(None, None, x)
