"""Function: gradients of the user's own."""

import pytest

import cltensor as ct
from cltensor.autograd import Function, grad, gradcheck, gradgradcheck
from cltensor.autograd.function import once_differentiable

pytestmark = pytest.mark.device


class Scaled(Function):
    """x * k * y, with a number in the middle and one more output that is no tensor."""

    @staticmethod
    def forward(ctx, x, k, y):
        ctx.save_for_backward(x, y)
        ctx.k = k
        return x * k * y, "done"

    @staticmethod
    def backward(ctx, g, nothing):
        assert nothing is None
        x, y = ctx.saved_tensors
        return g * ctx.k * y, None, g * ctx.k * x


class Exp(Function):
    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


@pytest.fixture
def x():
    return ct.tensor([0.5, 1.0], dtype=ct.float64, requires_grad=True)


@pytest.fixture
def y():
    return ct.tensor([2.0, 3.0], dtype=ct.float64, requires_grad=True)


def test_gradients_of_every_order(x, y):
    out, text = Scaled.apply(x, 3, y)
    assert text == "done"
    assert out.grad_fn.name() == "ScaledBackward"
    assert gradcheck(lambda a, b: Scaled.apply(a, 3, b)[0], (x, y))
    assert gradgradcheck(lambda a, b: Scaled.apply(a, 3, b)[0], (x, y))


def test_setup_context_and_saved_output(x):
    assert gradcheck(Exp.apply, x)
    assert gradgradcheck(Exp.apply, x)


def test_recorded_only_where_needed(x):
    assert not Exp.apply(x.detach()).requires_grad
    with ct.no_grad():
        assert not Exp.apply(x).requires_grad
    assert Exp.apply(x).requires_grad


def test_grad_mode_inside(x):
    modes = []

    class Look(Function):
        @staticmethod
        def forward(ctx, x):
            modes.append(ct.is_grad_enabled())
            return x * 2

        @staticmethod
        def backward(ctx, g):
            modes.append(ct.is_grad_enabled())
            return g * 2

    out = Look.apply(x).sum()
    grad(out, x, retain_graph=True)
    grad(out, x, create_graph=True)
    assert modes == [False, False, True]


def test_needs_input_grad(x, y):
    needs = []

    class Look(Function):
        @staticmethod
        def forward(ctx, a, n, b):
            return a * b

        @staticmethod
        def backward(ctx, g):
            needs.append(ctx.needs_input_grad)
            return g, None, None

    Look.apply(x, 3, y.detach()).sum().backward()
    assert needs == [(True, False, False)]


def test_saved_tensor_changed_in_place(x):
    a = x * 1
    out, _ = Scaled.apply(a, 2, x)
    a.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_saved_output_changed_in_place(x):
    out = Exp.apply(x)
    out.add_(1)
    with pytest.raises(RuntimeError, match=r"ExpBackward: .*modified by an inplace operation"):
        out.sum().backward()


def test_backward_twice(x, y):
    out, _ = Scaled.apply(x, 2, y)
    out.sum().backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        out.sum().backward()


def test_nothing_but_tensors_is_saved():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3)

    with pytest.raises(TypeError, match="can only save variables"):
        Wrong.apply(ct.ones(1))


def test_none_may_be_saved(x):
    class Maybe(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(None, x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            nothing, x = ctx.saved_tensors
            assert nothing is None
            return 2 * g * x

    assert gradcheck(Maybe.apply, x)


class Halves(Function):
    """Two outputs; gradients arrive as zeros, or as None."""

    materialize = True

    @classmethod
    def of(cls, materialize):
        return type(cls.__name__, (cls,), {"materialize": materialize})

    @staticmethod
    def forward(ctx, x, cls):
        ctx.set_materialize_grads(cls.materialize)
        ctx.cls = cls
        return x[:1] * 2, x[1:] * 3

    @staticmethod
    def backward(ctx, g, h):
        ctx.cls.seen = h
        return ct.cat([g * 2, h * 3 if h is not None else ct.zeros_like(g)]), None


@pytest.mark.parametrize("materialize", [True, False])
def test_undefined_gradients(x, materialize):
    halves = Halves.of(materialize)
    first, _ = halves.apply(x, halves)
    first.sum().backward()
    assert x.grad.tolist() == [2, 0]
    assert (halves.seen is None) is not materialize


def test_not_differentiable_output(x):
    class Sorted(Function):
        @staticmethod
        def forward(ctx, x):
            mask, places = (x > 0).to(x.dtype), ct.arange(2)
            ctx.mark_non_differentiable(mask)
            return x * 2, mask, places

        @staticmethod
        def backward(ctx, g, mask_gradient, places_gradient):
            return g * 2

    out, mask, places = Sorted.apply(x)
    assert out.requires_grad
    assert not mask.requires_grad
    assert not places.requires_grad
    out.sum().backward()
    assert x.grad.tolist() == [2, 2]


class Doubled(Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 2


def test_input_changed_in_place(x):
    def call(x):
        a = x * 1
        out = Doubled.apply(a)
        assert out is a
        return a * a

    assert gradcheck(call, x)


def test_view_changed_in_place(x):
    def call(x):
        a = x * 1
        Doubled.apply(a[:1])
        return a * a

    assert gradcheck(call, x)


def test_dirty_leaf(x):
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        Doubled.apply(x)


def test_dirty_input_must_be_returned(x):
    class Forgets(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

    with pytest.raises(RuntimeError, match="not returned as output"):
        Forgets.apply(x * 1)


class Same(Function):
    @staticmethod
    def forward(ctx, x):
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 10


def test_input_returned_as_it_is(x):
    out = Same.apply(x)
    assert out is not x
    out.sum().backward()
    assert x.grad.tolist() == [10, 10]


def test_output_that_shares_memory_is_not_written_in_place(x):
    out = Same.apply(x * 1)
    with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
        out.add_(1)
    with pytest.raises(RuntimeError, match="is a view and is being modified inplace"):
        out[0].add_(1)
    assert out.tolist() == [0.5, 1]


@pytest.mark.parametrize(("returned", "error", "message"), [
    (lambda g: (g, g), RuntimeError, r"incorrect number of gradients \(expected 1, got 2\)"),
    (lambda g: 3.0, TypeError, "expected a Tensor or None as gradient 0, got float"),
    (lambda g: ct.ones(5), RuntimeError, r"invalid gradient at index 0 - got \[5\] but expected shape compatible with \[2\]"),
])
def test_wrong_gradients(x, returned, error, message):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return returned(g)

    with pytest.raises(error, match=message):
        Wrong.apply(x).sum().backward()


def test_gradient_of_what_is_no_tensor(x):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, k):
            return x * k

        @staticmethod
        def backward(ctx, g):
            return g, g

    with pytest.raises(RuntimeError, match="gradient different from None at position 1"):
        Wrong.apply(x, 2).sum().backward()


def test_trailing_none_is_no_fault(x):
    class Long(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2, None, None

    Long.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_broadcast_gradient_is_summed(x):
    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            return x.expand(3, 2) * 1

        @staticmethod
        def backward(ctx, g):
            return g

    Wide.apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_once_differentiable(x):
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * g * x

    assert gradcheck(Once.apply, x)
    seed = ct.ones(2, dtype=ct.float64, requires_grad=True)
    (g,) = grad(Once.apply(x), x, seed, create_graph=True)
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        g.sum().backward()


def test_missing_methods(x):
    class Empty(Function):
        pass

    with pytest.raises(RuntimeError, match="must implement the forward"):
        Empty.apply(x)

    class Half(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    out = Half.apply(x).sum()
    with pytest.raises(RuntimeError, match=r"must implement .* backward"):
        out.backward()


def test_no_instances():
    with pytest.raises(RuntimeError, match=r"Exp\.apply"):
        Exp()


def test_vjp_is_another_name_of_backward(x):
    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def vjp(ctx, g):
            x, = ctx.saved_tensors
            return 3 * x**2 * g

    assert gradcheck(Cube.apply, x)
    both = type("Both", (Cube,), {"backward": staticmethod(lambda ctx, g: g)})
    with pytest.raises(ct.base.errors.AutogradError, match="Implementing both 'backward' and 'vjp'"):
        both.apply(x).sum().backward()


def test_tensors_for_jvp_are_checked(x):
    class Kept(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(x)
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g

        @staticmethod
        def jvp(ctx, t):
            return ctx.saved_tensors[0] * t

    v = ct.ones_like(x)
    assert ct.func.jvp(Kept.apply, (x,), (v,))[1].tolist() == x.tolist()
    with ct.autograd.forward_ad.dual_level():
        y = Kept.apply(ct.autograd.forward_ad.make_dual(x, v))
        y.sum().backward()
        with pytest.raises(ct.base.errors.AutogradError, match="a second time"):
            ct.autograd.forward_ad.unpack_dual(y)
    moved = x.detach().clone()
    with ct.autograd.forward_ad.dual_level():
        y = Kept.apply(ct.autograd.forward_ad.make_dual(moved, v))
        moved.mul_(2)
        with pytest.raises(ct.base.errors.AutogradError, match="modified by an inplace operation"):
            ct.autograd.forward_ad.unpack_dual(y)
    with pytest.raises(ct.base.errors.ArgumentTypeError, match="save_for_forward can only save variables"):
        ct.autograd.function.FunctionCtx().save_for_forward(3)


def test_mark_shared_storage_is_deprecated():
    with pytest.warns(FutureWarning, match="mark_shared_storage"):
        ct.autograd.function.FunctionCtx().mark_shared_storage()
