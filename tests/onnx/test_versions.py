"""Operators whose meaning changed from version to version, and the arithmetic of shapes on the host.

What is expected comes from onnxruntime, where it is installed, and from the reference evaluator of the package onnx.
"""

import warnings

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

import cltensor as ct
import onnx
from onnx import TensorProto, helper, numpy_helper

pytestmark = [pytest.mark.device, pytest.mark.any_style]
X = np.random.default_rng(0).standard_normal((2, 3, 4, 4)).astype(np.float32)
ROW = np.arange(1, 9, dtype=np.float32).reshape(2, 4) - 4


def model(op, opset, inputs, held=(), outputs=1, **attributes):
    """A model of one node.  inputs: arrays; held: {name: array} of initialisers, "" for inputs left out."""
    names = [f"x{i}" for i in range(len(inputs))]
    held = dict(held)
    node = helper.make_node(op, [*names, *held], [f"y{i}" for i in range(outputs)], **attributes)
    infos = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
             for n, x in zip(names, inputs, strict=True)]
    graph = helper.make_graph([node], "one", infos, [helper.make_empty_tensor_value_info(f"y{i}") for i in range(outputs)],
                              [numpy_helper.from_array(np.asarray(a), n) for n, a in held.items() if n])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def expected(proto, inputs):
    named = {f"x{i}": x for i, x in enumerate(inputs)}
    try:
        import onnxruntime
    except ImportError:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ReferenceEvaluator(proto).run(None, named)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, named)


def check(proto, inputs, rtol=1e-5):
    got = ct.onnx.load(proto.SerializeToString())(*inputs)
    got = got if isinstance(got, tuple) else (got,)
    for one, other in zip(got, expected(proto, inputs), strict=True):
        one = one.detach().numpy()
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=rtol, atol=1e-6)


I64 = np.int64
CASES = {
    "softmax 9": ("Softmax", 9, [X], {}, {}),
    "softmax 11, axis 2": ("Softmax", 11, [X], {}, {"axis": 2}),
    "softmax 13": ("Softmax", 13, [X], {}, {}),
    "log softmax 11": ("LogSoftmax", 11, [X], {}, {"axis": -2}),
    "log softmax 13": ("LogSoftmax", 13, [X], {}, {"axis": 1}),
    "hardmax 11": ("Hardmax", 11, [X], {}, {"axis": 1}),
    "clip 9": ("Clip", 9, [X], {}, {"min": -0.5, "max": 0.25}),
    "clip 11": ("Clip", 11, [X], {"a": np.float32(-0.5)}, {}),
    "clip 12, the upper end alone": ("Clip", 12, [X], {"": 0, "b": np.float32(0.5)}, {}),
    "slice 9": ("Slice", 9, [X], {}, {"starts": [1, -3], "ends": [9, -1], "axes": [2, 3]}),
    "slice 10": ("Slice", 10, [X], {"s": np.array([3, 0]), "e": np.array([-9, 4]), "a": np.array([2, -1]), "d": np.array([-2, 3])},
                 {}),
    "slice 13, far ends": ("Slice", 13, [X],
                           {"s": np.array([-100, 1]), "e": np.array([2**63 - 1, 2**31 - 1]), "a": np.array([0, 3])}, {}),
    "squeeze 11": ("Squeeze", 11, [X[:1, :, :1]], {}, {"axes": [0, -2]}),
    "squeeze 13": ("Squeeze", 13, [X[:1]], {"a": np.array([0])}, {}),
    "squeeze 13 of all": ("Squeeze", 13, [X[:1, :, :1]], {}, {}),
    "unsqueeze 11": ("Unsqueeze", 11, [X], {}, {"axes": [0, 5]}),
    "unsqueeze 13": ("Unsqueeze", 13, [X], {"a": np.array([-1, 2])}, {}),
    "pad 9": ("Pad", 9, [ROW], {}, {"pads": [1, 0, 2, 1], "value": 1.5}),
    "pad 9, reflect": ("Pad", 9, [ROW], {}, {"pads": [0, 2, 0, 1], "mode": "reflect"}),
    "pad 11": ("Pad", 11, [ROW], {"p": np.array([0, 1, 0, 2]), "v": np.float32(2)}, {}),
    "pad 11, edge": ("Pad", 11, [ROW], {"p": np.array([1, 1, 0, 2])}, {"mode": "edge"}),
    "pad 18, axes": ("Pad", 18, [ROW], {"p": np.array([1, 2]), "v": np.float32(0), "a": np.array([1])}, {}),
    "pad 19, wrap": ("Pad", 19, [ROW], {"p": np.array([0, 1, 0, 2])}, {"mode": "wrap"}),
    "pad that cuts": ("Pad", 13, [ROW], {"p": np.array([0, -1, 0, 2])}, {}),
    "upsample 8": ("Upsample", 8, [X], {}, {"scales": [1.0, 1.0, 2.0, 2.0]}),
    "upsample 9": ("Upsample", 9, [X], {"s": np.array([1, 1, 2, 3], np.float32)}, {"mode": "linear"}),
    "resize 10": ("Resize", 10, [X], {"s": np.array([1, 1, 2, 2], np.float32)}, {"mode": "nearest"}),
    "resize 11": ("Resize", 11, [X], {"r": np.zeros(0, np.float32), "s": np.array([1, 1, 2, 2], np.float32)},
                  {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    "resize 13, sizes": ("Resize", 13, [X], {"": 0, "t": np.zeros(0, np.float32), "z": np.array([2, 3, 7, 3])}, {"mode": "cubic"}),
    "resize 18, axes": ("Resize", 18, [X], {"": 0, "s": np.array([0.6, 1.5], np.float32)},
                        {"mode": "linear", "axes": [2, 3], "antialias": 1}),
    "batch norm 9": ("BatchNormalization", 9, [X], dict(zip("abcd", np.abs(X[0, 0, :4, :3]) + 0.5, strict=True)), {}),
    "batch norm 14": ("BatchNormalization", 14, [X], dict(zip("abcd", np.abs(X[0, 0, :4, :3]) + 0.5, strict=True)),
                      {"epsilon": 0.1}),
    "dropout 9": ("Dropout", 9, [X], {}, {"ratio": 0.3}),
    "dropout 13": ("Dropout", 13, [X], {"r": np.float32(0.3)}, {}),
    "sum 11": ("ReduceSum", 11, [X], {}, {"axes": [1, -1], "keepdims": 0}),
    "sum 13": ("ReduceSum", 13, [X], {"a": np.array([1])}, {}),
    "sum 13 of nothing": ("ReduceSum", 13, [X], {}, {"noop_with_empty_axes": 1}),
    "mean 13": ("ReduceMean", 13, [X], {}, {"axes": [2]}),
    "mean 18": ("ReduceMean", 18, [X], {"a": np.array([-1, 0])}, {"keepdims": 0}),
    "split 11": ("Split", 11, [X], {}, {"axis": 2, "split": [1, 3], "outputs": 2}),
    "split 13": ("Split", 13, [X], {"s": np.array([3, 1])}, {"axis": 3, "outputs": 2}),
    "split 18": ("Split", 18, [X], {}, {"axis": 1, "num_outputs": 2, "outputs": 2}),
    "top 10": ("TopK", 10, [X], {"k": np.array([2])}, {"outputs": 2}),
    "top 11": ("TopK", 11, [X], {"k": np.array([3])}, {"axis": 1, "largest": 0, "outputs": 2}),
    "gemm 9": ("Gemm", 9, [ROW, ROW], {"c": ROW[:, :2]}, {"transB": 1, "alpha": 0.5, "beta": 2.0}),
    "gemm 11 without c": ("Gemm", 11, [ROW, ROW], {}, {"transA": 1}),
    "reshape 9": ("Reshape", 9, [X], {"s": np.array([0, -1, 2])}, {}),
    "reshape 14": ("Reshape", 14, [X[:0]], {"s": np.array([3, 0, 2])}, {"allowzero": 1}),
    "scatter 9": ("Scatter", 9, [ROW], {"i": np.array([[1, 0]]), "u": np.array([[9, 8]], np.float32)}, {"axis": 1}),
    "scatter elements 18": ("ScatterElements", 18, [ROW], {"i": np.array([[1, 1]]), "u": np.array([[9, 8]], np.float32)},
                            {"axis": 1, "reduction": "max"}),
    "arg max 11": ("ArgMax", 11, [np.round(X)], {}, {"axis": -1, "keepdims": 0}),
    "arg max 12": ("ArgMax", 12, [np.round(X)], {}, {"axis": 2, "select_last_index": 1}),
    "average pool 10": ("AveragePool", 10, [X], {}, {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    "average pool 19": ("AveragePool", 19, [X], {}, {"kernel_shape": [2, 2], "dilations": [2, 2], "pads": [1, 0, 0, 1]}),
    "max pool 12": ("MaxPool", 12, [X], {}, {"kernel_shape": [3, 2], "pads": [1, 1, 1, 1], "strides": [2, 1], "outputs": 2}),
    "max pool, same": ("MaxPool", 9, [X], {}, {"kernel_shape": [3, 3], "auto_pad": "SAME_LOWER", "strides": [2, 2]}),
    "cumulative sum": ("CumSum", 14, [X], {"a": np.array(1)}, {"reverse": 1, "exclusive": 1}),
    "where": ("Where", 16, [X > 0, X, -X], {}, {}),
    "mod": ("Mod", 13, [np.array([-7, 7, 5]), np.array([3, -3, 2])], {}, {}),
    "fmod": ("Mod", 13, [np.array([-7.5, 7.5], np.float32), np.array([2, -2], np.float32)], {}, {"fmod": 1}),
    "integer division": ("Div", 14, [np.array([-7, 7, -6]), np.array([2, -2, 3])], {}, {}),
    "layer norm": ("LayerNormalization", 17, [ROW], {"w": ROW[0], "b": ROW[1]}, {"outputs": 3}),
    "lstm with peepholes and lengths": (
        "LSTM", 14, [np.ones((3, 2, 2), np.float32)],
        {"w": np.full((1, 12, 2), 0.1, np.float32), "r": np.full((1, 12, 3), 0.2, np.float32),
         "b": np.full((1, 24), 0.05, np.float32),
         "n": np.array([3, 1], np.int32), "h": np.zeros((1, 2, 3), np.float32), "c": np.ones((1, 2, 3), np.float32),
         "p": np.full((1, 9), 0.3, np.float32)}, {"hidden_size": 3, "outputs": 3}),
    "gru before the reset": (
        "GRU", 14, [np.ones((3, 2, 2), np.float32)],
        {"w": np.full((2, 9, 2), 0.1, np.float32), "r": np.full((2, 9, 3), 0.2, np.float32),
         "b": np.full((2, 18), 0.05, np.float32)},
        {"hidden_size": 3, "outputs": 2, "direction": "bidirectional"}),
    "rnn with other activations": (
        "RNN", 14, [np.ones((3, 2, 2), np.float32)],
        {"w": np.full((1, 3, 2), 0.1, np.float32), "r": np.full((1, 3, 3), 0.2, np.float32)},
        {"hidden_size": 3, "outputs": 2, "activations": ["LeakyRelu"], "activation_alpha": [0.3], "direction": "reverse"}),
}


@pytest.mark.parametrize("name", CASES)
def test_version(name):
    op, opset, inputs, held, attributes = CASES[name]
    check(model(op, opset, inputs, held, **attributes), inputs)


def test_global_and_region_poolings():
    rois = np.array([[0, 0, 0, 3, 3], [1, 1, 1, 2, 3]], np.float32)
    check(model("MaxRoiPool", 9, [X, rois], pooled_shape=[2, 2]), [X, rois])
    check(model("GlobalLpPool", 9, [X], p=3), [X])


def test_integers_of_every_width():
    for dtype in (np.int8, np.uint8, np.int32, np.int64):
        a, b = np.array([[1, 2], [3, 4]], dtype), np.array([[3], [1]], dtype)
        check(model("Add", 14, [a, b]), [a, b])
        check(model("Less", 13, [a, b]), [a, b])
    for dtype in (np.uint32, np.uint64):
        a, b = np.array([2**31 + 5, 7], dtype), np.array([3, 9], dtype)
        check(model("Mul", 14, [a, b]), [a, b])
        check(model("Max", 13, [a, b]), [a, b])


def shaped(ops, rows=3):
    """A model that computes with the shape of its input.  ops: (operator, inputs, attributes), the last one giving the output."""
    nodes = [helper.make_node("Shape", ["x"], ["shape"])]
    nodes += [helper.make_node(op, inputs, [out], **attributes) for op, inputs, out, attributes in ops]
    held = {"zero": [0], "one": [1], "two": [2], "at0": 0, "at1": 1, "k": 3, "minus": [-1], "flags": [True, False]}
    graph = helper.make_graph(nodes, "shapes", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4, "M"])],
                              [helper.make_empty_tensor_value_info("y")],
                              [numpy_helper.from_array(np.array(v), k) for k, v in held.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


HOST = {
    "gather and concat": [("Gather", ["shape", "at0"], "a", {}), ("Unsqueeze", ["a", "zero"], "b", {}),
                          ("Concat", ["b", "minus"], "y", {"axis": 0})],
    "slice and product": [("Slice", ["shape", "one", "k1"], "a", {}), ("ReduceProd", ["a"], "y", {"keepdims": 0})],
    "arithmetic": [("Add", ["shape", "one"], "a", {}), ("Mul", ["a", "two"], "b", {}), ("Sub", ["b", "one"], "c", {}),
                   ("Div", ["c", "two"], "d", {}), ("Mod", ["d", "two"], "e", {}), ("Neg", ["e"], "f", {}),
                   ("Abs", ["f"], "y", {})],
    "comparisons": [("Greater", ["shape", "two"], "a", {}), ("Equal", ["shape", "two"], "b", {}), ("Or", ["a", "b"], "c", {}),
                    ("Not", ["c"], "d", {}), ("Where", ["d", "one", "shape"], "y", {})],
    "filled": [("Size", ["shape"], "a", {}), ("Unsqueeze", ["a", "zero"], "b", {}), ("ConstantOfShape", ["b"], "c", {}),
               ("Cast", ["c"], "d", {"to": TensorProto.INT64}), ("Add", ["d", "shape"], "y", {})],
    "ranges": [("Gather", ["shape", "at1"], "a", {}), ("Range", ["at0", "a", "at1"], "y", {})],
    "expanded": [("Expand", ["one", "shape1"], "y", {})],
    "shape of shape": [("Shape", ["shape"], "y", {})],
    "squeezed": [("Reshape", ["shape", "minus"], "a", {}), ("Slice", ["a", "zero", "one"], "b", {}),
                 ("Squeeze", ["b", "zero"], "y", {})],
    "floats": [("Cast", ["shape"], "a", {"to": TensorProto.FLOAT}), ("Div", ["a", "a"], "y", {})],
    "split": [("Split", ["shape", "parts"], "y", {"axis": 0})],
}


@pytest.mark.parametrize("name", HOST)
def test_arithmetic_of_shapes(name):
    proto = shaped(HOST[name])
    for k, v in {"k1": [3], "shape1": [5], "parts": [1, 2]}.items():
        proto.graph.initializer.append(numpy_helper.from_array(np.array(v), k))
    if name == "split":
        proto.graph.node[-1].output.append("rest")
    x = np.zeros((3, 4, 2), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = ReferenceEvaluator(proto).run(None, {"x": x})[0]
    loaded = ct.onnx.load(proto.SerializeToString())
    got = loaded(x)
    assert got.numpy().dtype == wanted.dtype
    np.testing.assert_array_equal(got.numpy(), wanted)
    assert all(step.host is not None for step in loaded._body.steps[1:]), "waits for the device"


def test_shapes_on_the_host_wait_for_nothing(monkeypatch):
    proto = shaped([*HOST["gather and concat"][:-1], ("Concat", ["b", "minus"], "s", {"axis": 0}),
                    ("Reshape", ["x", "s"], "y", {})])
    loaded = ct.onnx.load(proto.SerializeToString())
    monkeypatch.setattr(ct.Tensor, "numpy", None)
    assert loaded(ct.zeros(3, 4, 2)).shape == (3, 8)


def test_operators_that_the_package_onnx_defines_by_others():
    node = helper.make_node("Softplus", ["x"], ["y"])
    assert onnx.defs.get_schema("Softplus", 18, "").has_function
    proto = helper.make_model(helper.make_graph([node], "g", [helper.make_tensor_value_info("x", 1, [3])],
                                                [helper.make_tensor_value_info("y", 1, [3])]),
                              opset_imports=[helper.make_opsetid("", 18)])
    x = np.array([-100, 0, 100], np.float32)
    np.testing.assert_allclose(ct.onnx.load(proto.SerializeToString())(x).numpy(), np.logaddexp(x, 0), atol=1e-6)
