"""linalg: defining equations of decompositions and solutions, first and second gradients, errors."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.autograd import gradcheck, gradgradcheck

pytestmark = [pytest.mark.device, pytest.mark.any_style]
linalg = ct.linalg


def matrices(rng, *shape):
    """Well-conditioned matrices."""
    return rng.uniform(-1, 1, shape) + 2 * np.eye(*shape[-2:])


def symmetric(a):
    return a + a.mT


def positive(a):
    return a @ a.mT + ct.eye(a.shape[-1], dtype=a.dtype)


CASES = {
    "inv": (linalg.inv, (2, 3, 3)),
    "det": (linalg.det, (2, 3, 3)),
    "slogdet": (lambda a: linalg.slogdet(a)[1], (2, 3, 3)),
    "cholesky": (lambda a: linalg.cholesky(positive(a)), (2, 3, 3)),
    "qr wide": (lambda a: linalg.qr(a)[1], (3, 3)),
    "qr tall": (lambda a: tuple(linalg.qr(a)), (4, 3)),
    "eigh": (lambda a: linalg.eigh(symmetric(a))[0], (2, 3, 3)),
    "eigh vectors": (lambda a: linalg.eigh(symmetric(a))[1].abs(), (3, 3)),
    "svd values": (lambda a: linalg.svdvals(a), (3, 4)),
    "svd vectors": (lambda a: linalg.svd(a, full_matrices=False)[0].abs(), (4, 3)),
    "full svd": (lambda a: linalg.svd(a)[0][:, :3].abs(), (4, 3)),
    "full svd wide": (lambda a: linalg.svd(a)[2][:3].abs(), (3, 4)),
    "full svd of nothing": (lambda a: linalg.svd(a)[2].abs() * a.sum(), (0, 3)),
    "pinv": (linalg.pinv, (4, 3)),
    "matrix norm": (lambda a: linalg.matrix_norm(a, "nuc"), (3, 3)),
    "matrix_power": (lambda a: linalg.matrix_power(a, 3), (3, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_gradient(name, rng):
    function, shape = CASES[name]
    a = ct.tensor(matrices(rng, *shape), requires_grad=True)
    assert gradcheck(function, a)
    assert gradgradcheck(function, a, fast_mode=True)


SOLVERS = {
    "solve": linalg.solve,
    "solve_triangular": lambda a, b: linalg.solve_triangular(a, b, upper=True),
    "solve_triangular unit": lambda a, b: linalg.solve_triangular(a, b, upper=False, unitriangular=True),
    "cholesky_solve": lambda a, b: ct.cholesky_solve(b, linalg.cholesky(positive(a))),
    "lstsq": lambda a, b: linalg.lstsq(a, b)[0],
}


@pytest.mark.parametrize("name", SOLVERS)
def test_gradient_of_solvers(name, rng):
    inputs = [ct.tensor(matrices(rng, 3, n), requires_grad=True) for n in (3, 2)]
    assert gradcheck(SOLVERS[name], inputs)
    assert gradgradcheck(SOLVERS[name], inputs, fast_mode=True)


def close(found, wanted, atol=1e-12):
    np.testing.assert_allclose(found.numpy(), wanted.numpy() if isinstance(wanted, ct.Tensor) else wanted, atol=atol)


def test_decompositions_multiply_back(rng):
    a = ct.tensor(matrices(rng, 2, 4, 3))
    square = a.mT @ a
    q, r = linalg.qr(a)
    close(q @ r, a)
    close(q.mT @ q, np.eye(3)[None].repeat(2, 0))
    close(r.tril(-1), np.zeros((2, 3, 3)))
    u, s, vh = linalg.svd(a, full_matrices=False)
    close((u * s.unsqueeze(-2)) @ vh, a)
    assert (s[..., :-1] >= s[..., 1:]).all()
    w, v = linalg.eigh(square)
    close((v * w.unsqueeze(-2)) @ v.mT, square)
    low = linalg.cholesky(square)
    close(low @ low.mT, square)
    close(low.triu(1), np.zeros((2, 3, 3)))


def test_inverses_and_solutions(rng):
    a, b = ct.tensor(matrices(rng, 2, 3, 3)), ct.tensor(matrices(rng, 2, 3, 4))
    close(a @ linalg.inv(a), np.eye(3)[None].repeat(2, 0))
    close(a @ linalg.solve(a, b), b)
    upper = a.triu()
    close(upper @ linalg.solve_triangular(upper, b, upper=True), b)
    sign, log = linalg.slogdet(a)
    close(sign * log.exp(), linalg.det(a))
    p = linalg.pinv(b)
    close(b @ p @ b, b)


def test_single_matrix_of_one_element():
    a = ct.tensor([[4.0]])
    assert linalg.inv(a).item() == 0.25
    assert linalg.det(a).item() == 4
    assert linalg.cholesky(a).item() == 2


def test_refused(rng):
    singular = ct.ones(2, 2)
    with pytest.raises(linalg.LinAlgError, match=r"linalg\.inv"):
        linalg.inv(singular)
    with pytest.raises(linalg.LinAlgError, match=r"linalg\.cholesky"):
        linalg.cholesky(-ct.eye(2))
    with pytest.raises(RuntimeError, match="square matrices, but they are 2 by 3"):
        linalg.inv(ct.ones(2, 3))
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        linalg.det(ct.ones(3))
    with pytest.raises(TypeError, match="float32 or float64"):
        linalg.inv(ct.eye(2).half())


INDEFINITE = [[[4.0, 2, 1], [2, 1, 3], [1, 3, 9]], [[2.0, 0, 0], [0, 2, 0], [0, 0, 2]], [[-1.0, 0, 0], [0, 1, 0], [0, 0, 1]]]


@pytest.mark.parametrize("upper", [False, True])
def test_info_of_matrices_that_are_not_positive_definite(upper):
    a = ct.tensor(INDEFINITE, requires_grad=True)
    found, info = linalg.cholesky_ex(a, upper=upper)
    assert info.tolist() == [2, 0, 1]
    assert info.dtype is ct.int32
    low = found.mT if upper else found
    close(low.detach()[1], np.sqrt(2) * np.eye(3))
    close(low.detach()[0], [[2, 0, 0], [1, 0, 0], [0.5, 3, 9]])
    found[1].sum().backward()
    close(a.grad[1], np.full((3, 3), 0.5 / np.sqrt(2)))
    assert linalg.cholesky_ex(a[1]).info.item() == 0
    with pytest.raises(linalg.LinAlgError, match=r"\(Batch element 0\): .*the leading minor of order 2 is not positive-definite"):
        linalg.cholesky_ex(a, check_errors=True)


def test_info_of_singular_matrices():
    a = ct.tensor([[[1.0, 2], [2, 4]], [[2, 0], [0, 4]], [[0, 0], [0, 1]]], requires_grad=True)
    inverse, info = linalg.inv_ex(a)
    assert info.tolist() == [2, 0, 1]
    assert inverse[1].tolist() == [[0.5, 0], [0, 0.25]]
    assert inverse[0].isinf().all()
    inverse[1].sum().backward()
    close(a.grad[1], [[-0.25, -0.125], [-0.125, -0.0625]])
    for b in (ct.ones(3, 2), ct.ones(3, 2, 5), ct.ones(2, 1)):
        x, info = linalg.solve_ex(a.detach(), b)
        assert info.tolist() == [2, 0, 1]
        close(x[1], np.linalg.solve([[2, 0], [0, 4]], b[1].numpy() if b.shape[0] == 3 else b.numpy()))
        assert x[0].isinf().all()
    assert linalg.solve_ex(ct.eye(2), ct.ones(2)).info.item() == 0
    assert linalg.solve_ex(ct.zeros(2, 2), ct.ones(2)).result.isinf().all()
    for call in (lambda: linalg.inv_ex(a, check_errors=True), lambda: linalg.solve_ex(a, ct.ones(3, 2), check_errors=True)):
        with pytest.raises(linalg.LinAlgError):
            call()


def test_info_is_pytorchs():
    torch = pytest.importorskip("torch")
    values = np.array([*INDEFINITE, np.ones((3, 3)), np.zeros((3, 3)), np.arange(9.0).reshape(3, 3) - 4])
    for name in ("cholesky_ex", "inv_ex"):
        found, wanted = getattr(linalg, name)(ct.tensor(values)).info, getattr(torch.linalg, name)(torch.tensor(values)).info
        assert (found != 0).tolist() == (wanted != 0).tolist()
        if name == "cholesky_ex":
            assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize("compute_uv", [True, False])
@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 3)])
def test_the_top_svd_gives_v_and_zeros_without_vectors(shape, compute_uv):
    torch = pytest.importorskip("torch")
    a = np.random.default_rng(0).standard_normal(shape)
    found, wanted = ct.svd(ct.tensor(a), compute_uv=compute_uv), torch.svd(torch.tensor(a), compute_uv=compute_uv)
    close(found.S, wanted.S.numpy())
    assert [x.shape for x in found] == [tuple(x.shape) for x in wanted]
    if compute_uv:
        close(found.U @ found.S.diag_embed() @ found.V.mT, a)
    else:
        assert not found.U.any()
        assert not found.V.any()


def test_older_and_newer_names_of_arguments():
    a = ct.tensor([[3.0, 4.0]])
    assert ct.linalg.norm(input=a).item() == ct.linalg.norm(A=a).item() == 5
    assert ct.linalg.vander(ct.tensor([2.0, 3.0]), 3).tolist() == [[1, 2, 4], [1, 3, 9]]
