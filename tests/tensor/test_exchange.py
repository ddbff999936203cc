"""Tensors among other libraries' arrays: NumPy, DLPack, pickling, the array API standard, users' own kernels."""

import copy
import pickle

import numpy as np
import pytest

import cltensor as ct
from cltensor.codegen import expr

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def test_pickle_and_deepcopy():
    x = ct.tensor([[1.5, 2], [3, 4]], requires_grad=True)
    for y in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert y.requires_grad
        assert y.data_ptr() != x.data_ptr()
        np.testing.assert_array_equal(y.detach().numpy(), x.detach().numpy())
    half = ct.tensor([1.5, -2], dtype=ct.bfloat16)
    assert ct.equal(pickle.loads(pickle.dumps(half)), half)
    with pytest.raises(ct.AutogradError, match="leaves"):
        copy.deepcopy(x * 2)
    assert pickle.loads(pickle.dumps(x * 2)).is_leaf


def test_dlpack_both_ways():
    x = ct.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(np.from_dlpack(x), x.numpy())
    np.testing.assert_array_equal(ct.from_dlpack(np.arange(3.0)).numpy(), np.arange(3.0))
    with pytest.raises(BufferError, match="copy"):
        x.__dlpack__(copy=False)
    with pytest.raises(BufferError, match="gradient"):
        ct.ones(2, requires_grad=True).__dlpack__()


def test_scalars_work():
    x = ct.ones(3)
    np.testing.assert_array_equal((np.float32(2) * x).numpy(), [2, 2, 2])
    np.testing.assert_array_equal(np.asarray(x), [1, 1, 1])
    assert [10, 20][ct.tensor(1)] == 20
    assert len(ct.ones(4, 2)) == 4
    assert [int(v) for v in ct.arange(3)] == [0, 1, 2]
    assert f"{ct.tensor(1.23456):.2f}" == "1.23"
    assert [f"{x}" for x in (ct.tensor(1.5), ct.tensor(3), ct.tensor(True))] == ["1.5", "3", "True"]
    assert f"{ct.tensor([1.5])}" == "tensor([1.5000])"


def test_frombuffer():
    assert ct.frombuffer(b"\x01\x02\x00\x00", dtype=ct.int16).tolist() == [513, 0]
    with pytest.raises(ct.ArgumentError, match="frombuffer"):
        ct.frombuffer(b"\x01", dtype=ct.int32)


def test_users_own_kernels_have_gradients():
    @ct.elementwise
    def swish(x, beta=1.0):
        return x * expr.sigmoid(beta * x)

    x = ct.randn(5, dtype=ct.float64, requires_grad=True)
    v = x.detach().numpy()
    np.testing.assert_allclose(swish(x, beta=2.0).detach().numpy(), v / (1 + np.exp(-2 * v)))
    assert ct.autograd.gradcheck(lambda a: swish(a, beta=2.0), (x,))
    assert ct.autograd.gradgradcheck(swish, (x,))

    @ct.elementwise
    def polar(r, angle):
        return r * expr.cos(angle), r * expr.sin(angle)

    a, b = polar(ct.ones(2, 1), ct.zeros(3))
    assert a.shape == b.shape == (2, 3)
    with pytest.raises(ct.ArgumentTypeError, match="where"):
        ct.elementwise(lambda x: x if x > 0 else -x)
    with pytest.raises(ct.ArgumentError, match="at least one parameter"):
        ct.elementwise(lambda x=1: x)


STANDARD = (
    "e inf nan newaxis pi arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones "
    "ones_like tril triu zeros zeros_like astype can_cast finfo iinfo isdtype result_type bool int8 int16 int32 "
    "int64 uint8 float32 float64 complex64 complex128 "
    "imag abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift "
    "bitwise_invert bitwise_or bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp "
    "expm1 floor floor_divide greater greater_equal hypot isfinite isinf isnan less less_equal log log1p log2 log10 "
    "logaddexp logical_and logical_not logical_or logical_xor maximum minimum multiply negative nextafter not_equal "
    "positive pow real reciprocal remainder round sign signbit sin sinh square sqrt subtract tan tanh trunc take "
    "take_along_axis __array_namespace_info__ matmul matrix_transpose tensordot vecdot linalg broadcast_arrays "
    "broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack "
    "argmax argmin count_nonzero nonzero searchsorted where unique_all unique_counts unique_inverse unique_values "
    "argsort sort cumulative_prod cumulative_sum max mean min prod std sum var all any diff "
).split()


def test_array_api_is_complete_but_for_what_is_written_down():
    xp = ct.ones(1).__array_namespace__()
    assert [name for name in STANDARD if not hasattr(xp, name)] == []
    for missing in ("uint16", "uint32", "uint64"):
        assert missing in xp.__doc__


def test_array_api_linalg():
    xp = ct.ones(1).__array_namespace__()
    n = np.random.default_rng(1).standard_normal((2, 3, 3))
    x, positive = xp.asarray(n), n @ n.swapaxes(1, 2) + np.eye(3)
    for ours, theirs in (
            (xp.linalg.matrix_norm(x, keepdims=True), np.linalg.norm(n, axis=(1, 2), keepdims=True)),
            (xp.linalg.vector_norm(x, axis=1, keepdims=True, ord=1), np.abs(n).sum(1, keepdims=True)),
            (xp.linalg.vector_norm(x), np.linalg.norm(n)), (xp.linalg.matrix_transpose(x), n.swapaxes(1, 2)),
            (xp.linalg.outer(x[0, 0], x[0, 1]), np.outer(n[0, 0], n[0, 1])), (xp.linalg.trace(x, offset=1), n.trace(1, 1, 2)),
            (xp.linalg.vecdot(x, x, axis=1), (n * n).sum(1)), (xp.linalg.cross(x, x + 1, axis=1), np.cross(n, n + 1, axis=1)),
            (xp.linalg.diagonal(x, offset=-1), np.diagonal(n, -1, 1, 2)), (xp.linalg.matrix_power(x, 2), n @ n),
            (xp.linalg.det(x), np.linalg.det(n)), (xp.linalg.inv(x), np.linalg.inv(n)), (xp.linalg.pinv(x), np.linalg.pinv(n)),
            (xp.linalg.svdvals(x), np.linalg.svd(n)[1]), (xp.linalg.slogdet(x).logabsdet, np.linalg.slogdet(n)[1]),
            (xp.linalg.matrix_rank(x), [3, 3]), (xp.linalg.solve(x, x), np.broadcast_to(np.eye(3), (2, 3, 3))),
            (xp.linalg.eigvalsh(xp.asarray(positive)), np.linalg.eigvalsh(positive)),
            (xp.linalg.cholesky(xp.asarray(positive), upper=True), np.linalg.cholesky(positive).swapaxes(1, 2)),
            (xp.linalg.tensordot(x, x, axes=((0, 1), (0, 1))), np.tensordot(n, n, ((0, 1), (0, 1))))):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-9, atol=1e-9)


def test_array_api_arguments():
    xp = ct.ones(1).__array_namespace__()
    n = np.arange(6.0).reshape(2, 3) - 2
    x = xp.asarray(n)
    for ours, theirs in (
            (xp.eye(2, 3, k=1), np.eye(2, 3, 1)), (xp.eye(3, k=-1), np.eye(3, k=-1)), (xp.eye(2, k=5), np.zeros((2, 2))),
            (xp.tril(x, k=1), np.tril(n, 1)), (xp.triu(x, k=-1), np.triu(n, -1)),
            (xp.linspace(0, 1, 4, endpoint=False), np.linspace(0, 1, 4, endpoint=False)),
            (xp.sum(x, axis=()), n), (xp.mean(x, axis=()), n), (xp.max(x, axis=(0, 1)), 3), (xp.std(x, axis=()), n * 0),
            (xp.sign(xp.asarray([np.nan, -2.0])), [np.nan, -1])):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)
    assert xp.finfo(x).bits == 64
    assert xp.iinfo(xp.asarray([1])).bits == 64
    assert x.to_device(x.device) is x


def test_array_api_functions_agree_with_numpy():
    xp = ct.ones(1).__array_namespace__()
    n = np.random.default_rng(0).standard_normal((3, 4))
    x = xp.asarray(n)
    for ours, theirs in (
            (xp.sum(x, axis=1, keepdims=True), n.sum(1, keepdims=True)), (xp.std(x), n.std()), (xp.max(x, axis=0), n.max(0)),
            (xp.concat([x, x], axis=None), np.concatenate([n, n], axis=None)), (xp.flip(x), np.flip(n)),
            (xp.prod(x), n.prod()), (xp.cumulative_sum(x, axis=1, include_initial=True), np.c_[np.zeros(3), n.cumsum(1)]),
            (xp.permute_dims(x, (1, 0)), n.T), (xp.roll(x, 1, axis=0), np.roll(n, 1, 0)), (xp.clip(x, 0, 1), n.clip(0, 1)),
            (xp.vecdot(x, x), (n * n).sum(-1)), (xp.take(x, xp.asarray([0, 2]), axis=0), n[[0, 2]]),
            (xp.sort(x, axis=0), np.sort(n, 0)),
            (xp.diff(x), np.diff(n)), (xp.repeat(x, 2, axis=0), n.repeat(2, 0)), (xp.equal(x, x), n == n)):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-12)
    values, indices, inverse, counts = xp.unique_all(xp.asarray([3, 1, 3, 2]))
    assert [t.tolist() for t in (values, indices, inverse, counts)] == [[1, 2, 3], [1, 3, 0], [2, 0, 2, 1], [1, 1, 2]]
    assert xp.isdtype(xp.float32, ("real floating", "bool"))
    assert xp.result_type(xp.asarray([1]), 2.0) is ct.float32
    assert xp.arange(5, 0).shape == (0,)
    with pytest.raises(ct.ArgumentError):
        xp.squeeze(x, 0)
    assert "float64" in xp.__array_namespace_info__().dtypes(kind="real floating")
