"""Whole networks: what they compute is compared with onnxruntime, in every way in which a Module runs."""

import numpy as np
import pytest

import cltensor as ct
import onnx
import onnx_networks
from cltensor import nn, optim
from cltensor.base.errors import GraphError

onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.device
NAMES = sorted(onnx_networks.ALL)
#: whose graphs need no values, and no sizes beyond those that they pass on
STATIC = ("convolutional", "transformer", "quantised", "lstm", "gru", "choosing", "repeating")


def reference(model, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def many(found):
    return found if isinstance(found, tuple) else (found,)


def close(got, expected):
    for one, other in zip(many(got), expected, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_numbers(name):
    proto, inputs = onnx_networks.ALL[name]()
    onnx.checker.check_model(proto, full_check=True)
    model, expected = ct.onnx.load(proto.SerializeToString()), reference(proto, inputs)
    close(model(*inputs.values()), expected)
    close(model(**{k: ct.tensor(v) for k, v in inputs.items()}), expected)
    assert list(model.named(**inputs)) == [o.name for o in proto.graph.output] == model.output_names


@pytest.mark.parametrize("name", NAMES)
def test_compiled(name):
    proto, inputs = onnx_networks.ALL[name]()
    model = ct.onnx.load(proto.SerializeToString())
    step, expected = ct.compile(model, fullgraph=name != "looping"), reference(proto, inputs)
    with ct.no_grad():
        for _ in range(3):
            close(step(*map(ct.tensor, inputs.values())), expected)


@pytest.mark.parametrize("name", ["transformer", "convolutional", "lstm"])
def test_other_sizes(name):
    proto, inputs = onnx_networks.ALL[name]()
    model = ct.onnx.load(proto.SerializeToString())
    step = ct.compile(model, dynamic=True)
    (key, value), = inputs.items()
    for n in (2, 3, 5):
        given = np.concatenate([value] * n)[:n]
        with ct.no_grad():
            close(step(ct.tensor(given)), reference(proto, {key: given}))


@pytest.mark.parametrize("name", STATIC)
def test_static_graph(name):
    proto, inputs = onnx_networks.ALL[name]()
    model = ct.onnx.load(proto.SerializeToString())
    graph = model.to_graph()
    assert list(graph.placeholders) == model.input_names
    close(tuple(graph.run([graph.outputs[o] for o in model.output_names], inputs)), reference(proto, inputs))


@pytest.mark.parametrize("name", ["choosing", "repeating"])
def test_programs_go_the_way_of_their_values(name):
    proto, inputs = onnx_networks.ALL[name]()
    model = ct.onnx.load(proto.SerializeToString())
    step, graph = ct.compile(model, fullgraph=True), model.to_graph()
    for scale in (1, -1, 30, 0.01):
        given = {"x": inputs["x"] * np.float32(scale)}
        expected = reference(proto, given)
        with ct.no_grad():
            close(step(ct.tensor(given["x"])), expected)
        close(graph.run(graph.outputs["y"], given), expected)


def test_gradients_of_a_choice():
    proto, inputs = onnx_networks.choosing()
    model = ct.onnx.load(proto.SerializeToString())
    step, grads = ct.compile(model, fullgraph=True), []
    for run in (model, step, step):
        model.zero_grad()
        run(ct.tensor(inputs["x"])).square().sum().backward()
        grads.append(model.get_parameter("w.weight").grad.numpy())
    assert np.abs(grads[0]).max() > 0.1
    np.testing.assert_allclose(grads[1], grads[0], rtol=1e-5)
    np.testing.assert_allclose(grads[2], grads[0], rtol=1e-5)


def test_branches_of_other_shapes_run_eagerly():
    proto, inputs = onnx_networks.choosing()
    proto.graph.node[2].attribute[0 if proto.graph.node[2].attribute[0].name == "else_branch" else 1].g.node[0].CopyFrom(
        onnx.helper.make_node("ReduceSum", ["x"], ["e"], keepdims=0))
    model = ct.onnx.load(proto.SerializeToString())
    step = ct.compile(model)
    for scale in (1, -1, 1):
        given = {"x": inputs["x"] * np.float32(scale)}
        with ct.no_grad():
            close(step(ct.tensor(given["x"])), reference(proto, given))


def test_static_graph_of_values():
    proto, _ = onnx_networks.looping()
    with pytest.raises(GraphError):
        ct.onnx.load(proto.SerializeToString()).to_graph()


@pytest.mark.parametrize("name", ["convolutional", "upsampling", "transformer", "lstm", "gru", "rnn"])
def test_gradients(name):
    proto, inputs = onnx_networks.ALL[name]()
    model = ct.onnx.load(proto.SerializeToString())
    (model(**inputs) ** 2).mean().backward()
    held = {t.name: t for t in proto.graph.initializer}
    for label, parameter in model.named_parameters():
        at = np.unravel_index(parameter.grad.abs().argmax().item(), parameter.shape)
        slope = difference(proto, held[label], at, inputs)
        assert parameter.grad.numpy()[at] == pytest.approx(slope, rel=0.05, abs=1e-4), label


def difference(proto, tensor, at, inputs, step=1e-2):
    """The slope of the mean of squares, by onnxruntime, with one element of an initialiser moved."""
    kept, values = tensor.raw_data, []
    for way in (step, -step):
        array = onnx.numpy_helper.to_array(tensor).copy()
        array[at] += way
        tensor.raw_data = array.tobytes()
        values.append(np.mean(reference(proto, inputs)[0].astype(float) ** 2))
        tensor.raw_data = kept
    return (values[0] - values[1]) / (2 * step)


def test_training():
    proto, inputs = onnx_networks.convolutional()
    model = ct.onnx.load(proto.SerializeToString())
    optimizer, target = optim.SGD(model.parameters(), 0.1), ct.tensor([1, 3])

    @ct.compile
    def step(images):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), target)
        loss.backward()
        optimizer.step()
        return loss

    losses = [step(ct.tensor(inputs["images"])).item() for _ in range(8)]
    assert losses[-1] < 0.7 * losses[0]


def test_names_of_parameters():
    proto, _ = onnx_networks.convolutional()
    model = ct.onnx.load(proto.SerializeToString())
    state = model.state_dict()
    assert set(state) == {t.name for t in proto.graph.initializer}
    buffers = {name for name, _ in model.named_buffers()}
    assert buffers == {name for name in state if "running" in name}
    assert model.get_submodule("layer1.0.conv").weight is dict(model.named_parameters())["layer1.0.conv.weight"]
    other = ct.onnx.load(proto.SerializeToString())
    with ct.no_grad():
        other.get_parameter("fc.weight").zero_()
    assert other.load_state_dict(state) is not None
    assert ct.equal(other.get_parameter("fc.weight"), state["fc.weight"])


def test_constants_of_formulas_are_no_parameters():
    model = ct.onnx.load(onnx_networks.transformer()[0].SerializeToString())
    assert {"root", "root2", "one", "half_"} == {name for name, _ in model.named_buffers()}
    assert all("." in name for name, _ in model.named_parameters())


def test_names_are_made_valid():
    n = onnx_networks.Nodes()
    names = ["forward", "a", "a.b", "a..c", "type", "x/y:0", "training"]
    total = "x"
    for name in names:
        total = n("Add", total, n.array(name, np.ones(2, np.float32)))
    n.nodes[-1].output[0] = "y"
    proto = n.model([("x", 1, [2])], [("y", 1, [2])])
    model = ct.onnx.load(proto.SerializeToString())
    np.testing.assert_array_equal(model(np.zeros(2, np.float32)).detach().numpy(), [7, 7])
    assert len(dict(model.named_parameters())) == len(names)
    assert {"x/y:0", "forward_", "type_"} <= set(model.state_dict())


def test_copies_and_pickles():
    import copy

    proto, inputs = onnx_networks.convolutional()
    model = ct.onnx.load(proto.SerializeToString())
    other = copy.deepcopy(model)
    with ct.no_grad():
        other.get_parameter("fc.bias").add_(1)
    np.testing.assert_allclose((other(**inputs) - model(**inputs)).detach().numpy(), 1, atol=1e-5)
