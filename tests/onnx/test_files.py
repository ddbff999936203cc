"""Files are data: what is damaged, hostile or unknown gives one clear error, before anything large is made or anything runs."""

import io
import json
import os
import sys

import numpy as np
import pytest

import cltensor as ct
import fuzz_files
import onnx
import onnx_networks
from cltensor.base.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    MissingPackageError,
    SerializationError,
    ShapeError,
    UnsupportedError,
)
from cltensor.cli import main
from onnx import TensorProto, helper, numpy_helper

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def tiny(node=None, held=(), opset=18, **more):
    """A model of one node, y = f(x), of float32[3]."""
    node = node or helper.make_node("Add", ["x", "w"], ["y"], name="sum")
    held = held or [numpy_helper.from_array(np.ones(3, np.float32), "w")]
    graph = helper.make_graph([node], "tiny", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])],
                              [helper.make_empty_tensor_value_info("y")], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], **more)


def refused(proto, match, error=SerializationError):
    data = proto if isinstance(proto, bytes) else proto.SerializeToString()
    with pytest.raises(error, match=match):
        ct.onnx.load(data)


# --- what is read ---------------------------------------------------------------------------------------------------------


def test_paths_bytes_and_files(tmp_path):
    data = tiny().SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    for given in (path, str(path), data, io.BytesIO(data), bytearray(data)):
        np.testing.assert_array_equal(ct.onnx.load(given)(np.zeros(3, np.float32)).detach().numpy(), 1)


@pytest.mark.parametrize(("data", "match"), [
    (b"", "no graph"), (b"not a model at all", "is no ONNX model"), (b"\x80\x02}q\x00.", "is no ONNX model"),
                                             (b"PK\x03\x04" + b"\0" * 40, "no ONNX model")])
def test_other_files(data, match):
    refused(data, "onnx.load: these bytes: .*" + match)


def test_every_cut():
    data = onnx_networks.convolutional()[0].SerializeToString()
    for n in [*range(0, 60, 7), *range(60, len(data), 311)]:
        with pytest.raises(SerializationError):
            ct.onnx.load(data[:n])


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        ct.onnx.load(tmp_path / "nowhere.onnx")
    with pytest.raises(SerializationError, match="no regular file"):
        ct.onnx.load(tmp_path)
    with pytest.raises(ArgumentTypeError, match=r"onnx.load: expected a path, bytes or a binary file, got int"):
        ct.onnx.load(3)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match=r"onnx.load: needs the package onnx.*pip install 'cltensor\[onnx\]'"):
        ct.onnx.load(b"")


def test_tensors_that_are_smaller_than_their_shapes():
    for dims in ([1 << 40], [1 << 31, 1 << 31], [4], [-3], [1] * 80):
        model = tiny()
        del model.graph.initializer[0].dims[:]
        model.graph.initializer[0].dims.extend(dims)
        refused(model, "tensor 'w'")
    model = tiny(held=[helper.make_tensor("w", TensorProto.FLOAT, [3], [1, 2, 3])])
    model.graph.initializer[0].dims[0] = 1 << 50
    refused(model, "takes 1125899906842624 entries, and the file holds 3")


def test_sparse_initialisers():
    values = numpy_helper.from_array(np.array([2, 5], np.float32), "w")
    places = numpy_helper.from_array(np.array([0, 2]), "w_places")
    model = tiny()
    del model.graph.initializer[:]
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [3]))
    np.testing.assert_array_equal(ct.onnx.load(model.SerializeToString())(np.zeros(3, np.float32)).detach().numpy(), [2, 0, 5])
    model.graph.sparse_initializer[0].dims[0] = 1 << 40
    refused(model, "too large to be made dense")
    model.graph.sparse_initializer[0].dims[0] = 2
    refused(model, "sparse tensor 'w'")


def test_nodes_out_of_order():
    refused(tiny(helper.make_node("Add", ["x", "later"], ["y"])), "its input 'later' is made by no node before it")
    refused(tiny(helper.make_node("Relu", ["x"], ["other"])), "no node makes its output 'y'")


def test_deep_graphs():
    inner = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "g", [], [helper.make_empty_tensor_value_info("z")])
    for _ in range(11):
        node = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
        inner = helper.make_graph([node], "g", [], [helper.make_empty_tensor_value_info("z")])
    c = numpy_helper.from_array(np.array(True), "c")
    model = ct.onnx.load(tiny(helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner), [c]).SerializeToString())
    np.testing.assert_array_equal(model(np.ones(3, np.float32)).numpy(), 1)


def test_deeper_graphs_than_any_program_writes():
    data = b""
    for _ in range(200):  # GraphProto.node.attribute.g
        data = field(1, field(5, field(6, data)))
    refused(field(7, data) + field(8, b"\x10\x12"), "is no ONNX model")


def field(number, data):
    """A field of a protobuf that holds a message."""
    size, length = len(data), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + data


def chain(depth, width=2):
    """A model whose function f0 calls f1 twice, and so on."""
    functions, opsets = [], [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    for i in range(depth):
        if i + 1 < depth:
            nodes = [helper.make_node(f"f{i + 1}", ["a"], [f"b{k}"], domain="mine") for k in range(width)]
            nodes.append(helper.make_node("Max", [f"b{k}" for k in range(width)], ["b"]))
        else:
            nodes = [helper.make_node("Relu", ["a"], ["b"])]
        functions.append(helper.make_function("mine", f"f{i}", ["a"], ["b"], nodes, opsets))
    model = tiny(helper.make_node("f0", ["x"], ["y"], domain="mine"), functions=functions)
    model.opset_import.append(helper.make_opsetid("mine", 1))
    return model


def test_functions():
    x = np.array([-1, 0, 2], np.float32)
    np.testing.assert_array_equal(ct.onnx.load(chain(3).SerializeToString())(x).numpy(), [0, 0, 2])
    assert ct.onnx.load(chain(40).SerializeToString())  # 2**40 nodes, were they written out
    refused(chain(80), "nested more than 64 deep")
    model = chain(2)
    model.functions[1].node[0].op_type, model.functions[1].node[0].domain = "f0", "mine"
    refused(model, "calls itself")


def test_functions_with_attributes():
    node = helper.make_node("LeakyRelu", ["a"], ["b"])
    attribute = node.attribute.add(name="alpha", type=onnx.AttributeProto.FLOAT)
    attribute.ref_attr_name = "slope"
    function = helper.make_function("mine", "leaky", ["a"], ["b"], [node], [helper.make_opsetid("", 18)], ["slope"])
    x = np.array([-4, 2], np.float32)
    for given, expected in (({"slope": 0.5}, -2), ({"slope": 0.25}, -1), ({}, -0.04)):
        model = tiny(helper.make_node("leaky", ["x"], ["y"], domain="mine", **given), functions=[function])
        model.opset_import.append(helper.make_opsetid("mine", 1))
        np.testing.assert_allclose(ct.onnx.load(model.SerializeToString())(x).numpy(), [expected, 2])
    node.input[0], node.output[0] = "x", "y"
    refused(tiny(node), "refers to a function's, outside of one")


# --- what is not known ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("node", "match"), [
    (helper.make_node("Frobnicate", ["x"], ["y"], name="n7"),
     "node ai.onnx.Frobnicate 'n7': Frobnicate of version 18 of ai.onnx has no rule"),
    (helper.make_node("FusedGelu", ["x"], ["y"], domain="com.microsoft"), "imports no operator set for the domain 'com.microsoft'"),
    (helper.make_node("Relu", ["x"], ["y"], slope=1.0), "has no attribute 'slope'"),
    (helper.make_node("Relu", ["x", "x"], ["y"]), "has 2 inputs, and the operator takes 1"),
    (helper.make_node("Add", ["x"], ["y"]), "lacks inputs"),
                                             (helper.make_node("Concat", ["x"], ["y"]), "lacks the attribute 'axis'")])
def test_unknown_nodes(node, match):
    refused(tiny(node), match, UnsupportedError)
    told = ct.onnx.info(tiny(node).SerializeToString())
    assert len(told.missing) == 1
    assert match.removeprefix("node ai.onnx.Frobnicate 'n7': ") in told.missing[0]


def test_domains_of_others():
    model = tiny(helper.make_node("FusedGelu", ["x"], ["y"], domain="com.microsoft"))
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    refused(model, "its domain 'com.microsoft' is not one of ONNX's own", UnsupportedError)


def test_versions_of_the_future():
    refused(tiny(opset=1000), "uses version 1000 of ONNX's operators, and the newest known here is", UnsupportedError)
    assert "version 1000" in ct.onnx.info(tiny(opset=1000).SerializeToString()).missing[0]


# --- external data --------------------------------------------------------------------------------------------------------


def external(folder, location, **entries):
    """The path of a model whose w lies outside of it."""
    model = tiny()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    path = folder / "m.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_external_data(tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(b"----" + np.array([1, 2, 3], np.float32).tobytes())
    path = external(tmp_path, "weights/w.bin", offset=4, length=12)
    np.testing.assert_array_equal(ct.onnx.load(path)(np.zeros(3, np.float32)).detach().numpy(), [1, 2, 3])
    told = ct.onnx.info(path)
    assert told.external == {"weights/w.bin": 12}
    assert not told.missing
    with pytest.raises(SerializationError, match="bytes have no folder"):
        ct.onnx.load(path.read_bytes())


@pytest.mark.parametrize("location",
                         ["../w.bin", "/etc/hostname", "a/../../w.bin", "link/w.bin", "link.bin", "", "nowhere.bin", "folder",
                                      "w\0.bin", "..\\w.bin"])
def test_external_data_elsewhere(tmp_path, location):
    inside = tmp_path / "model"
    inside.mkdir(), (inside / "folder").mkdir()
    (tmp_path / "w.bin").write_bytes(b"\0" * 12)
    (inside / "link").symlink_to(tmp_path)
    (inside / "link.bin").symlink_to(tmp_path / "w.bin")
    path = external(inside, location)
    with pytest.raises(SerializationError, match="external data in"):
        ct.onnx.load(path)
    assert "external data in" in ct.onnx.info(path).missing[0]


@pytest.mark.parametrize("entries",
                         [{"offset": 1}, {"offset": 10**30}, {"offset": -4}, {"length": 4}, {"length": "x"}, {"offset": 1 << 62}])
def test_external_data_of_the_wrong_size(tmp_path, entries):
    (tmp_path / "w.bin").write_bytes(b"\0" * 12)
    with pytest.raises(SerializationError, match="external data"):
        ct.onnx.load(external(tmp_path, "w.bin", **entries))


def test_external_data_that_never_ends(tmp_path):
    os.mkfifo(tmp_path / "w.bin")
    with pytest.raises(SerializationError, match="no regular file"):
        ct.onnx.load(external(tmp_path, "w.bin"))


# --- calls ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def transformer():
    return ct.onnx.load(onnx_networks.transformer()[0].SerializeToString())


def test_inputs_that_do_not_fit(transformer):
    x = ct.zeros(2, 4, 12)
    with pytest.raises(ArgumentError, match=r"Model: input 'x' is missing; the model takes x"):
        transformer()
    with pytest.raises(ArgumentError, match=r"'z' is no input of the model; they are x"):
        transformer(z=x)
    with pytest.raises(ArgumentError, match=r"takes 1 inputs, x, and is given 2"):
        transformer(x, x)
    with pytest.raises(ArgumentError, match="'x' is given twice"):
        transformer(x, x=x)
    with pytest.raises(ShapeError, match=r"input 'x': dimension 2 is 11, and the model takes 12; its shape is \('N', 'T', 12\)"):
        transformer(ct.zeros(2, 4, 11))
    with pytest.raises(ShapeError, match="has 2 dimensions"):
        transformer(ct.zeros(2, 4))
    with pytest.raises(DTypeError, match=r"input 'x': is cltensor.float64, and the model takes cltensor.float32; convert it"):
        transformer(x.double())
    with pytest.raises(ArgumentTypeError, match="input 'x': expected a tensor or an array, got str"):
        transformer("x")
    assert transformer(x).shape == (2, 1, 12)


def test_sizes_by_name_agree():
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "g",
                              [helper.make_tensor_value_info(n, 1, ["N", 2]) for n in "ab"],
                              [helper.make_empty_tensor_value_info("y")])
    model = ct.onnx.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
    assert model(ct.ones(3, 2), ct.ones(3, 2)).shape == (3, 2)
    with pytest.raises(ShapeError, match=r"input 'b': dimension 0 is 1, and the model takes 3 \('N' is 3 in another input\)"):
        model(ct.ones(3, 2), ct.ones(1, 2))


def test_initialisers_that_are_inputs():
    model = tiny()
    model.graph.input.append(helper.make_tensor_value_info("w", 1, [3]))
    loaded = ct.onnx.load(model.SerializeToString())
    x = np.zeros(3, np.float32)
    assert loaded.input_names == ["x"]
    assert dict(loaded.named_parameters()).keys() == {"w"}
    np.testing.assert_array_equal(loaded(x).detach().numpy(), 1)
    np.testing.assert_array_equal(loaded(x, w=x + 5).detach().numpy(), 5)


def test_nodes_name_themselves():
    model = ct.onnx.load(tiny().SerializeToString())
    with pytest.raises(ShapeError, match=r"Model: node ai.onnx.Add 'sum': .*add"):
        model(np.zeros(4, np.float32))
    reshape = tiny(helper.make_node("Reshape", ["x", "s"], ["y"], name="r"), [numpy_helper.from_array(np.array([5, 5]), "s")])
    with pytest.raises(ShapeError, match=r"node ai.onnx.Reshape 'r'"):
        ct.onnx.load(reshape.SerializeToString())(np.zeros(4, np.float32))
    assert model(np.zeros(3, np.float32)).shape == (3,)


# --- info -----------------------------------------------------------------------------------------------------------------


def test_info():
    proto, _ = onnx_networks.convolutional()
    proto.producer_name = "a test"
    told = ct.onnx.info(proto.SerializeToString())
    assert told.opsets == {"": 18}
    assert told.producer == "a test"
    assert not told.missing
    assert not told.external
    assert told.inputs == ["images: float32[N, 3, 20, 20]"]
    assert told.outputs == ["scores: float32[N, 5]"]
    assert told.operators == {"Add": 1, "BatchNormalization": 3, "Conv": 3, "Flatten": 1, "Gemm": 1, "GlobalAveragePool": 1,
                              "MaxPool": 1,
                              "Relu": 3}
    assert told.parameters == sum(np.prod(t.dims) for t in proto.graph.initializer)
    assert told.bytes == 4 * told.parameters
    assert "missing: nothing" in str(told)
    assert "images: float32[N, 3, 20, 20]" in str(told)


def test_info_counts_what_is_inside():
    told = ct.onnx.info(onnx_networks.looping()[0].SerializeToString())
    assert told.operators["If"] == told.operators["Mul"] == 1
    assert told.operators["Add"] == 2


def test_command(tmp_path, capsys):
    path = tmp_path / "m.onnx"
    path.write_bytes(tiny().SerializeToString())
    assert main(["onnx", "info", str(path)]) == 0
    assert "operators: Add 1" in capsys.readouterr().out
    assert main(["onnx", "info", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["operators"] == {"Add": 1}
    assert facts["missing"] == []
    path.write_bytes(tiny(helper.make_node("Frobnicate", ["x"], ["y"])).SerializeToString())
    assert main(["onnx", "info", str(path)]) == 1
    assert "missing: node ai.onnx.Frobnicate" in capsys.readouterr().out
    path.write_bytes(b"junk")
    assert main(["onnx", "info", str(path)]) == 1
    assert capsys.readouterr().err.startswith("cltensor: onnx.info: ")


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files(seed):
    fuzz_files.once(fuzz_files.damaged_onnx, seed)  # 50 files
