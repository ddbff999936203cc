"""Complex numbers against PyTorch: promotion, printing, optimisers."""

import numpy as np
import pytest

import cltensor as ct

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.device, pytest.mark.any_style]

NAMES = ("bool", "uint8", "int64", "float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128")


def _dtype(lib, name):
    return getattr(lib, name)


def _name(d):
    return str(d).rpartition(".")[2]


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("name", NAMES)
def test_promotion(name):
    """Dtypes, tensors of one dimension and of none, and numbers of Python."""
    for other in NAMES:
        assert _name(ct.promote_types(_dtype(ct, name), _dtype(ct, other))) == _name(
            torch.promote_types(_dtype(torch, name), _dtype(torch, other)))
        assert ct.can_cast(_dtype(ct, name), _dtype(ct, other)) == torch.can_cast(_dtype(torch, name), _dtype(torch, other))
        for shape, other_shape in (((2,), ()), ((), (2,)), ((), ())):
            ours, theirs = ((lib.zeros(shape, dtype=_dtype(lib, name)), lib.zeros(other_shape, dtype=_dtype(lib, other)))
                            for lib in (ct, torch))
            assert _name(ct.result_type(*ours)) == _name(torch.result_type(*theirs)), (name, other, shape)
    for number in (True, 1, 1.0, 1j):
        for shape in ((2,), ()):
            ours, theirs = (lib.zeros(shape, dtype=_dtype(lib, name)) for lib in (ct, torch))
            assert _name(ct.result_type(ours, number)) == _name(torch.result_type(theirs, number)), (name, number, shape)


_DRAWN = np.random.default_rng(5).standard_normal((2000, 2)).view(np.complex128)[:, 0]


@pytest.mark.parametrize("values", [
    _DRAWN[:3], _DRAWN[:4].reshape(2, 2) * 1e5, _DRAWN[:3] * 1e-6, np.array([1 + 2j, -3 - 0j, complex("nan"), complex("inf-1j")]),
    np.array([1, 2, 3 + 0j]), _DRAWN[:120].reshape(3, 40), _DRAWN, np.array(3 - 4j), np.zeros((0, 3), complex),
    np.array([1.5 - 2.25j])], ids=["three", "large", "small", "infinite", "whole", "wrapped", "many", "0-d", "empty", "one"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_printing(values, dtype):
    ours, theirs = (repr(lib.tensor(values.astype(dtype))) for lib in (ct, torch))
    assert ours.replace("cltensor.", "torch.") == theirs


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "Rprop"])
def test_optimisers_update_parts(name):
    found = []
    for lib in (ct, torch):
        p = lib.tensor(_DRAWN[:5], requires_grad=True)
        optimizer = getattr(lib.optim, name)([p], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (p - (1 + 2j)).abs().pow(2).sum().backward()
            optimizer.step()
        found.append(p.detach().numpy())
    np.testing.assert_allclose(*found, rtol=1e-6)  # PyTorch keeps some factors in float32
