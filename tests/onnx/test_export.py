"""onnx.export: names, files, modes, sizes, and what it refuses."""

import importlib

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor import onnx as ours
from cltensor.base.errors import ArgumentError, ArgumentTypeError, CaptureError, CLTensorError, GraphError, MissingPackageError
from cltensor.ops.kinds.elementwise import elementwise

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = [pytest.mark.device, pytest.mark.any_style]


def names(infos):
    return [i.name for i in infos]


def dims(info):
    return [d.dim_param or d.dim_value for d in info.type.tensor_type.shape.dim]


def run(model, *arrays):
    given = model if isinstance(model, (str, bytes)) else model.SerializeToString()
    session = onnxruntime.InferenceSession(given, providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names(session.get_inputs()), arrays, strict=True)))


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.drop = nn.Linear(4, 3), nn.Dropout(0.5)

    def forward(self, x, others, scale=1.0, *, shift=None):
        y = self.drop(self.layer(x)) * scale + others["first"]
        return {"y": y if shift is None else y + shift, "more": [x, y.sum()]}


# --- names and arguments ---------------------------------------------------------------------------------------------


def test_inputs_are_named_after_parameters():
    x, first, shift = ct.randn(2, 4), ct.randn(2, 3), ct.randn(3)
    model = TwoInputs()
    proto = ours.export(model, (x, {"first": first}, 2.0), kwargs={"shift": shift})
    assert names(proto.graph.input) == ["x", "others_0", "shift"]
    assert names(proto.graph.output) == ["output_0", "output_1", "output_2"]
    found = run(proto, x.numpy(), first.numpy(), shift.numpy())
    np.testing.assert_allclose(found[0], model.eval()(x, {"first": first}, 2.0, shift=shift)["y"].detach().numpy(), atol=1e-5)


def test_names_may_be_given():
    proto = ours.export(TwoInputs(), (ct.randn(2, 4), {"first": ct.randn(3)}), input_names=["pixels"], output_names=["scores"])
    assert names(proto.graph.input) == ["pixels", "others_0"]
    assert names(proto.graph.output) == ["scores", "output_1", "output_2"]
    assert any("layer (Linear)" in n.doc_string for n in proto.graph.node)


def test_a_function_and_an_elementwise_op_of_ones_own():
    op = elementwise("onnx_test_ramp", lambda input, slope=2.0: input * slope + 1, ref=None, public=False)
    try:
        x = ct.randn(3)
        found, = run(ours.export(lambda x: op(x, slope=3.0), x), x.numpy())
        np.testing.assert_allclose(found, x.numpy() * 3 + 1, rtol=1e-6)
    finally:
        from cltensor.dispatch.registry import REGISTRY

        del REGISTRY["onnx_test_ramp"]


@pytest.mark.parametrize("training", [True, False])
def test_modes_are_as_before(training):
    model = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(4)).train(training)
    model[0].train(not training)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    proto = ours.export(model, ct.randn(5, 4))
    assert [model.training, model[0].training, model[1].training] == [training, not training, training]
    assert [n.op_type for n in proto.graph.node] == ["BatchNormalization"]
    proto = ours.export(model, ct.randn(5, 4), training=True)
    assert "RandomUniformLike" in [n.op_type for n in proto.graph.node]
    assert all(ct.equal(v, state[k]) for k, v in model.state_dict().items())


def test_a_tensor_of_the_models_own_and_what_python_computes_become_constants():
    table = ct.arange(6.0).view(2, 3).T

    def model(x):
        return x @ table + ct.tensor([1.0, 2.0]) + np.float32(3)

    x = ct.randn(2, 3)
    found, = run(ours.export(model, x), x.numpy())
    np.testing.assert_allclose(found, x.numpy() @ table.numpy() + [4, 5], rtol=1e-5)


def test_constants_are_folded_unless_they_are_weights():
    layer = nn.Linear(3, 3)
    folded, plain = (ours.export(lambda x: x * (ct.arange(3) * 2 + 1) + layer.weight * 2, ct.randn(3, 3), do_constant_folding=fold)
                     for fold in (True, False))
    assert len(folded.graph.node) < len(plain.graph.node)
    x = np.ones((3, 3), np.float32)
    np.testing.assert_array_equal(run(folded, x)[0], run(plain, x)[0])


def test_weights_may_be_inputs():
    model = nn.Linear(3, 2)
    x = ct.randn(1, 3)
    both = ours.export(model, x, keep_initializers_as_inputs=True)
    assert names(both.graph.input) == ["input", "weight", "bias"]
    assert {t.name for t in both.graph.initializer} == {"weight", "bias"}
    without = ours.export(model, x, export_params=False)
    assert names(without.graph.input) == ["input", "weight", "bias"]
    assert not without.graph.initializer
    found, = run(without, x.numpy(), model.weight.detach().numpy(), model.bias.detach().numpy())
    np.testing.assert_allclose(found, model(x).detach().numpy(), rtol=1e-5, atol=1e-6)


def test_verbose_prints_the_model(capsys):
    ours.export(nn.ReLU(), ct.randn(2), verbose=True)
    assert "Relu" in capsys.readouterr().out


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file(tmp_path):
    model, x = nn.Linear(64, 64), ct.randn(2, 64)
    path = tmp_path / "model.onnx"
    proto = ours.export(model, x, path)
    assert onnx.load(path) == proto
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


def test_weights_beside_the_file(tmp_path):
    model, x = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64)), ct.randn(2, 64)
    path = tmp_path / "model.onnx"
    proto = ours.export(model, x, str(path), external_data=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]
    assert path.stat().st_size < 4096 < (tmp_path / "model.onnx.data").stat().st_size
    onnx.checker.check_model(str(path), full_check=True)
    kept = onnx.load(path)
    assert {t.name: t.raw_data for t in kept.graph.initializer} == {t.name: t.raw_data for t in proto.graph.initializer}
    np.testing.assert_allclose(run(str(path), x.numpy())[0], model(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_weights_that_no_message_holds(tmp_path, monkeypatch):
    for name in ("export", "model"):
        monkeypatch.setattr(importlib.import_module(f"cltensor.onnx.writing.{name}"), "LARGEST", 4096)
    path = tmp_path / "model.onnx"
    ours.export(nn.Linear(64, 64), ct.randn(2, 64), path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.onnx", "model.onnx.data"]


def test_a_failed_export_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"before")
    with pytest.raises(ours.UnmappedError):
        ours.export(lambda x: ct.special.ndtri(x), ct.rand(2), path)
    assert path.read_bytes() == b"before"
    with pytest.raises(CLTensorError, match="folder"):
        ours.export(nn.ReLU(), ct.rand(2), tmp_path / "nowhere" / "model.onnx")


# --- dynamic sizes ---------------------------------------------------------------------------------------------------

PROGRAMS = {
    "mean": lambda x, y: x - x.mean((0, 1), keepdim=True),
    "flat": lambda x, y: (x.flatten(), x.flatten(1), x.flatten(0, 1), x.reshape(x.shape[0], -1).T),
    "ranges": lambda x, y: x.cumsum(1) * ct.arange(x.shape[1]).unsqueeze(-1) + ct.arange(x.shape[0]).view(-1, 1, 1),
    "triangle": lambda x, y: (x @ x.mT).tril().softmax(-1),
    "last": lambda x, y: (x[:, -1], x[-1], x[:, 1:], x[1:, :-1], x[:, ::2][:, 0]),
    "joined": lambda x, y: (ct.cat([x, x[:, :2]], 1), ct.stack([x, x]).sum(0), ct.cat([x.mean(1), x[:, 0]], 1)),
    "scaled": lambda x, y: x / x.shape[1] + x * x.shape[0] ** 0.5 / (x.shape[1] * 2) ** 0.5,
    "filled": lambda x, y: ct.zeros(x.shape[1], x.shape[0]) + x.sum(2).T,
    "repeated": lambda x, y: (x.repeat(2, 1, 1), x[:1].expand(x.shape), x.unsqueeze(1).expand(-1, 3, -1, -1).reshape(-1, 4)),
    "gathered": lambda x, y: (x[:, y], x.index_select(1, y), x.gather(1, y.view(1, -1, 1).expand(x.shape[0], -1, 4))),
    "written": lambda x, y: _written(x),
    "sorted": lambda x, y: (x.sort(1).values, x.argmax(1), x.flip(1)),
    "padded": lambda x, y: nn.functional.pad(x, (0, 0, 1, 2)),
    "windows": lambda x, y: x.unfold(1, 2, 1).sum(-1),
    "attended": lambda x, y: nn.functional.scaled_dot_product_attention(x[:, None], x[:, None], x[:, None], is_causal=True),
}


def _written(x):
    y = x.clone()
    y[:, 1:] += x[:, :-1]
    y[0] = 0
    return y


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_sizes(program):
    axes = {"x": {0: "batch", 1: "steps"}, "y": [0]}
    x, y = ct.randn(2, 5, 4), ct.tensor([1, 0, 1])
    proto = ours.export(program, (x, y), dynamic_axes=axes, input_names=["x", "y"])
    for batch, steps in ((4, 9), (7, 3), (3, 3)):
        x, y = ct.randn(batch, steps, 4), ct.tensor([0, 1, 0, 1, 1])
        wanted = program(x, y)
        given = {"x": x.numpy(), "y": y.numpy()}
        session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
        found = session.run(None, {i.name: given[i.name] for i in session.get_inputs()})
        for f, w in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
            np.testing.assert_allclose(f, w.numpy(), rtol=1e-4, atol=1e-5)


class Dim:
    """As torch.export.Dim: a name and bounds."""

    def __init__(self, name, least, most):
        self.__name__, self.min, self.max = name, least, most


@pytest.mark.parametrize("shapes", [
    {"x": {0: "batch"}, "others": {"first": {0: "batch"}}},
    ({0: Dim("batch", 2, 8)}, {"first": ("batch", None)}),
    [("batch", None), {"first": {0: "batch", 1: None}}],
], ids=["by name", "bounded", "in order"])
def test_dynamic_shapes(shapes):
    proto = ours.export(TwoInputs(), (ct.randn(2, 4), {"first": ct.randn(2, 3)}), dynamic_shapes=shapes)
    assert [dims(i) for i in proto.graph.input] == [["batch", 4], ["batch", 3]]
    assert dims(proto.graph.output[0]) == ["batch", 3]


def test_an_example_of_size_1_and_axes_without_names():
    proto = ours.export(nn.Linear(3, 2), ct.randn(1, 3), dynamic_axes={"input": [0], "output_0": {0: "any"}},
                        output_names=["output_0"])
    assert dims(proto.graph.input[0]) == ["input_0", 3]
    assert run(proto, np.ones((6, 3), np.float32))[0].shape == (6, 2)


def test_sizes_that_a_model_limits():
    def model(x):
        if x.shape[1] > 8:
            raise ArgumentError("at most 8 steps")
        return x * 2 + ct.arange(8)[: x.shape[1]]

    proto = ours.export(model, ct.randn(2, 8), dynamic_axes={"x": {1: "steps"}})
    assert run(proto, np.zeros((2, 3), np.float32))[0].tolist() == [[0, 1, 2]] * 2


# --- errors ----------------------------------------------------------------------------------------------------------


def test_what_has_no_form_is_named_with_module_and_line():
    class Odd(nn.Module):
        def forward(self, x):
            return ct.special.zeta(x + 2, x)

    model = nn.Sequential(nn.ReLU(), nn.ModuleDict({"odd": Odd()})["odd"])
    with pytest.raises(ours.UnmappedError, match=r"^onnx.export: zeta has no form .*in 1 \(Odd\), at .*test_export.py:\d+"):
        ours.export(model, ct.rand(3))


def test_values_read_by_python():
    def model(x):
        return x * 2 if x.sum() > 0 else x

    with pytest.raises(CaptureError, match=r"onnx.export: .*read by the host.*test_export.py:\d+"):
        ours.export(model, ct.rand(3))


def test_an_error_of_the_model_passes():
    model = nn.Dropout().train()
    with pytest.raises(ZeroDivisionError):
        ours.export(nn.Sequential(model, _Failing()), ct.rand(3))
    assert model.training


class _Failing(nn.Module):
    def forward(self, x):
        return x / (1 // 0)


def test_sizes_without_a_rule():
    with pytest.raises(GraphError, match="other ops run for other sizes"):
        ours.export(lambda x: sum(x[i] for i in range(x.shape[0])), ct.rand(3), dynamic_axes={"x": {0: "n"}})
    with pytest.raises(GraphError, match=r"sizes of the dynamic axes n.*by no rule"):
        ours.export(lambda x: x * (7 ** x.shape[0] % 11), ct.rand(3), dynamic_axes={"x": {0: "n"}})


@pytest.mark.parametrize(("given", "error", "message"), [
    ({"opset_version": 12}, ArgumentError, "opset_version must be an int from 13 to"),
    ({"opset_version": 1000}, ArgumentError, "opset_version"),
    ({"input_names": ["x", "y"]}, ArgumentError, "input_names has 2 names for 1"),
    ({"input_names": [""]}, ArgumentError, "input_names"),
    ({"output_names": ["a", "b"]}, ArgumentError, "output_names"),
    ({"output_names": ["input"]}, ArgumentError, "output_names"),
    ({"dynamic_axes": {"z": {0: "n"}}}, ArgumentError, "names 'z', which is neither an input"),
    ({"dynamic_axes": {"input": {3: "n"}}}, ArgumentError, "axis 3 of input 'input' is none"),
    ({"dynamic_axes": {"input": {0: 3.5}}}, ArgumentTypeError, "expected a name, a Dim or True, got 3.5"),
    ({"dynamic_axes": {"input": {0: "n", 1: "n"}}}, ArgumentError, "axes of one name have one size"),
    ({"dynamic_axes": 3}, ArgumentTypeError, "dynamic_axes must be a dict"),
    ({"dynamic_axes": {"input": [0]}, "dynamic_shapes": ({},)}, ArgumentError, "both dynamic_axes and dynamic_shapes"),
    ({"dynamic_shapes": {"z": {0: "n"}}}, ArgumentError, "dynamic_shapes names 'z'"),
    ({"dynamic_shapes": ({}, {})}, ArgumentError, "dynamic_shapes has 2 entries for 1"),
    ({"dynamic_shapes": ({0: Dim("n", 2, 3)},)}, ArgumentError, "no three sizes"),
])
def test_arguments_that_do_not_fit(given, error, message):
    with pytest.raises(error, match=message):
        ours.export(nn.Linear(3, 2), ct.randn(2, 3), **given)


def test_models_and_arguments_of_other_kinds():
    with pytest.raises(ArgumentTypeError, match="expected a Module or a function, got int"):
        ours.export(3, ct.rand(2))
    with pytest.raises(ArgumentTypeError, match="args must be a tensor or a sequence"):
        ours.export(nn.ReLU(), 3)
    with pytest.raises(ArgumentError, match="returns no tensor"):
        ours.export(lambda x: 3, ct.rand(2))
    with pytest.raises(ours.UnmappedError, match="complex"):
        ours.export(lambda x: x * 2j, ct.rand(2))


def test_a_model_that_onnxruntime_computes_otherwise(monkeypatch):
    from cltensor.onnx.writing import comparing

    monkeypatch.setattr(comparing, "array", lambda t, before=comparing.array: before(t) + 1)
    with pytest.raises(ours.DifferentError, match="output 'output_0' of the model is up to 2 off"):
        ours.export(lambda x: x * x * 3, ct.zeros(2))


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingPackageError, match=r"onnx.export: needs the package onnx.*cltensor\[onnx\]"):
        ours.export(nn.ReLU(), ct.rand(2))
