"""Liveness: which variables of a function are read later, and which are surely bound, at each of its statements.

Source: the data-flow analyses of Aho, Lam, Sethi and Ullman, Compilers, 2006, section 9.2, over Python's statements.
"""

import ast
from dataclasses import dataclass

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOPS = (ast.For, ast.While)

#: the last names of calls whose contexts let every error through
_TRANSPARENT = frozenset("""no_grad enable_grad set_grad_enabled inference_mode autocast device stream detect_anomaly
    record_function profile sdpa_kernel nullcontext open fork_rng Lock RLock lock checkpoint""".split())


def reads(node):
    """The names that a node reads, those that functions inside it read included."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Store) else {node.id}
    found = set().union(*map(reads, ast.iter_child_nodes(node)))
    if isinstance(node, _COMPREHENSIONS):
        found -= {name for g in node.generators for name in stores(g.target)}
    if isinstance(node, ast.AugAssign):
        found |= stores(node.target)
    return found


def stores(node):
    """The names that a node may bind or unbind, those of functions inside it left out."""
    if isinstance(node, ast.Name):
        return set() if isinstance(node.ctx, ast.Load) else {node.id}
    if isinstance(node, _SCOPES):
        return {node.name} if hasattr(node, "name") else set()
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    found = set().union(*map(stores, ast.iter_child_nodes(node)))
    if isinstance(node, _COMPREHENSIONS):
        found -= {name for g in node.generators for name in stores(g.target)}
    for field in ("name", "rest"):  # of an except clause and of patterns
        if isinstance(getattr(node, field, None), str):
            found.add(getattr(node, field))
    return found


def sure(statement):
    """The names that a simple statement surely binds."""
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return set().union(*map(stores, targets)) if getattr(statement, "value", None) is not None else set()
    if isinstance(statement, (*_SCOPES, ast.Import, ast.ImportFrom)):
        return stores(statement)
    return set()


def headers(s):
    """What a compound statement evaluates besides the statements inside it."""
    if isinstance(s, (ast.If, ast.While)):
        return [s.test]
    if isinstance(s, ast.For):
        return [s.iter, s.target]
    if isinstance(s, ast.With):
        return list(s.items)
    if isinstance(s, ast.Match):
        return [s.subject, *(part for c in s.cases for part in (c.pattern, c.guard) if part is not None)]
    return [h.type for h in s.handlers if h.type is not None]


def blocks(s):
    """The lists of statements inside a statement, those of functions left out."""
    if isinstance(s, _SCOPES):
        return []
    found = [getattr(s, field) for field in ("body", "orelse", "finalbody") if isinstance(getattr(s, field, None), list)]
    found += [h.body for h in getattr(s, "handlers", ())]
    return found + [c.body for c in getattr(s, "cases", ())]


def inside(statements):
    """All statements of a list, those in blocks included, the outer ones first."""
    for s in statements:
        yield s
        for block in blocks(s):
            yield from inside(block)


def outer_names(tree):
    """The names that a function declares global or nonlocal."""
    return {name for s in inside(tree.body) if isinstance(s, (ast.Global, ast.Nonlocal)) for name in s.names}


def variables(tree):
    """The local variables of a FunctionDef."""
    return (parameters(tree) | set().union(*map(stores, tree.body))) - outer_names(tree)


def parameters(tree):
    """The names of a FunctionDef's parameters."""
    args = tree.args
    return {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs, *filter(None, (args.vararg, args.kwarg)))}


def captured(node):
    """The names that functions inside a node read or rebind; comprehensions are none."""
    if isinstance(node, _SCOPES):
        declared = {n for inner in ast.walk(node) if isinstance(inner, ast.Nonlocal) for n in inner.names}
        return reads(node) | declared
    return set().union(*map(captured, ast.iter_child_nodes(node)))


@dataclass(frozen=True)
class _Ways:
    """What is live where a statement may go besides the next one: out of a loop, to its head, to where an error is met."""

    out: frozenset = frozenset()
    head: frozenset = frozenset()
    error: frozenset = frozenset()

    def met(self, error):
        """With more that is live where an error is met."""
        return _Ways(self.out, self.head, self.error | error)


class Liveness:
    """The analyses of one function.

    after, before: {id of a statement: names that are read after it, names surely bound before it}; bound: after it.
    error: {id: names that are read where an error of the statement is met}.
    """

    def __init__(self, tree):
        self.after, self.before, self.bound, self.error = {}, {}, {}, {}
        self.local = variables(tree)
        self.always = frozenset(captured(ast.Module(tree.body, [])) & self.local)
        self._back(tree.body, self.always, _Ways())
        self._on(tree.body, frozenset(parameters(tree)))

    def entering(self, statements, after):
        """The local variables that are read by some statements, or by what reads `after` and is not surely bound by them."""
        kept = self.after, self.error, self.always
        self.after, self.error, self.always = {}, {}, frozenset()
        found = self._back(statements, frozenset(after), _Ways())
        self.after, self.error, self.always = kept
        return found & self.local

    # --- backwards: what is read -------------------------------------------------------------------------------------------

    def _back(self, statements, after, ways):
        live = after
        for s in reversed(statements):
            self.after[id(s)], self.error[id(s)] = live, ways.error
            live = self._before(s, live, ways) | ways.error
        return live

    def _before(self, s, after, ways):
        if isinstance(s, ast.Return):
            return frozenset(reads(s)) | self.always
        if isinstance(s, ast.Raise):
            return frozenset(reads(s)) | ways.error
        if isinstance(s, (ast.Break, ast.Continue)):
            return ways.out if isinstance(s, ast.Break) else ways.head
        if not blocks(s):
            return frozenset((after - (sure(s) - self.always)) | reads(s))
        header = frozenset().union(*map(reads, headers(s)))
        if isinstance(s, _LOOPS):
            return self._loop(s, header, after, ways)
        if isinstance(s, ast.With):
            inner = ways if all(map(_transparent, s.items)) else ways.met(after)
            return header | (self._back(s.body, after, inner) - frozenset().union(*map(stores, s.items)))
        if isinstance(s, ast.If):
            return header | self._back(s.body, after, ways) | self._back(s.orelse, after, ways)
        if isinstance(s, ast.Match):
            return header | after.union(*(self._back(c.body, after, ways) for c in s.cases))
        return header | self._try(s, after, ways)

    def _loop(self, s, header, after, ways):
        head, target = header | after, (stores(s.target) - self.always if isinstance(s, ast.For) else frozenset())
        while True:
            done = self._back(s.orelse, after, ways)
            new = header | done | (self._back(s.body, head, _Ways(after, head, ways.error)) - target)
            if new == head:
                return head
            head = new | head

    def _try(self, s, after, ways):
        last = self._back(s.finalbody, after | ways.error, ways) if s.finalbody else after
        ways = ways.met(last) if s.finalbody else ways
        met = frozenset().union(*(self._back(h.body, last, ways) for h in s.handlers))
        return self._back(s.body, self._back(s.orelse, last, ways), ways.met(met))

    # --- forwards: what is bound --------------------------------------------------------------------------------------------

    def _on(self, statements, bound):
        """The names bound after some statements; None where nothing comes after them."""
        for s in statements:
            self.before[id(s)] = frozenset(bound or self.local)
            bound = self._bound(s, frozenset(bound or self.local))
            self.bound[id(s)] = self.local if bound is None else bound
        return bound

    def _bound(self, s, bound):
        if isinstance(s, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
            return None
        if not blocks(s):
            return (bound | sure(s)) - (stores(s) if isinstance(s, ast.Delete) else set())
        lost = {n for inner in inside([s]) if isinstance(inner, ast.Delete) for n in stores(inner)}
        lost |= {h.name for inner in inside([s]) for h in getattr(inner, "handlers", ()) if h.name}
        bound = frozenset(bound - lost)
        if isinstance(s, ast.If):
            return _met([self._on(s.body, bound), self._on(s.orelse, bound)])
        if isinstance(s, ast.With):
            inner = self._on(s.body, bound | frozenset().union(*map(stores, s.items)))
            return inner if all(map(_transparent, s.items)) else _met([inner, bound])
        entered = bound | (stores(s.target) if isinstance(s, ast.For) else set())
        for block in blocks(s):
            self._on(block, entered)
        return bound


def _met(ways):
    """The names bound at the end of one of several ways; None where none ends."""
    ends = [w for w in ways if w is not None]
    return frozenset(ends[0]).intersection(*ends[1:]) if ends else None


def _transparent(item):
    """Whether a context lets every error through."""
    call = item.context_expr.func if isinstance(item.context_expr, ast.Call) else item.context_expr
    return getattr(call, "attr", getattr(call, "id", None)) in _TRANSPARENT
