"""export: a model as a file in the ONNX format."""

from __future__ import annotations

import contextlib
import inspect
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...base.errors import ArgumentError, ArgumentTypeError, CLTensorError, GraphError
from ...base.extras import extra
from ...graph.formulas import NotGeneral
from ...graph.structure import flatten, unflatten
from ...nn.modules.module import Module
from ...tensor.core.tensor import Tensor
from . import comparing
from .axes import TRACES
from .axes import dynamic_axes as axes_of
from .builder import checked_opset
from .folding import folded
from .lowering import Lowering
from .model import LARGEST, ModelWriter, save, size_of
from .sizes import Sizes, symbolic
from .tracing import evaluated, trace

CALL = "onnx.export"
OPSET = 18  # the version of the operators that is written by default


def export(model: Module | Callable[..., Any], args: Tensor | Sequence[Any] = (), f: str | os.PathLike[str] | None = None, *,
           kwargs: Mapping[str, Any] | None = None, verbose: bool | None = None, input_names: Sequence[str] | None = None,
           output_names: Sequence[str] | None = None, opset_version: int | None = None, external_data: bool | None = None,
           dynamic_shapes: Mapping[str, Any] | Sequence[Any] | None = None, check: bool = True, export_params: bool = True,
           keep_initializers_as_inputs: bool = False, do_constant_folding: bool = True,
           dynamic_axes: Mapping[str, Mapping[int, str] | Sequence[int]] | None = None, training: bool | None = False) -> Any:
    """Write a model to a file in the ONNX format, and return it as an onnx.ModelProto.

    The model is run once and the ops that ran are written, so choices that Python makes are those of this run.  Weights have their
    names in state_dict; the model is in eval mode meanwhile, and in its own again afterwards.

    Args:
        model: a Module, or a function of tensors.
        args: an example of its positional arguments: a Tensor, or a sequence of tensors, nested too, and other values, which
            become part of the model.  Tensors may have any shape and any dtype but complex ones.
        f: the path to write to; None only returns the model.  The file is complete or not there.
        kwargs: arguments by name.
        verbose: whether to print the model as text.
        input_names, output_names: names of the tensors in and out, in order; by default the parameters' names, and output_0 and on.
        opset_version: the version of ONNX's operators, 13 or newer; by default 18.
        external_data: whether the weights go to a second file, F.data; None: where one file cannot hold them, from 2 GB on.
        dynamic_axes: {name of an input: {dimension: name of its size}} or {name: [dimensions]}: sizes that may differ from the
            example's.  The model is traced for three sizes, and what differs must follow from the sizes.  Dimensions of one name
            have one size.
        dynamic_shapes: the same as torch.export has it: by parameter, or in the order of the arguments, {dimension: name} or
            a sequence over the dimensions with None for fixed ones; a name may be an object with `__name__`, `min` and `max`.
        check: whether to run the model in onnxruntime, where that is installed, and compare its results with the example's.
        export_params: whether the file holds the weights; otherwise they are inputs.
        keep_initializers_as_inputs: whether weights are inputs as well, which replace them.
        do_constant_folding: whether nodes that read constants alone, not weights, become constants.
        training: whether the model is in training mode meanwhile; None leaves its mode.
    Returns: the model, checked by onnx.checker with its shape inference.
    Raises: MissingPackageError without the package onnx; UnmappedError, which names the op, the module and the line, for what ONNX
        has nothing for; CaptureError where Python reads values; GraphError where dynamic sizes follow no rule; DifferentError
        where onnxruntime finds other results; ArgumentError.
    Numerics: 16-bit numbers are computed in float32 by elementwise ops, as here; results agree but for the order of sums.
    Source: the ONNX specification, versions of operators 13 to 28; torch.onnx.export's arguments.

        model = ct.nn.Linear(4, 2)
        ct.onnx.export(model, ct.randn(3, 4), "linear.onnx", input_names=["x"], dynamic_axes={"x": {0: "batch"}})
    """
    onnx = extra("onnx", "onnx", CALL)
    opset = checked_opset(OPSET if opset_version is None else opset_version, onnx.defs.onnx_opset_version(), CALL)
    args, kwargs = _arguments(model, args, kwargs)
    made = _Export(model, args, kwargs, opset, input_names, output_names)
    with evaluated(model, model.training if training is None and isinstance(model, Module) else bool(training)):
        made.lower(dynamic_axes, dynamic_shapes)
    proto = made.proto(export_params, keep_initializers_as_inputs)
    if do_constant_folding:
        folded(onnx, extra("onnx.reference", "onnx", CALL).ReferenceEvaluator, proto, set(made.builder.weights))
    _check(onnx, proto, made, check and export_params)
    if verbose:
        print(onnx.printer.to_text(proto))
    if f is not None:
        save(proto, f, external_data)
    return proto


def _arguments(model, args, kwargs):
    if not callable(model):
        raise ArgumentTypeError(f"{CALL}: expected a Module or a function, got {type(model).__name__}")
    args = (args,) if isinstance(args, Tensor) else args
    if not isinstance(args, (tuple, list)):
        raise ArgumentTypeError(f"{CALL}: args must be a tensor or a sequence of arguments, got {type(args).__name__}")
    return tuple(args), dict(kwargs or {})


def _check(onnx, proto, made, compare):
    """onnx.checker's judgement, and onnxruntime's results beside those here."""
    with tempfile.TemporaryDirectory() as folder:
        large = size_of(proto) > LARGEST
        given = proto
        if large:
            given = str(Path(folder) / "model.onnx")
            save(proto, given, True)
        try:
            onnx.checker.check_model(given, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise GraphError(f"{CALL}: onnx.checker refuses the model for opset_version {made.opset}: {error}") from error
        if compare and comparing.is_there() and not comparing.is_random(made.builder.nodes):
            runs = [({name: comparing.array(x) for name, x in zip(made.input_names, tensors, strict=True)}, results)
                    for tensors, results in made.runs]
            comparing.compare(CALL, given if large else proto.SerializeToString(), runs)


class _Export:
    """A model on its way to ONNX.  runs: [(input tensors, results)] of its traces; builder: what was lowered."""

    def __init__(self, model, args, kwargs, opset, input_names, output_names):
        self.model, self.opset, self.output_names = model, opset, output_names
        leaves, self.template = flatten((args, kwargs))
        self.leaves = [_copy(x) for x in leaves]
        self.tensors = [x for x in self.leaves if isinstance(x, Tensor)]
        self.named = _parameters(model, args, kwargs)
        self.kwargs = kwargs
        self.input_names = _input_names(self.named, kwargs, len(self.tensors), input_names)
        self.runs, self.dims, self.weights = [], {}, {}

    def lower(self, axes, shapes):
        """Trace and lower the model, for several sizes where some are dynamic."""
        found = axes_of(CALL, self.tensors, self.input_names, list(self.output_names or ()), axes, shapes, self.named, self.kwargs)
        if found is None:
            one = self._lowered(self.tensors, True)
            self.builder, self.inputs, self.outputs = one.builder, one.inputs, one.outputs
        else:
            self._for_all_sizes(found)
        self._name_outputs()

    def _for_all_sizes(self, axes):
        reason = None
        for plan in axes.plans():
            self.runs = []
            try:
                lowered = [self._lowered(axes.resized(self.tensors, sizes), False) for sizes in plan[:TRACES]]
                Sizes(lowered)
            except (NotGeneral, CLTensorError) as error:
                reason = error if reason is None or isinstance(error, NotGeneral) else reason
                continue
            self._keep(lowered, axes, plan[:TRACES])
            with contextlib.suppress(CLTensorError):  # a size that was not seen, where the model takes it
                self._traced(axes.resized(self.tensors, plan[TRACES]))
            return
        if reason is None:
            raise ArgumentError(f"{CALL}: no three sizes of at least 2 lie within the bounds of the dynamic axes")
        if isinstance(reason, NotGeneral):
            raise GraphError(f"{CALL}: the model is not one for all sizes of the dynamic axes {', '.join(axes.places)}: {reason}; "
                             "leave that axis fixed, or write what depends on it with sizes of tensors alone")
        raise reason

    def _keep(self, lowered, axes, plan):
        first = lowered[0]
        self.builder, self.inputs, self.outputs = first.builder, first.inputs, first.outputs
        names = {tuple(sizes[name] for sizes in plan): name for name in axes.places}
        for which in ("inputs", "outputs"):
            for wires in zip(*(getattr(each, which) for each in lowered), strict=True):
                self.dims[wires[0].name] = symbolic([w.shape for w in wires], names)

    def _lowered(self, tensors, static):
        """The Lowering for input tensors."""
        return Lowering(self._traced(tensors), self.opset, self.input_names, CALL, static, self.weights).lower()

    def _traced(self, tensors):
        """The Trace for input tensors, whose results are kept to be compared."""
        given = iter(tensors)
        args, kwargs = unflatten(self.template, iter([next(given) if isinstance(x, Tensor) else x for x in self.leaves]))
        traced = trace(self.model, args, kwargs, CALL)
        if not traced.outputs:
            raise ArgumentError(f"{CALL}: the model returns no tensor")
        self.runs.append((tensors, traced.results))
        return traced

    def _name_outputs(self):
        """Give the outputs their names, by an Identity where a wire is an input, a weight, or returned twice."""
        names = list(self.output_names or ())
        if len(names) > len(self.outputs) or len({*names, *self.input_names}) < len(names) + len(self.input_names):
            raise ArgumentError(f"{CALL}: output_names {names} must be up to {len(self.outputs)} names, none of them twice or an "
                                "input's")
        names += [f"output_{i}" for i in range(len(names), len(self.outputs))]
        made = {w.name for node in self.builder.nodes for w in node.outputs}
        for i, (wire, name) in enumerate(zip(self.outputs, names, strict=True)):
            dims = self.dims.get(wire.name)
            if wire.name not in made or any(wire is w for w in self.outputs[:i]):
                wire = self.outputs[i] = self.builder("Identity", wire)
            if dims is not None:
                self.dims[name] = dims
            wire.name = name

    def proto(self, export_params, also_inputs):
        """The ModelProto."""
        model = ModelWriter(CALL).model(self.builder, self.inputs, self.outputs, self.dims, also_inputs or not export_params)
        if not export_params:
            kept = [t for t in model.graph.initializer if t.name not in self.builder.weights]
            del model.graph.initializer[:]
            model.graph.initializer.extend(kept)
        return model


def _copy(x):
    """A tensor with memory of its own."""
    return x.detach().clone().contiguous() if isinstance(x, Tensor) else x


def _parameters(model, args, kwargs):
    """{parameter: argument} of the positional arguments."""
    function = model.forward if isinstance(model, Module) else model
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.name not in kwargs]
    names += [f"input_{i}" for i in range(len(names), len(args))]
    return dict(zip(names, args, strict=False))


def _input_names(named, kwargs, count, given):
    """The names of the tensors among the arguments: those given, then the parameters', with numbers inside of containers."""
    found = []
    for name, value in (*named.items(), *kwargs.items()):
        inner = [x for x in flatten(value)[0] if isinstance(x, Tensor)]
        found += [name] if inner and isinstance(value, Tensor) else [f"{name}_{i}" for i in range(len(inner))]
    given = list(given or ())
    if len(given) > count:
        raise ArgumentError(f"{CALL}: input_names has {len(given)} names for {count} input tensors")
    names = given + found[len(given):]
    if len(set(names)) < len(names) or not all(isinstance(n, str) and n for n in names):
        raise ArgumentError(f"{CALL}: input_names {names} must be different texts")
    return names
