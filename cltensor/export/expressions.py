"""Expressions of the file's grammar, see docs/program-format.md: read, checked and computed."""

import ast
import functools
import math

from ..base.errors import SerializationError

LONGEST, DEEPEST = 4096, 64
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_COMPARED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_CONSTANTS = {"inf": math.inf, "nan": math.nan}


def _power(a, b):
    if type(a) is type(b) is int and b >= 0:
        return _wrapped(pow(a, b, 1 << 64))
    return _defined(pow, float(a), float(b))


def _defined(compute, *operands):
    """What C gives: infinity or NaN where Python raises an error or gives a complex number."""
    try:
        found = compute(*operands)
    except OverflowError:
        return math.inf
    except (ValueError, ZeroDivisionError):
        return math.nan
    return math.nan if isinstance(found, complex) else found


def _wrapped(n):
    """A whole number in 64 bits, two's complement."""
    return n if -(1 << 63) <= n < 1 << 63 else ((n + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


_FUNCTIONS = {"min": min, "max": max, "ceil": lambda a, b: -(-a // b), "sqrt": functools.partial(_defined, math.sqrt),
              "exp": functools.partial(_defined, math.exp), "log": functools.partial(_defined, math.log)}
_ARITY = {"min": (2, 64), "max": (2, 64), "ceil": (2, 2), "sqrt": (1, 1), "exp": (1, 1), "log": (1, 1)}


class Expression:
    """A number that follows from others.  names: what it depends on."""

    def __init__(self, text):
        self.text = text
        if len(text) > LONGEST:
            raise SerializationError(f"an expression has more than {LONGEST} characters: {text[:40]}...")
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise SerializationError(f"{text[:80]!r} is no expression") from None
        if _nesting(text) > DEEPEST:
            raise SerializationError(f"an expression is nested more than {DEEPEST} deep: {text[:40]}...")
        names = {}
        tree = self._checked(tree, names, 0)
        self.names = tuple(names)
        arguments = ast.arguments(posonlyargs=[], args=[ast.arg(n) for n in names], kwonlyargs=[], kw_defaults=[], defaults=[])
        code = ast.fix_missing_locations(ast.Expression(ast.Lambda(arguments, tree)))
        scope = {"__builtins__": {}, "power": _power, **_FUNCTIONS, **_CONSTANTS}
        self._compute = eval(compile(code, "expression", "eval"), scope)  # _checked has seen that it holds the grammar alone

    def __call__(self, values):
        """The number for these values of its names, a mapping.  Raises SerializationError for division by zero."""
        try:
            found = self._compute(*[values[n] for n in self.names])
        except (ZeroDivisionError, OverflowError, TypeError) as error:
            raise SerializationError(f"{self.text[:80]!r} cannot be computed: {error}") from None
        return found if type(found) is float else _wrapped(int(found))

    def _checked(self, node, names, depth):
        """The tree with nothing but the grammar in it, powers as calls."""
        if depth > DEEPEST:
            raise SerializationError(f"an expression is nested more than {DEEPEST} deep: {self.text[:40]}...")

        def inner(*nodes):
            return [self._checked(n, names, depth + 1) for n in nodes]

        if isinstance(node, ast.Constant) and (type(node.value) is float or (
                type(node.value) is int and node.value < 1 << 64)):
            return node
        if isinstance(node, ast.Name) and node.id not in _FUNCTIONS:
            if node.id not in _CONSTANTS:
                names[node.id] = None
            return node
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return ast.Call(ast.Name("power", ast.Load()), inner(node.left, node.right), [])
        if isinstance(node, ast.BinOp) and isinstance(node.op, _BINARY):
            left, right = inner(node.left, node.right)
            return ast.BinOp(left, node.op, right)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return ast.UnaryOp(node.op, *inner(node.operand))
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], _COMPARED):
            left, right = inner(node.left, node.comparators[0])
            return ast.Compare(left, node.ops, [right])
        if isinstance(node, ast.IfExp):
            return ast.IfExp(*inner(node.test, node.body, node.orelse))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ARITY and not node.keywords:
            low, high = _ARITY[node.func.id]
            if low <= len(node.args) <= high:
                return ast.Call(node.func, inner(*node.args), [])
        raise SerializationError(f"{self.text[:80]!r} is no expression")


def _nesting(text):
    """The most parentheses that are open at a time."""
    depth = most = 0
    for c in text:
        depth += (c == "(") - (c == ")")
        most = max(most, depth)
    return most


@functools.lru_cache(1 << 14)
def expression(text):
    """The Expression of a text."""
    return Expression(text)


def number(given, values):
    """A number of the file, plain or an expression, for these values of names."""
    return expression(given)(values) if type(given) is str else given
