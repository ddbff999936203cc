"""Networks in the ONNX format, node by node, with random weights.

Each function gives (model, inputs): a ModelProto and NumPy arrays for its inputs.
"""

import numpy as np

from onnx import TensorProto, helper, numpy_helper


class Nodes:
    """Nodes and initialisers, collected in order."""

    def __init__(self, seed=0):
        self.rng, self.nodes, self.held, self.count = np.random.default_rng(seed), [], [], 0

    def weight(self, name, *shape, scale=None):
        """A float32 initialiser of small random numbers."""
        scale = 1 / np.sqrt(max(np.prod(shape[1:]), 1)) if scale is None else scale
        return self.array(name, (self.rng.standard_normal(shape) * scale).astype(np.float32))

    def array(self, name, values):
        """An initialiser."""
        self.held.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def __call__(self, op, *inputs, outputs=1, **attributes):
        """A node; returns the name of its output, or a list of them."""
        self.count += 1
        names = [f"{op.lower()}_{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{self.count}", **attributes))
        return names[0] if outputs == 1 else names

    def model(self, inputs, outputs, opset=18):
        """The ModelProto.  inputs, outputs: (name, element type, shape)."""
        infos = [[helper.make_tensor_value_info(*one) for one in some] for some in (inputs, outputs)]
        graph = helper.make_graph(self.nodes, "network", *infos, self.held)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


F, INT = TensorProto.FLOAT, TensorProto.INT64


def convolutional():
    """Convolutions, batch norms, a residual sum, poolings and a linear layer."""
    n = Nodes()

    def block(x, name, channels, out, stride=1):
        w = n.weight(f"{name}.conv.weight", out, channels, 3, 3)
        y = n("Conv", x, w, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[stride, stride])
        stats = (n.array(f"{name}.bn.weight", np.ones(out, np.float32)), n.weight(f"{name}.bn.bias", out, scale=0.1),
                 n.weight(f"{name}.bn.running_mean", out, scale=0.1),
                 n.array(f"{name}.bn.running_var", n.rng.uniform(0.5, 1.5, out).astype(np.float32)))
        return n("Relu", n("BatchNormalization", y, *stats, epsilon=1e-5))

    x = block("images", "stem", 3, 8, 2)
    x = n("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=0)
    x = n("Add", block(x, "layer1.0", 8, 8), x)
    x = n("Flatten", n("GlobalAveragePool", block(x, "layer1.1", 8, 16)))
    y = n("Gemm", x, n.weight("fc.weight", 5, 16), n.weight("fc.bias", 5), transB=1)
    n.nodes[-1].output[0] = "scores"
    images = np.random.default_rng(1).standard_normal((2, 3, 20, 20)).astype(np.float32)
    assert y
    return n.model([("images", F, ["N", 3, 20, 20])], [("scores", F, ["N", 5])]), {"images": images}


def recurrent(kind="LSTM", direction="bidirectional"):
    """An embedding, a recurrent layer and a linear layer over its states."""
    n, hidden, both = Nodes(), 6, 2 if direction == "bidirectional" else 1
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
    x = n("Transpose", n("Gather", n.weight("embedding.weight", 11, 7), "tokens"), perm=[1, 0, 2])
    more = {"linear_before_reset": 1} if kind == "GRU" else {}
    y, *_ = n(kind, x, n.weight("rnn.w", both, gates * hidden, 7), n.weight("rnn.r", both, gates * hidden, hidden),
              n.weight("rnn.b", both, 2 * gates * hidden, scale=0.1), outputs=3 if kind == "LSTM" else 2, hidden_size=hidden,
              direction=direction, **more)
    y = n("Transpose", y, perm=[2, 0, 1, 3])
    y = n("Reshape", y, n.array("flat", np.array([0, 0, -1])))
    n("MatMul", y, n.weight("head.weight", both * hidden, 4))
    n.nodes[-1].output[0] = "scores"
    tokens = np.random.default_rng(1).integers(0, 11, (3, 5))
    return n.model([("tokens", INT, ["N", "T"])], [("scores", F, ["N", "T", 4])]), {"tokens": tokens}


def transformer(opset=18):
    """An encoder layer whose heads are split by shapes computed in the graph."""
    n, width, heads = Nodes(), 12, 3

    def linear(x, name, a, b):
        return n("Add", n("MatMul", x, n.weight(f"{name}.weight", a, b)), n.weight(f"{name}.bias", b, scale=0.1))

    def normal(x, name):
        return n("LayerNormalization", x, n.array(f"{name}.weight", np.ones(width, np.float32)), n.weight(f"{name}.bias", width),
                 axis=-1)

    shape = n("Shape", "x")
    batch, length = (n("Gather", shape, n.array(f"at{i}", np.array(i)), axis=0) for i in (0, 1))
    axes = n.array("axes0", np.array([0]))
    parts = [n("Unsqueeze", s, axes) for s in (batch, length)]
    split = n("Concat", *parts, n.array("heads", np.array([heads])), n.array("size", np.array([width // heads])), axis=0)
    whole = n("Concat", *parts, n.array("width", np.array([width])), axis=0)

    def parted(x):
        return n("Transpose", n("Reshape", x, split), perm=[0, 2, 1, 3])

    q, k, v = (parted(linear("x", f"attn.{name}", width, width)) for name in "qkv")
    scores = n("Div", n("MatMul", q, n("Transpose", k, perm=[0, 1, 3, 2])), n.array("root", np.float32(2.0)))
    mixed = n("MatMul", n("Softmax", scores, axis=-1), v)
    mixed = linear(n("Reshape", n("Transpose", mixed, perm=[0, 2, 1, 3]), whole), "attn.out", width, width)
    x = normal(n("Add", "x", mixed), "norm1")
    inner = linear(x, "ff.0", width, 4 * width)
    erf = n("Add", n("Erf", n("Div", inner, n.array("root2", np.float32(np.sqrt(2))))), n.array("one", np.float32(1)))
    inner = n("Mul", n("Mul", inner, erf), n.array("half", np.float32(0.5)))
    x = normal(n("Add", x, linear(inner, "ff.1", 4 * width, width)), "norm2")
    n("Slice", x, n.array("first", np.array([0])), n.array("second", np.array([1])), n.array("axes1", np.array([1])))
    n.nodes[-1].output[0] = "y"
    x = np.random.default_rng(1).standard_normal((2, 4, width)).astype(np.float32)
    return n.model([("x", F, ["N", "T", width])], [("y", F, ["N", 1, width])], opset), {"x": x}


def upsampling():
    """A small U: down by strides, up by Resize and by a transposed convolution, joined by Concat."""
    n = Nodes()
    a = n("Relu", n("Conv", "x", n.weight("down1.weight", 4, 2, 3, 3), n.weight("down1.bias", 4), pads=[1, 1, 1, 1]))
    b = n("Relu", n("Conv", a, n.weight("down2.weight", 8, 4, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2]))
    up = n("Resize", b, "", n.array("scales", np.array([1, 1, 2, 2], np.float32)), mode="linear",
           coordinate_transformation_mode="half_pixel")
    other = n("ConvTranspose", b, n.weight("up.weight", 8, 4, 2, 2), strides=[2, 2])
    joined = n("Concat", a, up, other, axis=1)
    joined = n("Pad", joined, n.array("pads", np.array([0, 0, 1, 1, 0, 0, 1, 1])), mode="reflect")
    n("Sigmoid", n("Conv", joined, n.weight("head.weight", 1, 16, 3, 3)))
    n.nodes[-1].output[0] = "mask"
    x = np.random.default_rng(1).standard_normal((1, 2, 8, 6)).astype(np.float32)
    return n.model([("x", F, [1, 2, "H", "W"])], [("mask", F, [1, 1, "H", "W"])]), {"x": x}


def quantised():
    """A convolution and a product in int8, quantised and dequantised by nodes."""
    n = Nodes()
    scale, zero = n.array("scale", np.float32(0.05)), n.array("zero", np.uint8(120))
    x = n("QuantizeLinear", "x", scale, zero)
    w = n.array("w", n.rng.integers(-90, 90, (4, 3, 3, 3)).astype(np.int8))
    scales = n.array("w_scale", np.array([0.01, 0.02, 0.015, 0.01], np.float32))
    y = n("QLinearConv", x, scale, zero, w, scales, n.array("w_zero", np.zeros(4, np.int8)), n.array("y_scale", np.float32(0.2)),
          n.array("y_zero", np.uint8(128)), n.array("bias", np.array([10, -20, 30, 0], np.int32)), pads=[1, 1, 1, 1])
    y = n("DequantizeLinear", y, "y_scale", "y_zero")
    q, s, z = n("DynamicQuantizeLinear", n("Flatten", y), outputs=3)
    product = n("MatMulInteger", q, n.array("m", n.rng.integers(-50, 50, (4 * 16, 5)).astype(np.int8)), z)
    n("Mul", n("Cast", product, to=F), s)
    n.nodes[-1].output[0] = "y"
    x = np.random.default_rng(1).standard_normal((2, 3, 4, 4)).astype(np.float32)
    return n.model([("x", F, ["N", 3, 4, 4])], [("y", F, ["N", 5])]), {"x": x}


def looping():
    """A Loop that doubles until a sum is large, with an If inside, and a Scan of running sums."""
    n = Nodes()
    def way(node, out):
        return helper.make_graph([node], out, [], [helper.make_tensor_value_info(out, F, None)])

    one = way(helper.make_node("Identity", ["doubled"], ["then_out"]), "then_out")
    two = way(helper.make_node("Mul", ["doubled", "half"], ["else_out"]), "else_out")
    body = helper.make_graph(
        [helper.make_node("Add", ["state", "state"], ["doubled"]),
         helper.make_node("ReduceSum", ["doubled"], ["total"], keepdims=0),
         helper.make_node("Less", ["total", "limit"], ["small"]),
         helper.make_node("If", ["small"], ["next"], then_branch=one, else_branch=two),
         helper.make_node("Identity", ["small"], ["going"])],
        "body", [helper.make_tensor_value_info("i", INT, []), helper.make_tensor_value_info("cond", TensorProto.BOOL, []),
                 helper.make_tensor_value_info("state", F, None)],
        [helper.make_tensor_value_info("going", TensorProto.BOOL, []), helper.make_tensor_value_info("next", F, None),
         helper.make_tensor_value_info("total", F, [])])
    n.array("limit", np.float32(100)), n.array("half", np.float32(0.5))
    last, totals = n("Loop", n.array("most", np.array(50)), "", "x", outputs=2, body=body)
    step = helper.make_graph(
        [helper.make_node("Add", ["sum", "row"], ["sum_out"]), helper.make_node("Identity", ["sum_out"], ["kept"])], "step",
        *([helper.make_tensor_value_info(name, F, [3]) for name in names] for names in (("sum", "row"), ("sum_out", "kept"))))
    _, sums = n("Scan", n.array("zero", np.zeros(3, np.float32)), last, outputs=2, body=step, num_scan_inputs=1)
    n("Identity", totals), n("Identity", sums)
    n.nodes[-2].output[0], n.nodes[-1].output[0] = "totals", "sums"
    x = np.random.default_rng(1).uniform(0.1, 1, (2, 3)).astype(np.float32)
    return n.model([("x", F, [2, 3])], [("totals", F, ["K"]), ("sums", F, [2, 3])]), {"x": x}


def graph_of(nodes, name, inputs, outputs):
    """A GraphProto inside another.  inputs, outputs: (name, element type) each; shapes are left open, but for i and cond."""
    infos = [[helper.make_tensor_value_info(one, kind, [] if one in ("i", "cond", "going") else None) for one, kind in some]
             for some in (inputs, outputs)]
    return helper.make_graph(nodes, name, *infos)


def choosing():
    """An If by a value, whose graphs read the input and a weight of the graph around them."""
    n = Nodes()
    ways = [graph_of([helper.make_node("MatMul", ["x", "w.weight"], ["m"]), helper.make_node("Tanh", ["m"], ["t"])], "then", [],
                     [("t", F)]),
            graph_of([helper.make_node("Neg", ["x"], ["e"])], "else", [], [("e", F)])]
    n.weight("w.weight", 3, 3)
    large = n("Greater", n("ReduceSum", "x", keepdims=0), n.array("limit", np.float32(1)))
    n("Add", n("If", large, then_branch=ways[0], else_branch=ways[1]), "x")
    n.nodes[-1].output[0] = "y"
    x = np.random.default_rng(1).uniform(0.3, 1, (2, 3)).astype(np.float32)
    return n.model([("x", F, [2, 3])], [("y", F, [2, 3])]), {"x": x}


def repeating():
    """A Loop that doubles its input until the sum is large."""
    n = Nodes()
    nodes = [helper.make_node("Add", ["state", "state"], ["next"]), helper.make_node("ReduceSum", ["next"], ["total"], keepdims=0),
             helper.make_node("Less", ["total", "limit"], ["going"])]
    body = graph_of(nodes, "body", [("i", INT), ("cond", TensorProto.BOOL), ("state", F)],
                    [("going", TensorProto.BOOL), ("next", F)])
    n.array("limit", np.float32(100))
    n("Loop", n.array("most", np.array(20)), "", "x", body=body)
    n.nodes[-1].output[0] = "y"
    x = np.random.default_rng(1).uniform(0.3, 1, (2, 3)).astype(np.float32)
    return n.model([("x", F, [2, 3])], [("y", F, [2, 3])]), {"x": x}


ALL = {
    "convolutional": convolutional, "upsampling": upsampling, "transformer": transformer, "quantised": quantised,
    "looping": looping, "choosing": choosing, "repeating": repeating, "lstm": recurrent, "gru": lambda: recurrent("GRU"),
       "rnn": lambda: recurrent("RNN", "reverse"),
    "lstm of one": lambda: recurrent("LSTM", "forward"),
}
