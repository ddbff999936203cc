"""Source: a function's text as a syntax tree, and functions made of parts of it.

What is made keeps the user's file, lines and names, so errors and tracebacks are those of the program as it is written.
"""

import __future__

import ast
import functools
import linecache
from types import CodeType, FunctionType

_FUTURE = functools.reduce(int.__or__, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names))
_FRAMES = frozenset(("_getframe", "currentframe"))  # what looks at the variables of a frame
_FORBIDDEN = frozenset(("locals", "vars", "dir", "eval", "exec", "breakpoint")) | _FRAMES
_SUSPENDED = 0x20 | 0x80 | 0x100 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR


class Unreadable(Exception):
    """A function has no source that could be taken apart; its text says why."""


class Source:
    """The syntax tree of a function.

    fn: a Python function; tree: its FunctionDef, with private names as they are in the class around it.
    """

    def __init__(self, fn):
        code = fn.__code__
        if code.co_name == "<lambda>":
            raise Unreadable("it is a lambda")
        if code.co_flags & _SUSPENDED:
            raise Unreadable("it is a generator or a coroutine")
        self.fn, self.tree = fn, _found(code, fn.__globals__)
        names = {n.id for n in ast.walk(self.tree) if isinstance(n, ast.Name)} & _FORBIDDEN
        names |= {n.attr for n in ast.walk(self.tree) if isinstance(n, ast.Attribute)} & _FRAMES
        if names:
            raise Unreadable(f"it calls {min(names)}()")
        _Supers(self.tree.args).visit(self.tree)

    def made(self, tree, given):
        """The function of a FunctionDef: with the closure, globals and defaults of this one, and names in `given` besides."""
        fn, code = self.fn, self.fn.__code__
        tree = ast.copy_location(ast.FunctionDef("<made>", _bare(tree.args), tree.body, [], None), tree)
        tree.type_params = []
        outside = [*code.co_freevars, *given]
        bound = [ast.Assign([ast.Name(name, ast.Store()) for name in outside], ast.Constant(None))] if outside else []
        outer = ast.FunctionDef("outer", ast.arguments([], [], None, [], [], None, []), [*bound, tree], [], None)
        outer.type_params = []
        module = ast.fix_missing_locations(ast.Module([outer], []))
        made = _nested(_nested(compile(module, code.co_filename, "exec", code.co_flags & _FUTURE, True)))
        made = made.replace(co_name=code.co_name, **({"co_qualname": code.co_qualname} if hasattr(code, "co_qualname") else {}))
        cells = dict(zip(code.co_freevars, fn.__closure__ or (), strict=True))
        closure = [cells.get(name) or _cell(given[name]) for name in made.co_freevars]
        result = FunctionType(made, fn.__globals__, fn.__name__, None, tuple(closure))
        result.__qualname__, result.__module__ = fn.__qualname__, fn.__module__
        return result


def _found(code, space):
    """The FunctionDef whose code this is."""
    lines = linecache.getlines(code.co_filename, space)
    if not lines:
        raise Unreadable("its source is not there")
    text = "".join(lines)
    try:
        module, compiled = ast.parse(text), compile(text, code.co_filename, "exec", code.co_flags & _FUTURE, True)
    except (SyntaxError, ValueError):
        raise Unreadable("its source cannot be parsed") from None
    if code not in _codes(compiled):
        raise Unreadable("its source differs from what runs")
    found = [(node, owner) for node, owner in _definitions(module, None)
             if node.name == code.co_name and _line(node) == code.co_firstlineno]
    if len(found) != 1:
        raise Unreadable("its source is not there")
    [(tree, owner)] = found
    if owner and owner.strip("_"):
        _Private(owner.lstrip("_")).visit(tree)
    return tree


def _definitions(node, owner):
    """(FunctionDef, the class around it) of all functions inside a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield child, owner
        yield from _definitions(child, child.name if isinstance(child, ast.ClassDef) else owner)


def _line(node):
    """The line where a definition begins, with its decorators."""
    return min([node.lineno, *(d.lineno for d in node.decorator_list)])


def _codes(code):
    """A code object and those inside it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _codes(inner)


def _bare(args):
    """Parameters without annotations and defaults."""
    plain = {name: [ast.arg(a.arg) for a in getattr(args, name)] for name in ("posonlyargs", "args", "kwonlyargs")}
    one = {name: (a := getattr(args, name)) and ast.arg(a.arg) for name in ("vararg", "kwarg")}
    return ast.arguments(**plain, **one, kw_defaults=[None] * len(args.kwonlyargs), defaults=[])


def _nested(code):
    """The code object among a code object's constants."""
    return next(c for c in code.co_consts if isinstance(c, CodeType))


def _cell(value):
    return (lambda: value).__closure__[0]


class _Private(ast.NodeTransformer):
    """Gives private names of a class the form that they have when it runs: _Class__name."""

    def __init__(self, owner):
        self.owner = owner

    def generic_visit(self, node):
        """Visit every node, and rename what it names."""
        for field in ("id", "attr", "arg", "name"):
            name = getattr(node, field, None)
            if isinstance(name, str) and name.startswith("__") and not name.endswith("__") and "." not in name:
                setattr(node, field, f"_{self.owner}{name}")
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            node.names = [f"_{self.owner}{n}" if n.startswith("__") and not n.endswith("__") else n for n in node.names]
        return super().generic_visit(node)

    def visit_ClassDef(self, node):
        """Leave a class inside to itself."""
        return node


class _Supers(ast.NodeTransformer):
    """Writes the arguments of super() out: part of a function has other parameters than the function."""

    def __init__(self, args):
        first = [*args.posonlyargs, *args.args]
        self.first = first[0].arg if first else None

    def visit_Call(self, node):
        """super() of the function itself."""
        self.generic_visit(node)
        if self.first and isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args and not node.keywords:
            node.args = [ast.copy_location(ast.Name(name, ast.Load()), node) for name in ("__class__", self.first)]
        return node

    def visit_FunctionDef(self, node):
        """Leave functions inside to themselves."""
        return self.generic_visit(node) if not hasattr(self, "inside") and not setattr(self, "inside", True) else node
