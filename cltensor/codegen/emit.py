"""Emission: turn expressions into three-address OpenCL C statements; each shared subexpression is computed once.

The common spellings use only operators, ternaries and the functions of kernels_cl, because CPU compilers vectorise
those.  Truth values are C ints holding 0 or 1.
"""

from dataclasses import dataclass

from ..base.errors import ArgumentError
from . import headers, types
from .functions import spell
from .nodes import FUNCTIONS, Call, Const, Input, topological

_WIDTH = ("int", "long", "float", "double")


@dataclass(frozen=True)
class Emitted:
    """Statements that compute some outputs, and what their kernel needs.

    statements: C statements in order.  results: a C expression for each output.  types: the C type of each result, or
    "bool" for an int holding 0 or 1.  headers: the kernels_cl files needed, in inlining order.
    """

    statements: list
    results: list
    types: list
    headers: list


def emit(outputs, ctypes, compute, names, prefix="t", mixed=False):
    """C statements that compute outputs.

    outputs: a node or a tuple of nodes.  ctypes: {input name: "float", "double", "int", "long" or "bool"}.  compute:
    the C type of the computation.  names: {input name: C variable or expression}.  prefix: prefix of the local
    variables.  mixed: compute each step in the widest type of its own arguments instead (for a value and its index
    together).  Raises DTypeError where a function has no form in the compute type.
    """
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    writer = _Writer(ctypes, compute, names, prefix, mixed)
    for node in topological(outputs):
        writer.visit(node)
    results = [types.literal(o.value, compute) if isinstance(o, Const) else writer.values[o][0] for o in outputs]
    result_types = [compute if isinstance(o, Const) else writer.values[o][1] for o in outputs]
    return Emitted(writer.statements, results, result_types, headers.needed("\n".join(writer.statements)))


class _Writer:
    def __init__(self, ctypes, compute, names, prefix, mixed):
        self.ctypes, self.compute, self.names, self.prefix, self.mixed = ctypes, compute, names, prefix, mixed
        self.statements, self.values = [], {}

    def visit(self, node):
        """Record the C text and type of node, writing the statement that computes it."""
        if isinstance(node, Input):
            if node.name not in self.ctypes or node.name not in self.names:
                given = ", ".join(self.names)
                raise ArgumentError(f"emit: no C type or name given for input {node.name!r}; given: {given}")
            self.values[node] = self.names[node.name], self.ctypes[node.name]
        elif isinstance(node, Call):
            self.values[node] = self._statement(node)

    def _statement(self, node):
        function = node.function
        if function.result == "a" and all(map(self._is_bool, node.args)):
            function = FUNCTIONS[function.name.replace("bitwise", "logical")]
        compute = self._widest(node, function.kinds) if self.mixed else self.compute
        args = [self._argument(arg, kind, compute) for arg, kind in zip(node.args, function.kinds, strict=True)]
        text = spell(function.name, compute, *args)
        name = f"{self.prefix}{len(self.statements)}"
        as_bool = function.result == "bool"
        self.statements.append(f"const {'int' if as_bool else compute} {name} = {text};")
        return name, "bool" if as_bool else compute

    def _widest(self, node, kinds):
        numbers = [self.values[arg][1] for arg, kind in zip(node.args, kinds, strict=True)
                   if kind != "b" and not isinstance(arg, Const)]
        return max((c for c in numbers if c in _WIDTH), key=_WIDTH.index, default="int")

    def _is_bool(self, node):
        return isinstance(node.value, bool) if isinstance(node, Const) else self.values[node][1] == "bool"

    def _argument(self, node, kind, compute):
        if isinstance(node, Const):
            return str(int(bool(node.value))) if kind == "b" else types.literal(node.value, compute)
        text, ctype = self.values[node]
        if kind == "b":
            return text if ctype == "bool" else f"({text} != 0)"
        return text if ctype == compute else f"(({compute}){text})"


def flops(outputs):
    """The arithmetic cost of outputs for one element; shared subexpressions count once."""
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return sum(node.function.flops for node in topological(outputs) if isinstance(node, Call))
