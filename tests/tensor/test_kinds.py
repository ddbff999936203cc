"""Questions about a tensor, names of PyTorch's main namespace that live elsewhere here, and diagonals."""

import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def test_flags():
    x = ct.ones(2, 3)
    assert not any(getattr(x, f"is_{name}") for name in ("cuda", "sparse", "quantized", "meta", "mps", "nested"))
    assert x.is_cpu == (x.device.profile.kind == "cpu")
    assert not x.is_pinned()
    assert not x.is_shared()
    assert x.pin_memory() is x
    assert x.to_dense() is x
    assert x.ndimension() == 2
    assert x.get_device() == x.device.index


def test_comparisons():
    x = ct.ones(2, 3)
    assert ct.is_same_size(x, ct.zeros(2, 3))
    assert not x.is_same_size(x.t())
    assert x.is_set_to(x.detach())
    assert not x.is_set_to(x.clone())
    assert x.t().dim_order() == (1, 0)
    assert ct.is_signed(x)
    assert not ct.is_signed(x.byte())
    assert not ct.is_inference(x)


@pytest.mark.parametrize(("dtype", "result"), [("uint8", "uint8"), ("int32", "bool"), ("bool", "bool"), ("float32", "bool")])
def test_truth_of_all_elements(dtype, result):
    x = ct.tensor([[2, 0], [1, 1]], dtype=getattr(ct, dtype))
    columns = ct.any(x, 0, keepdim=True)
    for found, expected in ((x.all(), False), (x.any(), True), (x.all(1), [False, True]), (columns, [[True, True]])):
        assert found.dtype.name == result
        assert found.tolist() == expected


def test_detach_as_a_function():
    x = ct.ones(2, requires_grad=True)
    assert not ct.detach(x).requires_grad


@pytest.mark.parametrize("name", ["cuda", "share_memory_"])
def test_what_is_left_out_says_why(name):
    with pytest.raises(ct.AbsentError, match=f"Tensor has no '{name}'"):
        getattr(ct.ones(2), name)


def test_names_of_the_main_namespace():
    assert ct.conv2d is ct.nn.functional.conv2d
    assert ct.vmap is ct.func.vmap
    assert ct.are_deterministic_algorithms_enabled()
    assert ct.get_default_device() is ct.ones(1).device
    with pytest.raises(ValueError, match="'low' is none of"):
        ct.set_float32_matmul_precision("low")
    assert not ct.is_anomaly_enabled()


@pytest.mark.parametrize(("size", "wrap"), [((3, 3), False), ((7, 2), True), ((7, 2), False), ((2, 5), True), ((3, 3, 3), False)])
def test_fill_diagonal(size, wrap):
    torch = pytest.importorskip("torch")
    assert ct.zeros(size).fill_diagonal_(2, wrap).tolist() == torch.zeros(size).fill_diagonal_(2, wrap).tolist()
    x = ct.zeros(*size[::-1]).permute(tuple(range(len(size)))[::-1])
    assert x.fill_diagonal_(2, wrap).tolist() == torch.zeros(size).fill_diagonal_(2, wrap).tolist()


def test_fill_diagonal_refuses():
    with pytest.raises(RuntimeError, match="larger than 1"):
        ct.zeros(3).fill_diagonal_(1)
    with pytest.raises(RuntimeError, match="equal length"):
        ct.zeros(2, 3, 3).fill_diagonal_(1)


@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hann", "kaiser"])
def test_windows(name):
    torch = pytest.importorskip("torch")
    for args in ((5,), (6, False), (0,), (1,)):
        expected = getattr(torch, f"{name}_window")(*args)
        assert getattr(ct, f"{name}_window")(*args).tolist() == pytest.approx(expected.tolist(), abs=1e-6)
