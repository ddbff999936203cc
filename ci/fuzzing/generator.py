"""Random programs: a pool of dtypes and templates for a block of them, and a writer that makes one statement after another."""

import itertools
import random

from . import interleaved, leaves, views
from .catalogue import FAMILIES, WEIGHTS
from .fill import Fill, Unfit
from .program import Program, Statement

#: programs that share a pool, so that they share kernels
BLOCK = 100
_MOST_ELEMENTS = 3000


class Pool:
    """The material of a block of programs: three or four dtypes, and some templates of each family."""

    def __init__(self, seed, block):
        rng = random.Random(f"pool {seed} {block}")
        self.floats = [rng.choices(leaves.FLOATS, (8, 2, 3, 2))[0] for _ in range(2)]
        self.ints = [rng.choices(leaves.INTS, (6, 3, 1, 1, 2))[0]]
        self.templates = {f: rng.sample(t, min(len(t), 5)) for f, t in FAMILIES.items()}
        self.grad = rng.random() < 0.7

    def dtype(self, rng, kind):
        """A dtype: "float", "int", "bits" (int or bool), "numeric" (no bool), "index" or, for anything, "plain"."""
        if kind == "float":
            return rng.choice(self.floats)
        if kind == "index":
            return "int64"
        chosen = {"int": self.ints, "bits": [*self.ints, "bool"], "numeric": [*self.floats, *self.floats, *self.ints],
                  "plain": [*self.floats, *self.floats, *self.floats, *self.ints, *self.ints, "bool"]}[kind]
        return rng.choice(chosen)


class Writer:
    """Writes one program; `oracle` runs each statement and reports the result."""

    def __init__(self, rng, oracle, pool):
        self.rng, self.oracle, self.pool = rng, oracle, pool
        self.statements, self.names, self.count = [], [], itertools.count()
        self.refused = False  # whether PyTorch refuses one of the statements

    def write(self, length):
        """Statements: leaves as they are needed, `length` others, then gradients where something requires them."""
        written = 0
        for _ in range(6 * length):
            written += self._one()
            if written >= length:
                break
        if any(self.oracle.facts(n).requires_grad for n in self.names):
            self._backward()
        return tuple(self.statements)

    def _one(self):
        family = self.rng.choices(list(WEIGHTS), WEIGHTS.values())[0]
        try:
            if family == "interleaved":
                made = interleaved.statement(self)
            else:
                made = self._filled(family, self.rng.choice(self.pool.templates[family]))
        except Unfit:
            return 0
        return self.emit(made)

    def _filled(self, family, template):
        fill = Fill(self)
        text = fill(template.removeprefix("= "))
        if template.startswith("= "):
            return Statement(f"x{next(self.count)} = {text}", f"{family}: {template}")
        made = Statement(text, f"{family}: {template}", apart=tuple((fill.subject, other) for other in fill.taken))
        if not self.oracle.defined(made):
            raise Unfit("what PyTorch reads would depend on what it has written already")
        return made

    def emit(self, statement):
        """Append a statement; one that PyTorch refuses is kept now and then.  Returns how many were appended."""
        bound = self.oracle.run(statement)
        if bound is None and self.rng.random() < 0.8:
            return 0
        self.refused |= bound is None
        too_large = [n for n in bound or () if self._unwieldy(n)]
        if too_large:
            return 0
        self.statements.append(statement)
        self.names += [n for n in bound or () if n not in self.names]
        return 1

    def _unwieldy(self, name):
        facts = self.oracle.facts(name)
        return facts is None or facts.size > _MOST_ELEMENTS or facts.ndim > 6

    def refuses(self, text):
        """Whether PyTorch refuses a line here; tried on a copy of what there is."""
        trial = type(self.oracle)()
        for s in self.statements:
            trial.run(s)
        return trial.run(Statement(text)) is None

    # --- what fill.py asks for ---------------------------------------------------------------------------------------

    def dtype(self, kind="plain"):
        """A dtype of the pool."""
        return self.pool.dtype(self.rng, kind)

    def leaf(self, of_shape=None, dtype=None):
        """The name of a new leaf."""
        dtype = dtype or self.dtype()
        grad = self.pool.grad and dtype in leaves.FLOATS and self.rng.random() < 0.5
        made = leaves.leaf(self.rng, f"x{next(self.count)}", dtype, of_shape, grad)
        self.statements.append(made)
        self.oracle.run(made)
        self.names.append(made.name)
        return made.name

    def tensor(self, suits, make=None, dtype=None, viewed=0.25, view=views.view):
        """(expression, facts) of a tensor that suits: one there is, latest first, a view of it, or a new leaf."""
        latest = [n for n in reversed(self.names) if suits(self.oracle.facts(n))]
        name = None
        while latest and name is None:
            name = latest[0] if self.rng.random() < 0.45 else None
            latest.pop(0)
        if name is None:
            name = self.leaf(make() if make else None, self.dtype(dtype or "plain"))
        if self.rng.random() < viewed:
            whole = self.oracle.facts(name)
            seen = f"{name}{view(self.rng, whole.shape)}"
            facts = self.oracle.facts(seen)
            if facts is not None and views.suits(seen, whole) and suits(facts):
                return seen, facts
        facts = self.oracle.facts(name)
        if not suits(facts):
            raise Unfit("the new leaf does not suit")
        return name, facts

    def partner(self, facts):
        """An expression that broadcasts with a tensor."""
        for n in self.rng.sample(self.names, min(3, len(self.names))):
            if self.rng.random() < 0.6 and _broadcast(facts.shape, self.oracle.facts(n).shape):
                return n
        dtype = facts.dtype if self.rng.random() < 0.7 else self.dtype()
        return self.like(leaves.broadcastable(self.rng, facts.shape), dtype)

    def like(self, of_shape, dtype):
        """An expression of one shape and dtype: a tensor, a view of one, or a new leaf."""
        def fits(facts):
            return facts is not None and facts.shape == tuple(of_shape) and facts.dtype == dtype
        if self.rng.random() < 0.7:
            for n in self.rng.sample(self.names, len(self.names)):
                facts = self.oracle.facts(n)
                if fits(facts):
                    return n
                seen = f"{n}{views.view(self.rng, facts.shape)}" if facts.dtype == dtype else ""
                if seen and views.suits(seen, facts) and fits(self.oracle.facts(seen)):
                    return seen
        return self.leaf(of_shape, dtype)

    def numbers(self, of_shape, low, high):
        """An int64 tensor of numbers from low up to, not including, high."""
        size = 1
        for n in of_shape:
            size *= n
        return f"ct.tensor({[self.rng.randrange(low, high) for _ in range(size)]}, dtype=ct.int64).reshape({tuple(of_shape)})"

    # --- gradients ---------------------------------------------------------------------------------------------------

    def _backward(self):
        """Append a scalar made of the tensors that require gradients, its gradients, and sometimes second gradients."""
        roots = [n for n in self.names if self._rooted(n)]
        wanted = [s.name for s in self.statements if getattr(s, "grad", False)]
        if not roots or not wanted:
            return
        total = " + ".join(self._scalar(n) for n in self.rng.sample(roots, min(len(roots), 2)))
        if self.rng.random() < 0.75:
            self.emit(Statement(f"({total}).backward()", "backward"))
            return
        grads = f"ct.autograd.grad({total}, [{', '.join(wanted)}], create_graph=True, allow_unused=True)"
        again = "sum((g * g).sum() for g in gs if g is not None and g.requires_grad)"
        self.emit(Statement(f"gs = {grads}", "double backward"))
        self.emit(Statement(f"({again}).backward()", "double backward"))

    def _rooted(self, name):
        facts = self.oracle.facts(name)
        return facts.requires_grad and not facts.leaf

    def _scalar(self, name):
        size = self.oracle.facts(name).size
        if size < 2 or self.rng.random() < 0.3:
            return f"{name}.sum()"
        return f"({name}.flatten() * ct.linspace(-1, 2, {size}, dtype={name}.dtype)).sum()"


def _broadcast(one, other):
    pairs = zip(reversed(one), reversed(other), strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)


def program(seed, number, oracle):
    """Program `number` of a seed; `oracle` is a new Oracle, or a stand-in."""
    rng = random.Random(f"program {seed} {number}")
    writer = Writer(rng, oracle, Pool(seed, number // BLOCK))
    statements = writer.write(rng.randint(3, 10))
    return Program(statements, f"{seed}:{number}", reads=writer.refused or rng.random() < 0.5)
