"""Splitting: a function that cannot be captured whole, as pieces that can and statements between them that run as they are."""

import ast
import dis
import functools
import linecache
import threading
import weakref
from types import CodeType, FunctionType, MethodType

from .crossing import RETURN, Watch, checked, value_of
from .guards import is_module
from .hoisting import VALUE, cut_off, first, hoist, only_read, operands, smallest
from .layout import INTO, LOCALS, UNBOUND, WATCH, Layout, changes
from .liveness import blocks, headers, inside, reads, stores, variables
from .source import Source, Unreadable
from .target import target

_TESTS = ("POP_JUMP", "JUMP_IF", "TO_BOOL")  # instructions that test a value


class _Unbound(str):
    """The value of a variable that has none."""


_UNBOUND = _Unbound("unbound")


class Split:
    """A function in pieces.

    make: gives what runs a piece, of its function, this Split and the names of its variables; inner: of a function that a statement
    calls.  reasons: {id of a statement that runs as it is: why}; failure: why it cannot be split, or None.
    """

    def __init__(self, fn, make, inner):
        self.make, self.inner, self.failure = make, inner, None
        self.reasons, self.descended, self.callees = {}, set(), set()
        self.pieces, self.called, self.codes, self.order = {}, weakref.WeakKeyDictionary(), set(), ()
        self._run, self._lock = None, threading.RLock()
        found, self._remake = target(fn)
        if found is None:
            self.failure = "it is no function of Python's"
            return
        try:
            self.source = Source(found)
        except Unreadable as why:
            self.failure = str(why)
            return
        self.tree, self.fn = self.source.tree, found
        for s in list(inside(self.tree.body)):
            if isinstance(s, ast.Return) and isinstance(s.value, (ast.Tuple, ast.List, ast.Dict)):
                self._insert(s, hoist(s, operands(s.value, False)))  # what was read may be returned as it is
                self.reasons[id(s)] = None
        self.local = variables(self.tree)
        self.codes.add(found.__code__)

    def __bool__(self):
        return self._run is not None

    def __call__(self, *args, **kwargs):
        return self._run(*args, **kwargs)

    # --- what is known of it -------------------------------------------------------------------------------------------------

    def explained(self):
        """"file:line: statement: why" of each statement that runs as it is."""
        code, found = self.fn.__code__, []
        for s in inside(self.tree.body):
            if self.reasons.get(id(s)) is not None:
                text = linecache.getline(code.co_filename, s.lineno).strip()
                found.append(f"{code.co_filename}:{s.lineno}: `{text}`, since {self.reasons[id(s)]}")
        return tuple(dict.fromkeys(found))

    def compiled(self):
        """(lines, what runs it) of each piece, then (None, it) of each function that statements call."""
        return [*self.order, *((None, c) for c in list(self.called.values()))]

    # --- where it is split -------------------------------------------------------------------------------------------------

    def mark(self, failure, part=None):
        """Split where a capture has failed.  part: the Part that was captured; None for all.  Returns whether that changes it."""
        if self.failure is not None:
            return False
        with self._lock:
            found = [self._mark_place(place, failure) for place in failure.places]
            if part is not None:
                found += [self._mark_names(part, failure.names, failure)]
                found += [self._run_as_it_is(s, failure) for s in failure.statements]
            if not any(found):
                found = [self._mark_change(s, failure) for s in list(inside(part.run if part else self.tree.body))
                         if changes(s, self.local) and id(s) not in self.reasons]
            if any(found):
                self._build()
            return any(found)

    def mark_names(self, part, names, reason):
        """Let what a piece does with some variables run outside of it.  Returns whether that changes anything."""
        with self._lock:
            found = self._mark_names(part, names, reason)
            if found:
                self._build()
            return found

    def leave(self, part):
        """Let a piece run as it is, without more ado: capturing it gains nothing.  One with branches may do more another time."""
        with self._lock:
            if not any(map(blocks, part.run)):
                self.reasons = {**dict.fromkeys(map(id, part.run)), **self.reasons}
                self._build()

    def _mark_place(self, place, reason):
        at = next((i for i in reversed(range(len(place))) if place[i][0] in self.codes), None)
        if at is None:
            return False
        span, truth = _span(*place[at])
        s = _innermost(inside(self.tree.body), span)
        if s is None:
            return False
        if at and not _inside(place[at - 1][0], place[at][0]):
            self.callees.add(place[at - 1][0])
            self.descended.add(id(s))
        node = _expression(s, span)
        made = [] if node is None else hoist(s, operands(node, truth))
        if made and only_read(node, truth):
            cut_off(made)
        self._insert(s, made)
        return self._run_as_it_is(s, reason) or bool(made)

    def _mark_names(self, part, names, reason):
        """See mark_names."""
        names, found = set(names), False
        for s in inside(part.run) if names else ():
            own = headers(s) if blocks(s) else [s]
            if id(s) in self.reasons:
                continue
            if any(names & stores(e) for e in own) or (RETURN in names and isinstance(s, ast.Return)):
                root = first(s)
                self._insert(s, hoist(s, operands(root[0], False)) if root and not blocks(s) else [])
                found |= self._run_as_it_is(s, reason)
            elif any(names & reads(e) for e in own):
                found |= self._mark_reader(s, names, reason)
        return found

    def _mark_change(self, s, reason):
        """Let a statement that changes objects run outside of a piece, but for what it computes first."""
        root = first(s)
        parts = root[-1:] if isinstance(s, (ast.Assign, ast.AugAssign, ast.AnnAssign)) else operands(root[0], False) if root else []
        self._insert(s, hoist(s, parts))
        return self._run_as_it_is(s, reason)

    def _mark_reader(self, s, names, reason):
        """Let the smallest part of a statement that reads some variables run outside of a piece; else all that mentions them."""
        node, root = smallest(s, names), first(s)
        made = [] if node is None or node in root else hoist(s, [node])
        if made:
            self._insert(s, made)
            return self._run_as_it_is(made[0], reason)
        if root and not blocks(s):
            self._insert(s, hoist(s, [e for e in operands(root[-1], False) if not names & reads(e)]))
        return self._run_as_it_is(s, reason)

    def _run_as_it_is(self, s, reason):
        new = id(s) not in self.reasons
        self.reasons.setdefault(id(s), str(reason))
        return new

    def _insert(self, s, made):
        """Put assignments before a statement; in a loop's body if it is the loop's test that needs them."""
        if not made:
            return
        if isinstance(s, ast.While):
            leave = ast.copy_location(ast.If(ast.UnaryOp(ast.Not(), s.test), [ast.copy_location(ast.Break(), s.test)], []), s.test)
            s.test, s.body = ast.copy_location(ast.Constant(True), s.test), [*made, leave, *s.body]
            ast.fix_missing_locations(leave)
            self.reasons[id(leave)] = None
            return
        for block in (self.tree.body, *(b for x in inside(self.tree.body) for b in blocks(x))):
            at = next((i for i, x in enumerate(block) if x is s), None)
            if at is not None:
                block[at:at] = made
                return

    # --- the function that calls the pieces ----------------------------------------------------------------------------------

    def _build(self):
        layout = Layout(self.tree, set(self.reasons), self.descended)
        given = {INTO: self._into, LOCALS: locals, UNBOUND: _UNBOUND, VALUE: value_of}
        order = []
        for i, part in enumerate(layout.parts):
            piece = self.pieces.get(part.key)
            if piece is None:
                made = self.source.made(part.tree, {LOCALS: locals, UNBOUND: _UNBOUND, VALUE: value_of, WATCH: Watch(part)})
                self.codes.add(made.__code__)
                piece = self.pieces[part.key] = self.make(checked(made, part), self, part)
            given[layout.name(i)] = piece
            order.append(((part.run[0].lineno, part.run[-1].end_lineno), piece))
        tree = ast.copy_location(ast.FunctionDef(self.tree.name, self.tree.args, layout.body, [], None), self.tree)
        driver = self.source.made(tree, given)
        driver.__defaults__, driver.__kwdefaults__ = self.fn.__defaults__, self.fn.__kwdefaults__
        self.codes.add(driver.__code__)
        self.pieces = {part.key: self.pieces[part.key] for part in layout.parts}
        self.order, self._run = tuple(order), self._remake(driver)

    def _into(self, fn):
        """What to call instead of a function: the function compiled if it is one in which a capture has failed."""
        if isinstance(fn, MethodType):
            inner = self._into(fn.__func__)
            return fn if inner is fn.__func__ else functools.partial(inner, fn.__self__)
        found = target(fn)[0] if is_module(fn) else fn
        if not isinstance(found, FunctionType) or found.__code__ not in self.callees:
            return fn
        with self._lock:
            compiled = self.called.get(fn)
            if compiled is None:
                compiled = self.called[fn] = self.inner(fn)
        return compiled


def _span(code, at):
    """(the place of an instruction: lines and columns, whether it tests a value)."""
    truth = dis.opname[code.co_code[at]].startswith(_TESTS)
    if hasattr(code, "co_positions"):
        start, end, left, right = next(p for i, p in enumerate(code.co_positions()) if i == at // 2)
        if None not in (start, end, left, right):
            return (start, left, end, right), truth
    line = next((n for low, high, n in code.co_lines() if low <= at < high and n), code.co_firstlineno)
    return (line, None, line, None), truth


def _innermost(statements, span):
    """The smallest statement around a place; of equal ones the first."""
    line, left, end, right = span
    found = None
    for s in statements:
        start, stop = (s.lineno, s.col_offset), (s.end_lineno, s.end_col_offset)
        around = s.lineno <= line and end <= s.end_lineno if left is None else start <= (line, left) and (end, right) <= stop
        if around and (found is None or (found[0] <= start and stop <= found[1] and (start, stop) != found[:2])):
            found = start, stop, s
    return found and found[2]


def _expression(statement, span):
    """The expression of a statement at a place, or None."""
    line, left, end, right = span
    call = None
    for e in (headers(statement) if blocks(statement) else [statement]):
        for n in ast.walk(e):
            if isinstance(n, ast.expr) and (n.end_lineno, n.end_col_offset) == (end, right):
                if (n.lineno, n.col_offset) == (line, left):
                    return n
                if isinstance(n, ast.Call):  # of a chain over several lines the place begins at the last method
                    call = call or n
    return call


def _inside(code, outer):
    """Whether a code object is of a function inside another one."""
    return any(isinstance(c, CodeType) and (c is code or _inside(code, c)) for c in outer.co_consts)
