"""rearrange against einops' rules written with NumPy, and what it refuses."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base.errors import ArgumentError, ArgumentTypeError, ShapeError
from cltensor.func import debug_unwrap, rearrange, vmap

pytestmark = pytest.mark.device


def numbers(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(("shape", "pattern", "sizes", "expected"), [
    ((2, 3), "a b -> b a", {}, lambda x: x.T),
    ((2, 3, 4), "a b c -> c (a b)", {}, lambda x: x.transpose(2, 0, 1).reshape(4, 6)),
    ((2, 12), "a (h w) -> a w h", {"h": 3}, lambda x: x.reshape(2, 3, 4).transpose(0, 2, 1)),
    ((2, 3, 4, 6), "b ... (h w) -> (b h) ... w", {"h": 2},
     lambda x: x.reshape(2, 3, 4, 2, 3).transpose(0, 3, 1, 2, 4).reshape(4, 3, 4, 3)),
    ((2, 3, 4), "a ... -> (a ...)", {}, lambda x: x.reshape(24)),
    ((2, 3, 4), "a ... -> ... a", {}, lambda x: x.transpose(1, 2, 0)),
    ((2, 1), "a 1 -> () a 1", {}, lambda x: x.reshape(1, 2, 1)),
    ((2, 0), "a (b c) -> a b c", {"b": 3}, lambda x: x.reshape(2, 3, 0)),
    ((), " -> 1", {}, lambda x: x.reshape(1)),
])
def test_values(shape, pattern, sizes, expected):
    x = numbers(*shape)
    np.testing.assert_array_equal(rearrange(ct.tensor(x), pattern, **sizes).numpy(), expected(x))


def test_lists_are_stacked_and_gradients_flow():
    x = ct.ones(2, 3).T.requires_grad_()
    y = rearrange([x, 2 * x], "l a b -> a (l b)")
    assert y.shape == (3, 4)
    y.sum().backward()
    assert (x.grad.numpy() == 3).all()
    assert vmap(lambda r: rearrange(r, "(a b) -> b a", a=1))(ct.ones(2, 3)).shape == (2, 3, 1)


@pytest.mark.parametrize(("pattern", "sizes", "error", "text"), [
    ("a b", {}, ArgumentError, "single '->' separator"),
    ("a b -> a", {}, ArgumentError, r"only on one side of 'a b -> a' \(should be on both\): b"),
    ("a b -> a ... b", {}, ArgumentError, "only on one side"),
    ("a a -> a", {}, ArgumentError, "duplicate dimension a"),
    ("a 2b -> a", {}, ArgumentError, "Invalid axis identifier '2b'"),
    ("a b_ -> a b_", {}, ArgumentError, "Invalid axis identifier 'b_'"),
    ("(a (b)) -> a b", {}, ArgumentError, "parentheses inside parentheses"),
    ("a (b -> a b", {}, ArgumentError, "Imbalanced"),
    ("a b) -> a b", {}, ArgumentError, "Imbalanced"),
    ("(...) -> ...", {}, ArgumentError, "Ellipsis in parentheses on the left"),
    ("a b -> a b", {"z": 1}, ArgumentError, "not found in .*: z"),
    ("a b -> a b", {"a": -2}, ArgumentError, "size of a must be an int that is not negative, got -2"),
    ("a b c -> a b c", {}, ShapeError, r"pattern 'a b c -> a b c' \(3\) must be equal .* tensor \(2\)"),
    ("a (b c) -> a b c", {}, ShapeError, "cannot infer the sizes of b and c at once"),
    ("a (b c) -> a b c", {"b": 2}, ShapeError, "size 3 is not made up of"),
    ("a b -> a b", {"a": 3}, ShapeError, "size 2 is not made up of"),
    ("a 1 -> a", {}, ShapeError, "size 3 is not made up of"),
])
def test_errors(pattern, sizes, error, text):
    with pytest.raises(error, match=text):
        rearrange(ct.ones(2, 3), pattern, **sizes)


def test_only_tensors():
    with pytest.raises(ArgumentTypeError, match="expected a Tensor or a list of them, got int"):
        rearrange(3, "a -> a")


def test_debug_unwrap():
    shapes = []

    def inner(x):
        shapes.append((debug_unwrap(x).shape, debug_unwrap(x, recurse=False).shape))
        return x

    vmap(vmap(inner))(ct.ones(3, 2))
    assert shapes == [((3, 2), (2,))]
    x = ct.ones(2)
    assert debug_unwrap(x) is x
