"""summary: the layers of a model as a tree, with output shapes, parameters, multiply-adds and memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..base.dtypes import dtype
from ..base.errors import ArgumentError, ArgumentTypeError
from ..dispatch.tensor_base import extent_of
from ..graph.ir import Use
from ..nn.modules.module import Module
from ..nn.parameter import UninitializedTensorMixin
from .model_table import COLUMNS, ROWS, table
from .module_trace import ModuleCall, inputs_of, trace


@dataclass(eq=False)
class LayerInfo:
    """One call of a layer, or a layer that was not called.

    name, class_name; depth: 0 for the model; children: LayerInfos of the layers inside.
    input_size, output_size: the shape of the first tensor in and out, input_sizes and output_sizes of all; () where there is none.
    num_params, trainable_params: of the layer and all below it, each counted once; own_params: of the layer alone.
    mult_adds, flops: of the call; flops are as far as ops say.  output_bytes: of the tensors returned.
    recursive: called before; unused: not called, and nothing below it either.
    """

    module: Module
    name: str
    depth: int
    num_params: int
    trainable_params: int
    own_params: int
    input_sizes: tuple = ()
    output_sizes: tuple = ()
    mult_adds: int = 0
    flops: int = 0
    output_bytes: int = 0
    recursive: bool = False
    unused: bool = False
    children: list = field(default_factory=list)

    @property
    def class_name(self) -> str:
        """The name of the layer's class."""
        return self.module._get_name()

    @property
    def input_size(self) -> tuple:
        """The shape of the first tensor in."""
        return self.input_sizes[0] if self.input_sizes else ()

    @property
    def output_size(self) -> tuple:
        """The shape of the first tensor out."""
        return self.output_sizes[0] if self.output_sizes else ()

    @property
    def kernel_size(self) -> tuple:
        """The kernel size of a convolution or pooling layer; () of others."""
        size = getattr(self.module, "kernel_size", ())
        return (size,) if isinstance(size, int) else tuple(size or ())

    def walk(self):
        """This layer and all inside, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class ModelStatistics:
    """What summary returns: print it, or take its figures.

    summary_list       LayerInfo of every layer, in the order of the calls; the first one is the model
    input_size         shapes of the inputs
    total_params, trainable_params   each parameter counted once, unused ones too
    total_mult_adds    multiplications with their addition in products, convolutions, attention and recurrent layers
    total_flops        floating-point operations of all ops, as far as they say
    total_input, total_param_bytes   bytes of the inputs and of the parameters
    total_output_bytes bytes of what the layers without layers inside return, twice: values and their gradients
    on_meta            whether nothing was computed

    Sizes are counted by the dtypes of the tensors.  Never raises.  Source: the names are those of torchinfo 1.8.

        >>> ct.utils.summary(ct.nn.Linear(3, 2), (1, 3)).total_param_bytes
        32
    """

    summary_list: list[LayerInfo] = field(repr=False)
    input_size: tuple
    total_params: int
    trainable_params: int
    total_mult_adds: int
    total_flops: int
    total_input: int
    total_param_bytes: int
    total_output_bytes: int
    on_meta: bool
    settings: tuple = field(repr=False, default=())

    def __str__(self) -> str:
        return table(self, *self.settings)

    __repr__ = __str__


def summary(model: Module, input_size: Any = None, input_data: Any = None, batch_dim: int | None = None,
            col_names: Iterable[str] | None = None, col_width: int = 25, depth: int = 3, dtypes: Sequence[dtype] | None = None,
            mode: str = "same", row_settings: Iterable[str] | None = None, verbose: int = 0, **kwargs: Any) -> ModelStatistics:
    """The layers of a model as a tree, with shapes, parameters, multiply-adds and memory, from one forward pass.

    The pass runs on meta tensors, so nothing is computed and nothing changes; a model that looks at values, or is lazy, runs on
    its device, and its buffers and random numbers are put back.  What is counted is what the ops that ran declare, whatever layers
    called them.

    Args: input_size, the shape of the input with its batch, a list of shapes or a dict of them by argument; batch_dim, where
        a batch of 1 is put into each; dtypes of the inputs, float32 by default; input_data, instead of a size: a tensor, a tuple
        or list of arguments, or a dict of them by name; further keywords go to forward.  Without either only parameters are
        counted. col_names: some of input_size, output_size, num_params, params_percent, kernel_size, mult_adds, trainable.
        row_settings: some of ascii_only, depth, var_names.  depth: levels shown.  verbose: 1 prints the summary at once.
        mode: "train", "eval", or "same" for the mode that the model is in.
    Raises ArgumentTypeError for what is no Module, ArgumentError for other settings than these, and what the model raises.
    Source: the interface is that of torchinfo 1.8.

        >>> found = ct.utils.summary(ct.nn.Sequential(ct.nn.Linear(4, 8), ct.nn.ReLU(), ct.nn.Linear(8, 2)), (1, 4))
        >>> found.total_params, found.total_mult_adds
        (58, 48)
        >>> found.summary_list[1].output_size
        (1, 8)
    """
    if not isinstance(model, Module):
        raise ArgumentTypeError(f"summary: expected a Module, got {type(model).__name__}")
    columns, rows = tuple(col_names or ("output_size", "num_params", "mult_adds")), tuple(row_settings or ("depth", "var_names"))
    _check("col_names", columns, COLUMNS)
    _check("row_settings", rows, ROWS)
    if mode not in ("same", "train", "eval"):
        raise ArgumentError(f"summary: mode must be 'same', 'train' or 'eval', got {mode!r}")
    if depth < 0:
        raise ArgumentError(f"summary: depth must be at least 0, got {depth}")
    found = _found(model, input_size, input_data, batch_dim, dtypes, mode, kwargs, (columns, rows, col_width, depth))
    if verbose:
        print(found)
    return found


def _check(name, given, known):
    unknown = [x for x in given if x not in known]
    if unknown:
        raise ArgumentError(f"summary: {name} knows no {unknown[0]!r}; it takes {', '.join(known)}")


def _found(model, input_size, input_data, batch_dim, dtypes, mode, kwargs, settings):
    made = None
    if not (input_size is None and input_data is None and not kwargs):
        args, words = (), {}
        if not input_size is input_data is None:
            args, words = inputs_of("summary", input_size, input_data, dtypes, batch_dim)
        modes = [(m, m.training) for m in model.modules()]
        try:
            if mode != "same":
                model.train(mode == "train")
            made = trace(model, args, {**words, **kwargs}, "summary")
        finally:
            for module, before in modes:
                module.training = before
    layers = _plain(model, "", 0) if made is None else _Layers(model, made).of(made.root)
    return _statistics(model, made, layers, settings)


def _statistics(model, made, layers, settings):
    parameters = [p for p in model.parameters() if not isinstance(p, UninitializedTensorMixin)]
    every = list(layers.walk())
    return ModelStatistics(
        summary_list=every, input_size=() if made is None else tuple(tuple(u.spec.shape) for u in made.arguments),
        total_params=sum(p.numel() for p in parameters), trainable_params=sum(p.numel() for p in parameters if p.requires_grad),
        total_mult_adds=layers.mult_adds, total_flops=layers.flops,
        total_input=0 if made is None else sum(u.spec.nbytes for u in made.arguments),
        total_param_bytes=sum(p.numel() * p.element_size() for p in parameters),
        total_output_bytes=2 * sum(x.output_bytes for x in every if not x.children),
        on_meta=made is not None and made.virtual, settings=settings)


class _Layers:
    """Makes LayerInfos of the calls in a ModuleTrace."""

    def __init__(self, model, made):
        self.work = [_work(n) for n in made.nodes]
        self.called = {call.module for call in made.root.walk()}
        read = made.read()
        self.used = {id(p) for name, p in model.named_parameters() if name in read}

    def of(self, call: ModuleCall):
        """The LayerInfo of a call."""
        inside = self.work[call.first: call.last]
        found = _info(call.module, call.name, call.depth)
        found.input_sizes, found.output_sizes = ([tuple(u.spec.shape) for u in uses] for uses in (call.inputs, call.outputs))
        found.flops, found.mult_adds = sum(f for f, _ in inside), sum(m for _, m in inside)
        found.output_bytes = sum(extent_of(u.spec) * u.spec.dtype.itemsize for u in call.outputs)
        found.recursive = call.repeated
        found.children = [self.of(child) for child in call.children]
        if not call.repeated:
            for name, module in self._not_called(call.module):
                if any(id(p) in self.used for p in module.parameters()):  # the layer above has done its work
                    found.own_params += sum(p.numel() for p in module.parameters())
                else:
                    found.children.append(_info(module, name, call.depth + 1))
                    found.children[-1].unused = True
        return found

    def _not_called(self, module, prefix=""):
        """(name, module) of the modules below one, the uppermost ones, in which nothing was called."""
        for name, child in module._modules.items():
            if child is None or child in self.called:
                continue
            if self.called.isdisjoint(child.modules()):
                yield prefix + name, child
            else:
                yield from self._not_called(child, f"{prefix}{name}.")


def _work(n):
    """(floating-point operations, multiply-adds) of a node; control flow counts all its regions."""
    if n.regions:
        inside = [_work(inner) for region in n.regions for inner in region.graph.nodes]
        return sum(f for f, _ in inside), sum(m for _, m in inside)
    given = [o.spec if isinstance(o, Use) else None for o in n.operands], [r.use.spec for r in n.results], n.attrs
    return n.op.flops(*given) or 0, n.op.multiply_adds(*given)


def _plain(module, name, depth):
    """The LayerInfo of a module of which no call is known."""
    found = _info(module, name, depth)
    found.children = [_plain(m, n, depth + 1) for n, m in module.named_children()]
    return found


def _info(module, name, depth):
    parameters = [p for p in module.parameters() if not isinstance(p, UninitializedTensorMixin)]
    return LayerInfo(module, name, depth, sum(p.numel() for p in parameters),
                     sum(p.numel() for p in parameters if p.requires_grad),
                     sum(p.numel() for p in module.parameters(recurse=False) if not isinstance(p, UninitializedTensorMixin)))
