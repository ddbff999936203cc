"""Sizes: one model for all sizes, from the nodes made for several.

The nodes for different sizes of the inputs are the same but for numbers: shapes, bounds of slices, lengths of ranges, 1 / n.  Each
number that differs is found as a formula of the sizes of the node's own operands, or of the model's inputs
(graph/formulas.py), and computed by nodes: Shape, Gather and arithmetic.
"""

import itertools
from fractions import Fraction

import numpy as np

from ...base import dtypes
from ...graph.formulas import NotGeneral, Symbols
from .builder import Builder, Written


class Sizes:
    """Unites Builders of one program for different sizes, the first of which becomes the model for all.

    lowered: the Lowerings.  Raises NotGeneral where they differ in more than numbers.
    """

    def __init__(self, lowered):
        self.builders = [each.builder for each in lowered]
        self.first = self.builders[0]
        self.inputs = [list(wires) for wires in zip(*(each.inputs for each in lowered), strict=True)]
        self.whole = self._symbols(self.inputs)
        self.made, self.present = [], {wires[0].name for wires in self.inputs}
        self.shapes = {}  # name of a wire -> the wire of its shape
        if len({len(b.nodes) for b in self.builders}) > 1:
            raise NotGeneral("other ops run for other sizes")
        for nodes in zip(*(b.nodes for b in self.builders), strict=True):
            self._unite(nodes)
        self.first.nodes = self.made

    def _symbols(self, wires):
        """The Symbols of wires, each given for every size."""
        return Symbols([[w[k].shape for w in wires] for k in range(len(self.builders))])

    def _unite(self, nodes):
        first = nodes[0]
        if any(n.operator != first.operator or len(n.inputs) != len(first.inputs) for n in nodes):
            raise NotGeneral(f"other ops run for other sizes: {' and '.join(sorted({n.operator for n in nodes}))}, {first.origin}")
        for name, value in first.attributes.items():
            if not isinstance(value, Builder) and any(n.attributes.get(name) != value for n in nodes):
                raise NotGeneral(f"{name} of {first.operator} differs with the sizes, {first.origin}")
        for name, value in first.attributes.items():
            if isinstance(value, Builder):
                self._same_within([n.attributes[name] for n in nodes], first)
        operands = [[n.inputs[i] for n in nodes] for i in range(len(first.inputs))]
        near = [list(wires) for wires in zip(*(n.near for n in nodes), strict=True)]
        self.local = [w for w in (*operands, *near) if w[0] is not None and w[0].name in self.present and all(
            x.name == w[0].name for x in w)]
        made = []
        for i, wires in enumerate(operands):
            if wires[0] is not None and wires[0].value is None and any(w.name != wires[0].name for w in wires):
                raise NotGeneral(f"{first.operator} has other operands for other sizes, {first.origin}")
            made.append(self._operand(first, i, wires))
        first.inputs = tuple(made)
        self.made.append(first)
        self.present.update(w.name for w in first.outputs)

    def _same_within(self, builders, node):
        """Subgraphs may not differ."""
        inner = list(zip(*(b.nodes for b in builders), strict=True))
        for nodes in inner:
            for wires in zip(*(n.inputs for n in nodes), strict=True):
                if wires[0] is not None and wires[0].value is not None and not _all_equal(wires):
                    raise NotGeneral(f"numbers inside of {node.operator} differ with the sizes, {node.origin}")

    def _operand(self, node, i, wires):
        """The i-th input of a node: as it is, or what computes it."""
        if wires[0] is None or wires[0].value is None or _all_equal(wires):
            return wires[0]
        values = [w.value for w in wires]
        if node.operator == "Reshape" and i == 1:
            values = _copied(values, self.local[0])
            if all(np.array_equal(v, values[0]) for v in values):
                return self._constant(values[0])
        try:
            return self._computed(wires, values)
        except NotGeneral as reason:
            raise NotGeneral(f"{reason} ({node.operator}, {node.origin})") from None

    def _constant(self, value):
        made = self.first.wire(dtypes.int64, value.shape)
        made.value = value
        return made

    def _computed(self, wires, values):
        first = wires[0]
        if any(v.ndim > 1 or v.ndim != values[0].ndim for v in values):
            raise NotGeneral("a constant has other values for each size")
        if not values[0].ndim:
            numbers = [v.item() if w.number is None else w.number for v, w in zip(values, wires, strict=True)]
            return self._scalar(numbers, first.dtype)
        if len({len(v) for v in values}) == 1 and first.dtype is dtypes.int64:
            parts = [self._unsqueezed(self._scalar([int(v[k]) for v in values], dtypes.int64)) for k in range(len(values[0]))]
            return self._write("Concat", parts, dtypes.int64, values[0].shape, axis=0)
        return self._progression(values, first.dtype)

    def _progression(self, values, dtype):
        """Constants that go on where a shorter one ends, by equal steps."""
        longest = max(values, key=len)
        steps = np.diff(longest)
        if dtype is dtypes.bfloat16 or len(longest) < 2 or (steps != steps[0]).any() or any(
                not np.array_equal(v, longest[: len(v)]) for v in values):
            raise NotGeneral("a constant has other values for each size")
        count = self._scalar([len(v) for v in values], dtypes.int64)
        run = self._write("Range", [self._number(0), count, self._number(1)], dtypes.int64, values[0].shape)
        run = self._write("Cast", [run], dtype, values[0].shape, to=dtype)
        if steps[0] != 1:
            run = self._write("Mul", [run, self.first.constant(steps[0].item(), dtype)], dtype, values[0].shape)
        if longest[0] != 0:
            run = self._write("Add", [run, self.first.constant(longest[0].item(), dtype)], dtype, values[0].shape)
        return run

    # --- formulas --------------------------------------------------------------------------------------------------------

    def _scalar(self, numbers, dtype):
        """A 0-d wire with a number, given for each size."""
        if all(n == numbers[0] for n in numbers):
            return self.first.constant(numbers[0], dtype)
        try:
            return self._evaluated(*self._formula(numbers), dtype)
        except NotGeneral:
            found = self._two_terms(numbers) if dtype is dtypes.int64 else None
            if found is None:
                raise
            return found

    def _two_terms(self, numbers):
        """A number that is a formula plus or minus one size; None for another."""
        for wires, symbols in ((self.local, self._symbols(self.local)), (self.inputs, self.whole)):
            for k, (operator, sign) in itertools.product(range(len(symbols.places)), (("Sub", 1), ("Add", -1))):
                rest = [n + sign * sizes[k] for n, sizes in zip(numbers, symbols.values, strict=True)]
                try:
                    first = self._number(rest[0]) if len(set(rest)) == 1 else self._evaluated(*self._formula(rest), dtypes.int64)
                except NotGeneral:
                    continue
                return self._write(operator, [first, self._size(wires, symbols.places[k][0])], dtypes.int64, ())
        return None

    def _evaluated(self, positions, factor, rest, written, symbols, wires, dtype):
        """The 0-d wire of a formula."""
        found = None
        for at in positions:
            size = self._size(wires, symbols.places[at][0])
            found = size if found is None else self._write("Mul", [found, size], dtypes.int64, ())
        for operator, value, neutral in (("Mul", factor.numerator, 1), ("Div", factor.denominator, 1)):
            if value != neutral:
                found = self._write(operator, [found, self._number(value)], dtypes.int64, ())
        if rest:
            if rest.denominator != 1:
                raise NotGeneral("a number follows from the sizes by a rule with fractions")
            found = self._write("Add", [found, self._number(int(rest))], dtypes.int64, ())
        if written is not None:
            found = self._as_float(found, *written, dtypes.float64 if dtype is dtypes.float64 else dtypes.float32)
        return found if found.dtype is dtype else self._write("Cast", [found], dtype, (), to=dtype)

    def _formula(self, numbers):
        """A function of the sizes of the node's own operands, else of the model's inputs, that gives these numbers."""
        reason = None
        for wires, symbols in ((self.local, self._symbols(self.local)), (self.inputs, self.whole)):
            try:
                term = symbols.fit(list(numbers)).term() if symbols.places else None
            except NotGeneral as error:
                reason, term = error, None
            if term is not None:
                positions, factor, rest, written = term
                return positions, factor, Fraction(rest), written, symbols, wires
        raise NotGeneral(reason or f"a number is {', '.join(map(str, numbers))} for these sizes, by more than one rule")

    def _as_float(self, whole, factor, power, dtype):
        x = self._write("Cast", [whole], dtype, (), to=dtype)
        if abs(power) == 0.5:
            x = self._write("Sqrt", [x], dtype, ())
        if power < 0:
            return self._write("Div", [self.first.constant(factor, dtype), x], dtype, ())
        return x if factor == 1 else self._write("Mul", [x, self.first.constant(factor, dtype)], dtype, ())

    def _size(self, wires, place):
        """The 0-d wire of the size of a dimension."""
        which, dimension = place
        wire = wires[which][0]
        if wire.name not in self.shapes:
            self.shapes[wire.name] = self._write("Shape", [wire], dtypes.int64, (wire.ndim,))
        key = wire.name, dimension
        if key not in self.shapes:
            self.shapes[key] = self._write("Gather", [self.shapes[wire.name], self._number(dimension)], dtypes.int64, (), axis=0)
        return self.shapes[key]

    def _unsqueezed(self, x):
        if x.value is not None:
            return self._constant(x.value.reshape(1))
        return self._write("Unsqueeze", [x, self._constant(np.array([0], np.int64))], dtypes.int64, (1,))

    def _number(self, value):
        return self.first.constant(value, dtypes.int64)

    def _write(self, operator, inputs, dtype, shape, **attributes):
        made = self.first.wire(dtype, shape)
        self.made.append(Written(operator, tuple(inputs), (made,), attributes, "sizes"))
        return made


def _all_equal(wires):
    """Whether the constants of a place are one."""
    first = wires[0].value
    floating = first.dtype.kind == "f"
    return all(w.value is first or (w.value is not None and np.array_equal(w.value, first, equal_nan=floating)) for w in wires)


def _copied(values, source):
    """Shapes for Reshape: 0 for a size that is the source's at the same place, and -1 for one that is left."""
    values = [v.copy() for v in values]
    for k in range(len(values[0])):
        if any(v[k] != values[0][k] for v in values) and all(
                k < w.ndim and v[k] == w.shape[k] for v, w in zip(values, source, strict=True)):
            for v in values:
                v[k] = 0
    differing = [k for k in range(len(values[0])) if any(v[k] != values[0][k] for v in values)]
    if len(differing) == 1:
        for v in values:
            v[differing[0]] = -1
    return values


def symbolic(sizes, names):
    """For each dimension of a wire, given for every size: its number, or the name of the input's size that it always is."""
    found = []
    for numbers in zip(*sizes, strict=True):
        found.append(numbers[0] if len(set(numbers)) == 1 else names.get(numbers))
    return found

