"""Results of layers inside models: by hooks, and by running children in a row."""

import copy
import threading

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.vision import models
from cltensor.vision.models._utils import IntermediateLayerGetter
from cltensor.vision.models.feature_extraction import create_feature_extractor, get_graph_node_names

pytestmark = [pytest.mark.device, pytest.mark.any_style]


class Net(nn.Module):
    """Two layers, one of them called twice, and in training a third."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(ct.full((1,), 2.0))
        self.body = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
        self.extra = nn.Linear(3, 1)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        x = self.body(self.body(x * self.scale))
        if self.training:
            self.extra(x)
        return self.head(x)


@pytest.fixture
def net():
    ct.manual_seed(0)
    return Net()


X = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)


def test_results_of_layers_and_of_later_calls(net):
    x = ct.tensor(X)
    once = net.body(x * 2)
    found = create_feature_extractor(net, {"body": "once", "body_1": "twice", "head": "out"})(x)
    assert list(found) == ["once", "twice", "out"]
    for name, expected in {"once": once, "twice": net.body(once), "out": net(x)}.items():
        np.testing.assert_array_equal(found[name].detach().numpy(), expected.detach().numpy())
    assert list(create_feature_extractor(net, ["body.0_1", "body.0"])(x)) == ["body.0", "body.0_1"]


def test_gradients_reach_the_model(net):
    create_feature_extractor(net, ["body"])(ct.tensor(X))["body"].sum().backward()
    assert net.body[0].weight.grad is not None
    assert net.head.weight.grad is None


def test_the_pass_ends_with_the_last_result(net):
    ran = []
    net.head.register_forward_hook(lambda *_: ran.append("head"))
    create_feature_extractor(net, ["body"])(ct.tensor(X))
    assert not ran
    assert create_feature_extractor(net, [])(ct.tensor(X)) == {}
    net(ct.tensor(X))
    assert ran == ["head"]


def test_modes_have_names_of_their_own(net):
    extractor = create_feature_extractor(net, train_return_nodes={"extra": "a"}, eval_return_nodes=["head"])
    assert list(extractor(ct.tensor(X))) == ["a"]
    assert list(extractor.eval()(ct.tensor(X))) == ["head"]
    assert net.training
    assert not net.body.training
    with pytest.raises(ValueError, match="extra did not run in this call of Net, in evaluation mode"):
        create_feature_extractor(net, ["extra", "body"]).eval()(ct.tensor(X))


def test_parameters_are_the_models_own(net):
    extractor = create_feature_extractor(net, ["body"])
    assert list(extractor.state_dict()) == list(net.state_dict())
    assert extractor.scale is net.scale
    assert extractor.get_submodule("body.0") is net.body[0]
    extractor.double()
    assert net.head.weight.dtype == extractor(ct.tensor(X).double())["body"].dtype == ct.float64
    other = copy.deepcopy(extractor)
    with ct.no_grad():
        other.scale.zero_()
    assert net.scale.item() == 2
    np.testing.assert_array_equal(other(ct.tensor(X).double())["body"].detach().numpy(),
                                  net.body(ct.zeros(2, 3, dtype=ct.float64)).detach().numpy())


def test_hooks_are_there_during_a_call_alone(net):
    extractor = create_feature_extractor(net, ["body"])
    extractor(ct.tensor(X))
    with pytest.raises(RuntimeError):
        extractor(ct.ones(2, 5))
    assert not any(m._forward_hooks for m in net.modules())


def test_another_threads_calls_are_not_ours(net):
    results = []
    net.body.register_forward_pre_hook(lambda *_: worker.start() if not worker.ident else None)
    worker = threading.Thread(target=lambda: results.append(net(ct.zeros(1, 3))))
    found = create_feature_extractor(net, ["body", "body_1"])(ct.tensor(X))
    worker.join()
    assert found["body_1"].shape == (2, 3)
    assert results[0].shape == (1, 2)


def test_names_of_layers(net):
    assert get_graph_node_names(net) == (["body", "body.0", "body.1", "extra", "head"],) * 2


def test_names_that_are_none_are_refused(net):
    for name in ("nope", "", "body.", "add", "x", "body_0"):
        with pytest.raises(ValueError, match="is no layer of the model"):
            create_feature_extractor(net, [name])
    for arguments in ({}, {"train_return_nodes": ["body"]}, {"return_nodes": ["body"], "eval_return_nodes": ["body"]}):
        with pytest.raises(ValueError, match="give return_nodes, or else both"):
            create_feature_extractor(net, **arguments)
    with pytest.raises(ValueError, match="settings of a tracer"):
        create_feature_extractor(net, ["body"], tracer_kwargs={})
    with pytest.raises(ValueError, match="settings of a tracer"):
        get_graph_node_names(net, concrete_args={})


def test_features_of_a_resnet():
    with ct.device("meta"):
        extractor = create_feature_extractor(models.resnet18(), {"layer1.0.relu_1": "a", "layer3": "b", "avgpool": "c"})
        found = extractor(ct.empty(1, 3, 64, 64))
    assert {name: tuple(v.shape) for name, v in found.items()} == {"a": (1, 64, 16, 16), "b": (1, 256, 4, 4), "c": (1, 512, 1, 1)}


def test_children_in_a_row():
    layers = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    getter = IntermediateLayerGetter(layers, {"1": "b", "0": "a"})
    assert list(getter) == ["0", "1"]
    assert list(getter.state_dict()) == ["0.weight", "0.bias"]
    found = getter(ct.tensor(X))
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["b"].detach().numpy(), layers[:2](ct.tensor(X)).detach().numpy())
    with pytest.raises(ValueError, match=r"names nope, but the children of Sequential are 0, 1, 2"):
        IntermediateLayerGetter(layers, {"0": "a", "nope": "b"})
