"""save: a function, a module or a training step as a file of kernels, launches and tensors."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from ..base import dtypes
from ..base.errors import ArgumentError, ArgumentTypeError, CaptureError
from ..dispatch import faults
from ..dispatch.tensor_base import TensorBase
from ..graph.guards import is_module
from ..graph.ir import Origin
from ..graph.structure import unflatten
from ..io.safetensors.layout import CODES
from ..runtime.device import default_device
from ..tensor.random.sampling import default_generator
from ..version import __version__
from .arena import shared
from .capturing import dense_arguments, function_of, taken
from .container import write
from .dynamic import Captures, Ranges, dimension
from .expressions import number
from .fitting import Fitting, Unlike
from .host_numbers import HostNumbers
from .lowering import Lowering
from .names import Names
from .structure import Index, encoded
from .target import PROFILES

_CLASSES = ("cpu", "gpu")


def save(fn: Callable[..., Any], path: str | PathLike[str], args: Sequence[Any] = (), *, kwargs: Mapping[str, Any] | None = None,
         device_classes: Sequence[str] | None = None,
         dynamic: Mapping[str, Any] | bool | None = None):
    """Write what fn(*args, **kwargs) does to a file that `load`, and the C++ player, run without its code.

    fn: a function, a Module, or what compile made of one; a whole training step is a program like any other.  It is called here,
        once, or up to three times where the first call makes state, as an optimiser does; the file holds the state after that.
    path: of the file, usually *.ctp; it is replaced only once the new one is complete.
    args, kwargs: examples of the arguments: tensors, which become inputs, in lists, tuples and dicts; other values are part of the
        program.
    device_classes: the launch styles that the file has kernels for, of "cpu" and "gpu"; by default that of the device at hand.

    dynamic: the size that may differ from call to call: {input: {dimension: name}}, or {input: {dimension: (name, lowest,
        highest)}}, one name for all inputs that have it; lowest is 1 and highest 1024 where they are not given; True: dimension 0
        of every input.  fn is called for two or three more sizes, whose changes to parameters, buffers and counts are taken back.

    What fn reaches through closures, globals and modules is held by the file under the names of the variables: parameters, buffers,
    the state of optimisers; and numbers that change from call to call: learning rates, step counts, seeds.
    Tensors of any dtype and of these shapes.  Numerics: the same kernels as in compile, planned for the device at hand, or for any
    device of another class.
    Raises CaptureError where fn does what a file cannot repeat: it reads values on the host, runs a schedule, uses a GradScaler,
    adds to gradients from before the call; ArgumentError for an unknown class; OSError where the file cannot be written.
    Source: docs/program-format.md.

        >>> import tempfile
        >>> from cltensor import nn
        >>> model = nn.Linear(4, 2).eval()
        >>> path = tempfile.mkdtemp() + "/model.ctp"
        >>> ct.export.save(model, path, (ct.randn(3, 4),))
        >>> x = ct.randn(3, 4)
        >>> ct.allclose(ct.export.load(path)(x), model(x))
        True
    """
    if isinstance(args, TensorBase) or not isinstance(args, (tuple, list)):
        raise ArgumentTypeError("export.save: args must be a tuple of arguments, such as (x,)")
    function = function_of(fn)
    args, kwargs = dense_arguments(args, kwargs or {})
    inputs = list(_tensors((args, kwargs), _parameters(function)))
    device = inputs[0][1].device if inputs else default_device()
    if device.host or device.meta:
        raise ArgumentError(f"export.save: the function runs to be exported, which {device} cannot; use tensors of an OpenCL "
                            "device")
    classes = (device.profile.style,) if device_classes is None else tuple(device_classes)
    if not classes or any(c not in _CLASSES for c in classes) or isinstance(device_classes, str):
        raise ArgumentError(f"export.save: device_classes must be some of {_CLASSES}, got {device_classes!r}")
    dim = dimension(dynamic, inputs)
    captures = None if dim is None else Captures(function, args, kwargs, device, dim)
    call = captures.call if captures else taken(function, args, kwargs, device)
    writing = _Writing(function, call, inputs, (args, kwargs), device)
    if captures:
        writing.for_sizes(captures, dim, classes)
    else:
        writing.for_one_size(classes)
    faults.check(device)
    write(path, writing.program(), writing.tensors)


class _Writing:
    """The parts of a program while it is put together."""

    def __init__(self, function, call, inputs, given, device):
        self.call, self.inputs, self.given, self.device = call, inputs, given, device
        self.names = Names(function, default_generator)
        self.title = getattr(function, "__name__", None) or type(function).__name__
        self.memories = list(dict.fromkeys(b.source for b in call.graph.blocks() if b.origin is Origin.HELD))
        if is_module(function):
            self.memories += _unused(self.memories, self.names.tensors)
        self.sources, self.constants, self.numbers, self.dimensions = {}, {}, None, []
        written = {v.block for n in call.graph.nodes for v in n.writes()}
        self.written = {b.source for b in written if b.origin is Origin.HELD}
        self.shapes, self.changed = [list(t._spec.shape) for _, t in inputs], [b in written for b in call.inputs]

    def for_one_size(self, classes):
        """Make the plans of a call whose sizes stay."""
        self.plans = [shared(self._plan(self.call, name)) for name in dict.fromkeys(classes)]
        self.outputs = self._outputs(self.call)

    def for_sizes(self, captures, dim, classes):
        """Make plans for all sizes of a Dimension."""
        found, outputs = [], {}

        def lower(name, n):
            call = captures.at(n)
            if call is None:
                return None
            outputs[n] = self._outputs(call)
            return self._plan(call, name)

        for name in dict.fromkeys(classes):
            found += map(shared, Ranges(dim, functools.partial(lower, name)).plans())
        sizes = sorted(n for n in outputs if n > 1)
        try:
            self.outputs = Fitting(dim.name, sizes).merged([outputs[n] for n in sizes])
        except Unlike:
            raise CaptureError(f"export.save: the shapes of results follow from {dim.name} by no rule that is known") from None
        alone = [[number(n, {dim.name: 1}) for n in o["shape"]] for o in self.outputs]
        if 1 in outputs and alone != [o["shape"] for o in outputs[1]]:
            raise CaptureError(f"export.save: results have other shapes for {dim.name} = 1; begin the range at 2")
        self.plans, self.dimensions = found, [dim.described()]
        for i, d in dim.of:
            self.shapes[i][d] = dim.name

    def _plan(self, call, name):
        numbers = HostNumbers(self.names.objects)
        made = list(dict.fromkeys(u.block for u in call.uses if u.block.origin is Origin.MADE))
        plan = Lowering(call.graph, call.actions, [call.inputs, self.memories, made], numbers, self.sources,
                        self.constants).plan(name, _profile(name, self.device))
        self.numbers = self.numbers or numbers.described()
        return plan

    def _outputs(self, call):
        made = dict.fromkeys(u.block for u in call.uses if u.block.origin is Origin.MADE)
        first = len(call.inputs) + len(self.memories)
        places = {**{b: k for k, b in enumerate(call.inputs)}, **{b: first + k for k, b in enumerate(made)}}
        at = {s: len(call.inputs) + m for m, s in enumerate(self.memories)}
        return [_output(u, at[u.block.source] if u.block.origin is Origin.HELD else places[u.block], name)
                for name, u in zip(_titles(call), call.uses, strict=True)]

    @functools.cached_property
    def _held(self):
        return _held(self.memories, self.names.tensors, self.written)

    @property
    def tensors(self):
        """{name: (dtype, shape, bytes)} of the file."""
        return {**self._held[0], **{name: (dtypes.uint8, (len(data),), np.frombuffer(data, np.uint8))
                                    for data, name in self.constants.items()}}

    def program(self):
        """The program as plain data."""
        _, state, held = self._held
        inputs = [{"name": name, "dtype": t.dtype.name, "shape": shape, "written": changed}
                  for (name, t), shape, changed in zip(self.inputs, self.shapes, self.changed, strict=True)]
        return {"name": self.title, "made_by": f"cltensor {__version__}", "dimensions": self.dimensions, "inputs": inputs,
                "outputs": self.outputs, "structure": _structure(self.call, self.inputs, self.given), "memories": held,
                "state": state, "numbers": self.numbers or [], "sources": list(self.sources), "plans": self.plans}


def _unused(memories, named):
    """The storages of a module's parameters and buffers that the program does not use: the file has the whole state_dict."""
    device = memories[0].device if memories else None
    found = dict.fromkeys(t._storage for t, kind in named.values() if kind in ("parameter", "buffer"))
    return [s for s in found if s not in memories and device in (None, s.device)]


def _profile(name, device):
    """The profile to plan a device class for."""
    if name == device.profile.style:
        return device.profile
    return replace(PROFILES[name], fp64=device.profile.fp64, fp16=False)


def _held(memories, named, written):
    """({name: (dtype, shape, bytes)} of memories, the state's entries, the memories' entries)."""
    by_storage = {}
    for name, (t, kind) in named.items():
        if isinstance(t, TensorBase) and hasattr(t, "_storage"):
            by_storage.setdefault(id(t._storage), []).append((name, t, kind))
    tensors, state, entries = {}, [], []
    for m, storage in enumerate(memories):
        found = by_storage.get(id(storage), [])
        data = storage.read()
        whole = next((x for x in found if _covers(x[1], storage) and x[1].dtype in CODES), None)
        name = whole[0] if whole else f"memory.{m}"
        tensors[name] = (whole[1].dtype, tuple(whole[1]._spec.shape), data) if whole else (dtypes.uint8, (data.size,), data)
        entries.append({"tensor": name, "bytes": data.size})
        for title, t, kind in found:
            state.append({"name": title, "dtype": t.dtype.name, "shape": list(t._spec.shape), "strides": list(t._spec.strides),
                          "offset": t._offset, "memory": m, "kind": kind, "written": storage in written})
    return tensors, state, entries


def _covers(t, storage):
    return t._spec.contiguous and not t._offset and t._spec.nbytes == storage.extent


def _output(use, buffer, name):
    s = use.spec
    return {"name": name, "dtype": s.dtype.name, "shape": list(s.shape), "strides": list(s.strides), "offset": use.offset,
            "buffer": buffer}


def _structure(call, inputs, given):
    index = {id(t): Index(k) for k, (_, t) in enumerate(inputs)}
    leaves = [Index(x) if kind == "output" else x for kind, x in call.values]
    return {"inputs": encoded(_replaced(given, index), "the argument"),
            "outputs": encoded(unflatten(call.template, iter(leaves)), "the result")}


def _replaced(value, index):
    if isinstance(value, TensorBase):
        return index[id(value)]
    if isinstance(value, (list, tuple)):
        return type(value)(_replaced(v, index) for v in value)
    return {k: _replaced(v, index) for k, v in value.items()} if isinstance(value, dict) else value


def _titles(call):
    """The names of the outputs: "output", or the keys and places that lead to each."""
    found = {}
    leaves = [Index(x) if kind == "output" else x for kind, x in call.values]
    for name, k in _outputs(unflatten(call.template, iter(leaves))):
        found.setdefault(int(k), name or "output")
    return [found[k] for k in range(len(call.uses))]


def _outputs(value):
    """(name, Index) of each output: by the keys of a dict, otherwise numbered."""
    parts = value.items() if isinstance(value, dict) else [("output", value)]
    return (pair for name, part in parts for pair in _named(part, str(name), Index))


def _tensors(given, parameters):
    """(name, tensor) of the tensors among arguments, in the order of their leaves."""
    args, kwargs = given
    for k, value in enumerate(args):
        yield from _named(value, parameters[k] if k < len(parameters) else f"input.{k}")
    for k, value in kwargs.items():
        yield from _named(value, str(k))


def _named(value, name, kind=TensorBase):
    """(name, part) of the parts of a kind in nested values."""
    if isinstance(value, kind):
        yield name, value
    elif isinstance(value, (list, tuple)):
        for k, v in enumerate(value):
            yield from _named(v, f"{name}.{k}", kind)
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from _named(v, f"{name}.{k}", kind)


def _parameters(function):
    """The names of a function's positional parameters."""
    try:
        found = inspect.signature(getattr(function, "forward", function)).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
