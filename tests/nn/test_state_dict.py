"""state_dict and load_state_dict: order, sharing, strictness, messages, hooks."""

from collections import OrderedDict

import pytest

import cltensor
from cltensor import nn

pytestmark = pytest.mark.device


@pytest.fixture
def net():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_names_in_order_with_versions(net):
    state = net.state_dict()
    assert list(state) == ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"]
    assert state._metadata == {"": {"version": 1}, "0": {"version": 1}, "1": {"version": 2}}
    assert next(iter(net.state_dict(prefix="net."))) == "net.0.weight"


def test_memory_is_shared_and_detached(net):
    state = net.state_dict()
    assert not state["0.weight"].requires_grad
    state["0.weight"].fill_(5)
    assert net[0].weight.tolist() == [[5, 5]] * 3
    assert net.state_dict(keep_vars=True)["0.weight"] is net[0].weight


def test_loading_copies(net):
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    weight = other[0].weight
    result = other.load_state_dict(net.state_dict())
    assert repr(result) == "<All keys matched successfully>"
    assert other[0].weight is weight
    assert weight.tolist() == net[0].weight.tolist()
    net[0].weight.data.fill_(0)
    assert weight.tolist() != net[0].weight.tolist()


def test_loading_converts_dtypes_and_assign_takes_tensors_over(net):
    state = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    net.load_state_dict(state)
    assert net[0].weight.dtype is cltensor.float32
    net.load_state_dict(state, assign=True)
    assert net[0].weight.dtype is cltensor.float16
    assert isinstance(net[0].weight, nn.Parameter)
    assert net[0].weight.requires_grad
    assert net[1].running_mean is state["1.running_mean"]


def test_messages_list_everything(net):
    state = net.state_dict()
    state["0.weight"] = cltensor.ones(2, 2)
    state["0.bias"] = 3
    state["2.extra"] = cltensor.ones(1)
    del state["1.bias"]
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    assert str(caught.value).split("\n\t") == [
        "Error(s) in loading state_dict for Sequential:",
        'Unexpected key(s) in state_dict: "2.extra". ',
        'Missing key(s) in state_dict: "1.bias". ',
        "size mismatch for 0.weight: copying a param with shape cltensor.Size([2, 2]) from checkpoint, the shape in current "
        "model is cltensor.Size([3, 2]).",
        'While copying the parameter named "0.bias", expected cltensor.Tensor from checkpoint but received <class \'int\'>',
    ]


def test_not_strict(net):
    missing, unexpected = net.load_state_dict({"x": cltensor.ones(1), "0.bias": cltensor.ones(3)}, strict=False)
    assert "0.weight" in missing
    assert "0.bias" not in missing
    assert unexpected == ["x"]
    assert net[0].bias.tolist() == [1, 1, 1]
    with pytest.raises(TypeError, match="dict-like, got <class 'int'>"):
        net.load_state_dict(3)


def test_an_old_batch_norm_without_a_count_loads(net):
    state = net.state_dict()
    del state["1.num_batches_tracked"]
    state._metadata["1"]["version"] = 1
    net.load_state_dict(state)
    del state._metadata
    net.load_state_dict(OrderedDict(state))


def test_buffers_that_are_not_persistent_stay_out():
    m = nn.Module()
    m.register_buffer("a", cltensor.ones(1), persistent=False)
    m.b = nn.Buffer(cltensor.ones(1), persistent=False)
    m.c = nn.Buffer(cltensor.ones(1))
    assert list(m.state_dict()) == ["c"]


def test_extra_state():
    class Counter(nn.Module):
        n = 0

        def get_extra_state(self):
            return {"n": self.n}

        def set_extra_state(self, state):
            self.n = state["n"]

    m = nn.Sequential(Counter())
    m[0].n = 4
    other = nn.Sequential(Counter())
    other.load_state_dict(m.state_dict())
    assert (other[0].n, m.state_dict()) == (4, {"0._extra_state": {"n": 4}})
    with pytest.raises(RuntimeError, match=r'Missing key.*"0\._extra_state"'):
        other.load_state_dict({})


def test_hooks(net):
    calls = []
    net[0].register_state_dict_pre_hook(lambda m, prefix, keep: calls.append(("pre", prefix, keep)))
    net[0].register_state_dict_post_hook(lambda m, state, prefix, metadata: state.pop(f"{prefix}bias"))
    net.register_load_state_dict_pre_hook(lambda m, state, *rest: state.pop("junk", None))
    net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.remove("0.bias"))
    state = net.state_dict()
    assert calls == [("pre", "0.", False)]
    assert "0.bias" not in state
    state["junk"] = 1
    net.load_state_dict(state)
