"""set_, layout=, new, and Python functions called for each element, as in PyTorch."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = pytest.mark.device


def test_set_makes_a_view_of_the_source():
    a, b = ct.zeros(3), ct.arange(6.0)
    assert a.set_(b) is a
    assert a.is_set_to(b)
    a[0] = 9
    assert b.tolist() == [9, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("arguments", [
    (1, (2, 2), (2, 1)), (1, (2, 2)), (0, ()), (2, (3,), (1,)), (0, (2, 2), (1, 1)), (3, (0, 2)),
])
def test_set_geometry(arguments):
    torch = pytest.importorskip("torch")
    ours, theirs = ct.zeros(3).set_(ct.arange(6.0)[1:], *arguments), torch.zeros(3).set_(torch.arange(6.0)[1:], *arguments)
    assert ours.tolist() == theirs.tolist()
    assert ours.stride() == theirs.stride()
    assert ours.storage_offset() == theirs.storage_offset()


def test_set_from_a_storage_and_from_nothing():
    b = ct.arange(6.0)
    assert ct.zeros(0).set_(b.untyped_storage()).tolist() == b.tolist()
    assert ct.zeros(0).set_(b.untyped_storage(), 4, (2,)).tolist() == [4, 5]
    assert ct.zeros(3).set_().shape == (0,)
    grown = ct.zeros(3).set_(b, 4, (4,))
    assert grown[:2].tolist() == [4, 5]
    assert len(b.untyped_storage()) == 32


def test_set_and_gradients():
    a, b = ct.ones(2, requires_grad=True), ct.zeros(2)
    y = (a * a).sum()
    with ct.no_grad():
        a.set_(b)
    assert a.requires_grad
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


@pytest.mark.parametrize(("call", "error"), [
    (lambda: ct.zeros(3).set_(ct.arange(3)), ct.DTypeError),
    (lambda: ct.zeros(3).set_(3), TypeError),
    (lambda: ct.zeros(3).set_(ct.ones(3), 0, (2, 2), (1,)), ct.ShapeError),
    (lambda: ct.zeros(3).set_(ct.ones(3), -1, (2,)), ValueError),
    (lambda: ct.zeros(3, requires_grad=True).set_(ct.ones(3)), ct.AutogradError),
    (lambda: ct.zeros(3).set_(ct.ones(3, requires_grad=True)), ct.AutogradError),
])
def test_set_refuses(call, error):
    with pytest.raises(error):
        call()


@pytest.mark.parametrize("make", [
    lambda **k: ct.zeros(2, **k), lambda **k: ct.empty(2, **k), lambda **k: ct.full((2,), 1.0, **k), lambda **k: ct.arange(3, **k),
    lambda **k: ct.linspace(0, 1, 3, **k), lambda **k: ct.eye(2, **k), lambda **k: ct.rand(2, **k), lambda **k: ct.randperm(3, **k),
    lambda **k: ct.ones_like(ct.zeros(2), **k), lambda **k: ct.zeros(2).new_ones(2, **k), lambda **k: ct.tril_indices(2, 2, **k),
    lambda **k: ct.zeros(2).new_full((2,), 3.0, **k), lambda **k: ct.hann_window(3, **k),
])
def test_layout(make):
    assert make(layout=ct.strided).layout is ct.strided
    assert make(layout=None, pin_memory=False).layout is ct.strided
    with pytest.raises(TypeError, match=r"layout must be cltensor\.strided, got 'dense'"):
        make(layout="dense")


def test_other_layouts_are_absent():
    with pytest.raises(ct.AbsentError, match="call to_sparse"):
        ct.zeros(2, layout=ct.sparse_coo)
    torch = pytest.importorskip("torch")
    with pytest.raises(ct.AbsentError, match=r"layout torch\.sparse_coo: this makes dense tensors only"):
        ct.zeros(2, layout=torch.sparse_coo)
    assert ct.zeros(2, layout=torch.strided).tolist() == [0, 0]


def test_new():
    x = ct.arange(3)
    assert x.new(2, 3).shape == (2, 3)
    assert x.new(ct.zeros(2, 3).shape).shape == (2, 3)
    assert x.new().shape == (0,)
    assert x.new([1.0, 2.0]).dtype is ct.int64
    assert x.new(x).is_set_to(x)
    with pytest.raises(TypeError, match=r"expected a tensor of int64, got float32"):
        x.new(ct.ones(2))


def called(library, name):
    """What a function called for each element makes of tensors of a library."""
    x = library.arange(6).reshape(2, 3)
    return {
        "apply_": lambda: x.float().apply_(lambda v: v * 2 + 1),
        "apply_ to integers": lambda: x.clone().apply_(lambda v: v / 2),
        "apply_ to truth": lambda: (x > 2).apply_(lambda v: not v),
        "apply_ to half": lambda: x.to(library.bfloat16).apply_(lambda v: v + 0.5).float(),
        "apply_ to a view": lambda: x.clone().t()[1:].apply_(lambda v: -v),
        "apply_ to nothing": lambda: library.zeros(0, 2).apply_(lambda v: 1 / 0),
        "map_": lambda: x.float().map_(library.tensor([1.0, 2.0, 3.0]), lambda a, b: a * b),
        "map2_": lambda: x.float().map2_(x.float(), library.tensor([3.0]), lambda a, b, c: a + b * c),
    }[name]().tolist()


@pytest.mark.parametrize("name", ["apply_", "apply_ to integers", "apply_ to truth", "apply_ to half", "apply_ to a view",
                                  "apply_ to nothing", "map_", "map2_"])
def test_functions_called_for_each_element(name):
    assert called(ct, name) == called(pytest.importorskip("torch"), name)


@pytest.mark.parametrize(("call", "error"), [
    (lambda x: x.requires_grad_().apply_(abs), RuntimeError),
    (lambda x: x.map_(x.double(), max), TypeError),
    (lambda x: x.map_(3, max), TypeError),
    (lambda x: x.map_(ct.ones(4), max), RuntimeError),
    (lambda x: x.apply_(lambda v: None), TypeError),
])
def test_functions_called_for_each_element_refuse(call, error):
    with pytest.raises(error):
        call(ct.ones(2, 3))


def test_what_runs_on_the_host_is_marked():
    from cltensor.dispatch.registry import REGISTRY

    assert all(REGISTRY[name].host for name in ("apply_", "map_", "map2_"))


def test_hardshrink_and_prelu_are_methods():
    x = ct.tensor([[-1.0, 0.25], [0.75, -3.0]])
    assert x.hardshrink(0.5).tolist() == ct.nn.functional.hardshrink(x, 0.5).tolist() == [[-1, 0], [0.75, -3]]
    np.testing.assert_array_equal(x.prelu(ct.tensor([0.5, 0.25])), [[-0.5, 0.25], [0.75, -0.75]])
    out = ct.empty(0)
    assert ct.hardshrink(x, out=out.resize_(2, 2)) is out
