"""Builder: nodes of ONNX over wires, each with a dtype and a shape, written down one after the other.

A Builder is what ops' `onnx` rules get.  It knows nothing of the package onnx: model.py makes a model of what it has noted.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError
from ...base.shapes import broadcast_shapes


class Unmapped(Exception):
    """Why something has no form in ONNX, in words."""


@dataclass(eq=False)
class Wire:
    """A tensor in the model.  value: the array of a constant, else None; number: the Python number it was made of, if it was."""

    name: str
    dtype: object
    shape: tuple
    value: object = None
    number: object = None

    @property
    def ndim(self):
        """How many dimensions it has."""
        return len(self.shape)

    @property
    def numel(self):
        """How many elements it has."""
        return math.prod(self.shape)

    def __repr__(self):
        return f"{self.name}: {self.dtype.name}{list(self.shape)}"


@dataclass(eq=False)
class Written:
    """A node: operator, wires in (None for one left out), wires out, attributes (arrays, Builders of subgraphs among them)."""

    operator: str
    inputs: tuple
    outputs: tuple
    attributes: dict
    origin: str = ""
    near: tuple = ()  # the operands of the op that it belongs to


@dataclass(eq=False)
class Builder:
    """Notes nodes.

    opset: the version of ONNX's operators that they are for; static: whether sizes are those of the example alone, so that numbers
    of a range may be written down; origin, near: what the nodes that follow come from, and its operands; results: the Specs of its
    results, while an op's rule runs; apply: a function (elementwise op, *wires) -> wire.
    """

    opset: int
    prefix: str = ""
    nodes: list = field(default_factory=list)
    weights: dict = field(default_factory=dict)  # name -> Wire of a parameter or buffer
    static: bool = True
    results: tuple = ()
    origin: str = ""
    near: tuple = ()
    apply: object = None
    arguments: tuple = ()  # of a subgraph: the wires that it is given, and those that it returns
    returned: tuple = ()
    _count: int = 0
    _makers: dict = field(default_factory=dict)
    _reshaped: dict = field(default_factory=dict)  # name of a wire -> the wire that it is a reshape of

    # --- nodes -----------------------------------------------------------------------------------------------------------

    def __call__(self, operator, *inputs, shape=None, dtype=None, outputs=None, **attributes):
        """Write a node and return its output: by default in the first input's dtype and the shape that the inputs broadcast to.

        Numbers among the inputs become constants of the first tensor's dtype.  outputs: (shape, dtype) of each, for several.
        """
        first = next((x for x in inputs if isinstance(x, Wire)), None)
        inputs = tuple([x if x is None or isinstance(x, Wire) else self.constant(x, first.dtype) for x in inputs])
        several = outputs is not None
        if not several:
            if shape is None:
                shape = broadcast_shapes(*(x.shape for x in inputs if x is not None))
            outputs = ((shape, dtype or first.dtype),)
        made = tuple([self.wire(d, s) for s, d in outputs])
        self.nodes.append(Written(operator, inputs, made, attributes, self.origin, self.near))
        self._makers.update((w.name, self.nodes[-1]) for w in made)
        return made if several else made[0]

    def wire(self, dtype, shape, name=None):
        """A new wire."""
        self._count += 1
        return Wire(name or f"{self.prefix}v{self._count}", dtype, tuple(map(int, shape)))

    def needs(self, opset, what):
        """Raise Unmapped unless the model is for at least this opset."""
        if self.opset < opset:
            raise Unmapped(f"{what} needs opset_version {opset} or newer, got {self.opset}")

    def refuse(self, reason):
        """Raise Unmapped: for a rule that has no form for these attributes."""
        raise Unmapped(reason)

    # --- constants -------------------------------------------------------------------------------------------------------

    def constant(self, value, dtype=None):
        """A constant: a Python number or an array, in a dtype."""
        number = value if isinstance(value, (bool, int, float)) else None
        dtype = dtype or (dtypes.default_for(type(number).__name__) if number is not None else dtypes.from_numpy_dtype(value.dtype))
        array = stored(value, dtype)
        made = self.wire(dtype, array.shape)
        made.value, made.number = array, number
        return made

    def ints(self, values):
        """A constant vector of int64."""
        return self.constant(np.array(list(values), np.int64).reshape(-1), dtypes.int64)

    # --- what only moves data --------------------------------------------------------------------------------------------

    def cast(self, x, dtype):
        """x in another dtype."""
        if x.dtype is dtype:
            return x
        if x.number is not None and not dtype.is_complex:
            return self.constant(_converted(x.number, dtype), dtype)
        return self("Cast", x, dtype=dtype, to=dtype)

    def reshape(self, x, shape):
        """x with another shape."""
        shape = tuple(map(int, shape))
        x = self._reshaped.get(x.name, x)
        return x if shape == x.shape else self._as("Reshape", x, shape, shape)

    def _as(self, operator, x, ints, shape):
        """x reshaped by an operator."""
        made = self(operator, x, self.ints(ints), shape=shape)
        self._reshaped[made.name] = self._reshaped.get(x.name, x)
        return made

    def transpose(self, x, order):
        """x with its dimensions in another order."""
        if tuple(order) == tuple(range(x.ndim)):
            return x
        return self("Transpose", x, shape=[x.shape[d] for d in order], perm=list(order))

    def expand(self, x, shape):
        """x broadcast to a shape."""
        shape = tuple(map(int, shape))
        if shape == x.shape:
            return x
        return self("Expand", x, self.ints(shape), shape=shape)

    def unsqueeze(self, x, dims):
        """x with new dimensions of size 1 at these places of the result."""
        dims = sorted(dims)
        if not dims:
            return x
        shape = list(x.shape)
        for d in dims:
            shape.insert(d, 1)
        return self._as("Unsqueeze", x, dims, shape)

    def squeeze(self, x, dims):
        """x without these dimensions of size 1."""
        dims = sorted(dims)
        if not dims:
            return x
        return self._as("Squeeze", x, dims, [n for d, n in enumerate(x.shape) if d not in dims])

    def slice(self, x, parts):
        """x cut: {dimension: (start, count, step)}; parts that keep all are left out."""
        parts = {d: p for d, p in sorted(parts.items()) if p != (0, x.shape[d], 1)}
        if not parts:
            return x
        shape = [parts[d][1] if d in parts else n for d, n in enumerate(x.shape)]
        ends = [start + (count - 1) * step + 1 if count else start for start, count, step in parts.values()]
        steps = [step for *_, step in parts.values()]
        given = [self.ints([p[0] for p in parts.values()]), self.ints(ends), self.ints(parts)]
        if any(step != 1 for step in steps):
            given.append(self.ints(steps))
        return self("Slice", x, *given, shape=shape)

    def concat(self, xs, axis):
        """Tensors side by side."""
        if len(xs) == 1:
            return xs[0]
        shape = list(xs[0].shape)
        shape[axis] = sum(x.shape[axis] for x in xs)
        return self("Concat", *xs, shape=shape, axis=axis)

    def flat(self, x):
        """x with one dimension."""
        return x if x.ndim == 1 else self._as("Reshape", x, [-1], (x.numel,))

    def arange(self, count, step=1, start=0):
        """int64 numbers start, start + step, ..., of which there are `count`."""
        if self.static:
            return self.constant(np.arange(count, dtype=np.int64) * step + start, dtypes.int64)
        ends = [self.constant(v, dtypes.int64) for v in (start, start + count * step, step)]
        return self("Range", *ends, shape=(count,))

    # --- rules that several ops share ------------------------------------------------------------------------------------

    def where(self, condition, x, y):
        """x where condition holds, else y; numbers take the other's dtype."""
        first = x if isinstance(x, Wire) else y
        x, y = (v if isinstance(v, Wire) else self.constant(v, first.dtype) for v in (x, y))
        return self("Where", condition, x, y, dtype=first.dtype)

    def reduce(self, operator, x, dims, keepdim):
        """x reduced over dimensions by ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd or another Reduce operator."""
        dims = [d % max(x.ndim, 1) for d in dims]
        if not x.ndim or not dims:
            return x
        shape = [1 if d in dims else n for d, n in enumerate(x.shape) if keepdim or d not in dims]
        if operator == "ReduceSum" or self.opset >= 18:
            return self(operator, x, self.ints(dims), shape=shape, keepdims=int(keepdim))
        return self(operator, x, shape=shape, axes=list(dims), keepdims=int(keepdim))

    def product(self, a, b):
        """The matrix product of a and b, with NumPy's rules for vectors and batches."""
        batch = broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return self("MatMul", a, b, shape=(*batch, *a.shape[-2:-1], *(b.shape[-1:] if b.ndim > 1 else ())))

    def maker(self, x):
        """The node that makes a wire; None for others."""
        return self._makers.get(x.name)

    def subgraph(self):
        """A Builder for the nodes of a subgraph, which may read this one's wires."""
        made = Builder(self.opset, f"{self.prefix}{len(self.nodes)}_", static=self.static, origin=self.origin, weights=self.weights)
        made._count = self._count = self._count + 1000  # names of both stay apart
        made._reshaped, made._makers = dict(self._reshaped), dict(self._makers)
        return made


def stored(value, dtype):
    """A number or array as the array of a dtype; bfloat16 as its bits."""
    if dtype is dtypes.bfloat16:
        if isinstance(value, np.ndarray) and value.dtype == np.uint16:
            return value
        bits = np.asarray(value, np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    if dtype.is_complex:
        raise Unmapped("ONNX's operators are not defined for complex numbers")
    with np.errstate(all="ignore"):
        if isinstance(value, int) and not isinstance(value, bool) and dtype.category == "int":
            bits = 8 * dtype.itemsize
            return np.array(value % (1 << bits), f"uint{bits}").view(dtype.numpy)
        return np.asarray(value).astype(dtype.numpy)


def _converted(number, dtype):
    """A Python number as another dtype's."""
    if dtype.category == "bool":
        return number != 0
    if dtype.category == "int":
        return int(number) if number == number and abs(number) != math.inf else 0
    return float(number)


def needed(nodes, wanted):
    """The nodes that the wires of these names depend on."""
    wanted, kept = set(wanted), []
    for node in reversed(nodes):
        if wanted.isdisjoint(w.name for w in node.outputs):
            continue
        kept.append(node)
        wanted.update(_read(node))
    return kept[::-1]


def _read(node):
    """The names of the wires that a node reads, inside of its subgraphs too."""
    yield from (w.name for w in node.inputs if w is not None)
    for inner in (v for v in node.attributes.values() if isinstance(v, Builder)):
        for each in inner.nodes:
            yield from _read(each)


def checked_opset(version, newest, call):
    """An opset version to write for.  Raises ArgumentError."""
    if not isinstance(version, int) or isinstance(version, bool) or not 13 <= version <= newest:
        raise ArgumentError(f"{call}: opset_version must be an int from 13 to {newest}, the newest of the installed package onnx, "
                            f"got {version!r}")
    return version
