"""LU, LDL and Householder forms: products of the factors, gradients of both orders, and errors."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck

pytestmark = [pytest.mark.device, pytest.mark.any_style]
linalg = ct.linalg


def matrices(rng, *shape):
    return ct.tensor(rng.uniform(-1, 1, shape) + 2 * np.eye(*shape[-2:])[::-1])  # large where pivoting has to find it


def close(found, wanted, atol=1e-12):
    wanted = wanted.detach().numpy() if isinstance(wanted, ct.Tensor) else wanted
    np.testing.assert_allclose(found.detach().numpy(), wanted, atol=atol)


SHAPES = [(2, 3, 3), (3, 5), (5, 3), (70, 70), (40, 90), (90, 40)]


@pytest.mark.parametrize("shape", SHAPES)
def test_lu_multiplies_back(shape, rng):
    a = matrices(rng, *shape)
    p, low, up = linalg.lu(a)
    close(p @ low @ up, a)
    close(low.triu(1), np.zeros(low.shape))
    close(up.tril(-1), np.zeros(up.shape))
    close(low.diagonal(0, -2, -1), np.ones((*low.shape[:-2], min(shape[-2:]))))
    assert low.abs().max().item() <= 1
    close(p @ p.mT, np.broadcast_to(np.eye(shape[-2]), p.shape))
    packed, pivots = linalg.lu_factor(a)
    assert pivots.dtype is ct.int32
    for mine, other in zip(ct.lu_unpack(packed, pivots), (p, low, up), strict=True):
        close(mine, other)


def test_lu_without_pivoting(rng):
    a = ct.tensor(rng.uniform(-1, 1, (4, 4)) + 4 * np.eye(4))
    p, low, up = linalg.lu(a, pivot=False)
    assert p.numel() == 0
    close(low @ up, a)
    assert linalg.lu_factor(a, pivot=False).pivots.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("shape", SHAPES[:3])
@pytest.mark.parametrize("pivot", [True, False])
def test_gradient_of_lu(shape, pivot, rng):
    a = (matrices(rng, *shape) if pivot else matrices(rng, *shape).flip(-2)).requires_grad_()
    assert gradcheck(lambda a: linalg.lu_factor(a, pivot=pivot)[0], a)
    assert gradgradcheck(lambda a: linalg.lu_factor(a, pivot=pivot)[0], a, fast_mode=True)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_lu_solve(left, adjoint, rng):
    a, b = matrices(rng, 4, 4), ct.tensor(rng.uniform(-1, 1, (2, 4, 3) if left else (2, 3, 4)))
    packed, pivots = linalg.lu_factor(a)
    x = linalg.lu_solve(packed, pivots, b, left=left, adjoint=adjoint)
    matrix = a.mT if adjoint else a
    close(matrix @ x if left else x @ matrix, b)
    inputs = [t.requires_grad_() for t in (packed, b)]
    assert gradcheck(lambda lu, b: linalg.lu_solve(lu, pivots, b, left=left, adjoint=adjoint), inputs)


def test_singular_matrices():
    singular = ct.tensor([[1.0, 2, 3], [2, 4, 6], [1, 0, 1]])
    assert linalg.lu_factor_ex(ct.stack([ct.eye(3), singular])).info.tolist() == [0, 3]
    with pytest.raises(linalg.LinAlgError, match=r"U\[3,3\] is zero.*lu_factor_ex"):
        linalg.lu_factor(singular)
    assert linalg.ldl_factor_ex(ct.zeros(2, 2)).info.item() == 1
    with pytest.raises(linalg.LinAlgError, match=r"D\[1,1\] is zero"):
        linalg.ldl_factor(ct.zeros(2, 2))


@pytest.mark.parametrize("shape", [(5, 5), (2, 6, 4), (3, 5), (4, 0)])
def test_householder_forms(shape, rng):
    a = ct.tensor(rng.uniform(-1, 1, shape))
    packed, tau = ct.geqrf(a)
    m, n = shape[-2:]
    k = min(m, n)
    r = packed.triu().narrow(-2, 0, k)
    q = linalg.householder_product(packed.narrow(-1, 0, k), tau)
    close(q @ r, a)
    close(q.mT @ q, np.broadcast_to(np.eye(k), (*shape[:-2], k, k)))
    full = ct.ormqr(packed, tau, ct.eye(m, dtype=a.dtype).expand(*shape[:-2], m, m))
    close(full.narrow(-1, 0, k), q)
    other = ct.tensor(rng.uniform(-1, 1, (*shape[:-2], m, 3)))
    close(ct.ormqr(packed, tau, other, transpose=True), full.mT @ other)
    close(ct.ormqr(packed, tau, other.mT, left=False), other.mT @ full)
    close(ct.ormqr(packed, tau, other.mT, left=False, transpose=True), other.mT @ full.mT)


def test_gradient_of_householder_forms(rng):
    a, tau, other = (ct.tensor(rng.uniform(-1, 1, s)).requires_grad_() for s in ((4, 3), (3,), (4, 2)))
    for function, inputs in ((linalg.householder_product, (a, tau)), (ct.ormqr, (a, tau, other))):
        assert gradcheck(function, inputs)
        assert gradgradcheck(function, inputs, fast_mode=True)


def test_a_reflector_that_is_none():
    close(linalg.householder_product(ct.ones(2, 2), ct.zeros(2)), np.eye(2))


def indefinite(rng, n):
    a = rng.uniform(-1, 1, (n, n))
    a = a + a.T
    a[np.arange(n), np.arange(n)] *= 0.01  # small diagonals call for blocks of two
    return a


def test_ldl(rng):
    a = ct.tensor(np.stack([indefinite(rng, 7), np.eye(7) * np.arange(1, 8)]))
    packed, pivots = linalg.ldl_factor(a)
    assert (pivots[0] < 0).any()
    assert pivots[1].tolist() == [1, 2, 3, 4, 5, 6, 7]
    b = ct.tensor(rng.uniform(-1, 1, (7, 3)))
    close(a @ linalg.ldl_solve(packed, pivots, b), b.expand(2, 7, 3))
    below = a.tril() + ct.full_like(a, 9.0).triu(1)
    close(linalg.ldl_factor(below).LD, packed)


def test_vmap(rng):
    a = matrices(rng, 3, 4, 4)
    b = ct.tensor(rng.uniform(-1, 1, (3, 4, 2)))
    close(a @ ct.func.vmap(lambda a, b: linalg.lu_solve(*linalg.lu_factor_ex(a)[:2], b))(a, b), b)
    packed, tau = ct.geqrf(a)
    close(ct.func.vmap(linalg.householder_product)(packed, tau) @ packed.triu(), a)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda a: linalg.lu_factor(a.int()), TypeError, "floating point"),
    (lambda a: linalg.lu_factor(a[0]), RuntimeError, "at least 2 dimensions"),
    (lambda a: linalg.lu_solve(a, ct.ones(3, dtype=ct.int64), a), RuntimeError, "int32"),
    (lambda a: linalg.lu_solve(a, ct.ones(2, dtype=ct.int32), a), RuntimeError, "pivots"),
    (lambda a: linalg.lu_solve(a, ct.ones(3, dtype=ct.int32), a[:2]), RuntimeError, "Incompatible shapes"),
    (lambda a: linalg.ldl_factor(a[:2]), RuntimeError, "square"),
    (lambda a: linalg.householder_product(a.mT[:, :2].mT, a[0]), RuntimeError, "input.shape\\[-2\\] must be greater"),
    (lambda a: linalg.householder_product(a, ct.ones(4)), RuntimeError, "input.shape\\[-1\\] must be greater"),
    (lambda a: ct.ormqr(a, ct.ones(2), a), RuntimeError, "must be equal to min"),
])
def test_mistakes_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call(ct.eye(3))
