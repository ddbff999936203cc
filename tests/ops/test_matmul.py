"""Matrix products against NumPy in float64, in both launch styles; every way a layout, a size or a dtype can differ."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import cltensor
from cltensor.base import dtypes
from cltensor.base.errors import DTypeError, ShapeError
from cltensor.dispatch.plan import In, Plan
from cltensor.dispatch.spec import dense
from cltensor.ops.gemm.gemm import gpu_tile, product_steps
from cltensor.ops.gemm.matmul import linear, linear_shape, matmul, matmul_shape, product_of
from ops.styled import Styled, run, spec_of

pytestmark = pytest.mark.device
STYLES = ("cpu", "wide", "gpu")
TINY = [
    (1, 1, 1), (2, 1, 3), (5, 7, 9), (9, 16, 16), (13, 17, 33), (1, 19, 5), (18, 3, 1), (1, 70, 1), (2, 20, 9),
    (9, 11, 8),
]
LARGE = [
    (64, 64, 64), (65, 130, 66), (37, 600, 150), (200, 40, 300), (520, 20, 150), (1, 3000, 70), (5000, 90, 1),
    (1, 9000, 1), (2, 800, 300), (300, 800, 7), (3, 9000, 4), (13, 1030, 530), (1030, 40, 140), (525, 1010, 130),
]


def array(rng, *shape, dtype="float32"):
    """Normal numbers, or integers large enough for their products to wrap around."""
    if np.issubdtype(dtype, np.integer):
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    return rng.standard_normal(shape).astype(dtype)


def transposes(rng, M, K, N, dtype="float32"):
    """The operands in all four layouts."""
    for turn_a, turn_b in itertools.product((False, True), repeat=2):
        a = array(rng, K, M, dtype=dtype).T if turn_a else array(rng, M, K, dtype=dtype)
        b = array(rng, N, K, dtype=dtype).T if turn_b else array(rng, K, N, dtype=dtype)
        yield a, b


def close(got, expected, K, eps=2.0**-23):
    """Whether sums of K products of normal numbers are as near as rounding allows."""
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=4 * eps, atol=4 * eps * (K + 1))


def check(style, a, b, eps=2.0**-23):
    close(run(matmul, style, a, b), np.matmul(a.astype(float), b.astype(float)), a.shape[-1], eps)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
def test_tiny(rng, style):
    for size in TINY:
        for a, b in transposes(rng, *size):
            check(style, a, b)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", LARGE)
def test_large(rng, style, size):
    for a, b in transposes(rng, *size):
        check(style, a, b)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
def test_strided_views(rng, style):
    whole = array(rng, 30, 41)
    a, b = whole[1::3, 2:29:2], whole[3:17, ::4]
    check(style, a, b)
    check(style, b.T, a.T)
    check(style, a[2:3], b)
    check(style, a, b[:, 5:6])


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("a", "b"), [
    ((3, 4, 5), (3, 5, 6)), ((3, 4, 5), (5, 6)), ((4, 5), (3, 5, 6)), ((2, 1, 4, 5), (3, 5, 6)), ((2, 3, 4, 5), (5, 1)),
    ((2, 3, 1, 5), (2, 1, 5, 6)), ((1, 1, 4, 5), (1, 5, 6)), ((2, 3, 4, 5), (3, 5, 6)),
    ((2, 1, 2, 1, 3, 4), (1, 2, 1, 2, 4, 2)),
])
def test_batches(rng, style, a, b):
    check(style, array(rng, *a), array(rng, *b))


@pytest.mark.parametrize("style", STYLES)
def test_batches_without_a_copy(rng, style):
    check(style, array(rng, 4, 3, 5).transpose(1, 0, 2), array(rng, 5, 6))
    check(style, np.broadcast_to(array(rng, 4, 5), (3, 4, 5)), array(rng, 6, 3, 5).transpose(1, 2, 0))
    check(style, np.broadcast_to(array(rng, 4, 1), (4, 5)), np.broadcast_to(array(rng, 7), (5, 7)))
    check(style, array(rng, 9, 40, 33), array(rng, 9, 33, 20))


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("a", "b"), [
    ((7,), (7,)), ((7,), (7, 3)), ((4, 7), (7,)), ((7,), (2, 7, 3)), ((2, 3, 7), (7,)),
])
def test_vectors(rng, style, a, b):
    check(style, array(rng, *a), array(rng, *b))
    if len(a) == 1:
        check(style, array(rng, 14)[::2], array(rng, *b))


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("a", "b"), [
    ((3, 0), (0, 4)), ((0, 5), (5, 4)), ((3, 5), (5, 0)), ((0, 3, 5), (5, 4)), ((2, 3, 0), (2, 0, 4)), ((0,), (0,)),
    ((1, 0), (0, 4)), ((0,), (0, 4)),
])
def test_empty(style, a, b):
    got = run(matmul, style, np.ones(a, "float32"), np.ones(b, "float32"))
    np.testing.assert_array_equal(got, np.matmul(np.ones(a), np.ones(b)))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dtype", ["float64", "int64", *(pytest.param(n, marks=pytest.mark.plain)
                                                         for n in ("int8", "uint8", "int16", "int32"))])
def test_dtypes(rng, style, dtype):
    for size in ((9, 40, 21), (1, 40, 21)):
        for a, b in transposes(rng, *size, dtype=dtype):
            if dtype == "float64":
                check(style, a, b, 2.0**-52)
            else:
                np.testing.assert_array_equal(run(matmul, style, a, b), np.matmul(a, b))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dtype", [dtypes.float16, dtypes.bfloat16])
def test_16_bit(rng, style, dtype):
    """Sums are held in float32 and rounded once."""
    for size in ((9, 300, 21), (40, 70, 1)):
        for a, b in transposes(rng, *size):
            (a, a_bits), (b, b_bits) = _rounded(a, dtype), _rounded(b, dtype)
            got = _widened(run(matmul, style, a_bits, b_bits, dtype=dtype), dtype)
            exact = a.astype(float) @ b.astype(float)
            eps = cltensor.finfo(dtype).eps
            np.testing.assert_allclose(got, exact, rtol=0.51 * eps, atol=1e-4)


def _rounded(x, dtype):
    """(x rounded to a 16-bit dtype, as float32; the stored array, with x's layout)."""
    if dtype is dtypes.float16:
        bits = x.astype("float16")
        return bits.astype("float32"), bits
    bits = (x.view("uint32") >> 16).astype("uint16")
    return (bits.astype("uint32") << 16).view("float32"), bits


def _widened(x, dtype):
    return x.astype(float) if dtype is dtypes.float16 else (x.astype("uint32") << 16).view("float32").astype(float)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", STYLES)
def test_linear(rng, style):
    w, b = array(rng, 9, 12), array(rng, 18)[::2]
    for x in (array(rng, 7, 12), array(rng, 2, 3, 12), array(rng, 12), array(rng, 1, 12)):
        expected = x.astype(float) @ w.T
        close(run(linear, style, x, w, b), expected + b, 12)
        close(run(linear, style, x, w, None), expected, 12)


@pytest.mark.parametrize("style", STYLES)
def test_linear_large(rng, style):
    """The bias is added once, also where the inner dimension is cut into blocks or slices."""
    for n, k, m in ((50, 700, 70), (1, 5000, 20), (3, 0, 4)):
        x, w, b = array(rng, n, k), array(rng, m, k), array(rng, m)
        close(run(linear, style, x, w, b), x.astype(float) @ w.T + b, k)


class AddRelu:
    """relu(a @ b + c) for c of the product's shape, by the epilogue that fusion uses."""

    attr_names = ()

    def plan(self, specs, attrs):
        a, b, c = specs
        p = product_of(a, b)
        fused = replace(p, extras=((In(2), c.dtype, (p.M * p.N, p.N, 1)),), epilogue="acc + e0 > 0 ? acc + e0 : 0")
        return Plan(a.device, specs, (c,), product_steps(fused))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("batch", [(), (3,)])
def test_epilogue(rng, style, batch):
    for n, k, m in ((40, 30, 50), (40, 300, 3), (1, 3000, 50)):
        a, b, c = array(rng, *batch, n, k), array(rng, *batch, k, m), array(rng, *batch, n, m)
        close(run(AddRelu(), style, a, b, c), np.maximum(np.matmul(a.astype(float), b) + c, 0), k)


@pytest.mark.parametrize("style", STYLES)
def test_repeatable(rng, style):
    for size in ((70, 900, 90), (1, 9000, 3)):
        a, b = next(transposes(rng, *size))
        np.testing.assert_array_equal(run(matmul, style, a, b), run(matmul, style, a, b))


@pytest.mark.parametrize(("a", "b", "message"), [
    ((32, 784), (512, 784), r"inner sizes differ: a \(32, 784\), b \(512, 784\); need a.shape\[-1\] == b.shape\[-2\]. "
                            r"Did you mean a @ b.mT\?"),
    ((784, 32), (784, 512), r"Did you mean a.mT @ b\?"),
    ((3, 4), (5, 6), r"need a.shape\[-1\] == b.shape\[-2\]$"),
    ((3, 4), (5,), r"need a.shape\[-1\] == b.shape\[0\]$"),
    ((), (5,), r"at least 1 dimension"),
    ((2, 3, 4), (3, 4, 5), r"matmul: shapes \(2,\), \(3,\) do not broadcast"),
])
def test_wrong_shapes(a, b, message):
    with pytest.raises(ShapeError, match=message):
        matmul_shape(*(spec_of(np.ones(s, "float32"), "cpu") for s in (a, b)))


def test_wrong_dtypes():
    a, b = (spec_of(np.ones((2, 2), d), "cpu") for d in ("float32", "float64"))
    with pytest.raises(DTypeError, match=r"expected all operands to have the same dtype, but got float32 and float64"):
        matmul_shape(a, b)
    with pytest.raises(DTypeError, match="linear"):
        linear_shape(a, a, spec_of(np.ones(2), "cpu"))


@pytest.mark.parametrize(("x", "w", "b"), [
    ((3, 4), (5, 3), None), ((3, 4), (4,), None), ((3, 4), (5, 4), (4,)), ((), (5, 4), None),
])
def test_linear_wrong_shapes(x, w, b):
    with pytest.raises(ShapeError, match="linear: sizes do not fit"):
        linear_shape(*(None if s is None else spec_of(np.ones(s, "float32"), "cpu") for s in (x, w, b)))


@pytest.mark.parametrize(("size", "dtype", "items", "tile", "cut"), [
    ((2048, 2048, 2048), "float32", 256, (128, 128), False), ((1024, 1024, 1024), "float32", 256, (64, 64), False),
    ((512, 512, 512), "float32", 256, (32, 32), False), ((512, 3072, 768), "float32", 256, (128, 128), True),
    ((64, 784, 512), "float32", 256, (32, 32), True), ((2048, 2048, 2048), "float64", 256, (64, 64), False),
    ((2048, 2048, 2048), "float32", 64, (32, 32), False)])
def test_gpu_tiles_suit_sizes_and_device(size, dtype, items, tile, cut):
    """On 132 compute units, as measured on such a device."""
    device = Styled("gpu")
    device.profile = replace(device.profile, compute_units=132, work_group=items, local_memory=48 << 10)
    M, K, N = size
    a, b = (dense(s, dtypes.BY_NAME[dtype], device) for s in ((M, K), (K, N)))
    *found, slice = gpu_tile(product_of(a, b))
    assert tuple(found[:2]) == tile
    assert (slice <= K) == cut


@pytest.mark.parametrize(("a", "b"), [
    ((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 2)), ((4,), (4,)), ((4,), (4, 5)),
    ((4,), (2, 4, 5)), ((3, 4), (4,)), ((2, 3, 4), (4,)),
])
def test_gradients(rng, a, b):
    """Against the derivative of the bilinear form along a random direction."""
    a, b, da, db = (array(rng, *shape, dtype="float64") for shape in (a, b, a, b))
    x, w = (cltensor.tensor(v, requires_grad=True) for v in (a, b))
    y = x @ w
    g = array(rng, *y.shape, dtype="float64")
    y.backward(cltensor.tensor(g))
    assert x.grad.shape == x.shape
    assert w.grad.shape == w.shape
    np.testing.assert_allclose((x.grad.numpy() * da).sum(), (g * np.matmul(da, b)).sum(), rtol=1e-10)
    np.testing.assert_allclose((w.grad.numpy() * db).sum(), (g * np.matmul(a, db)).sum(), rtol=1e-10)


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (4,)])
def test_linear_gradients(rng, shape):
    values = [array(rng, *s, dtype="float64") for s in (shape, (5, 4), (5,))]
    x, w, b = (cltensor.tensor(v, requires_grad=True) for v in values)
    y = linear(x, w, b)
    g = array(rng, *y.shape, dtype="float64")
    y.backward(cltensor.tensor(g))
    rows, grads = values[0].reshape(-1, 4), g.reshape(-1, 5)
    np.testing.assert_allclose(x.grad.numpy(), g @ values[1])
    np.testing.assert_allclose(w.grad.numpy(), grads.T @ rows)
    np.testing.assert_allclose(b.grad.numpy(), grads.sum(0))
