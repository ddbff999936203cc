"""Layout: the body of a function as statements that run as they are, and pieces between them that are functions of their own."""

import ast
import copy
from dataclasses import dataclass, field

from .hoisting import VALUE
from .liveness import Liveness, blocks, captured, headers, inside, outer_names, reads, stores

UNBOUND, LOCALS, INTO, RESULT, WATCH = "<unbound>", "<locals>", "<into>", "<result>", "<watch>"
_LOOPS = (ast.For, ast.While)
#: methods that change a list, a dict or a set, which is noticed otherwise
_CHANGES = frozenset("append extend insert add update setdefault pop popitem clear remove discard sort reverse".split())
#: functions and modules whose results depend on their arguments alone
_PURE = frozenset("""len int float bool str range max min abs round sum isinstance issubclass getattr hasattr tuple list dict set
    zip map enumerate sorted reversed type math operator itertools functools""".split()) | {VALUE}
_WORK = (ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Subscript, ast.AugAssign, ast.For, ast.While)


@dataclass(frozen=True)
class Part:
    """A piece: a function of local variables.

    run: its statements, those of the function's tree; takes, gives: the variables that it is given and gives back.
    tree: its FunctionDef; returns: whether it gives (whether the function returns, what it returns or the variables).
    """

    run: tuple
    takes: tuple
    gives: tuple
    open: frozenset  # variables that may be unbound
    returns: str  # "never", "always" or "maybe"
    tree: ast.FunctionDef = field(compare=False, repr=False)

    @property
    def key(self):
        """What tells it from others of the same function."""
        return tuple(map(id, self.run)), self.takes, self.gives, self.open, self.returns


class Layout:
    """The layout of a function.

    tree: its FunctionDef; marked: ids of the statements that run as they are; descended: those of them whose calls go through INTO.
    parts: the pieces, in order; body: the statements of the function that calls them, by the names that `name` gives.
    """

    def __init__(self, tree, marked, descended):
        self.tree, self.marked, self.descended = tree, marked, descended
        self.flow, self.outer = Liveness(tree), outer_names(tree)
        self.groups, self.parts = list(_entangled(tree, self.flow.local)), []
        self.body = self._block(tree.body, True)

    @staticmethod
    def name(i):
        """The variable that holds the i-th piece."""
        return f"<piece {i}>"

    def _block(self, statements, last=False):
        """A list of statements with pieces in place of what can be in one.  last: whether the function ends after it."""
        made, run = [], []
        for s in statements:
            if self._can_move(s):
                run.append(s)
                continue
            made += self._piece(run, False)
            made += self._native(s)
            run = []
        return made + self._piece(run, last)

    # --- statements that run as they are -------------------------------------------------------------------------------------

    def _can_move(self, s):
        """Whether a statement can be part of a piece."""
        within = list(inside([s]))
        ids = {id(inner) for inner in within}
        if ids & self.marked or any(0 < len(ids & group) < len(group) for group in self.groups):
            return False
        if any(isinstance(x, (ast.Global, ast.Nonlocal, ast.Delete, ast.Import, ast.ImportFrom)) for x in within):
            return False
        if any(isinstance(x, (ast.FunctionDef, ast.ClassDef)) and x.name in self.flow.after[id(s)] for x in within):
            return False
        return not (stores(s) & (self.outer | self.flow.error[id(s)]) or _jumps_out(s))

    def _native(self, s):
        """A statement as it is, with pieces in its blocks."""
        made = copy.copy(s)
        wanted = id(s) in self.descended
        if not blocks(s):
            return [_Descent().visit(copy.deepcopy(s)) if wanted else s]
        for name in ("test", "iter", "subject", "items"):
            if wanted and hasattr(s, name):
                value = copy.deepcopy(getattr(s, name))
                setattr(made, name, list(map(_Descent().visit, value)) if isinstance(value, list) else _Descent().visit(value))
        for name in ("body", "orelse", "finalbody"):
            if isinstance(getattr(s, name, None), list):
                setattr(made, name, self._block(getattr(s, name)))
        for name in ("handlers", "cases"):
            if hasattr(s, name):
                setattr(made, name, [_with_body(c, self._block(c.body)) for c in getattr(s, name)])
        return [made]

    # --- pieces ------------------------------------------------------------------------------------------------------------

    def _piece(self, run, last):
        """The statements that call a piece, or those of the run itself where that computes nothing."""
        if not any(isinstance(n, _WORK) for s in run for n in ast.walk(s)):
            return run
        flow, end = self.flow, run[-1]
        returning = any(isinstance(s, ast.Return) for s in inside(run))
        returns = "never" if not returning else "always" if last or _ends(run) else "maybe"
        gives = set() if returns == "always" else set().union(*map(stores, run)) & flow.local & flow.after[id(end)]
        takes = flow.entering(run, gives)
        open_ = {n for n in takes if n not in flow.before[id(run[0])]} | {n for n in gives if n not in flow.bound[id(end)]}
        part = Part(tuple(run), tuple(sorted(takes)), tuple(sorted(gives)), frozenset(open_), returns, None)
        part = Part(part.run, part.takes, part.gives, part.open, returns, _function(self.tree, part, flow.local))
        self.parts.append(part)
        call = ast.Call(ast.Name(self.name(len(self.parts) - 1), ast.Load()),
                        [_value(n, part.open & (set(part.takes) - flow.before[id(run[0])])) for n in part.takes], [])
        return [_located(s, run[0]) for s in _called(call, part)]


def _jumps_out(s, looping=False):
    """Whether a statement leaves or goes on with a loop around it."""
    if isinstance(s, (ast.Break, ast.Continue)):
        return not looping
    for block in blocks(s):
        inner = looping or (isinstance(s, _LOOPS) and block is s.body)
        if any(_jumps_out(x, inner) for x in block):
            return True
    return False


def _ends(statements):
    """Whether nothing comes after some statements."""
    end = statements[-1] if statements else None
    if isinstance(end, ast.If):
        return _ends(end.body) and _ends(end.orelse)
    if isinstance(end, ast.With):
        return False  # it may swallow an error
    return isinstance(end, (ast.Return, ast.Raise))


def _value(name, open_):
    """The value of a variable; UNBOUND's where it has none."""
    if name not in open_:
        return ast.Name(name, ast.Load())
    space = ast.Call(ast.Name(LOCALS, ast.Load()), [], [])
    return ast.Call(ast.Attribute(space, "get", ast.Load()), [ast.Constant(name), ast.Name(UNBOUND, ast.Load())], [])


def _unbound(names):
    """Statements that unbind variables whose value is UNBOUND's."""
    for name in names:
        test = ast.Compare(ast.Name(name, ast.Load()), [ast.Is()], [ast.Name(UNBOUND, ast.Load())])
        yield ast.If(test, [ast.Delete([ast.Name(name, ast.Del())])], [])


def _function(tree, part, local):
    """The FunctionDef of a piece."""
    args = ast.arguments([], [ast.arg(n) for n in part.takes], None, [], [], None, [])
    watched = _Watched(part.run, local).visit(ast.If(ast.Constant(True), copy.deepcopy(list(part.run)), []))
    body = [*_unbound(n for n in part.takes if n in part.open), *watched.body]
    given = ast.Tuple([_value(n, part.open) for n in part.gives], ast.Load())
    if part.returns == "maybe":
        body = [_Tagged().visit(s) for s in body]
        given = ast.Tuple([ast.Constant(False), given], ast.Load())
    if part.returns != "always":
        body.append(ast.Return(given))
    body = [_located(s, part.run[0]) for s in body]
    return ast.fix_missing_locations(ast.copy_location(ast.FunctionDef(tree.name, args, body, [], None), part.run[0]))


def _called(call, part):
    """Statements that call a piece and take what it gives."""
    if part.returns == "always":
        return [ast.Return(call)]
    target = ast.Tuple([ast.Name(n, ast.Store()) for n in part.gives], ast.Store())
    rebound = list(_unbound(n for n in part.gives if n in part.open))
    if part.returns == "never":
        return [ast.Assign([target], call) if part.gives else ast.Expr(call), *rebound]
    result = [ast.Subscript(ast.Name(RESULT, ast.Load()), ast.Constant(i), ast.Load()) for i in range(2)]
    return [ast.Assign([ast.Name(RESULT, ast.Store())], call), ast.If(result[0], [ast.Return(result[1])], []),
            ast.Assign([target], result[1]), ast.Assign([ast.Name(RESULT, ast.Store())], ast.Constant(None)), *rebound]


def _located(s, where):
    """A new statement with the place of another."""
    for node in ast.walk(s):
        if isinstance(node, (ast.expr, ast.stmt)) and not hasattr(node, "lineno"):
            ast.copy_location(node, where)
            node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
    return s


def _with_body(node, body):
    made = copy.copy(node)
    made.body = body
    return made


class _Tagged(ast.NodeTransformer):
    """Makes every return of a piece say that it is one."""

    def visit_Return(self, node):
        """Return a pair."""
        value = node.value or ast.copy_location(ast.Constant(None), node)
        node.value = ast.copy_location(ast.Tuple([ast.copy_location(ast.Constant(True), node), value], ast.Load()), node)
        return node

    def _leave(self, node):
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _leave


def changes(s, local):
    """Whether a simple statement changes an object of Python's: an attribute, or what a variable from outside refers to."""
    if isinstance(s, ast.Expr):
        call = s.value
        return (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _CHANGES
                and not (isinstance(call.func.value, ast.Name) and call.func.value.id in local))
    if isinstance(s, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = [n for t in (s.targets if isinstance(s, ast.Assign) else [s.target]) for n in ast.walk(t)]
        return any(isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store) for n in targets) or any(
            isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store)
            and not (isinstance(n.value, ast.Name) and n.value.id in local) for n in targets)
    return False


def asks(s, local):
    """Whether a simple statement may be of Python's world alone: it changes objects, calls for an effect, or asks for the time."""
    if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call):
        return changes(s, local) or not (isinstance(s.value.func, ast.Attribute) and s.value.func.attr in _CHANGES)
    if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call) and isinstance(s.targets[0], ast.Name):
        return _root(s.value) not in (None, *_PURE, *local)
    return changes(s, local)


def _root(call):
    """The variable by which a function is reached; None if there is none."""
    node = call.func
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


class _Watched(ast.NodeTransformer):
    """Puts calls of WATCH around statements that may be of Python's world alone: a replay would leave them out."""

    def __init__(self, run, local):
        self.local = local
        self.places = {(s.lineno, s.col_offset, s.end_lineno, s.end_col_offset, type(s)): i for i, s in enumerate(inside(run))}

    def visit(self, node):
        """Visit statements only."""
        if not isinstance(node, ast.stmt) or not asks(node, self.local):
            return super().visit(node) if isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)) else node
        at = self.places[node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, type(node)]
        name = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and ast.Name(node.targets[0].id, ast.Load())
        before, after = (ast.Expr(ast.Call(ast.Name(WATCH, ast.Load()), [ast.Constant(at), *value], []))
                         for value in ([], [name or ast.Constant(None)]))
        return [_located(before, node), node, _located(after, node)]

    def visit_FunctionDef(self, node):
        """Leave functions inside to themselves."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef


class _Descent(ast.NodeTransformer):
    """Lets every call of a statement go through INTO, which may put another function in the place of the one called."""

    def visit_Call(self, node):
        """Replace what is called."""
        self.generic_visit(node)
        into = ast.copy_location(ast.Name(INTO, ast.Load()), node.func)
        node.func = ast.copy_location(ast.Call(into, [node.func], []), node.func)
        return node


def _entangled(tree, local):
    """Sets of ids of statements that must run in one function, since a function inside sees variables change."""
    order = list(inside(tree.body))
    loops = {}
    for s in order:
        if isinstance(s, _LOOPS):
            for x in inside([s]):
                loops.setdefault(id(x), set()).add(id(s))
    own = {id(s): headers(s) if blocks(s) else [s] for s in order}
    rebinding = {n for s in ast.walk(tree) if s is not tree and isinstance(s, ast.Nonlocal) for n in s.names}
    for name in sorted(set().union(*(captured(e) for s in order for e in own[id(s)])) & local):
        makers = [i for i, s in enumerate(order) if any(name in captured(e) for e in own[id(s)])]
        writers = [i for i, s in enumerate(order) if any(name in stores(e) for e in own[id(s)])]
        late = any(w > m or loops.get(id(order[w]), set()) & loops.get(id(order[m]), set()) for m in makers for w in writers)
        if name in rebinding:
            yield {id(s) for s in order if any(name in reads(e) | stores(e) | captured(e) for e in own[id(s)])}
        elif late:
            yield {id(order[i]) for i in {*makers, *writers}}
