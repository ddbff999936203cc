"""Folding: nodes that read constants alone become constants; weights are none, as they keep their names."""

import numpy as np

LARGEST = 1 << 20  # bytes of a result that is kept; what is larger is cheaper to compute than to store
_RANDOM = ("RandomNormal", "RandomUniform", "Bernoulli", "Multinomial")


def folded(onnx, evaluator, model, weights):
    """Fold a ModelProto in place; weights: names of initialisers that are no constants; evaluator: onnx.reference's class."""
    graph, outputs = model.graph, {o.name for o in model.graph.output}
    constants = {t.name: t for t in graph.initializer if t.name not in weights}
    kept = []
    for node in graph.node:
        made = None
        if _is_constant(node, constants) and outputs.isdisjoint(node.output):
            made = _evaluated(onnx, evaluator, model, node, constants)
        if made is None:
            kept.append(node)
        else:
            constants.update(made)
    used = {name for node in kept for name in _read(node)}
    tensors = [t for t in graph.initializer if t.name in weights]
    tensors += [t for name, t in constants.items() if name in used]
    for field, values in ((graph.node, kept), (graph.initializer, tensors)):
        del field[:]
        field.extend(values)


def _is_constant(node, constants):
    given = [name for name in node.input if name]
    inner = any(a.HasField("g") for a in node.attribute)
    return given and not inner and not node.op_type.startswith(_RANDOM) and all(name in constants for name in given)


def _read(node):
    """The names that a node reads, inside of its subgraphs too."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)


def _evaluated(onnx, evaluator, model, node, constants):
    """{output: its value as a TensorProto}; None where that is large, or the reference evaluator has no such operator."""
    given = {name: constants[name] for name in node.input if name}
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.output if name]
    graph = onnx.helper.make_graph([node], "folded", [], outputs, list(given.values()))
    try:
        small = onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
        values = evaluator(small).run(None, {})
    except Exception:  # whatever the evaluator raises, the node stays
        return None
    if sum(np.asarray(v).nbytes for v in values) > LARGEST:
        return None
    names = [name for name in node.output if name]
    return {name: onnx.numpy_helper.from_array(np.asarray(v), name) for name, v in zip(names, values, strict=True)}
