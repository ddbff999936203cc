"""Unpooling undoes pooling, fractional pooling spreads its windows over the input; their errors."""

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.nn import functional as F

pytestmark = pytest.mark.device


@pytest.mark.parametrize(("n", "shape"), [(1, (2, 3, 8)), (2, (2, 6, 4)), (3, (1, 2, 4, 2, 6))])
def test_values_go_back_to_their_places(n, shape, rng):
    x = rng.standard_normal(shape)
    y, positions = getattr(F, f"max_pool{n}d")(cltensor.tensor(x), 2, return_indices=True)
    got = getattr(F, f"max_unpool{n}d")(y, positions, 2).numpy()
    flat, expected = x.reshape(*shape[:-n], -1), np.zeros((*shape[:-n], np.prod(shape[-n:])))
    np.put_along_axis(expected, positions.flatten(-n).numpy(), np.take_along_axis(flat, positions.flatten(-n).numpy(), -1), -1)
    np.testing.assert_array_equal(got, expected.reshape(shape))


def test_the_size_a_pooling_lost(rng):
    x = cltensor.tensor(rng.standard_normal((1, 1, 5, 7)), requires_grad=True)
    y, positions = F.max_pool2d(x, 2, return_indices=True)
    layer = nn.MaxUnpool2d(2)
    assert layer(y, positions, output_size=x.size()).shape == x.shape
    whole = layer(y, positions, (5, 7))
    whole.pow(3).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * whole.detach().numpy() ** 2)


@pytest.mark.parametrize(("settings", "error"), [
    ({"output_size": (6, 7)}, ValueError), ({"output_size": (1, 5, 7)}, ValueError), ({"padding": 4}, ValueError)])
def test_sizes_that_do_not_fit(settings, error):
    with pytest.raises(error, match="output_size"):
        F.max_unpool2d(cltensor.ones(1, 2, 3), cltensor.zeros(1, 2, 3, dtype=cltensor.int64), 2, **settings)


@pytest.mark.parametrize("place", [24, -1])
def test_a_place_out_of_range_is_noticed_where_values_are_read(place):
    with pytest.raises(IndexError):
        F.max_unpool2d(cltensor.ones(1, 2, 3), cltensor.full((1, 2, 3), place), 2).numpy()


def test_unpooling_refuses_other_indices():
    y = cltensor.ones(1, 2, 3)
    with pytest.raises(RuntimeError, match="int64"):
        F.max_unpool2d(y, cltensor.zeros(1, 2, 3, dtype=cltensor.int32), 2)
    with pytest.raises(RuntimeError, match="same as that of the input"):
        F.max_unpool2d(y, cltensor.zeros(1, 2, 2, dtype=cltensor.int64), 2)


@pytest.mark.parametrize(("n", "shape", "kernel", "out"), [(2, (2, 3, 11, 9), (2, 3), (5, 4)), (3, (1, 2, 7, 6, 8), 2, 3)])
def test_fractional_windows_begin_and_end_with_the_input(n, shape, kernel, out, rng):
    x = cltensor.tensor(-np.arange(np.prod(shape), dtype=np.float64).reshape(shape))  # the first of a window is its largest
    y, positions = getattr(F, f"fractional_max_pool{n}d_with_indices")(x, kernel, out)
    kernel, out = (v if isinstance(v, tuple) else (v,) * n for v in (kernel, out))
    assert y.shape == (*shape[:2], *out)
    taken = np.take_along_axis(x.flatten(2).numpy(), positions.flatten(2).numpy(), 2)
    np.testing.assert_array_equal(y.flatten(2).numpy(), taken)
    at = np.stack(np.unravel_index(positions.numpy(), shape[2:]))
    for d in range(n):
        starts = np.moveaxis(at[d], 2 + d, -1)
        assert (starts[..., 0] == 0).all()
        assert (starts[..., -1] == shape[2 + d] - kernel[d]).all()
        step = (shape[2 + d] - kernel[d]) / (out[d] - 1)
        assert set(np.diff(starts[..., :-1]).ravel()) <= {np.floor(step), np.ceil(step)}


def test_fractional_pooling_follows_the_seed():
    x = cltensor.randn(1, 2, 12, 12)
    found = []
    for _ in range(2):
        cltensor.manual_seed(3)
        found.append(nn.FractionalMaxPool2d(2, output_ratio=(0.6, 0.7))(x).numpy())
    np.testing.assert_array_equal(*found)
    assert found[0].shape == (1, 2, 7, 8)


@pytest.mark.parametrize(("settings", "error"), [
    ({}, ValueError), ({"output_size": 6}, RuntimeError), ({"output_size": (2, 2, 2)}, RuntimeError),
    ({"output_size": 2, "_random_samples": np.ones((1, 2, 3))}, RuntimeError)])
def test_fractional_errors(settings, error):
    settings = {k: cltensor.tensor(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()}
    with pytest.raises(error, match="fractional_max_pool2d"):
        F.fractional_max_pool2d(cltensor.ones(1, 2, 6, 6, dtype=cltensor.float64), 3, **settings)


@pytest.mark.parametrize("settings", [{}, {"output_size": 2, "output_ratio": 0.5}, {"output_ratio": 1.5}])
def test_fractional_layer_takes_one_size_or_ratio(settings):
    with pytest.raises(ValueError, match="FractionalMaxPool2d"):
        nn.FractionalMaxPool2d(3, **settings)
