"""Pooling and its gradients against loops over the windows in float64, in both launch styles."""

import itertools

import numpy as np
import pytest

from cltensor.base.errors import ArgumentError, ShapeError
from cltensor.ops.conv import pooling
from ops.styled import run, spec_of

pytestmark = [pytest.mark.device, pytest.mark.oclgrind]
STYLES = ("cpu", "gpu")


def windows(size, out, kernel, stride, padding, dilation):
    """Per output position: (its index, positions of the input per dimension, positions of the padded input per dimension)."""
    for o in itertools.product(*map(range, out)):
        padded = [range(i * s - p, min(i * s - p + d * (k - 1) + 1, n + p), d)
                  for i, n, k, s, p, d in zip(o, size, kernel, stride, padding, dilation, strict=True)]
        yield o, [[j for j in r if 0 <= j < n] for r, n in zip(padded, size, strict=True)], padded


def adaptive_windows(size, out):
    for o in itertools.product(*map(range, out)):
        inside = [range(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(o, size, out, strict=True)]
        yield o, inside, inside


def max_reference(x, out, wins, g):
    """(y, positions, gx): the first of equal maxima, the last of NaNs."""
    y, place, gx = np.empty((*x.shape[:2], *out)), np.empty((*x.shape[:2], *out), "int64"), np.zeros(x.shape)
    for o, inside, _ in wins:
        spots = list(itertools.product(*inside))
        for n, c in np.ndindex(*x.shape[:2]):
            values = [x[(n, c, *s)] for s in spots]
            nans = [i for i, v in enumerate(values) if np.isnan(v)]
            best = nans[-1] if nans else int(np.argmax(values))
            y[(n, c, *o)], place[(n, c, *o)] = values[best], np.ravel_multi_index(spots[best], x.shape[2:])
            gx[(n, c, *spots[best])] += g[(n, c, *o)]
    return y, place, gx


def mean_reference(x, out, wins, g, include_pad=True, divisor=None):
    """(y, gx)."""
    y, gx = np.zeros((*x.shape[:2], *out)), np.zeros(x.shape)
    for o, inside, padded in wins:
        count = divisor or np.prod([len(r) for r in (padded if include_pad else inside)])
        part = (slice(None), slice(None), *np.ix_(*inside))
        y[(slice(None), slice(None), *o)] = x[part].sum(axis=tuple(range(2, x.ndim))) / count
        gx[part] += (g[(slice(None), slice(None), *o)] / count).reshape(*x.shape[:2], *(1,) * len(out))
    return y, gx


def close(dtype):
    return {"float16": 2e-3, "float32": 1e-6, "float64": 1e-14}[dtype]


def check_max(rng, style, size, kernel, stride, padding, dilation, ceil_mode=False, dtype="float32", special=False):
    x = rng.integers(-3, 4, (2, 3, *size)).astype(dtype)
    if special:
        x[rng.random(x.shape) < 0.4] = -np.inf
        x[rng.random(x.shape) < 0.1] = np.nan
    out = pooling.output_size(size, kernel, stride, padding, dilation, ceil_mode)
    g = rng.standard_normal((2, 3, *out)).astype(dtype)
    window = (kernel, stride, padding, dilation)
    y, place, gx = max_reference(x, out, windows(size, out, *window), g)
    found, found_place = run(pooling.max_pool, style, x, kernel_size=kernel, stride=stride, padding=padding,
                             dilation=dilation, ceil_mode=ceil_mode)
    np.testing.assert_array_equal(found, y)
    np.testing.assert_array_equal(found_place, place)
    back = run(pooling.max_pool_gradient, style, g, place, size=size, window=window)
    np.testing.assert_allclose(back, gx, rtol=close(dtype), atol=close(dtype))
    np.testing.assert_array_equal(run(pooling.max_pool_take, style, x, place, window=window), y)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("special", [False, True])
def test_max_pool(rng, style, special):
    check_max(rng, style, (6, 7), (2, 2), (2, 2), (0, 0), (1, 1), special=special)
    check_max(rng, style, (6, 7), (3, 3), (2, 2), (1, 1), (1, 1), special=special)
    check_max(rng, style, (7, 9), (3, 2), (2, 3), (1, 0), (2, 3), ceil_mode=True, special=special)
    check_max(rng, style, (9,), (3,), (1,), (1,), (1,), special=special)
    check_max(rng, style, (4, 5, 6), (2, 3, 2), (2, 1, 2), (1, 1, 0), (1, 2, 1), special=special)


@pytest.mark.parametrize("style", STYLES)
def test_wide_rows(rng, style):
    check_max(rng, style, (2, 140), (2, 3), (1, 2), (1, 1), (1, 1), special=True)
    check_max(rng, style, (2, 131), (2, 5), (1, 1), (0, 2), (1, 1))
    check_mean(rng, style, (3, 136), (2, 3), (2, 2), (1, 1))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_dtypes(rng, style, dtype):
    check_max(rng, style, (6, 7), (3, 3), (2, 2), (1, 1), (1, 1), dtype=dtype)
    check_mean(rng, style, (6, 7), (3, 3), (2, 2), (1, 1), dtype=dtype)


def check_mean(rng, style, size, kernel, stride, padding, ceil_mode=False, include_pad=True, divisor=None, dtype="float32"):
    x = rng.standard_normal((2, 3, *size)).astype(dtype)
    ones = (1,) * len(size)
    out = pooling.output_size(size, kernel, stride, padding, ones, ceil_mode)
    g = rng.standard_normal((2, 3, *out)).astype(dtype)
    y, gx = mean_reference(x.astype(float), out, windows(size, out, kernel, stride, padding, ones), g.astype(float),
                           include_pad, divisor)
    attrs = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode,
             "count_include_pad": include_pad, "divisor_override": divisor}
    near = {"rtol": close(dtype), "atol": close(dtype)}
    np.testing.assert_allclose(run(pooling.avg_pool, style, x, **attrs), y, **near)
    np.testing.assert_allclose(run(pooling.avg_pool_gradient, style, g, size=size, **attrs), gx, **near)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("ceil_mode", "include_pad", "divisor"), list(itertools.product([False, True], [False, True], [None, 3])))
def test_avg_pool(rng, style, ceil_mode, include_pad, divisor):
    check_mean(rng, style, (7, 6), (3, 3), (2, 2), (1, 1), ceil_mode, include_pad, divisor)
    check_mean(rng, style, (8,), (3,), (3,), (1,), ceil_mode, include_pad, divisor and -divisor)
    check_mean(rng, style, (4, 5, 6), (2, 3, 2), (2, 1, 2), (1, 1, 0), ceil_mode, include_pad, divisor)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("size", "out"), [((6, 8), (3, 4)), ((5, 6), (7, 4)), ((7,), (1,)), ((3, 4, 5), (2, 3, 4))])
def test_adaptive(rng, style, size, out):
    x, g = rng.standard_normal((2, 3, *size)), rng.standard_normal((2, 3, *out))
    y, gx = mean_reference(x, out, adaptive_windows(size, out), g)
    np.testing.assert_allclose(run(pooling.adaptive_avg_pool, style, x, output_size=out), y, atol=1e-14)
    np.testing.assert_allclose(run(pooling.adaptive_avg_pool_gradient, style, g, size=size), gx, atol=1e-14)
    y, place, gx = max_reference(x, out, adaptive_windows(size, out), g)
    found, found_place = run(pooling.adaptive_max_pool, style, x, output_size=out)
    np.testing.assert_array_equal(found, y)
    np.testing.assert_array_equal(found_place, place)
    np.testing.assert_allclose(run(pooling.max_pool_gradient, style, g, place, size=size, window=()), gx, atol=1e-14)


@pytest.mark.parametrize("style", STYLES)
def test_any_strides(rng, style):
    x = np.moveaxis(rng.standard_normal((2, 7, 6, 4)).astype("float32"), -1, 1)[:, 1:]
    g = np.moveaxis(rng.standard_normal((2, 3, 3, 3)).astype("float32"), -1, 1)
    attrs = {"kernel_size": (3, 2), "stride": (2, 2), "padding": (0, 0), "ceil_mode": False}
    window = ((3, 2), (2, 2), (0, 0), (1, 1))
    y, place, gx = max_reference(x, (3, 3), windows((7, 6), (3, 3), *window), g)
    found, found_place = run(pooling.max_pool, style, x, dilation=(1, 1), **attrs)
    np.testing.assert_array_equal(found, y)
    np.testing.assert_array_equal(found_place, place)
    back = run(pooling.max_pool_gradient, style, g, np.asfortranarray(place), size=(7, 6), window=window)
    np.testing.assert_allclose(back, gx, atol=1e-6)
    y, gx = mean_reference(x, (3, 3), windows((7, 6), (3, 3), *window), g)
    attrs |= {"count_include_pad": True, "divisor_override": None}
    np.testing.assert_allclose(run(pooling.avg_pool, style, x, **attrs), y, atol=1e-6)
    np.testing.assert_allclose(run(pooling.avg_pool_gradient, style, g, size=(7, 6), **attrs), gx, atol=1e-6)


def test_last_window_of_ceil_mode_starts_inside():
    assert pooling.output_size((5,), (2,), (2,), (0,), (1,), True) == (3,)
    assert pooling.output_size((4,), (1,), (3,), (0,), (1,), True) == (2,)
    assert pooling.output_size((3,), (2,), (3,), (1,), (1,), True) == (2,)
    assert pooling.output_size((2,), (2,), (3,), (1,), (1,), True) == (1,)  # a second window would start at 2, past the end


def test_empty_batch():
    x = np.zeros((0, 3, 4, 4), "float32")
    y, place = run(pooling.max_pool, "cpu", x, kernel_size=(2, 2), stride=(2, 2), padding=(0, 0), dilation=(1, 1),
                   ceil_mode=False)
    assert y.shape == place.shape == (0, 3, 2, 2)


@pytest.mark.parametrize(("shape", "changes", "error", "message"), [
    ((2, 3), {}, ShapeError, "expected 3, 4 or 5"),
    ((2, 3, 4, 4), {"kernel_size": (5, 5)}, ShapeError, "Output size is too small"),
    ((2, 3, 4, 4), {"kernel_size": (2,)}, ArgumentError, "one value per spatial dimension"),
    ((2, 3, 4, 4), {"stride": (0, 1)}, ArgumentError, "stride should be greater than zero"),
    ((2, 3, 4, 4), {"padding": (2, 0)}, ArgumentError, "at most half of effective kernel size"),
    ((2, 0, 4, 4), {}, ShapeError, "every size but the batch"),
])
def test_errors(shape, changes, error, message):
    attrs = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "dilation": (1, 1), "ceil_mode": False, **changes}
    with pytest.raises(error, match=message):
        pooling.max_pool.shape(spec_of(np.zeros(shape, "float32"), "cpu"), **attrs)


def test_zero_divisor_is_refused():
    with pytest.raises(ArgumentError, match="divisor must be not zero"):
        pooling.avg_pool.shape(spec_of(np.zeros((1, 1, 4), "float32"), "cpu"), kernel_size=(2,), stride=(2,), padding=(0,),
                               ceil_mode=False, count_include_pad=True, divisor_override=0)
