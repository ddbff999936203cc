"""Lowering: a traced program as ONNX's nodes, op by op."""

import copy
from dataclasses import replace

import numpy as np

from ...base import dtypes
from ...base.errors import UnsupportedDTypeError
from ...dispatch.spec import dense
from ...graph.ir import Origin, Scalar, Use
from ...tensor.core.tensor import Tensor
from . import control, folds, layouts, scalars
from .builder import Builder, Unmapped, Wire, needed


class UnmappedError(UnsupportedDTypeError):
    """An op of the model has no form in ONNX."""


class Lowering:
    """Makes the nodes of a Trace.

    names: of its inputs; static: whether sizes are those of the example alone; weights: {name: array}, which others share.
    """

    def __init__(self, trace, opset, names, call, static=True, weights=None):
        self.trace, self.call, self.weights = trace, call, {} if weights is None else weights
        self.builder = Builder(opset, static=static, apply=self._applied)
        self.place = "", None  # the module and the line of the node that is written
        self.held = {}  # Value -> (Wire, the dense Spec that it is laid out by), or bytes
        self.seen = {}  # (Value, Spec, offset) -> Wire
        self.aliases = {}  # Value of a region -> that of the program around that it is
        self.inputs = [self._input(use, name) for use, name in zip(trace.inputs, names, strict=True)]
        self.outputs = ()

    def lower(self):
        """Write everything down.  Returns itself.  Raises UnmappedError."""
        trace = self.trace
        self.run(trace.nodes, [u.value for u in trace.outputs], trace.places)
        self.builder.origin = ""
        self.outputs = [self._reported(lambda use=use: self.read(use), "what is returned") for use in trace.outputs]
        self.builder.nodes = needed(self.builder.nodes, {w.name for w in self.outputs})
        return self

    def _input(self, use, name):
        wire = self.builder.wire(use.spec.dtype, use.spec.shape, name)
        self.held.setdefault(use.value, (wire, use.spec))
        return wire

    def run(self, nodes, wanted, places=()):
        """Write down those nodes that values depend on; places: of each node, without them that of the node around."""
        for at in _needed(nodes, wanted):
            self.place = places[at] if places else self.place
            self._node(nodes[at])

    def within(self, builder):
        """A Lowering of nodes inside of one, which sees what this one holds."""
        made = copy.copy(self)
        made.builder, made.held, made.seen, made.aliases = builder, dict(self.held), {}, dict(self.aliases)
        builder.apply = made._applied
        return made

    # --- memory ----------------------------------------------------------------------------------------------------------

    def read(self, use):
        """The wire of an operand."""
        key = use.value, use.spec, use.offset
        if key not in self.seen:
            self.seen[key] = self._shown(use)
        return self.seen[key]

    def _shown(self, use):
        if use.spec.dtype.is_complex:
            raise Unmapped("ONNX's operators are not defined for complex numbers")
        if use.value in self.aliases:
            use = replace(use, value=self.aliases[use.value])
        held = self.held.get(use.value)
        if isinstance(held, np.ndarray) and self.builder.static:
            return self.builder.constant(_strided(held, use), use.spec.dtype)
        wire, spec = self.held_by(use)
        if wire is None:
            raise Unmapped(f"result {spec} of that op serves gradients alone")
        if wire.dtype is not use.spec.dtype:
            raise Unmapped(f"a view shows {wire.dtype.name} numbers as {use.spec.dtype.name}, bit by bit")
        return layouts.shown(self.builder, wire, spec, use.spec, use.offset)

    def held_by(self, use):
        """(the wire of the memory that a Use shows, its Spec); bytes become a vector of the Use's dtype."""
        if use.value in self.aliases:
            use = replace(use, value=self.aliases[use.value])
        held = self.held.get(use.value)
        if held is None:
            held = self.held[use.value] = self._from_outside(use)
        return self._flat(use, held) if isinstance(held, np.ndarray) else held

    def _flat(self, use, data):
        """(the wire of bytes as a vector of a dtype, its Spec): what holds for all sizes is told of vectors."""
        key = use.value, use.spec.dtype
        if key not in self.seen:
            flat = dense((data.size // use.spec.itemsize,), use.spec.dtype, use.spec.device)
            self.seen[key] = self.builder.constant(_strided(data, Use(None, flat)), flat.dtype), flat
        return self.seen[key]

    def _from_outside(self, use):
        """What a block holds that the program was given: a named weight as a wire, else bytes."""
        block = use.block
        if block.origin is Origin.CONSTANT:
            return block.source
        if block.origin is Origin.HELD:
            for (storage, spec, offset), name in self.trace.names.items():
                if storage == id(block.source) and not offset and spec.nbytes == block.nbytes and spec.dtype is use.spec.dtype:
                    return self._weight(name, block.source, spec), spec
            return _bytes_of(block.source)
        if block.origin is Origin.MADE:  # memory that nothing was written to
            return np.zeros(block.nbytes, np.uint8)
        raise Unmapped("it reads the .grad of a tensor")

    def _weight(self, name, storage, spec):
        if name not in self.builder.weights:
            wire = self.builder.wire(spec.dtype, spec.shape, name)
            if name not in self.weights:
                self.weights[name] = _strided(_bytes_of(storage), Use(None, spec))
            wire.value = self.weights[name]
            self.builder.weights[name] = wire
        return self.builder.weights[name]

    def write(self, result, wire):
        """Note what a node writes."""
        use = result.use
        if result.old is None:
            self.held[use.value] = wire, use.spec
            return
        old = self.held_by(Use(result.old, use.spec))
        new, sizes = layouts.rewritten(self.builder, *old, wire, use.spec, use.offset)
        self.held[use.value] = new, dense(sizes, old[1].dtype, use.spec.device)

    # --- nodes -----------------------------------------------------------------------------------------------------------

    def _node(self, node):
        path, site = self.place
        self.builder.origin = path or (site or "")
        if node.op.name == "copy" and isinstance(node.operands[0], Use) and node.operands[0].block.origin is Origin.CONSTANT:
            self.held[node.results[0].use.value] = node.operands[0].block.source
            return
        if node.regions:
            self._reported(lambda: control.written(self, node), node.op.name, path, site)
            return
        found = self._reported(lambda: self._results(node), node.op.name, path, site)
        for result, wire in zip(node.results, found, strict=False):
            spec = result.use.spec
            self.write(result, scalars.shaped(self.builder, wire, spec))
        for result in node.results[len(found):]:
            self.held[result.use.value] = None, result.use.spec

    def _applied(self, op, x):
        """The result of an elementwise op of one number."""
        result, = self.builder.results
        found = _by_rule(self.builder, op, [x], {})
        return found if isinstance(found, Wire) else scalars.elementwise(self.builder, op, [x], [result], {}, [result])[0]

    def _reported(self, make, what, path="", site=None):
        """make(), with what cannot be mapped reported by op, module and line."""
        try:
            return make()
        except Unmapped as reason:
            where = ", ".join(filter(None, (f"in {path}" if path else "", f"at {site}" if site else "")))
            raise UnmappedError(f"{self.call}: {what} has no form in ONNX: {reason}{f'; it is called {where}' if where else ''}. "
                                "Replace it, or give its declaration an `onnx` rule") from None

    def _results(self, node):
        op, builder = node.op, self.builder
        if any(isinstance(x, Scalar) for x in (*node.operands, *node.numbers)):
            raise Unmapped("it takes a number that Python computes at each call")
        builder.near = ()
        given = [x.item() if isinstance(x, np.generic) else x for x in node.operands]
        inputs = [self.read(x) if isinstance(x, Use) else x for x in given]
        builder.near = tuple([x for x in inputs if isinstance(x, Wire) and x.value is None])
        builder.results = tuple(r.use.spec for r in node.results)
        names = [n for n in op.attr_names if n not in getattr(op, "values", ())] if op.kind != "elementwise" else []
        attributes = dict(zip(names, node.attrs, strict=False))
        numbers = op.attr_names if op.kind == "elementwise" else getattr(op, "values", ()) or getattr(op, "scalars", ())
        attributes.update(zip(numbers, node.numbers, strict=True))
        found = _by_rule(builder, op, inputs, attributes)
        if found is not NotImplemented:
            return found if isinstance(found, (tuple, list)) else (found,)
        if op.kind == "elementwise":
            operands = [x.spec if isinstance(x, Use) else type(x) for x in given]
            return scalars.elementwise(builder, op, inputs, operands, attributes, builder.results)
        if op.kind in ("reduction", "scan"):
            return folds.written(builder, op, inputs, attributes)
        raise Unmapped("its declaration says nothing of ONNX")


def _by_rule(builder, op, inputs, attributes):
    """The results of an op by its own rule; NotImplemented if it has none."""
    if op.onnx is None:
        return NotImplemented
    if not isinstance(op.onnx, str):
        if op.kind in ("kernel", "composite"):  # few operators take bfloat16; here, too, they compute in float32
            inputs = [builder.cast(x, dtypes.float32) if getattr(x, "dtype", None) is dtypes.bfloat16 else x for x in inputs]
        return op.onnx(builder, *inputs, **attributes)
    if attributes or not all(isinstance(x, Wire) and x.dtype is builder.results[0].dtype for x in inputs):
        return NotImplemented
    return builder(op.onnx, *inputs)


def _needed(nodes, wanted):
    """The numbers of the nodes that values depend on, in order."""
    wanted, kept = set(wanted), []
    for at in reversed(range(len(nodes))):
        node = nodes[at]
        if not wanted.isdisjoint(node.writes()):
            wanted.update(node.reads())
            kept.append(at)
    return reversed(kept)


def _bytes_of(storage):
    """The bytes of a storage."""
    return Tensor._make(storage, dense((storage.extent,), dtypes.uint8, storage.device), 0).numpy()


def _strided(data, use):
    """The elements that a Use shows of bytes, as an array of its dtype's storage form."""
    spec = use.spec
    kind = spec.dtype.numpy
    flat = data[: data.size // spec.itemsize * spec.itemsize].view(kind)
    if not spec.numel:
        return np.empty(spec.shape, kind)
    return np.lib.stride_tricks.as_strided(flat[use.offset:], spec.shape, [s * spec.itemsize for s in spec.strides]).copy()
