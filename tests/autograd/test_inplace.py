"""In-place operations, views, and both together: gradients are right, and what would make them wrong is refused."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck
from cltensor.nn import functional as F

pytestmark = pytest.mark.device


@pytest.fixture
def a(rng):
    return ct.tensor(rng.uniform(0.5, 1.5, (3, 4)), requires_grad=True)


@pytest.fixture
def b(rng):
    return ct.tensor(rng.uniform(0.5, 1.5, 4), requires_grad=True)


def _multiply(a, b):
    c = a * 1
    return c.mul_(b)


def _own_value(a, b):
    c = a * 1
    c.mul_(c)
    return c.pow_(2) * b


def _output_saved(a, b):
    return (a * b).exp_() * 2


def _write_view(a, b):
    c = a * 1
    c[0].mul_(b)
    return c * c


def _write_view_seen_by_older_view(a, b):
    c = a * 1
    row, column = c[0], c[:, 1]
    row.mul_(b)
    return column * column


def _write_base_seen_by_view(a, b):
    c = a * 1
    row = c[1]
    c.mul_(b)
    return row * row


def _write_view_of_view(a, b):
    c = a * 1
    c[1:].t()[2].mul_(b[:2])
    return c * c


def _write_view_twice(a, b):
    c = a * 1
    v = c.t()
    v[0].mul_(b[0])
    v[:2].add_(b[1])
    c.mul_(2)
    return v * c.t()


def _base_without_history(a, b):
    c = a.new_zeros(3, 4)
    c[1] = b
    c[:, 2] = a[:, 0] * 2
    return c * c


def _constant_overwrites(a, b):
    c = a * b
    c[0] = 3.0
    c[1, 1:3] = a.new_ones(2)
    return c * a


def _view_of_overwritten(a, b):
    c = a * 1
    v = c[0]
    c.copy_(b.expand(3, 4))
    return v * v


def _broadcast_operand(a, b):
    c = a * 1
    c[:, :1].add_(b[0])
    c += b
    c /= 2
    return c**2


def _strided_view(a, b):
    c = a * 1
    c.as_strided((2, 2), (5, 2)).mul_(b[:2])
    return c * c


def _diagonal(a, b):
    c = a * 1
    c.diagonal().mul_(b[:3])
    return c * c


def _filled_and_zeroed(a, b):
    c = a * b
    c[0].zero_()
    c[1].fill_(2.0)
    return c * a


def _masked(a, b):
    c = a * b
    c.masked_fill_(a.detach() > 1, 0.5)
    return c * a


CASES = [f for name, f in list(globals().items()) if name.startswith("_") and callable(f) and not name.startswith("__")]


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__.strip("_"))
def test_gradient(function, a, b):
    assert gradcheck(function, (a, b))


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__.strip("_"))
def test_second_gradient(function, a, b):
    assert gradgradcheck(function, (a, b), fast_mode=True)


def test_writes_through_views_are_seen_by_the_base():
    base = ct.zeros(3, 4)
    view = base[1:, ::2]
    inner = view.t()[0]
    inner.add_(1)
    base[2, 2] = 5
    expected = np.zeros((3, 4))
    expected[1:, 0] = 1
    expected[2, 2] = 5
    assert base.tolist() == expected.tolist()
    assert view.tolist() == expected[1:, ::2].tolist()


def test_gradient_reaches_what_was_written_and_not_what_was_overwritten():
    x, y = ct.ones(4, requires_grad=True), ct.ones(2, requires_grad=True)
    z = x * 3
    z[1:3] = y * 5
    z.sum().backward()
    assert x.grad.tolist() == [3, 0, 0, 3]
    assert y.grad.tolist() == [5, 5]


def test_history_of_a_view_follows_its_base():
    x = ct.ones(4, requires_grad=True)
    base = ct.zeros(4)
    view = base[:2]
    assert not view.requires_grad
    base.add_(x)
    assert view.requires_grad
    assert view.grad_fn is not None
    view.sum().backward()
    assert x.grad.tolist() == [1, 1, 0, 0]


def test_input_saved_by_another_operation(a):
    c = a * 1
    y = c * c
    c.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*is at version 1; expected version 0"):
        y.sum().backward()
    assert a.grad is None


def test_output_saved_by_its_operation(a):
    y = a.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"modified by an inplace operation.*output 0 of exp"):
        y.sum().backward()


def test_saved_tensor_written_through_a_view(a):
    c = a * 1
    y = c * c
    c[0].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_what_is_not_saved_may_be_written(a):
    c = a * 1
    y = c + 1
    c.zero_()
    y.sum().backward()
    assert a.grad.tolist() == [[1] * 4] * 3


@pytest.mark.parametrize("write", [
    lambda x: x.mul_(2), lambda x: x[0].fill_(1), lambda x: x.scatter_(0, ct.zeros(1, 2, dtype=ct.int64), 0.5),
    lambda x: x.__setitem__(0, 1.0), lambda x: x.__iadd__(1),
])
def test_leaf_that_looks_at_memory_of_a_tensor_without_grad(write):
    memory = ct.tensor([1.0, 2.0])
    x = memory.reshape(1, 2).requires_grad_()
    with pytest.raises(RuntimeError, match="a view of a leaf Variable that requires grad"):
        write(x)
    assert memory.tolist() == [1, 2]
    with ct.no_grad():
        write(x)


OVERWRITING = {
    "cumprod_": lambda x, b: x.cumprod_(1), "float_power_": lambda x, b: x.float_power_(b),
    **{f"scatter_reduce_ {how}": lambda x, b, how=how: x.scatter_reduce_(0, ct.tensor([[0, 1, 1, 0], [1, 1, 0, 2]]), b, how)
       for how in ("amax", "amin", "prod", "mean", "sum")},
    "index_reduce_": lambda x, b: x.index_reduce_(0, ct.tensor([0, 0, 2]), b, "prod"),
    "rrelu": lambda x, b: ct.nn.functional.rrelu(x - 1, 0.5, 0.5, True, True) + x,
}


@pytest.mark.parametrize(("name", "which"), [(name, which) for name in OVERWRITING for which in ("target", "argument")
                                             if which == "target" or name not in ("cumprod_", "rrelu")])  # which have none
def test_what_a_write_replaces_is_kept_for_the_gradient(name, which, rng):
    start, other = (ct.tensor(rng.uniform(0.5, 1.5, (3, 4))) for _ in range(2))

    def run(x):
        target, argument = (x * 1, other) if which == "target" else (start.clone(), x * 1)
        return OVERWRITING[name](target, argument) * 1

    assert gradcheck(run, (start if which == "target" else other).clone().requires_grad_())


def test_leaf_that_requires_grad(a):
    before = a.tolist()
    for write in (lambda: a.add_(1), lambda: a[0].zero_(), lambda: a.__setitem__(0, 1.0), lambda: a.copy_(a * 2)):
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            write()
    assert a.tolist() == before
    with ct.no_grad():
        a.zero_()
    assert a.sum().item() == 0
    assert a.is_leaf


def test_versions():
    x = ct.zeros(3)
    view = x[1:]
    x.add_(1)
    view.mul_(2)
    assert x._version == view._version == 2
    assert x.detach()._version == 2
    assert x.clone()._version == 0


def test_operators_in_place(a):
    c = d = a * 1
    c += 1
    c *= 2
    c -= 1
    c /= 2
    assert c is d
    c.sum().backward()
    assert a.grad.tolist() == [[1] * 4] * 3


def test_hook_on_a_tensor_written_later(a):
    seen = []
    c = a * 1
    c.register_hook(lambda g: seen.append(g.tolist()))
    c.mul_(3)
    c.sum().backward()
    assert seen == [[[3] * 4] * 3]


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x[1:], lambda x: x[::2], lambda x: x.as_strided((2,), (1,))],
                         ids=["whole", "part", "steps", "as_strided"])
@pytest.mark.parametrize("name", ["hypot_", "div_", "pow_"])
def test_second_gradient_of_a_write_whose_result_is_saved(name, view):
    """The result that the write saves belongs to the base's graph, and is freed once."""
    def changed(y):
        x = ct.full((3,), 1.5, dtype=ct.float64)
        getattr(view(x), name)(y)
        return x * x + x

    y = ct.tensor(1.25, dtype=ct.float64, requires_grad=True)
    (g,) = ct.autograd.grad(changed(y).sum(), y, create_graph=True)
    g.backward()
    assert gradgradcheck(changed, (y.detach().requires_grad_(),))


@pytest.mark.parametrize("first", [lambda x, y: x.add_(y), lambda x, y: x.copy_(y),
                                   lambda x, y: x.index_add_(0, ct.tensor([0]), y)], ids=["add_", "copy_", "index_add_"])
def test_two_writes_through_a_view_of_a_base_without_gradient(first):
    y = ct.tensor([[[0.5, 1.0], [1.5, 2.0]]], requires_grad=True)
    base = ct.ones(4)
    view = base.reshape(1, 2, 2)
    first(view, y)
    view.mul_(3)
    view.log_()
    base.sum().backward()
    expected = 1 / (view.detach().exp() / 3)
    np.testing.assert_allclose(y.grad.numpy(), expected.numpy(), rtol=1e-5)


def test_a_view_of_a_leaf_is_still_refused():
    base = ct.ones(4, requires_grad=True)
    for view in (base.view(2, 2), base[1:], base.detach().requires_grad_()):
        with pytest.raises(RuntimeError, match="leaf Variable"):
            view.mul_(2)
    assert base.tolist() == [1.0] * 4


_BASES = {"reshaped": lambda: ct.zeros(12, dtype=ct.float64).reshape(3, 4),
          "transposed": lambda: ct.zeros(4, 3, dtype=ct.float64).t(), "part": lambda: ct.zeros(5, 4, dtype=ct.float64)[1:4]}
_FIRST = {"add": lambda x, a: x.add_(a), "scatter": lambda x, a: x.scatter_add_(1, ct.tensor([[0, 3, 1, 3]] * 3), a),
          "twice": lambda x, a: x.mul_(a).add_(a)}
_SECOND = {"row": lambda x, b: x[1].add_(b), "column": lambda x, b: x.t()[:, 1].copy_(b),
           "put": lambda x, b: x.t().put_(ct.tensor([1, 7, 3, 9]), b),
           "of a view": lambda x, b: x[1:].t()[:, 0].mul_(b), "diagonal": lambda x, b: x.diagonal().mul_(b[:3])}


@pytest.mark.parametrize("second", _SECOND)
@pytest.mark.parametrize("first", _FIRST)
@pytest.mark.parametrize("base", _BASES)
def test_a_view_is_written_and_then_a_view_of_it(base, first, second, a, b):
    def program(a, b):
        x = _BASES[base]()
        _FIRST[first](x, a)
        _SECOND[second](x, b)
        return x.square() * ct.linspace(-1, 2, 12, dtype=x.dtype).reshape(3, 4)

    assert gradcheck(program, (a, b))


@pytest.mark.parametrize("write", [lambda base, view, b: base.mul_(b), lambda base, view, b: view.mul_(b)])
@pytest.mark.parametrize("use", [
    lambda x, v: ct.where(ct.tensor([True, False, True, False]), x, v), lambda x, v: ct.lerp(x, v, x), lambda x, v: x @ v.t(),
    lambda x, v: ct.cat([x, v]), lambda x, v: F.linear(x, v), lambda x, v: ct.addcmul(x, x, v)])
def test_a_view_beside_another_tensor_learns_of_a_write(write, use, a, b):
    def program(a, b):
        base = ct.ones(4, 4, dtype=ct.float64).reshape(4, 4)
        view = base[1:]
        write(base, view, b)
        return use(a, view)

    for seen in (False, True):  # also where the op's plans are there already
        out = program(a, b)
        assert None not in ct.autograd.grad(out.sum(), (a, b)), seen
    assert gradcheck(program, (a, b))
