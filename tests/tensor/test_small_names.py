"""Names that older programs use: storages by dtype, symbolic numbers, Variable, swapped tensors, shares of a dataset."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import autograd, func, nn
from cltensor.utils import swap_tensors
from cltensor.utils.data import DataLoader, DistributedSampler, TensorDataset

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def test_storages_by_dtype():
    assert ct.FloatStorage([1.0, 2.0]).tolist() == [1.0, 2.0]
    assert ct.UInt16Tensor([1, 2]).storage().tolist() == [1, 2]
    assert len(ct.LongStorage(3)) == 3
    assert isinstance(ct.ones(2).storage(), ct.FloatStorage)
    assert not isinstance(ct.ones(2).storage(), ct.LongStorage)
    assert ct.ones(2).storage_type() is ct.FloatStorage
    assert ct.TypedStorage([1, 2], dtype=ct.float16).dtype is ct.float16
    assert ct.UntypedStorage([1, 2]).tolist() == [1, 2]
    assert isinstance(ct.ones(2).untyped_storage(), ct.UntypedStorage)
    assert all(map(ct.is_storage, (ct.ones(2).storage(), ct.UntypedStorage(3))))
    assert not ct.is_storage(ct.ones(2))
    with pytest.raises(TypeError, match="expected a size, a sequence or a Storage"):
        ct.FloatStorage(object())


def test_symbolic_numbers_are_numbers():
    assert [ct.sym_int(2.7), ct.sym_float(2), ct.sym_not(True), ct.sym_ite(True, 1, 2), ct.sym_sum([1, 2])] == [2, 2.0, False, 1, 3]
    assert repr([ct.sym_max(1, 2.0), ct.sym_min(1, 2.0), ct.sym_max(1, 2), ct.sym_sqrt(4)]) == "[2.0, 1.0, 2, 2.0]"


def test_variables():
    x = autograd.Variable(ct.ones(2), requires_grad=True)
    assert x.requires_grad
    assert isinstance(x, autograd.Variable)
    assert not isinstance(3, autograd.Variable)
    assert not autograd.is_multithreading_enabled()
    assert not autograd.is_view_replay_enabled()
    with autograd.set_multithreading_enabled(False):
        (x * 2).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(TypeError, match="expected a Tensor"):
        autograd.Variable(3)


def test_swapped_tensors():
    a, b = nn.Parameter(ct.ones(2)), ct.zeros(3)
    b.mark = "kept"
    (a * 2).sum().backward()
    swap_tensors(a, b)
    assert (type(a), a.tolist(), a.mark) == (ct.Tensor, [0.0, 0.0, 0.0], "kept")
    assert (type(b), b.tolist(), b.grad.tolist()) == (nn.Parameter, [1.0, 1.0], [2.0, 2.0])
    with pytest.raises(TypeError, match="expected Tensors"):
        swap_tensors(a, 3)


def test_methods():
    x = ct.ones(2, 3)
    assert (x.dense_dim(), x.sparse_dim()) == (2, 0)
    assert x.const_data_ptr() == x.data_ptr()
    other = ct.zeros(2, 3, dtype=ct.float64) if x.device.profile.fp64 else ct.zeros(2, 3)
    assert x.module_load(other, assign=True).dtype is other.dtype
    assert x.module_load(other).dtype is ct.float32
    assert x.tolist() == other.tolist()
    pieces = ct.arange(5).unsafe_split_with_sizes([1, 4])
    assert [p.tolist() for p in pieces] == [[0], [1, 2, 3, 4]]
    assert ct.slice_copy(ct.arange(10).reshape(2, 5), 1, 1, None, 2).tolist() == [[1, 3], [6, 8]]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_shares_of_a_dataset(shuffle, drop_last):
    data = range(10)
    samplers = [DistributedSampler(data, 3, rank, shuffle=shuffle, drop_last=drop_last) for rank in range(3)]
    shares = [list(s) for s in samplers]
    assert {len(s) for s in shares} == {3 if drop_last else 4} == {len(s) for s in samplers}
    seen = [i for share in shares for i in share]
    assert len(set(seen)) == (9 if drop_last else 10)
    if shuffle:
        samplers[0].set_epoch(1)
        assert list(samplers[0]) != shares[0]
    else:
        assert shares[0] == list(range(0, 9 if drop_last else 10, 3))
    loader = DataLoader(TensorDataset(ct.arange(10)), batch_size=2, sampler=samplers[1])
    assert sum(len(batch) for batch, in loader) == len(samplers[1])


@pytest.mark.parametrize(("given", "text"), [
    ({}, "give num_replicas and rank"), ({"num_replicas": 2, "rank": 2}, "Invalid rank 2")])
def test_shares_that_cannot_be(given, text):
    with pytest.raises(ValueError, match=text):
        DistributedSampler(range(3), **given)


def test_batch_norms_without_statistics():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    assert func.replace_all_batch_norm_modules_(net) is net
    assert net[1].running_mean is None
    batch = ct.tensor(np.arange(8.0).reshape(4, 2), dtype=ct.float32)
    net.eval()
    np.testing.assert_allclose(net(batch).mean(0).detach().numpy(), 0, atol=1e-5)


def test_functionalize():
    assert func.functionalize(lambda x: x.clone().add_(1))(ct.ones(2)).tolist() == [2.0, 2.0]
    with pytest.raises(ValueError, match="remove must be"):
        func.functionalize(len, remove="all")
