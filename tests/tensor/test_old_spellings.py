"""Older ways to name dtypes, storages, copies and anomaly detection, as PyTorch's programs use them."""

import copy

import pytest

import cltensor as ct

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.mark.parametrize(("builtin", "dtype"), [(float, ct.float64), (int, ct.int64), (bool, ct.bool), (complex, ct.complex128)])
def test_pythons_types_are_dtypes(builtin, dtype):
    x = ct.ones(2)
    made = [ct.zeros(2, dtype=builtin), x.to(builtin), x.type(builtin), ct.tensor([1, 0], dtype=builtin),
            x.new_zeros(2, dtype=builtin), x.sum(dtype=builtin), ct.asarray([1], dtype=builtin),
            ct.empty_like(x, dtype=builtin), ct.full((2,), 1, dtype=builtin)]
    assert {m.dtype for m in made} == {dtype}


def test_modules_take_pythons_float():
    assert ct.nn.Linear(1, 1, dtype=float).weight.dtype is ct.float64
    assert ct.nn.Linear(1, 1).to(float).weight.dtype is ct.float64
    assert ct.finfo(float).eps == ct.finfo(ct.float64).eps
    assert ct.iinfo(int).max == 2**63 - 1


def test_names_of_tensor_classes():
    x = ct.ones(2)
    assert x.type() == "cltensor.FloatTensor"
    assert x.to(ct.bfloat16).type() == "cltensor.BFloat16Tensor"
    for name in ("torch.DoubleTensor", "cltensor.DoubleTensor", "DoubleTensor", ct.DoubleTensor):
        assert x.type(name).dtype is ct.float64
    for wrong in ("double", "torch.cuda.FloatTensor", "torch.FooTensor"):
        with pytest.raises(ValueError, match="invalid type"):
            x.type(wrong)


def test_tensor_classes():
    assert isinstance(ct.ones(2), ct.FloatTensor)
    assert not isinstance(ct.ones(2), ct.LongTensor)
    assert (ct.LongTensor([1, 2]).tolist(), ct.FloatTensor(2, 3).shape) == ([1, 2], (2, 3))
    try:
        ct.set_default_tensor_type("torch.DoubleTensor")
        assert ct.tensor(1.0).dtype is ct.float64
    finally:
        ct.set_default_tensor_type(ct.FloatTensor)


def test_untyped_storage():
    x = ct.tensor([1.0, 2.0])
    s = x[1:].untyped_storage()
    assert s is x.untyped_storage()
    assert (s.nbytes(), s.size(), len(s), s.element_size(), s[3], s[-1]) == (8, 8, 8, 1, 63, 64)
    assert s.tolist() == [0, 0, 128, 63, 0, 0, 0, 64]
    s[2:4] = [0, 64]
    assert x.tolist() == [2, 2]
    kept = s.clone()
    s.fill_(0)
    assert x.tolist() == [0, 0]
    s.copy_(kept)
    assert x.tolist() == [2, 2]
    with pytest.raises(IndexError, match="out of range"):
        s[8]


def test_typed_storage():
    x = ct.tensor([1.0, 2.0, 3.0])
    s = x[1:].storage()
    assert (s.size(), len(s), s.nbytes(), s.dtype, s.type()) == (3, 3, 12, ct.float32, "cltensor.FloatStorage")
    assert (s.tolist(), s[0], list(s), s.long().tolist()) == ([1, 2, 3], 1, [1, 2, 3], [1, 2, 3])
    s[0] = 5
    assert x.tolist() == [5, 2, 3]
    s.fill_(7)
    assert x.tolist() == [7, 7, 7]
    assert s.untyped() is x.untyped_storage()


def test_copies_share_and_deep_copies_do_not():
    x = ct.ones(2, requires_grad=True)
    x.name = "x"
    shallow, deep = copy.copy(x), copy.deepcopy(x)
    assert shallow.data_ptr() == x.data_ptr() != deep.data_ptr()
    assert (shallow.name, shallow.requires_grad, deep.name, deep.requires_grad) == ("x", True, "x", True)
    with ct.no_grad():
        x += 1
    assert (shallow.tolist(), deep.tolist()) == ([2, 2], [1, 1])
    assert type(copy.copy(ct.nn.Parameter(x.detach()))) is ct.nn.Parameter
    assert copy.copy(x * 2).is_leaf


def test_deep_copies_of_views_share_their_storage():
    x = ct.arange(4.0)
    base, view = copy.deepcopy((x, x[2:]))
    view[0] = 9
    assert (base.tolist(), x.tolist()) == ([0, 1, 9, 3], [0, 1, 2, 3])


def test_anomaly_detection_as_a_function_and_a_block():
    with ct.autograd.set_detect_anomaly(True):
        assert ct.is_anomaly_enabled()
    assert not ct.is_anomaly_enabled()
    ct.autograd.set_detect_anomaly(True, check_nan=False)
    assert ct.is_anomaly_enabled()
    assert not ct.is_anomaly_check_nan_enabled()
    with ct.autograd.set_detect_anomaly(False):
        assert not ct.is_anomaly_enabled()
    assert ct.is_anomaly_enabled()
    ct.autograd.set_detect_anomaly(False)
    assert not ct.is_anomaly_enabled()
