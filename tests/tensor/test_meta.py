"""The meta device: shapes, strides and dtypes without values; what reads values is refused."""

import copy
import pickle
import threading

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import NoDataError

pytestmark = [pytest.mark.device, pytest.mark.any_style]


@pytest.fixture
def x():
    return ct.empty(3, 4, device="meta")


def test_the_device():
    d = ct.device("meta")
    assert d is ct.device("meta:0")
    assert d is ct.device(d)
    assert (d.type, d.index, str(d), repr(d)) == ("meta", None, "meta", "device(type='meta')")
    assert pickle.loads(pickle.dumps(d)) is d
    assert copy.deepcopy(d) is d
    d.synchronize()
    with pytest.raises(NoDataError, match="runs nothing"):
        _ = d.queue
    with pytest.raises(AttributeError, match="meta device has no attribute"):
        _ = d.programs


def test_what_a_tensor_knows(x):
    assert x.is_meta
    assert not x.is_cpu
    assert (x.shape, x.stride(), x.dtype, x.device) == ((3, 4), (4, 1), ct.float32, ct.device("meta"))
    assert (x.data_ptr(), x.untyped_storage().nbytes(), x.get_device(), x.type()) == (0, 48, -1, "cltensor.meta.FloatTensor")
    assert repr(x) == "tensor(..., device='meta', size=(3, 4))"
    assert repr(ct.empty(2, dtype=ct.int64, device="meta")) == "tensor(..., device='meta', size=(2,), dtype=cltensor.int64)"
    assert repr(ct.ones((), device="meta", requires_grad=True) * 2) == "tensor(..., device='meta', size=(), grad_fn=<MulBackward0>)"


def test_ops_work_out_shapes(x):
    y = (x.T @ x).softmax(-1)[1:, ::2] + 1
    assert (y.shape, y.is_meta) == ((3, 2), True)
    assert (x.half() + x).dtype is ct.float32
    assert (x > 0).any().dtype is ct.bool
    values, indices = x.topk(2)
    assert (values.shape, indices.dtype) == ((3, 2), ct.int64)
    assert x.expand(2, 3, 4).stride() == (0, 4, 1)
    assert ct.linalg.svd(ct.empty(2, 3, 4, device="meta"))[2].shape == (2, 4, 4)
    assert ct.linalg.inv(ct.empty(5, 5, device="meta")).shape == (5, 5)
    x[0] = 1
    x[x > 0] = 2
    x.add_(1).mul_(x)
    with pytest.raises(RuntimeError, match=r"size of tensor|broadcast"):
        x + ct.empty(5, device="meta")


def test_more_than_there_is_memory():
    huge = ct.empty(1 << 20, 1 << 20, 1 << 10, device="meta")
    assert (huge @ huge.mT).shape == (1 << 20, 1 << 20, 1 << 20)
    assert ct.arange(1 << 50, device="meta").shape == (1 << 50,)
    assert ct.randperm(1 << 50, device="meta").dtype is ct.int64
    assert ct.linspace(0, 1, 1 << 50, device="meta").numel() == 1 << 50


def test_gradients_have_shapes():
    w = ct.empty(4, 5, device="meta", requires_grad=True)
    loss = nn.functional.cross_entropy(ct.empty(3, 4, device="meta") @ w, ct.zeros(3, dtype=ct.int64, device="meta"))
    loss.backward()
    assert w.grad.is_meta
    assert w.grad.shape == (4, 5)
    ct.optim.Adam([w]).step()
    ct.optim.SGD([w], lr=0.1, momentum=0.9).step()


READERS = {
    "item": lambda x: x[0, 0].item(), "tolist": lambda x: x.tolist(), "numpy": lambda x: x.numpy(),
    "float": lambda x: float(x[0, 0]),
    "bool": lambda x: bool(x[0, 0] > 0), "to": lambda x: x.to(ct.get_default_device()), "nonzero": lambda x: x.nonzero(),
    "mask": lambda x: x[x > 0], "unique": lambda x: x.unique(), "array": lambda x: np.asarray(x), "equal": lambda x: ct.equal(x, x),
    "copy": lambda x: ct.ones(3, 4).copy_(x), "storage": lambda x: x.untyped_storage()[0], "format": lambda x: f"{x[0, 0]:.2f}",
}


@pytest.mark.parametrize("reader", READERS)
def test_values_cannot_be_read(x, reader):
    with pytest.raises(NoDataError, match=r"no data|meta tensors") as caught:
        READERS[reader](x)
    assert isinstance(caught.value, (RuntimeError, NotImplementedError, TypeError))


def test_copies_and_exchange(x):
    assert copy.deepcopy(x).is_meta
    back = pickle.loads(pickle.dumps(x.T))
    assert (back.is_meta, back.stride()) == (True, (1, 4))
    assert x.copy_(ct.ones(4)) is x
    assert ct.ones(3).to("meta").is_meta
    with pytest.raises(BufferError, match="on meta"):
        x.__dlpack__()
    with pytest.raises(RuntimeError, match="same device"):
        x + ct.ones(4)


def test_a_block_makes_modules_without_memory():
    state = ct.get_rng_state().tolist()
    with ct.device("meta"):
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.LSTM(4, 5), nn.MultiheadAttention(8, 2), nn.Embedding(9, 3))
        nn.init.orthogonal_(net[0].weight)
        nn.init.trunc_normal_(net[0].weight)
        nn.init.sparse_(net[0].weight, 0.5)
        assert ct.get_default_device() is ct.device("meta")
        assert ct.tensor([1.0]).is_meta
        assert ct.as_tensor(np.ones(2)).is_meta
        assert not any(t.is_meta for t in (ct.Tensor([1.0]), ct.FloatTensor(2), ct.from_numpy(np.ones(2)), ct.get_rng_state()))
    assert all(t.is_meta for t in (*net.parameters(), *net.buffers()))
    assert ct.get_rng_state().tolist() == state
    assert net[:2](ct.empty(7, 3, device="meta")).shape == (7, 4)
    assert not ct.tensor([1.0]).is_meta


def test_a_default_for_one_thread():
    ct.set_default_device("meta")
    try:
        found = []
        thread = threading.Thread(target=lambda: found.append(ct.ones(1).is_meta))
        thread.start()
        thread.join()
        assert ct.ones(1).is_meta
        assert found == [False]
        assert not ct.ones(1, device="opencl").is_meta
        assert ct.opencl.current_device() is not None
    finally:
        ct.set_default_device(None)
    assert not ct.ones(1).is_meta


def test_weights_are_put_in_place_of_meta_ones():
    source = nn.Linear(3, 2)
    with ct.device("meta"):
        target = nn.Linear(3, 2)
    target.load_state_dict(source.state_dict(), assign=True)
    assert target.weight.tolist() == source.weight.tolist()
    with ct.device("meta"):
        target = nn.Linear(3, 2)
    with pytest.raises(NotImplementedError, match="no data"):
        target.to("opencl")
