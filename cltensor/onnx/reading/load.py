"""load: an ONNX file as a Module."""

from __future__ import annotations

from os import PathLike
from typing import IO

from ...base.errors import CLTensorError, SerializationError, UnsupportedError
from . import operators, rules
from .builder import Builder, Known, refused
from .model import Model, filled
from .model_file import opened
from .signature import Declared, declared_inputs, newest_opset


def load(f: str | PathLike[str] | bytes | IO[bytes]) -> Model:
    """The model in an ONNX file, as a Module: its parameters train, and it runs eagerly, compiled or as a static graph.

    Operators of versions 9 and later of the default operator set, control flow, sequences, and functions are read; `info` says
    whether anything is missing.  Types that devices do not have (float8, int4, ...) are held in wider ones: float32, int8, uint8.
    Nothing runs at loading, and the file is data: tensors must be as large as their shapes say, and external data must lie in the
    model's folder.  f: a path, bytes, or a binary file; tensors get the shapes and dtypes of the file.
    Raises SerializationError for a file that is damaged, cut short or no ONNX model, UnsupportedError, naming the node, for
    operators without a rule; MissingPackageError without the package onnx.  Source: the ONNX specification (onnx.ai).

    Example::

        model = cltensor.onnx.load("resnet18.onnx")
        optimizer = cltensor.optim.SGD(model.parameters(), 0.01)
        scores = model(images)
    """
    file = opened(f, "onnx.load")
    try:
        model = made(file)
    except CLTensorError as error:
        text = str(error).removeprefix("onnx.load: ")
        raise type(error)(f"onnx.load: {file.name}: {text}") from error.__cause__
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        raise SerializationError(f"onnx.load: {file.name}: is damaged: {error}") from error
    return model


def made(file):
    """The Model of a ModelFile."""
    graph = file.proto.graph
    versions = versions_of(file.proto)
    newest = min(newest_opset(), operators.NEWEST)
    if versions.get("", 1) > newest:
        raise UnsupportedError(f"uses version {versions['']} of ONNX's operators, and the newest known here is {newest}; "
                               "export it with an older opset_version")
    inputs, optional = declared_inputs(graph)
    held = Known([*(t.name for t in graph.initializer), *(s.values.name for s in graph.sparse_initializer)])
    body = Builder(file, refused).graph(graph, versions, held, initializers=False)
    model = Model(graph.name, body, inputs, [Declared(o) for o in graph.output])
    model._optional = optional
    return filled(model, file)


def versions_of(proto):
    """{domain: version} of the operator sets that a ModelProto imports."""
    rules.loaded()
    return {operators.ALIASES.get(o.domain, o.domain): o.version for o in proto.opset_import}
