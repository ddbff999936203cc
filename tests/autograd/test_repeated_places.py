"""Gradients of views whose indices repeat places of memory: shared among the indices of one place, as PyTorch shares them."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck

pytestmark = pytest.mark.device

#: square matrices that show some places several times
REPEATING = {
    "row repeated": lambda x: x[:4].expand(4, 4),
    "column repeated": lambda x: x[:4].unsqueeze(1).expand(4, 4),
    "one number": lambda x: x[2].expand(4, 4),
    "windows": lambda x: x.unfold(0, 4, 1),
    "windows turned": lambda x: x.unfold(0, 4, 1).t(),
    "windows two apart": lambda x: ct.cat((x, x)).as_strided((4, 4), (2, 1), 1),
    "a slice of windows": lambda x: ct.cat((x, x)).unfold(0, 6, 1)[2:6, 1:5],
    "each once": lambda x: ct.cat((x, x, x)).as_strided((4, 4), (4, 1), 2),
}

VIEWS = {
    "diagonal": lambda m: m.diagonal(),
    "diagonal above": lambda m: m.diagonal(1),
    "diagonal below": lambda m: m.diagonal(-2),
    "diag": lambda m: m.diag(-1),
    "trace": lambda m: m.trace(),
    "unfold": lambda m: m.unfold(0, 2, 1),
    "unfold with steps": lambda m: m.unfold(1, 3, 2),
    "unfold twice": lambda m: m.unfold(0, 2, 2).unfold(1, 2, 1),
    "einsum": lambda m: ct.einsum("ii->i", m),
    "einsum of a sum": lambda m: ct.einsum("ii", m),
    "as_strided": lambda m: m.as_strided((2, 3), (1, 1)),
    "as_strided to one number": lambda m: m.as_strided((2, 3), (0, 0)),
    "as_strided further on": lambda m: m.as_strided((2,), (2,), m.storage_offset() + 1),
    "as_strided of its own": lambda m: m.as_strided(m.shape, m.stride()),
}

# a view of one number has no gradient for the memory behind it
PAIRS = [(base, view) for base in REPEATING for view in VIEWS
         if base != "one number" or view not in ("as_strided", "as_strided further on")]


@pytest.fixture
def x(rng):
    return ct.tensor(rng.uniform(0.5, 1.5, 7), dtype=ct.float64, requires_grad=True)


def _call(base, view):
    return lambda x: VIEWS[view](REPEATING[base](x)) ** 2


@pytest.mark.parametrize(("base", "view"), PAIRS)
def test_first(base, view, x):
    assert gradcheck(_call(base, view), (x,))


@pytest.mark.parametrize(("base", "view"), PAIRS)
def test_second(base, view, x):
    assert gradgradcheck(_call(base, view), (x,), fast_mode=True)


#: (base, view, gradient of the matrix in between) as PyTorch 2.13 gives them, for gradients 1, 2, 3 ... of the view
BETWEEN = [
    (lambda x: x[:3].expand(3, 3), lambda m: m.diagonal(), np.diag([1, 2, 3])),
    (lambda x: x[:3].expand(3, 3), lambda m: m.as_strided((3,), (1,)), [[1 / 3, 2 / 3, 1]] * 3),
    (lambda x: x[:3].expand(3, 3), lambda m: m.as_strided((3, 3), (0, 1)), [[4, 5, 6]] * 3),
    (lambda x: x[:5].unfold(0, 2, 1), lambda m: m.unfold(0, 2, 1), [[1, 3], [7, 11], [15, 19], [10, 12]]),
    (lambda x: x[:5].unfold(0, 2, 1), lambda m: m.diagonal(), [[1, 0], [0, 2], [0, 0], [0, 0]]),
    (lambda x: x[:5].unfold(0, 2, 1), lambda m: m.as_strided((5,), (1,)), [[1, 1], [1, 1.5], [1.5, 2], [2, 5]]),
    (lambda x: x[:5].unfold(0, 2, 1), lambda m: m.as_strided((2, 2), (1, 1)), [[1, 2.5], [2.5, 2], [2, 0], [0, 0]]),
]


@pytest.mark.parametrize(("base", "view", "wanted"), BETWEEN)
def test_what_each_index_gets(base, view, wanted):
    """Views by index give each index its own, views by place an equal share."""
    m = base(ct.arange(7.0, requires_grad=True))
    m.retain_grad()
    y = view(m)
    y.backward(ct.arange(1.0, y.numel() + 1).reshape(y.shape))
    np.testing.assert_allclose(m.grad.numpy(), wanted, rtol=1e-6)


@pytest.mark.parametrize("layout", [(0, 1), (1, 0), (1, 1), (2, 1)])
def test_a_leaf_that_repeats_places(layout):
    """Its gradient has memory of its own, and can be added to."""
    leaf = ct.arange(9.0).as_strided((3, 3), layout).detach().requires_grad_()
    for times in (1, 2):
        leaf.as_strided((3,), (1,)).sum().backward()
        places = np.add.outer(np.arange(3) * layout[0], np.arange(3) * layout[1])
        count = np.bincount(places.reshape(-1))
        np.testing.assert_allclose(leaf.grad.numpy(), times * np.where(places < 3, 1 / count[places], 0), rtol=1e-6)
    leaf.grad.zero_()


@pytest.mark.parametrize("base", REPEATING)
def test_batches(base):
    """vmap runs the same rules."""
    def gradient(x):
        return ct.func.grad(lambda x: (REPEATING[base](x).diagonal() ** 2).sum() + REPEATING[base](x).unfold(1, 2, 1).sum())(x)

    xs = ct.arange(14.0).reshape(2, 7)
    np.testing.assert_allclose(ct.func.vmap(gradient)(xs).numpy(), [gradient(x).numpy() for x in xs], rtol=1e-6)


def test_writing_to_a_view_of_a_leaf_that_repeats_places():
    """A value written through one index can be read and differentiated through every other index of its place."""
    whole, w = ct.arange(3.0).expand(2, 3).detach(), ct.tensor([2.0, 3.0, 4.0], requires_grad=True)
    whole[0].mul_(w)
    assert whole.tolist() == [[0, 3, 8]] * 2
    (g,) = ct.autograd.grad((whole * ct.tensor([[1.0], [10.0]])).sum(), w)
    assert g.tolist() == [0, 11, 22]


def test_filling_a_tensor_that_repeats_places():
    x = ct.arange(3.0, requires_grad=True)
    y = x * 1
    y[:1].expand(2, 1).fill_(5.0)
    y[1:].expand(4, 2).zero_()
    assert y.tolist() == [5, 0, 0]
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
    with pytest.raises(RuntimeError, match="single memory location"):
        y.detach().expand(2, 3).add_(1)
