"""Hoisting: what a statement computes first becomes a statement of its own, an assignment to a temporary variable before it.

    print(model(x).sum().item())

becomes `t = model(x).sum()` and `print(t.item())`, so that only the read itself runs outside of captured programs.  The order in
which things happen stays: what a statement evaluates before such a part must be plain names.
"""

import ast
import itertools

from .liveness import blocks, headers

VALUE = "<value>"  # the function that cuts a tensor off its history
_VALUES = frozenset("item tolist nonzero float int bool".split())  # what reads values and gives none that have a history
_LAZY = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.Await)
_numbers = itertools.count()


def plain(node):
    """Whether evaluating an expression does nothing that could be noticed."""
    return isinstance(node, (ast.Name, ast.Constant)) or (isinstance(node, ast.Attribute) and plain(node.value))


def first(statement):
    """What a statement evaluates before anything else, in order."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr, ast.Return)):
        return [statement.value] if statement.value is not None else []
    if isinstance(statement, ast.AugAssign):
        return [statement.target, statement.value]
    if isinstance(statement, ast.With):
        return [statement.items[0].context_expr]
    if isinstance(statement, ast.Assert):
        return [statement.test]
    if isinstance(statement, ast.Try) or (isinstance(statement, ast.While) and statement.orelse):
        return []
    return headers(statement)[:1] if blocks(statement) else []


def hoist(statement, parts):
    """Replace parts of a statement, expressions in the order of their evaluation, by temporary variables.

    Returns the assignments that come before it; those that would change the order of what happens are left out.
    """
    made = []
    for part in parts:
        if plain(part) or isinstance(part, (*_LAZY, ast.Starred)):
            break
        if not any(_reaches(e, part) for e in _until(first(statement), part)):
            break
        name = f"<{next(_numbers)}>"
        _put(statement, part, ast.copy_location(ast.Name(name, ast.Load()), part))
        made.append(ast.copy_location(ast.Assign([ast.copy_location(ast.Name(name, ast.Store()), part)], part), part))
    return made


def _until(expressions, part):
    """The expression with a part in it, if all those before it are plain."""
    for e in expressions:
        if _holds(e, part):
            return [e]
        if not plain(e):
            return []
    return []


def _holds(node, part):
    return any(inner is part for inner in ast.walk(node))


def _reaches(node, part):
    """Whether a node evaluates a part surely, after nothing but plain names."""
    if node is part:
        return True
    if isinstance(node, _LAZY) and not (isinstance(node, ast.IfExp) and _holds(node.test, part)):
        return False
    children = [node.test] if isinstance(node, ast.IfExp) else _children(node)
    return any(_reaches(e, part) for e in _until(children, part))


def _children(node):
    """What an expression surely evaluates, in order."""
    if isinstance(node, ast.BoolOp):
        return node.values[:1]
    if isinstance(node, ast.Compare):
        return [node.left, node.comparators[0]]
    if isinstance(node, ast.Dict):
        return [e for pair in zip(node.keys, node.values, strict=True) for e in pair if e is not None]
    if isinstance(node, ast.NamedExpr):
        return [node.value]
    return [e for e in ast.iter_child_nodes(node) if isinstance(e, (ast.expr, ast.keyword))]


def _put(node, old, new):
    """Put a new expression in the place of an old one."""
    for parent in ast.walk(node):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
                return
            if isinstance(value, list) and any(v is old for v in value):
                value[:] = [new if v is old else v for v in value]
                return


def only_read(node, truth):
    """Whether an expression takes no more than the values of its operands: what gradients would flow to goes no further."""
    func = getattr(node, "func", None)
    return truth or getattr(func, "attr", getattr(func, "id", None)) in _VALUES


def cut_off(assignments):
    """Let assignments keep values without their history."""
    for s in assignments:
        s.value = ast.fix_missing_locations(ast.copy_location(ast.Call(ast.Name(VALUE, ast.Load()), [s.value], []), s.value))


def operands(node, truth):
    """The parts of an expression to hoist where it reads values itself: its operands; where its result is tested, itself."""
    if truth:
        return [node]
    if isinstance(node, ast.Call):
        called = [node.func.value] if isinstance(node.func, ast.Attribute) else [node.func]
        return [e for e in (*called, *node.args, *(k.value for k in node.keywords)) if not plain(e)]
    return [e for e in _children(node) if isinstance(e, ast.expr) and not plain(e)]


def smallest(statement, names):
    """The smallest expression with an operation in it that a statement applies to one of some names; None without one."""
    found = None
    pending = list(first(statement))
    for e in pending:  # grows in the loop
        children = [c for c in ast.iter_child_nodes(e) if isinstance(c, (ast.expr, ast.keyword))]
        operation = not plain(e) and not isinstance(e, (ast.keyword, ast.Starred, ast.Slice, ast.Tuple))
        if operation and any(n.id in names for c in children for n in _plain_names(c)):
            found = e
        pending += children
    return found


def _plain_names(node):
    """The names in an expression that are not inside an operation of their own."""
    if isinstance(node, (ast.keyword, ast.Starred, ast.Slice, ast.Tuple)) or plain(node):
        return [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    return []
