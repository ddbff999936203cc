"""Networks exported to ONNX give the same numbers in onnxruntime, also for sizes that they were not exported with."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import onnx
from cltensor.graph.structure import flatten
from exported_networks import LARGE, NETWORKS

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
OTHER = {"batch": 4, "steps": 9, "height": 24, "width": 40}


def run(proto, x):
    """The results of a model in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x.numpy()})


def compare(model, proto, x):
    with ct.no_grad():
        wanted = [t for t in flatten(model.eval()(x))[0] if isinstance(t, ct.Tensor)]
    for f, w in zip(run(proto, x), wanted, strict=True):
        np.testing.assert_allclose(f, w.numpy(), rtol=1e-3, atol=1e-4)


def of_other_sizes(x, axes):
    """x repeated along dynamic axes."""
    for dimension, name in axes.items():
        x = x.index_select(dimension, ct.arange(OTHER[name]) % x.shape[dimension])
    return x


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_runs_for_all_sizes(name):
    made, example, axes = NETWORKS[name]
    ct.manual_seed(0)
    model, x = made(), example()
    proto = onnx.export(model, x, input_names=["x"], dynamic_axes={"x": axes})
    assert [d.dim_param or d.dim_value for d in proto.graph.input[0].type.tensor_type.shape.dim] == [
        axes.get(i, n) for i, n in enumerate(x.shape)]
    compare(model, proto, of_other_sizes(x, axes))
    compare(model, proto, x[:1])
    assert model.training or not any(m.training for m in model.modules())


@pytest.mark.parametrize("name", ["cnn", "squeeze_excite", "unet", "lstm", "gpt", "vit"])
def test_its_weights_have_their_names(name):
    made, example, _ = NETWORKS[name]
    model = made()
    proto = onnx.export(model, example(), check=False)
    named = {t.name: np.frombuffer(t.raw_data, np.float32) for t in proto.graph.initializer if t.name in model.state_dict()}
    used = {n for node in proto.graph.node for n in node.input}
    assert set(named) <= used
    assert set(named) >= {n for n, _ in model.named_parameters()}
    for key, values in named.items():
        np.testing.assert_array_equal(values, model.state_dict()[key].numpy().ravel())


@pytest.mark.parametrize("opset", [13, 14, 15, 16, 17, 19, 20, 21, 22, 23])
@pytest.mark.parametrize("name", ["cnn", "gpt", "lstm", "normalised"])
def test_versions_of_the_operators(name, opset):
    made, example, axes = NETWORKS[name]
    proto = onnx.export(made(), example(), opset_version=opset, input_names=["x"], dynamic_axes={"x": axes})
    assert proto.opset_import[0].version == opset


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_a_large_network_runs_for_all_batches(name):
    made, example, axes = LARGE[name]
    onnx.export(made(), example(), input_names=["x"], dynamic_axes={"x": axes})
