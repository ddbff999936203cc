"""Scalar expressions as nodes of ONNX: each function by what its row in codegen/functions.py says."""

import functools

from ...base import dtypes
from ...codegen.nodes import FUNCTIONS, Call, Const, Input, topological
from ...codegen.types import NUMPY_OF, compute_type
from .builder import Unmapped, Wire

_ORDER = ("int", "long", "float", "double")
_DTYPES = {ctype: dtypes.BY_NAME[NUMPY_OF[ctype]] for ctype in _ORDER}


class ScalarWriter:
    """Writes expressions over wires.

    given: {input name: Wire or Python number}.  compute: the dtype to compute in; None for the widest of each step's own arguments.
    """

    def __init__(self, builder, given, compute=None):
        self.builder, self.given, self.compute, self.values = builder, given, compute, {}

    def written(self, expressions):
        """For each expression its Wire, or a number."""
        for node in topological(expressions):
            self._visit(node)
        return [self.values[e] for e in expressions]

    def _visit(self, node):
        if node not in self.values:
            self.values[node] = self._value(node)
        return self.values[node]

    def _value(self, node):
        if isinstance(node, Const):
            return node.value
        if isinstance(node, Input):
            return self.given[node.name]
        args = [self._visit(a) for a in node.args]
        if not any(isinstance(a, Wire) for a in args):
            return node.function.fold(args)
        return self._called(node, args)

    def _called(self, node, args):
        function = node.function
        if function.result == "a" and all(map(_is_truth, args)):
            function = FUNCTIONS[function.name.replace("bitwise", "logical")]
        compute = self.compute or self._widest(args, function.kinds)
        form = function.onnx["float" if compute.is_floating_point else "int"]
        if form is None:
            raise Unmapped(f"ONNX has no operator for the scalar function {function.name} of {compute.name} numbers")
        if callable(form):
            return self._rewritten(form(*node.args))
        operator, attributes = _parsed(form)
        operands = [self._operand(a, kind, compute) for a, kind in zip(args, function.kinds, strict=True)]
        if function.name.startswith("bitwise"):
            self.builder.needs(18, f"{operator} of integers")
        result = dtypes.bool_ if function.result == "bool" else compute
        return self.builder(operator, *operands, dtype=result, **attributes)

    def _rewritten(self, expression):
        """The value of what stands for a call: an expression over the same nodes, or a number."""
        for inner in topological((expression,)) if isinstance(expression, (Call, Input, Const)) else ():
            self._visit(inner)
        return self.values[expression] if isinstance(expression, (Call, Input, Const)) else expression

    def _widest(self, args, kinds):
        given = [compute_type(a.dtype) for a, kind in zip(args, kinds, strict=True) if isinstance(a, Wire) and kind != "b"]
        return _DTYPES[max(given, key=_ORDER.index, default="int")]

    def _operand(self, a, kind, compute):
        """An argument as a wire of the dtype that its kind asks for."""
        if not isinstance(a, Wire):
            return self.builder.constant(bool(a) if kind == "b" else _number(a, compute), dtypes.bool_ if kind == "b" else compute)
        if kind == "b" and a.dtype is not dtypes.bool_:
            return self.truth(a)
        return self.builder.cast(a, dtypes.bool_ if kind == "b" else compute)

    def truth(self, a):
        """Whether each element is not 0."""
        return self.builder.cast(a, dtypes.bool_)


def _is_truth(a):
    return a.dtype is dtypes.bool_ if isinstance(a, Wire) else isinstance(a, bool)


def _number(value, compute):
    return value if compute.is_floating_point else int(value)


@functools.cache
def _parsed(form):
    """(operator, attributes) of a name with attributes behind it: "Mod fmod=1"."""
    operator, *rest = form.split()
    return operator, {name: int(value) for name, value in (part.split("=") for part in rest)}


def compute_dtype(dtype):
    """The dtype in which numbers of a dtype are computed."""
    if dtype.is_complex:
        raise Unmapped("ONNX's operators are not defined for complex numbers")
    return _DTYPES[compute_type(dtype)]


def elementwise(builder, op, inputs, operands, attributes, results):
    """The results of an elementwise op by its expressions.

    inputs: a Wire or number for each of its inputs; operands: their Specs, or the numbers' types; attributes: {name: number};
    results: the Specs of its results.
    """
    if op.form(operands, tuple(results)) is not op:
        raise Unmapped("ONNX's operators are not defined for complex numbers")
    if op.casts and inputs and isinstance(inputs[0], Wire):  # a copy: one cast
        return [shaped(builder, inputs[0], results[0])]
    dtype = op.compute_dtype(operands) if operands else results[0].dtype
    compute = compute_dtype(dtype)
    given = dict(attributes)
    for name, x in zip(op.inputs, inputs, strict=True):
        if isinstance(x, Wire):
            keeps = name in op.exempt or (x.dtype is dtypes.bool_ and dtype is dtypes.bool_)
            x = builder.cast(x, x.dtype if keeps and x.dtype is dtypes.bool_ else compute_dtype(x.dtype) if keeps else compute)
        given[name] = x
    found = ScalarWriter(builder, given, compute).written(op.exprs)
    return [shaped(builder, x, s) for x, s in zip(found, results, strict=True)]


def shaped(builder, x, spec):
    """A wire or number in the dtype and shape of a Spec."""
    x = builder.cast(x, spec.dtype) if isinstance(x, Wire) else builder.constant(_plain(x, spec.dtype), spec.dtype)
    return builder.expand(x, spec.shape)


def _plain(number, dtype):
    if dtype.category == "bool":
        return bool(number)
    return int(number) if dtype.category == "int" and not isinstance(number, float) else number
