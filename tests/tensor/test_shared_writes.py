"""Writes into views whose storage other operands share: the result is that of copies of the operands."""

import numpy as np
import pytest

import cltensor as ct

pytestmark = pytest.mark.device


def _right_half_plus_left(x):
    x[:, 2:] += x[:, :2]


def _column_to_column(x):
    x[:, 0] = x[:, 1]


def _every_other(x):
    flat = x.reshape(-1)
    flat[::2] = flat[1::2]


def _less_its_first_column(x):
    x -= x[:, :1]


def _interpolated(x):
    target = x[:, 1:3]
    target[...] = target + 0.5 * (x[:, 2:] - target)


def _interpolated_in_place(x):
    x[:, 1:3].lerp_(x[:, 2:], 0.5)


def _multiplied(x):
    x[:, 1:3] += x[:, 2:] * x[:, :2]


def _multiplied_in_place(x):
    x[:, 1:3].addcmul_(x[:, 2:], x[:, :2])


def _shifted_by_a_row_and_a_column(x):
    x[1:, 1:] += x[:-1, :-1]


# each beside NumPy, which copies overlapping operands
CASES = [
    (_right_half_plus_left, _right_half_plus_left), (_column_to_column, _column_to_column), (_every_other, _every_other),
    (_less_its_first_column, _less_its_first_column), (_interpolated_in_place, _interpolated), (_multiplied_in_place, _multiplied),
    (_shifted_by_a_row_and_a_column, _shifted_by_a_row_and_a_column),
]


@pytest.mark.parametrize(("write", "reference"), CASES, ids=lambda f: f.__name__.strip("_"))
def test_as_numpy(write, reference):
    wanted = np.arange(12, dtype=np.float32).reshape(3, 4)
    x = ct.tensor(wanted)
    write(x)
    reference(wanted)
    assert x.tolist() == wanted.tolist()


@pytest.mark.parametrize("write", [_right_half_plus_left, _every_other, _interpolated_in_place, _shifted_by_a_row_and_a_column],
                         ids=lambda f: f.__name__.strip("_"))
def test_gradient(write):
    """Against finite differences of a function that is at most quadratic."""
    x, direction = np.arange(12, dtype=np.float64).reshape(3, 4) / 8, np.cos(np.arange(12.0)).reshape(3, 4)

    def value(array):
        y = ct.tensor(array, dtype=ct.float64, requires_grad=True)
        z = y * 1
        write(z)
        return y, (z * ct.tensor(np.sin(np.arange(12.0)).reshape(3, 4))).sum()

    y, loss = value(x)
    loss.backward()
    slope = (value(x + direction)[1] - value(x - direction)[1]).item() / 2
    assert (y.grad.numpy() * direction).sum() == pytest.approx(slope, rel=1e-9)


def test_integers_and_truth_values():
    x = ct.tensor([[1, 2, 4, 8], [16, 32, 64, 128]])
    x[:, 1:3] |= x[:, 2:]
    assert x.tolist() == [[1, 6, 12, 8], [16, 96, 192, 128]]
    mask = ct.tensor([[True, False, True, False]] * 2)
    mask[:, :3] &= mask[:, 1:]
    assert mask.tolist() == [[False, False, False, False]] * 2


def test_results_given_elsewhere_in_the_storage():
    x = ct.arange(24.0).reshape(2, 3, 4)
    ct.mul(x[:, 0], 2, out=x[:, 1])
    wanted = np.arange(24.0).reshape(2, 3, 4)
    wanted[:, 1] = wanted[:, 0] * 2
    assert x.tolist() == wanted.tolist()
    ct.sum(x, 0, out=x[1])
    assert x[1].tolist() == wanted.sum(0).tolist()


def test_operands_of_another_size(device):
    """Bytes and numbers of one storage."""
    x = ct.arange(8, dtype=ct.int32)
    array = np.arange(8, dtype=np.int32)
    octets, octet = ct.empty(0, dtype=ct.uint8).set_(x.untyped_storage()), array.view(np.uint8)
    octets[1::4] += octets[::4]
    octet[1::4] += octet[::4]
    assert x.tolist() == array.tolist()
    x[1:5].add_(octets[5:13:2])
    array[1:5] += octet[5:13:2].astype(np.int32)
    assert x.tolist() == array.tolist()


def test_disjoint_views_are_not_copied(monkeypatch):
    """However their ranges interleave."""
    x = ct.arange(24.0).reshape(4, 6)
    monkeypatch.setattr(ct.Tensor, "clone", None)
    x[:, :3] += x[:, 3:]
    x[:, ::2].mul_(x[:, 1::2])
    x.diagonal().copy_(x.diagonal(1)[:4])
    x[::2, 1:].copy_(x[1::2, :-1])


def test_what_pytorch_refuses():
    x = ct.arange(9.0).reshape(3, 3)
    flat, one = x.reshape(-1), ct.tensor([1.0])
    for write in (lambda: x.add_(x.t()), lambda: flat[1:].copy_(flat[:-1]), lambda: flat[:3].expand(2, 3).mul_(2),
                  lambda: ct.add(one, flat, out=one)):
        with pytest.raises(RuntimeError, match=r"single memory location|doesn't match the broadcast shape"):
            write()
    assert x.tolist() == np.arange(9.0).reshape(3, 3).tolist()
    assert one.tolist() == [1]
