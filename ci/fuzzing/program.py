"""Programs as text: statements that name what they define and use, so that parts can be left out."""

import ast
import functools
import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Statement:
    """One line of a program, run with `ct` bound to either module."""

    text: str
    family: str = ""  # the template it was made from: mismatches are grouped by it
    reference: str = ""  # the line PyTorch runs instead, if the statement is undefined in PyTorch
    apart: tuple = ()  # pairs of expressions that may share all memory or none: PyTorch leaves a partial overlap undefined

    @property
    def defines(self):
        """The names it binds."""
        return _names(self.text)[0]

    @property
    def uses(self):
        """The names it reads."""
        return _names(self.text)[1]


@functools.lru_cache(4096)
def _names(text):
    found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)]
    stored = frozenset(n.id for n in found if isinstance(n.ctx, ast.Store))
    loaded = frozenset(n.id for n in found if isinstance(n.ctx, ast.Load))
    return stored, loaded


@dataclass(frozen=True)
class Leaf:
    """A statement that makes a tensor from literal numbers in row-major order; too few are repeated from the start."""

    name: str
    shape: tuple
    dtype: str
    values: tuple
    grad: bool = False
    family: str = "leaf"
    reference: str = ""
    apart: tuple = ()

    @property
    def size(self):
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def text(self):
        """The line of Python."""
        return f"{self.name} = {self._made()}{'.requires_grad_()' if self.grad else ''}"

    def _made(self):
        dtype = f"dtype=ct.{self.dtype}"
        if not self.size or self.uniform:
            return f"ct.full({self.shape}, {_literal(self.values[0]) if self.values else 0}, {dtype})"
        if self.shape == ():
            return f"ct.tensor({_literal(self.values[0])}, {dtype})"
        made = f"ct.tensor([{', '.join(map(_literal, self.values[: self.size]))}], {dtype})"
        if len(self.values) < self.size:
            made += f".repeat({-(-self.size // len(self.values))})[:{self.size}]"
        return made + (f".reshape{self.shape}" if len(self.shape) > 1 else "")

    @property
    def uniform(self):
        """Whether all values are one."""
        return len(self.values) > 1 and all(v == self.values[0] for v in self.values)

    @property
    def defines(self):
        """The name it binds."""
        return frozenset([self.name])

    @property
    def uses(self):
        """Nothing but the module."""
        return frozenset(["ct"])

    def with_shape(self, shape):
        """The same leaf in another shape."""
        return replace(self, shape=tuple(shape), values=self.values or (1,))


def _literal(value):
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)


@dataclass(frozen=True)
class Program:
    """Statements in order, and the seed they were made from."""

    statements: tuple
    seed: str = ""
    reads: bool = True  # whether all tensors are read after each statement, or only at the end

    def without(self, position):
        """The program without one statement and those that depend on it."""
        kept, gone = [], set(self.statements[position].defines)
        for k, s in enumerate(self.statements):
            if k == position or gone & s.uses:
                gone |= s.defines
            else:
                kept.append(s)
                gone -= s.defines
        return replace(self, statements=tuple(kept))

    def having(self, position, statement):
        """The program with one statement replaced."""
        changed = list(self.statements)
        changed[position] = statement
        return replace(self, statements=tuple(changed))

    def upto(self, position):
        """The program up to and including one statement."""
        return replace(self, statements=self.statements[: position + 1])

    @property
    def text(self):
        """The lines, as either module runs them."""
        return "\n".join(s.text for s in self.statements)

    def snippet(self, module):
        """A script that runs by itself."""
        lines = [s.reference or s.text for s in self.statements] if module == "torch" else [s.text for s in self.statements]
        return "\n".join([f"import {module} as ct", *lines])
