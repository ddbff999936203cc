"""Models: a Builder's nodes as a ModelProto, and models in files."""

from pathlib import Path

from ...base import dtypes
from ...base.extras import extra
from ...io.atomic import replacing
from ...version import __version__
from .builder import Builder

LARGEST = 2**31 - 2**24  # bytes of weights that a message of protobuf holds beside the nodes
EXTERNAL = 1024  # bytes from which on a tensor is external
_CODES = {"float32": 1, "uint8": 2, "int8": 3, "uint16": 4, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float16": 10,
          "float64": 11, "uint32": 12, "uint64": 13, "complex64": 14, "complex128": 15, "bfloat16": 16}


def code(dtype):
    """ONNX's number for an element type."""
    return _CODES[dtype.name.rstrip("_")]


class ModelWriter:
    """Makes the ModelProto of a Builder.  call: the public function that asks."""

    def __init__(self, call):
        self.onnx, self.call = extra("onnx", "onnx", call), call

    def model(self, builder, inputs, outputs, dims, also_inputs=False):
        """The model; dims: {wire's name: a number, a name or None for each dimension}; also_inputs: whether weights are inputs."""
        graph = self.onnx.GraphProto(name="main_graph")
        self._fill(graph, builder, {w.name for w in outputs})
        weights = builder.weights.values() if also_inputs else ()
        graph.input.extend([self._info(w, dims) for w in (*inputs, *weights)])
        graph.output.extend([self._info(w, dims) for w in outputs])
        model = self.onnx.ModelProto(producer_name="cltensor", producer_version=__version__)
        model.ir_version = self.onnx.helper.OP_SET_ID_VERSION_MAP["ai.onnx", builder.opset]
        model.opset_import.add(domain="", version=builder.opset)
        model.graph.CopyFrom(graph)
        return model

    def _fill(self, graph, builder, outputs):
        """Nodes and initialisers; of equal small constants one is kept."""
        self.known, self.constants, used = {name: name for name in builder.weights}, [], set()
        for node in builder.nodes:
            graph.node.append(self._node(node, used))
        for wire in builder.weights.values():
            if wire.name in used or wire.name in outputs:
                graph.initializer.append(self._tensor(wire, wire.name))
        graph.initializer.extend([self._tensor(w, n) for n, w in self.constants])

    def _node(self, node, used):
        names = []
        for wire in node.inputs:
            names.append("" if wire is None else self._name(wire))
            used.add(names[-1])
        while names and not names[-1]:
            names.pop()
        made = self.onnx.NodeProto(op_type=node.operator, input=names, output=[w.name for w in node.outputs])
        made.name = f"{node.outputs[0].name}_{node.operator}"
        if node.origin:
            made.doc_string = node.origin
        for name, value in node.attributes.items():
            made.attribute.append(self._attribute(name, value, used))
        return made

    def _name(self, wire):
        """The name of a wire; that of a constant is the first one's with its contents."""
        if wire.value is None or wire.name in self.known:
            return self.known.get(wire.name, wire.name)
        key = (wire.dtype.name, wire.shape, wire.value.tobytes()) if wire.value.nbytes <= EXTERNAL else id(wire.value)
        name = self.known.get(key)
        if name is None:
            name = self.known[key] = wire.name
            self.constants.append((name, wire))
        self.known[wire.name] = name
        return name

    def _attribute(self, name, value, used):
        if isinstance(value, dtypes.dtype):
            value = code(value)
        if isinstance(value, Builder):
            return self.onnx.helper.make_attribute(name, self._subgraph(value, used))
        return self.onnx.helper.make_attribute(name, value)

    def _subgraph(self, builder, used):
        graph = self.onnx.GraphProto(name=f"{builder.prefix}body")
        for node in builder.nodes:
            graph.node.append(self._node(node, used))
        for part, wires in ((graph.input, builder.arguments), (graph.output, builder.returned)):
            part.extend([self._info(w, {w.name: [None] * w.ndim}) for w in wires])
        return graph

    def _info(self, wire, dims):
        return self.onnx.helper.make_tensor_value_info(wire.name, code(wire.dtype), dims.get(wire.name, list(wire.shape)))

    def _tensor(self, wire, name):
        return self.onnx.TensorProto(name=name, dims=wire.shape, data_type=code(wire.dtype), raw_data=wire.value.tobytes())


def size_of(model):
    """The bytes of a model's weights."""
    return sum(len(t.raw_data) for t in model.graph.initializer)


def save(model, path, external=None):
    """Write a model to a file, and its weights to a second one, NAME.data, where `external` or where one cannot hold both.

    The files are complete or not there.
    """
    path = Path(path)
    external = size_of(model) > LARGEST if external is None else external
    if external:
        model = _outside(model, path.with_name(f"{path.name}.data"))
    _write(path, [model.SerializeToString()])
    return external


def _outside(model, path):
    """A copy of a model, with its larger tensors in a file."""
    small, pieces, at = type(model)(), [], 0
    tensors = list(model.graph.initializer)
    small.CopyFrom(_without(model))
    for tensor in tensors:
        data = tensor.raw_data
        if len(data) < EXTERNAL:
            small.graph.initializer.append(tensor)
            continue
        padding = -at % 64
        kept = small.graph.initializer.add(name=tensor.name, dims=tensor.dims, data_type=tensor.data_type, data_location=1)
        for key, value in (("location", path.name), ("offset", at + padding), ("length", len(data))):
            kept.external_data.add(key=key, value=str(value))
        pieces += [b"\0" * padding, data]
        at += padding + len(data)
    _write(path, pieces)
    return small


def _without(model):
    """A model without its initialisers."""
    made = type(model)(ir_version=model.ir_version, producer_name=model.producer_name, producer_version=model.producer_version)
    made.opset_import.extend(model.opset_import)
    made.graph.name = model.graph.name
    for part in ("node", "input", "output", "value_info"):
        getattr(made.graph, part).extend(getattr(model.graph, part))
    return made


def _write(path, pieces):
    """Write a file: complete, or not at all."""
    with replacing(path) as file:
        for piece in pieces:
            file.write(piece)
