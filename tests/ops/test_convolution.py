"""Convolution and its gradients against loops over the filter taps in float64, in both launch styles.

Tests of long reductions stay off Oclgrind, which would take minutes for them; tiny shapes run the same kernels there.
"""

import itertools

import numpy as np
import pytest

from cltensor.base import dtypes
from cltensor.base.errors import ArgumentError, DTypeError, ShapeError
from cltensor.ops.conv import columns
from cltensor.ops.conv.convolution import (
    convolution,
    convolution_input_gradient,
    convolution_weight_gradient,
    output_size,
    pairs,
)
from ops.styled import run, spec_of

pytestmark = pytest.mark.device
STYLES = ("cpu", "wide", "gpu")


def taps(x, w_shape, out, stride, dilation, groups):
    """Per group and filter tap: (channels of x, of w, tap, the part of padded x it meets)."""
    cg, k = w_shape[1], w_shape[0] // groups
    for group, tap in itertools.product(range(groups), itertools.product(*map(range, w_shape[2:]))):
        where = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilation, out, stride, strict=True))
        yield slice(group * cg, (group + 1) * cg), slice(group * k, (group + 1) * k), tap, where


def reference(x, w, b, gy, stride, padding, dilation, groups):
    """(y, gx, gw) in float64; gy is None or a function of y's shape."""
    before = ((0, 0), (0, 0), *pairs(padding))
    out = output_size(x.shape[2:], w.shape[2:], stride, padding, dilation)
    xp, w = np.pad(x.astype(float), before), w.astype(float)
    y = np.zeros((x.shape[0], w.shape[0], *out)) + (0 if b is None else b.astype(float).reshape(-1, *(1,) * len(out)))
    gxp, gw, gy = np.zeros_like(xp), np.zeros_like(w), gy(y.shape)
    for c, k, tap, where in taps(xp, w.shape, out, stride, dilation, groups):
        x_part, w_part, g_part = xp[(slice(None), c, *where)], w[(k, slice(None), *tap)], gy[:, k].astype(float)
        y[:, k] += np.einsum("nc...,kc->nk...", x_part, w_part)
        gxp[(slice(None), c, *where)] += np.einsum("nk...,kc->nc...", g_part, w_part)
        gw[(k, slice(None), *tap)] += np.einsum("nkp,ncp->kc", g_part.reshape(*g_part.shape[:2], -1),
                                                x_part.reshape(*x_part.shape[:2], -1))
    inside = tuple(slice(lo, lo + n) for (lo, _), n in zip(before, x.shape, strict=True))
    return y, gxp[inside], gw, gy


def check(rng, style, x_shape, w_shape, stride, padding, dilation, groups=1, dtype="float32", bias=True, strided=False):
    def array(shape):
        if strided:  # channels last, from the second element on
            whole = rng.standard_normal((*shape[:1], *shape[2:], shape[1] + 1)).astype(dtype)
            return np.moveaxis(whole, -1, 1)[:, 1:]
        return rng.standard_normal(shape).astype(dtype)

    x, w, b = array(x_shape), array(w_shape), rng.standard_normal(w_shape[0]).astype(dtype) if bias else None
    attrs = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    y, gx, gw, gy = reference(x, w, b, array, **attrs)
    close = {"float16": 2e-3, "float32": 3e-6, "float64": 1e-13}[dtype]
    for op, args, expected in (
            (convolution, (x, w, b), y),
            (convolution_input_gradient, (gy, w), gx),
            (convolution_weight_gradient, (gy, x), gw)):
        size = {"size": expected.shape[2:]} if op is not convolution else {}
        found = run(op, style, *args, **attrs, **size)
        assert found.shape == expected.shape
        scale = np.abs(expected).max(initial=1e-3)
        np.testing.assert_allclose(found, expected, rtol=0, atol=close * scale, err_msg=op.name)


CASES = {
    "same": ((2, 3, 5, 6), (5, 3, 3, 3), (1, 1), (1, 1), (1, 1)),
    "valid 1d strided dilated": ((2, 4, 9), (20, 4, 3), (2,), (0,), (2,)),
    "even kernel, uneven padding": ((2, 2, 4, 4), (2, 2, 2, 2), (1, 1), ((0, 1), (0, 1)), (1, 1)),
    "stride 2, many lanes": ((2, 3, 7, 6), (33, 3, 3, 3), (2, 2), (1, 1), (1, 1)),
    "3d, all different": ((1, 2, 5, 6, 4), (4, 2, 3, 2, 1), (2, 1, 3), (1, 1, 0), (1, 2, 1)),
    "stride over kernel": ((2, 2, 8, 8), (3, 2, 1, 1), (3, 2), (0, 0), (1, 1)),
    "stride shares a factor with dilation": ((1, 1, 12, 12), (2, 1, 3, 3), (4, 6), (2, 3), (2, 4)),
    "padding wider than the filter": ((1, 2, 3, 3), (2, 2, 1, 2), (1, 1), (2, 3), (1, 1)),
}


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", CASES)
def test_geometry(rng, style, case):
    check(rng, style, *CASES[case])


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("x", "w", "groups"), [((2, 4, 5, 5), (6, 2, 3, 3), 2), ((2, 3, 5, 5), (3, 1, 3, 3), 3),
                                                ((2, 3, 5, 5), (6, 1, 3, 3), 3)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2)])
def test_groups(rng, style, x, w, groups, stride):
    check(rng, style, x, w, stride, (1, 1), (1, 1), groups)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_depthwise(rng, style, dtype):
    check(rng, style, (2, 3, 6, 19), (3, 1, 3, 3), (1, 1), (1, 1), (1, 1), 3, dtype)
    check(rng, style, (3, 2, 5, 37), (4, 1, 3, 2), (2, 3), (0, 1), (1, 2), 2, dtype, strided=True)
    check(rng, style, (2, 2, 9), (2, 1, 5), (1,), (4,), (2,), 2, dtype)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_dtypes(rng, style, dtype):
    check(rng, style, (2, 3, 5, 6), (5, 3, 3, 3), (1, 1), (1, 1), (1, 1), dtype=dtype)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
def test_any_strides_and_offsets(rng, style):
    check(rng, style, (2, 3, 6, 5), (4, 3, 3, 2), (2, 1), (1, 1), (1, 1), strided=True, bias=False)
    check(rng, style, (2, 3, 6, 5), (4, 3, 1, 1), (1, 1), (0, 0), (1, 1), strided=True, bias=False)


@pytest.fixture
def by_columns(monkeypatch):
    """Compute all convolutions by columns; afterwards forget the plans."""
    monkeypatch.setattr(columns, "suits", lambda *_: True)
    ops = convolution, convolution_input_gradient, convolution_weight_gradient
    for op in ops:
        op.plans.clear()
    yield
    for op in ops:
        op.plans.clear()


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", CASES)
def test_geometry_by_columns(rng, style, case, by_columns):
    check(rng, style, *CASES[case])


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
def test_other_operands_by_columns(rng, style, by_columns):
    check(rng, style, (1, 3, 6, 5), (4, 3, 3, 2), (2, 1), (1, 1), (1, 1), dtype="float64", bias=False)
    check(rng, style, (1, 3, 9, 11), (5, 3, 2, 2), (1, 1), (1, 0), (1, 1))  # more pixels than go together; one image
    x, w = (rng.standard_normal(shape).astype("float32") for shape in ((2, 3, 5, 4), (4, 3, 3, 3)))
    attrs = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    found = run(convolution, style, np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1), w, None, **attrs)
    np.testing.assert_allclose(found, reference(x, w, None, np.zeros, **attrs)[0], atol=1e-5)


def test_few_pixels_are_computed_by_columns(rng):
    """Forward and both gradients; packing the weights would cost more than the sums."""
    shapes = (8, 32, 2, 2), (160, 32, 3, 3), (1, 1), (1, 1), (1, 1)
    x, w, g = (spec_of(np.zeros(s, "float32"), "cpu") for s in (*shapes[:2], (8, 160, 2, 2)))
    attrs = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    for op, operands, size in ((convolution, (x, w, None), {}), (convolution_input_gradient, (g, w), {"size": (2, 2)}),
                               (convolution_weight_gradient, (g, x), {"size": (3, 3)})):
        given = {**attrs, **size}
        steps = op.plan(operands, tuple(given[n] for n in op.attr_names)).steps
        assert {s.name for s in steps} == {"conv_columns", "matmul_blocked"}, op.name
    check(rng, "cpu", *shapes)


@pytest.mark.parametrize("style", STYLES)
def test_long_reductions(rng, style):
    """Several blocks of the reduction, strips and panels; a weight gradient cut into pieces."""
    check(rng, style, (4, 44, 7, 7), (40, 44, 3, 3), (1, 1), (1, 1), (1, 1))
    check(rng, style, (4, 1, 16, 16), (3, 1, 3, 3), (1, 1), (1, 1), (1, 1))


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
def test_bfloat16(rng, style):
    x, w = (rng.integers(-4, 5, shape).astype("float32") for shape in ((2, 3, 5, 5), (4, 3, 3, 3)))
    attrs = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    found = run(convolution, style, *((a.view("uint32") >> 16).astype("uint16") for a in (x, w)), None,
                dtype=dtypes.bfloat16, **attrs)
    expected = reference(x, w, None, np.zeros, **attrs)[0]
    np.testing.assert_allclose((found.astype("uint32") << 16).view("float32"), expected, rtol=2**-8)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
def test_empty(style):
    x, w = np.zeros((0, 2, 4, 4), "float32"), np.ones((3, 2, 3, 3), "float32")
    attrs = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    y = run(convolution, style, x, w, None, **attrs)
    assert y.shape == (0, 3, 4, 4)
    gw = run(convolution_weight_gradient, style, y, x, size=(3, 3), **attrs)
    np.testing.assert_array_equal(gw, np.zeros_like(w))


@pytest.mark.parametrize("style", STYLES)
def test_same_from_run_to_run(rng, style):
    x, g = (rng.standard_normal((4, 3, 16, 16)).astype("float32") for _ in range(2))
    attrs = {"size": (3, 3), "stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    a, b = (run(convolution_weight_gradient, style, g, x, **attrs) for _ in range(2))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("shapes", "changes", "error", "message"), [
    (((2, 3, 5, 5), (4, 2, 3, 3), None), {}, ShapeError, "to have 2 channels, but got 3 channels instead"),
    (((2, 4, 5, 5), (3, 2, 3, 3), None), {"groups": 2}, ShapeError, "divisible by 2"),
    (((2, 3, 5, 5), (4, 3, 3, 3), (3,)), {}, ShapeError, "expected bias to be 1-dimensional with 4 elements"),
    (((2, 3, 2, 2), (4, 3, 3, 3), None), {}, ShapeError, "can't be zero or greater than actual input size"),
    (((3, 5), (4, 3), None), {}, ShapeError, "expected 3, 4 or 5"),
    (((2, 3, 5, 5), (4, 3, 3), None), {}, ShapeError, "has 4 dimensions but weight"),
    (((2, 3, 5, 5), (4, 3, 3, 3), None), {"stride": (0, 1)}, ArgumentError, "non-positive stride"),
    (((2, 3, 5, 5), (4, 3, 3, 3), None), {"dilation": (0, 1)}, ArgumentError, "dilation should be greater than zero"),
    (((2, 3, 5, 5), (4, 3, 3, 3), None), {"padding": (-1, 1)}, ArgumentError, "negative padding"),
    (((2, 3, 5, 5), (4, 3, 3, 3), None), {"stride": (1,)}, ArgumentError, "one per dimension"),
    (((2, 3, 5, 5), (4, 3, 3, 3), None), {"groups": 0}, ArgumentError, "positive integer"),
])
def test_errors(shapes, changes, error, message):
    attrs = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1, **changes}
    specs = [None if s is None else spec_of(np.zeros(s, "float32"), "cpu") for s in shapes]
    with pytest.raises(error, match=message):
        convolution.shape(*specs, **attrs)


def test_mixed_dtypes_are_refused():
    x, w = (spec_of(np.zeros(s, d), "cpu") for s, d in (((2, 3, 5, 5), "float32"), ((4, 3, 3, 3), "float64")))
    with pytest.raises(DTypeError, match="input is float32 but weight is float64"):
        convolution.shape(x, w, None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)


def test_gradient_sizes_must_match():
    g, w = (spec_of(np.zeros(s, "float32"), "cpu") for s in ((2, 4, 3, 3), (4, 3, 3, 3)))
    with pytest.raises(ShapeError, match="gives an output of"):
        convolution_input_gradient.shape(g, w, size=(9, 9), stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1)


def test_few_pixels_are_cut_along_the_reduction_on_a_gpu(rng):
    x, w, bias = spec_of(np.zeros((1, 64, 7, 7), "float32"), "gpu"), spec_of(np.zeros((8, 64, 3, 3), "float32"), "gpu"), None
    settings = {"stride": (1, 1), "padding": (1, 1), "dilation": (1, 1), "groups": 1}
    steps = convolution.plan((x, w, bias), tuple(settings[n] for n in convolution.attr_names)).steps
    assert steps[-1].name == "conv_sum"
    check(rng, "gpu", (1, 64, 7, 7), (8, 64, 3, 3), (1, 1), (1, 1), (1, 1))


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("spatial", "dtype", "strided"), [
    ((12, 11), "float32", False), ((12, 11), "float64", True), ((150,), "float16", False), ((2, 8, 9), "float32", False)])
def test_one_tap_is_a_product(rng, style, spatial, dtype, strided):
    ones, none = (1,) * len(spatial), (0,) * len(spatial)
    x, w = (2, 5, *spatial), (7, 5, *ones)
    specs = [spec_of(np.zeros(s, dtype), style) for s in (x, w)]
    steps = convolution.plan((*specs, None), (ones, none, ones, 1)).steps
    assert all(s.name.startswith("matmul") for s in steps)
    check(rng, style, x, w, ones, none, ones, dtype=dtype, strided=strided)
