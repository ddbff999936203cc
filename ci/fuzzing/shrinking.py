"""Make a failing program as small as possible while it still fails in the same way."""

import re
from dataclasses import replace

from .program import Leaf

#: programs tried for one mismatch
BUDGET = 150
#: a view or an index that follows a name
_SUFFIX = re.compile(r"(?<=[\w\])])(?<!\bct)(\.\w+\([^()]*\)|\[[^\[\]]*\])")


class Shrinker:
    """`check` gives the mismatch of a program, or None; `literal` makes a Leaf from a statement's value."""

    def __init__(self, check, literal=lambda program, position: None, budget=BUDGET):
        self.check, self.literal, self.budget = check, literal, budget

    def __call__(self, program, found):
        """The smallest (program, mismatch) reached from a failing program."""
        self.program, self.found, self.signature = program, found, found.signature(program)
        self._try(program.upto(found.position))
        before = None
        while before != self.program and self.budget > 0:
            before = self.program
            self._without()
            self._as_literals()
            self._simpler_leaves()
            self._shorter()
        return self.program, self.found

    def _try(self, program):
        """Continue with a program if it fails in the same way."""
        if self.budget <= 0 or not program.statements:
            return False
        self.budget -= 1
        found = self.check(program)
        if found is None or found.signature(program) != self.signature:
            return False
        self.program, self.found = program.upto(min(found.position, len(program.statements) - 1)), found
        return True

    def _positions(self):
        return range(len(self.program.statements) - 1, -1, -1)

    def _without(self):
        for position in self._positions():
            if position < len(self.program.statements):
                self._try(self.program.without(position))

    def _as_literals(self):
        for position in self._positions():
            if position >= len(self.program.statements) or isinstance(self.program.statements[position], Leaf):
                continue
            made = self.literal(self.program, position)
            if made is not None:
                self._try(self.program.having(position, made))

    def _simpler_leaves(self):
        for position in self._positions():
            if position < len(self.program.statements) and isinstance(self.program.statements[position], Leaf):
                while self._simpler_leaf(position):
                    continue

    def _simpler_leaf(self, position):
        """Whether a leaf could be made simpler; stops at the first success."""
        leaf = self.program.statements[position] if position < len(self.program.statements) else None
        return isinstance(leaf, Leaf) and any(self._try(self.program.having(position, s)) for s in simpler(leaf))

    def _shorter(self):
        """Leave out views and indices within a statement."""
        for position in self._positions():
            s = self.program.statements[position] if position < len(self.program.statements) else None
            if s is None or isinstance(s, Leaf) or s.reference or s.apart:
                continue
            for found in list(_SUFFIX.finditer(s.text)):
                text = s.text[: found.start()] + s.text[found.end():]
                if _parses(text) and self._try(self.program.having(position, replace(s, text=text))):
                    break


def simpler(leaf):
    """Leaves a little simpler than one: no gradient, a smaller shape, plainer numbers, float32."""
    if leaf.grad:
        yield replace(leaf, grad=False)
    for dim, n in enumerate(leaf.shape):
        yield from (leaf.with_shape((*leaf.shape[:dim], m, *leaf.shape[dim + 1:])) for m in {n // 2, n - 1} if 0 < m < n)
    if 1 in leaf.shape or (leaf.shape and leaf.size == 1):
        at = leaf.shape.index(1)
        yield leaf.with_shape(leaf.shape[:at] + leaf.shape[at + 1:])
    if leaf.dtype in ("float16", "bfloat16", "float64"):
        yield replace(leaf, dtype="float32")
    yield from (replace(leaf, values=values) for values in _plainer(leaf))


def _plainer(leaf):
    size = min(len(leaf.values), leaf.size)
    if leaf.dtype == "bool" or size == 0 or "int" in leaf.dtype:
        return
    for values in (tuple(map(float, range(1, size + 1))), (1.0,) * size):
        if values != leaf.values and leaf.values != (1.0,) * size:
            yield values


def _parses(text):
    try:
        compile(text, "", "exec")
    except SyntaxError:
        return False
    return True
