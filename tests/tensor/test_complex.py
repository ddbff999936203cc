"""Complex numbers: dtypes, making, views of parts, functions at their cuts, products, conversions, errors."""

import copy
import pickle

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck
from cltensor.func import grad, jvp, vmap

pytestmark = pytest.mark.device


def drawn(rng, *shape, dtype=np.complex128):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


# --- dtypes and values ------------------------------------------------------------------------------------------------


@pytest.mark.any_style
def test_dtypes():
    assert ct.complex64 is ct.cfloat
    assert ct.complex128 is ct.cdouble
    assert ct.complex32 is ct.chalf
    assert [d.itemsize for d in (ct.complex32, ct.complex64, ct.complex128)] == [4, 8, 16]
    assert ct.complex64.to_real() is ct.float32
    assert ct.float64.to_complex() is ct.complex128
    assert ct.complex64.is_complex
    assert not ct.complex64.is_floating_point
    assert ct.finfo(ct.complex64).eps == ct.finfo(ct.float32).eps
    with pytest.raises(ct.DTypeError, match="neither floating nor complex"):
        ct.int64.to_complex()


def test_values_of_pythons_numbers():
    assert ct.tensor(1 + 2j).dtype is ct.complex64
    assert ct.tensor([1, 2.0, 3j]).tolist() == [1, 2, 3j]
    assert ct.tensor(1 + 2j).item() == complex(ct.tensor(1 + 2j)) == 1 + 2j
    assert float(ct.tensor(2 + 0j)) == 2
    with pytest.raises(ct.ArgumentError, match="its imaginary part is not 0"):
        float(ct.tensor(2 + 1j))
    ct.set_default_dtype(ct.float64)
    try:
        assert ct.tensor(1j).dtype is ct.complex128
    finally:
        ct.set_default_dtype(ct.float32)


@pytest.mark.parametrize("dtype", [ct.complex32, ct.complex64, ct.complex128], ids=lambda d: d.name)
def test_made_of_parts(dtype, rng):
    a, b = (ct.tensor(rng.standard_normal((3, 1)), dtype=dtype.to_real()) for _ in range(2))
    z = ct.complex(a, b.T)
    assert z.dtype is dtype
    assert z.shape == (3, 3)
    np.testing.assert_array_equal(z.real.numpy(), np.broadcast_to(a.numpy(), (3, 3)))
    np.testing.assert_array_equal(z.imag.numpy(), np.broadcast_to(b.T.numpy(), (3, 3)))
    again = ct.polar(z.abs(), z.angle())
    assert again.dtype is dtype
    assert ct.allclose(again.to(ct.complex128), z.to(ct.complex128), rtol=4 * ct.finfo(dtype).eps)


def test_copies_and_pickles(rng):
    z = ct.tensor(drawn(rng, 3, 4))
    for again in (copy.deepcopy(z), pickle.loads(pickle.dumps(z)), z.clone(), z.T.contiguous().T, ct.from_dlpack(z)):
        assert again.equal(z)
    assert ct.tensor(z.numpy()[::2, 1:]).equal(z[::2, 1:])


def test_filled():
    assert ct.zeros(2, dtype=ct.complex64).tolist() == [0, 0]
    assert ct.full((2,), 1 - 2j).tolist() == [1 - 2j] * 2
    assert ct.eye(2, dtype=ct.complex64).tolist() == [[1, 0], [0, 1]]
    assert ct.ones(2, dtype=ct.complex64).fill_(3j).tolist() == [3j, 3j]
    np.testing.assert_allclose(ct.linspace(0, 1j, 3, dtype=ct.complex64).numpy(), [0, 0.5j, 1j])
    np.testing.assert_allclose(ct.tensor([1.0, 2.0]).masked_fill(ct.tensor([True, False]), 5).numpy(), [5, 2])


def test_random_numbers_have_independent_parts():
    z = ct.randn(100_003, dtype=ct.complex64, generator=ct.Generator().manual_seed(3)).numpy()
    assert abs(z.real.var() - 0.5) < 0.01
    assert abs(z.imag.var() - 0.5) < 0.01
    assert abs((z.real * z.imag).mean()) < 0.01
    u = ct.rand(1000, dtype=ct.complex64)
    assert bool(((u.real >= 0) & (u.imag < 1)).all())
    with pytest.raises(ct.DTypeError, match=r"fill \.real and \.imag"):
        ct.zeros(2, dtype=ct.complex64).exponential_()


def test_conversions(rng):
    z = ct.tensor(drawn(rng, 3))
    assert z.cfloat().dtype is ct.complex64
    assert z.chalf().cdouble().sub(z).abs().max() < 1e-2
    with pytest.warns(UserWarning, match="discards the imaginary part"):
        real = z.double()
    assert real.equal(z.real)
    with pytest.warns(UserWarning, match="discards the imaginary part"):
        ct.zeros(3).copy_(z)
    assert ct.tensor([0j, 1j, 1]).bool().tolist() == [False, True, True]
    assert z.real.cdouble().equal(ct.complex(z.real, ct.zeros_like(z.real)))


# --- functions --------------------------------------------------------------------------------------------------------

CUTS = {
    "sqrt": (-2, 0), "log": (-2, 0), "asin": (2, 0), "acos": (2, 0), "acosh": (0.5, 0), "asinh": (0, 2), "atan": (0, 2),
    "atanh": (2, 0),
}
_NUMPY = {"asin": "arcsin", "acos": "arccos", "acosh": "arccosh", "asinh": "arcsinh", "atan": "arctan", "atanh": "arctanh"}


@pytest.mark.parametrize("name", CUTS)
def test_both_sides_of_a_cut(name):
    """The sign of a zero tells on which side of the cut a number lies."""
    x, y = CUTS[name]
    at = np.empty(4, np.complex128)
    at.real, at.imag = ([x, x, -x, -x], [0.0, -0.0, 0.0, -0.0]) if y == 0 else ([0.0, -0.0, 0.0, -0.0], [y, y, -y, -y])
    found = getattr(ct, name)(ct.tensor(at)).numpy()
    np.testing.assert_allclose(found, getattr(np, _NUMPY.get(name, name))(at), rtol=1e-14, atol=1e-15)


_WIDE = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)),
         "log1p": lambda z: np.log1p(z.real * (2 + z.real) + z.imag**2) / 2 + 1j * np.arctan2(z.imag, 1 + z.real)}


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan",
                                  "asinh", "acosh", "atanh", "log1p", "expm1", "square", "reciprocal", "sigmoid", "abs", "angle"])
def test_large_and_small_numbers(name):
    """Where a naive formula overflows, cancels or divides by 0, in float32 against float64."""
    sizes = np.array([1e-30, 1e-10, 1e-4, 0.3, 1.0, 1.0001, 30.0, 80.0, 1e4, 1e15, 1e30], np.float32)
    at = (sizes[:, None] * np.exp(1j * np.array([0.1, 0.7, 1.5, 2.2, 3.0, -0.4, -1.57, -2.9]))).astype(np.complex64).ravel()
    wide = at.astype(np.complex128)
    with np.errstate(all="ignore"):
        wanted = _WIDE[name](wide) if name in _WIDE else getattr(np, _NUMPY.get(name, name))(wide)
    kept = np.isfinite(wanted) & (np.abs(wanted) < 1e38) & (np.abs(wanted) > 1e-37)
    found = getattr(ct, name)(ct.tensor(at)).numpy()
    np.testing.assert_array_less(np.abs(found[kept] - wanted[kept]) / np.abs(wanted[kept]), 1e-5)


def test_division_does_not_overflow():
    big = ct.tensor([3e37 + 4e37j, 1e-37 + 1e-37j], dtype=ct.complex64)
    np.testing.assert_allclose((big / big).numpy(), [1, 1], rtol=1e-6)
    assert big.abs().isfinite().all()
    with np.errstate(all="ignore"):
        assert ct.tensor([1 + 1j]).div(0j).isinf().all()


@pytest.mark.parametrize("exponent", [2, 3, -1, 0.5, 0, 2.5, 1 - 2j])
def test_powers(exponent, rng):
    z = drawn(rng, 5)
    np.testing.assert_allclose((ct.tensor(z) ** exponent).numpy(), z**exponent, rtol=1e-13)
    np.testing.assert_allclose((ct.tensor([0j]) ** abs(exponent)).numpy(), np.array([0j]) ** abs(exponent))


def test_a_real_factor_scales_the_parts():
    z = ct.tensor([complex(np.inf, 1), complex(1, 2)])
    assert (z * ct.tensor([2.0, 3.0])).tolist() == [complex(np.inf, 2), 3 + 6j]
    assert (z * 2).tolist() == [complex(np.inf, 2), 2 + 4j]


def test_comparison(rng):
    z = ct.tensor([1 + 2j, 1 - 2j, complex("nan")])
    assert (z == z.conj()).tolist() == [False, False, False]
    assert (z != 1 + 2j).tolist() == [False, True, True]
    assert z.isnan().tolist() == [False, False, True]
    assert ct.isreal(ct.tensor([1 + 0j, 1j])).tolist() == [True, False]
    assert ct.allclose(z, z + 1e-9j, equal_nan=True)
    assert not ct.is_conj(z.conj())
    assert not ct.is_neg(z.conj().imag)


# --- views ------------------------------------------------------------------------------------------------------------


def test_parts_are_views(rng):
    z = ct.tensor(drawn(rng, 2, 3))
    assert z.T.real.stride() == (2, 6)
    z.real.fill_(1)
    z.imag[0] = 2
    z.real[1] *= 3
    pairs = ct.view_as_real(z)
    pairs[1, :, 1] = 0
    assert z.tolist() == [[1 + 2j] * 3, [3] * 3]
    assert ct.view_as_complex(pairs).untyped_storage() is z.untyped_storage()
    z.imag = z.real
    assert z[1, 0].item() == 3 + 3j


@pytest.mark.parametrize("write", [
    lambda w: w.real.mul_(2), lambda w: w.imag.copy_(w.clone().abs()), lambda w: ct.view_as_real(w)[..., 0].mul_(w.clone().angle()),
    lambda w: w[1:].real.fill_(5), lambda w: w.mul_(1j), lambda w: w.T.imag.exp_()])
def test_gradients_through_writes_to_parts(write, rng):
    def written(z):
        w = z * (1 + 1j)
        seen = w.imag
        write(w)
        return (w.abs() ** 2).sum() + seen.sum()

    z = ct.tensor(drawn(rng, 2, 3), requires_grad=True)
    assert gradcheck(written, (z,))


def test_gradients_through_writes_to_pairs(rng):
    def written(x):
        w = x * 2
        ct.view_as_complex(w).mul_(2j)
        return (w**2 * ct.tensor([1.0, 3.0], dtype=ct.float64)).sum()

    assert gradcheck(written, (ct.tensor(rng.standard_normal((3, 2)), requires_grad=True),))


# --- products and linear algebra --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_matrix_products(dtype, rng):
    a, b = drawn(rng, 2, 33, 17, dtype=dtype), drawn(rng, 17, 29, dtype=dtype)
    x, y = ct.tensor(a), ct.tensor(b)
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype is np.complex64 else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose((x @ y).numpy(), a @ b, **close)
    np.testing.assert_allclose((x.mH @ x).numpy(), a.conj().swapaxes(1, 2) @ a, **close)
    np.testing.assert_allclose(ct.einsum("bij,jk->bki", x, y).numpy(), np.einsum("bij,jk->bki", a, b), **close)
    np.testing.assert_allclose(ct.addmm(y, x[0, :17, :17], y, beta=2j, alpha=1 - 1j).numpy(),
                               2j * b + (1 - 1j) * (a[0, :17, :17] @ b), **close)
    np.testing.assert_allclose(ct.vdot(x[0, 0], x[0, 1]).numpy(), np.vdot(a[0, 0], a[0, 1]), **close)
    layer = ct.nn.Linear(17, 3, dtype=ct.complex64 if dtype is np.complex64 else ct.complex128)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    np.testing.assert_allclose(layer(x).detach().numpy(), a @ weight.T + bias, **close)


def test_eigenvalues(rng):
    a = rng.standard_normal((2, 4, 4))
    w, v = ct.linalg.eig(ct.tensor(a))
    assert w.dtype is v.dtype is ct.complex128
    np.testing.assert_allclose(a @ v.numpy(), v.numpy() * w.numpy()[:, None], atol=1e-12)
    np.testing.assert_allclose(ct.linalg.eigvals(ct.tensor(a)).numpy(), w.numpy())
    assert ct.linalg.eigvals(ct.tensor(a, dtype=ct.float32)).dtype is ct.complex64
    with pytest.raises(ct.ShapeError, match="square"):
        ct.linalg.eig(ct.ones(2, 3))
    x = ct.tensor(a[0] + 0.1j, requires_grad=True)
    assert gradcheck(lambda m: (ct.linalg.eigvals(m) ** 3).sum(), (x,))
    assert gradcheck(lambda m: ct.linalg.eig(m).eigenvectors.abs(), (ct.tensor(a[1], requires_grad=True),))


@pytest.mark.parametrize("name", ["inv", "det", "cholesky", "eigvalsh", "svdvals", "pinv", "slogdet", "solve", "qr", "matrix_exp"])
def test_gradients_of_linear_algebra(name, rng):
    a = drawn(rng, 3, 3) + 3 * np.eye(3)
    x = ct.tensor(a, requires_grad=True)
    calls = {"cholesky": lambda m: ct.linalg.cholesky(m @ m.mH), "eigvalsh": lambda m: ct.linalg.eigvalsh(m + m.mH),
             "solve": lambda m: ct.linalg.solve(m, m[:, :1] * 1j), "slogdet": lambda m: ct.linalg.slogdet(m),
             "qr": lambda m: ct.linalg.qr(m)}
    assert gradcheck(calls.get(name) or getattr(ct.linalg, name), (x,))


# --- gradients --------------------------------------------------------------------------------------------------------


def test_convention():
    """The gradient is dL/da + i dL/db: a step against it descends."""
    z = ct.tensor([3 + 4j], dtype=ct.complex128, requires_grad=True)
    z.abs().sum().backward()
    assert z.grad.tolist() == [0.6 + 0.8j]
    z.grad = None
    (z * (1 + 2j)).real.sum().backward()
    assert z.grad.tolist() == [1 - 2j]
    x = ct.tensor([2.0], dtype=ct.float64, requires_grad=True)
    (x * z.detach()).imag.sum().backward()
    assert x.grad.tolist() == [4.0]
    with pytest.raises(ct.AutogradError, match="only for real scalar outputs"):
        (z * z).sum().backward()


@pytest.mark.parametrize("fn", [
    lambda z, x: z * x / (z - x), lambda z, x: (z**x).abs(), lambda z, x: ct.where(x > 0, z, x * 1j),
    lambda z, x: z.sgn() * z.angle(), lambda z, x: ct.cat([z, x.cdouble()]).cumprod(0),
    lambda z, x: ct.complex(x, x * 2) @ z, lambda z, x: z.var() + z.norm() * x.sum(),
    lambda z, x: ct.polar(x.abs(), x) * z.conj(), lambda z, x: ct.addcmul(z, z, z, value=1 - 1j),
    lambda z, x: z[[2, 0, 2]].prod(),
    lambda z, x: ct.logcumsumexp(z, 0) * ct.logsumexp(z, 0),
    lambda z, x: ct.nn.functional.conv1d(z[None, None], z[None, None, :2])])
def test_mixed_gradients(fn, rng):
    z, x = ct.tensor(drawn(rng, 4), requires_grad=True), ct.tensor(rng.standard_normal(4), requires_grad=True)
    assert gradcheck(fn, (z, x))
    assert gradgradcheck(fn, (z, x), fast_mode=True)


def test_function_transforms(rng):
    a, w = ct.tensor(drawn(rng, 3, 4)), ct.tensor(drawn(rng, 4))
    np.testing.assert_allclose(vmap(lambda x: ct.view_as_real(x * w).sum(-1))(a).numpy(), ct.view_as_real(a * w).sum(-1).numpy())
    np.testing.assert_allclose(vmap(lambda x: ct.view_as_complex(x).abs())(ct.view_as_real(a)).numpy(), np.abs(a.numpy()))
    x = a.clone().requires_grad_()
    ((x * w) ** 2).abs().sum().backward()
    found = vmap(grad(lambda row: ((row * w) ** 2).abs().sum()))(a)
    np.testing.assert_allclose(found.numpy(), x.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(jvp(lambda z: z**2, (w,), (w * 0 + 1j,))[1].numpy(), 2j * w.numpy())


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.any_style
@pytest.mark.parametrize(("call", "error", "text"), [
    (lambda z: z < z, NotImplementedError, "not defined for complex64"),
    (lambda z: z.scatter_reduce(0, ct.tensor([0]), z[:1], "amax"), NotImplementedError, "amax is not defined for complex64"),
    (lambda z: z.floor(), NotImplementedError, "not defined for complex64"),
    (lambda z: z.max(), NotImplementedError, "not defined for complex64"),
    (lambda z: z.sort(), RuntimeError, "complex64"),
    (lambda z: z // 2, NotImplementedError, "not defined for complex64"),
    (lambda z: z.sign(), NotImplementedError, "not defined for complex64"),
    (lambda z: z.clamp(0, 1), NotImplementedError, "not defined for complex64"),
    (lambda z: z.abs_(), RuntimeError, "In-place abs is not supported for complex"),
    (lambda z: ct.arange(3, dtype=ct.complex64), NotImplementedError, "which has no order"),
    (lambda z: ct.ones(2).imag, RuntimeError, "imag is not implemented for tensors with non-complex dtypes"),
    (lambda z: ct.view_as_real(ct.ones(2)), RuntimeError, "only supported for complex tensors"),
    (lambda z: ct.view_as_complex(ct.ones(2, 3)), RuntimeError, "last dimension of size 2"),
    (lambda z: ct.view_as_complex(ct.ones(2, 2, dtype=ct.int64)), RuntimeError, "half, float and double"),
    (lambda z: ct.view_as_complex(ct.ones(2, 2).T), RuntimeError, "stride 1"),
    (lambda z: ct.view_as_complex(ct.ones(5)[1:3]), RuntimeError, "storage_offset divisible by 2"),
    (lambda z: ct.view_as_complex(ct.ones(3, 3)[:, :2]), RuntimeError, "stride divisible by 2"),
    (lambda z: ct.complex(ct.ones(2), ct.ones(2).double()), RuntimeError, "convert one of them"),
    (lambda z: ct.polar(ct.ones(2).long(), ct.ones(2)), RuntimeError, "Half, Float or Double"),
    (lambda z: ct.complex(1, ct.ones(2)), TypeError, "argument 'real'"),
    (lambda z: ct.ones(2).fill_(1j), RuntimeError, "without overflow"),
    (lambda z: ct.ones(2).add_(1j), RuntimeError, "can't be cast"),
    (lambda z: ct.ones(2).masked_fill(ct.ones(2).bool(), z[0]), RuntimeError, "use its .real"),
    (lambda z: ct.full((2,), 1e300j, dtype=ct.complex64), RuntimeError, "without overflow"),
    (lambda z: z @ ct.ones(2), RuntimeError, "same dtype"),
    (lambda z: ct.set_default_dtype(ct.complex64), TypeError, "only floating-point dtypes"),
    (lambda z: ct.ones(2)[z], IndexError, "tensors used as indices"),
    (lambda z: z.chalf().numpy(), TypeError, "use tensor.cfloat"),
])
def test_refused(call, error, text):
    z = ct.tensor([1 + 1j, 2j])
    with pytest.raises(error, match=text):
        call(z)
    assert z.tolist() == [1 + 1j, 2j]
