"""Sizes: expressions for the sizes of launches and buffers, which Python, C and a reader understand alike.

The grammar: whole numbers, names, + - * // %, parentheses, comparisons, `a if c else b`, min(...), max(...) and ceil(a, b), which
is a divided by b and rounded up.  All numbers are whole and not negative; // rounds down.
"""

import ast
import functools

from ..base.errors import ArgumentError

_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "/", ast.Mod: "%"}
_COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_FUNCTIONS = {"min": min, "max": max, "ceil": lambda a, b: -(-a // b)}


class Expression:
    """A size as text.  names: what it depends on, in order of their first mention."""

    def __init__(self, text):
        self.text = text
        try:
            self._tree = ast.parse(text, mode="eval").body
        except SyntaxError:
            raise ArgumentError(f"{text!r} is no expression for a size") from None
        self._c = _in_c(self._tree, text, {})
        self.names = tuple(dict.fromkeys(
            n.id for n in ast.walk(self._tree) if isinstance(n, ast.Name) and n.id not in _FUNCTIONS))
        self._compute = eval(  # the tree holds nothing but the grammar: _in_c has seen to it
            compile(ast.fix_missing_locations(ast.Expression(_lambda(self.names, self._tree))), text, "eval"), dict(_FUNCTIONS))

    def __call__(self, values):
        """The number for these values of its names, a mapping.  Raises KeyError for one that is missing."""
        return self._compute(*(values[n] for n in self.names))

    def c(self, values=()):
        """The expression in C, with macros CT_MIN, CT_MAX and CT_CEIL; values: {name: whole number} to write for names."""
        return _in_c(self._tree, self.text, values) if values else self._c

    def __str__(self):
        return self.text


#: C macros for `Expression.c`
MACROS = """#define CT_MIN(a, b) ((a) < (b) ? (a) : (b))
#define CT_MAX(a, b) ((a) > (b) ? (a) : (b))
#define CT_CEIL(a, b) (((a) + (b) - 1) / (b))
"""


@functools.lru_cache(4096)
def expression(text):
    """The Expression of a text or number."""
    return Expression(str(text))


def _lambda(names, tree):
    arguments = ast.arguments(posonlyargs=[], args=[ast.arg(n) for n in names], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Lambda(arguments, tree)


def _in_c(node, text, values):
    """A tree in C; raises ArgumentError for what the grammar does not have."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return str(node.value)
    if isinstance(node, ast.Name):
        value = values.get(node.id, node.id) if values else node.id
        return str(int(value) if isinstance(value, bool) else value)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return f"({_in_c(node.left, text, values)} {_BINARY[type(node.op)]} {_in_c(node.right, text, values)})"
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        return f"({_in_c(node.left, text, values)} {_COMPARED[type(node.ops[0])]} {_in_c(node.comparators[0], text, values)})"
    if isinstance(node, ast.IfExp):
        return f"({_in_c(node.test, text, values)} ? {_in_c(node.body, text, values)} : {_in_c(node.orelse, text, values)})"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS and not node.keywords:
        operands = [_in_c(a, text, values) for a in node.args]
        if len(operands) >= 2 and (node.func.id != "ceil" or len(operands) == 2):
            return functools.reduce(lambda a, b: f"CT_{node.func.id.upper()}({a}, {b})", operands)
    raise ArgumentError(f"{text!r} is no expression for a size: {ast.unparse(node)}")
