"""info: what is in an ONNX file, and what of it cannot be computed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from os import PathLike
from typing import IO

from ...base.errors import CLTensorError, SerializationError
from . import operators
from .arrays import described
from .builder import Builder, Known
from .load import versions_of
from .model_file import opened
from .signature import Declared, declared_inputs, newest_opset


@dataclass
class Info:
    """What `info` tells of an ONNX file; printed, it is a report.

    Attributes: file; producer; ir_version; opsets, {domain: version}; inputs and outputs, texts with dtypes and shapes such as
    "x: float32[N, 3]"; operators, {name: count}, those inside subgraphs and functions included; functions, names of those the
    model defines; parameters and bytes, counts over the initialisers; external, {file: bytes}; missing, a text for everything that
    stands in the way of `load`.
    Never raises.  Source: the ONNX specification.

    Example::

        if not cltensor.onnx.info("model.onnx").missing: ...
    """

    file: str
    producer: str
    ir_version: int
    opsets: dict[str, int]
    inputs: list[str]
    outputs: list[str]
    operators: dict[str, int]
    functions: list[str]
    parameters: int
    bytes: int
    external: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def __str__(self):
        opsets = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in self.opsets.items())
        lines = [f"{self.file}: {self.producer or 'unknown producer'}, IR version {self.ir_version}, operators of {opsets}",
                 *(f"  input   {text}" for text in self.inputs), *(f"  output  {text}" for text in self.outputs),
                 f"  {self.parameters} numbers in initialisers, {self.bytes} bytes",
                 *(f"  external data: {name}, {size} bytes" for name, size in self.external.items()),
                 "  operators: " + ", ".join(f"{name} {n}" for name, n in self.operators.items())]
        return "\n".join([*lines, *(f"  missing: {text}" for text in self.missing or ["nothing"])])


def info(f: str | PathLike[str] | bytes | IO[bytes]) -> Info:
    """What an ONNX file needs, and what of it is missing here, before anything of it is loaded or run.

    f: a path, bytes, or a binary file; shapes and dtypes of inputs are told as the file declares them.
    Raises SerializationError for a file that is damaged, cut short or no ONNX model; MissingPackageError without the package onnx.
    Source: the ONNX specification (onnx.ai).

    Example::

        print(cltensor.onnx.info("resnet18.onnx"))
    """
    file = opened(f, "onnx.info")
    proto, graph = file.proto, file.proto.graph
    try:
        tensors = [*graph.initializer, *(s.values for s in graph.sparse_initializer)]
        sizes = [described(t) for t in tensors]
        inputs, optional = declared_inputs(graph)
        return Info(
            file=str(file.name), producer=" ".join(filter(None, (proto.producer_name, proto.producer_version))),
            ir_version=proto.ir_version, opsets=versions_of(proto), inputs=[str(i) for i in inputs if i.name not in optional],
            outputs=[str(Declared(o)) for o in graph.output], operators=dict(sorted(_counts(proto).items())),
            functions=[f"{f.domain}.{f.name}" for f in proto.functions],
            parameters=sum(math.prod(shape) for _, shape, _ in sizes), bytes=sum(size for *_, size in sizes),
            external=_external(tensors), missing=_missing(file))
    except CLTensorError as error:
        text = str(error).removeprefix("onnx.info: ")
        raise type(error)(f"onnx.info: {file.name}: {text}") from error.__cause__
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        raise SerializationError(f"onnx.info: {file.name}: is damaged: {error}") from error


def _missing(file):
    """Texts of what stands in the way of load."""
    found, graph = [], file.proto.graph
    versions, newest = versions_of(file.proto), min(newest_opset(), operators.NEWEST)
    if versions.get("", 1) > newest:
        found.append(f"version {versions['']} of ONNX's operators; the newest known here is {newest}")
    held = Known([*(t.name for t in graph.initializer), *(s.values.name for s in graph.sparse_initializer)])
    try:
        Builder(file, found.append).graph(graph, versions, held, initializers=False)
        for tensor in graph.initializer:
            if tensor.data_location == tensor.EXTERNAL:
                file.external({e.key: e.value for e in tensor.external_data}, described(tensor)[2])
    except CLTensorError as error:
        found.append(str(error).removeprefix("onnx.info: "))
    return list(dict.fromkeys(found))


def _counts(proto):
    counts, graphs = Counter(), [proto.graph.node, *(f.node for f in proto.functions)]
    while graphs:
        for node in graphs.pop():
            counts[f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type] += 1
            graphs.extend(a.g.node for a in node.attribute if a.HasField("g"))
    return counts


def _external(tensors):
    sizes = Counter()
    for tensor in tensors:
        if tensor.data_location == tensor.EXTERNAL:
            sizes[next((e.value for e in tensor.external_data if e.key == "location"), "")] += described(tensor)[2]
    return dict(sizes)
