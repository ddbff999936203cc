"""Functions with statements of every kind and reads among them: one, and random ones as text."""

import contextlib
import random

import cltensor as ct

CALLS = 0
TENSORS, NUMBERS = ("a", "b", "c", "d"), ("n", "m")
_UNARY = ("({} * 2)", "{}.sin()", "({} + 1)", "({} / 3)", "{}.relu()", "(-{})", "{}.flip(0)")
_BINARY = ("({} + {})", "({} * {})", "({} - {})", "ct.maximum({}, {})")


class Writer:
    """Writes one function, `def f(a, b):`, from a seed.  It refers to ct, contextlib, w (a leaf), log (a list), stop (an error)."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.left = ["def f(a, b):"], 12
        self.write("c, d, n, m, many = a * 1, b * 1, 1, 2.0, []", 1)
        self.block(1, 0)
        self.write("return a, b, c, d, n, m, many", 1)

    @property
    def text(self):
        """The function's lines."""
        return "\n".join(self.lines) + "\n"

    def write(self, line, depth):
        """Add a line."""
        self.lines.append("    " * depth + line)

    def block(self, depth, loops):
        """Some statements."""
        for _ in range(self.random.randint(1, 4) if depth > 1 else 6):
            self.left -= 1
            self.statement(depth, loops)

    def tensor(self, depth=0):
        """An expression of a tensor."""
        r = self.random
        if depth > 2 or r.random() < 0.3:
            return r.choice((*TENSORS, "w"))
        if r.random() < 0.5:
            return r.choice(_UNARY).format(self.tensor(depth + 1))
        if r.random() < 0.2:
            return f"({self.tensor(depth + 1)} * {r.choice(NUMBERS)})"
        return r.choice(_BINARY).format(self.tensor(depth + 1), self.tensor(depth + 1))

    def number(self):
        """An expression of a number."""
        r = self.random
        t = self.tensor(1)
        return r.choice((f"{t}.sum().item()", f"float({t}.max()) % 4", f"int({t}.sum()) % 3", "n + 1", "m * 0.5", "len(many)",
                         f"{t}.tolist()[0]", f"{t}.nonzero().shape[0]"))

    def test(self):
        """A condition."""
        t = self.tensor(1)
        return self.random.choice((f"{t}.sum() > 0", f"{t}.sum().item() > m", "n > 1", "len(many) > 1",
                                   f"({t} > 0).any() and n < 2"))

    def statement(self, depth, loops):
        """One statement, with those inside it."""
        r, v = self.random, self.random.choice(TENSORS)
        kind = r.choice("set set set set update write number number log list if if for while with try return function loop".split())
        if self.left < 0 or depth > 3:
            kind = r.choice(("set", "number", "log"))
        if kind == "set":
            self.write(f"{v} = {self.tensor()}", depth)
        elif kind == "update":
            self.write(f"{v} {r.choice('+-*')}= {self.tensor(1)}", depth)
        elif kind == "write":
            self.write(r.choice((f"{v} = {v}.clone(); {v}.mul_(2)", f"{v} = {v} * 1; {v}[0] = n",
                                 f"{v} = {v}.clone().add_({self.tensor(1)})")), depth)
        elif kind == "number":
            self.write(f"{r.choice(NUMBERS)} = {self.number()}", depth)
        elif kind == "log":
            self.write(r.choice((f"log.append({self.number()})", "log.append(n)", "log.append(len(many))")), depth)
        elif kind == "list":
            self.write(r.choice((f"many.append({self.tensor()})", "many = [t * 2 for t in many]", "many = many[:2]")), depth)
        elif kind == "if":
            self.write(f"if {self.test()}:", depth)
            self.block(depth + 1, loops)
            if r.random() < 0.5:
                self.write(f"elif {self.test()}:" if r.random() < 0.3 else "else:", depth)
                self.block(depth + 1, loops)
        elif kind == "for":
            turns = r.choice(("3", f"int({self.tensor(1)}.sum()) % 4", "len(many)"))
            self.write(f"for i in range({turns}):", depth)
            self.block(depth + 1, loops + 1)
        elif kind == "while":
            self.write(f"turn{depth} = 0", depth)
            self.write(f"while turn{depth} < 3 and {self.test()}:", depth)
            self.write(f"turn{depth} += 1", depth + 1)
            self.block(depth + 1, loops + 1)
        elif kind == "with":
            self.write(r.choice(("with ct.no_grad():", "with contextlib.suppress(stop):")), depth)
            self.block(depth + 1, loops)
        elif kind == "try":
            self.write("try:", depth)
            self.block(depth + 1, loops)
            self.write(f"if {self.test()}:", depth + 1)
            self.write("raise stop", depth + 2)
            self.write(r.choice(("except stop:", "finally:")), depth)
            self.block(depth + 1, 0)
        elif kind == "return":
            self.write(f"if {self.test()}:", depth)
            self.write(f"return {self.tensor()}, n", depth + 1)
        elif kind == "function":
            self.write(r.choice((f"g = lambda t: t * {v}", f"{v} = (lambda t: t + {v})({self.tensor(1)})",
                                 f"{v} = sum([t * {r.choice(TENSORS)} for t in (a, b)])")), depth)
        elif kind == "loop" and loops:
            self.write(f"if {self.test()}:", depth)
            self.write(r.choice(("break", "continue")), depth + 1)
        else:
            self.write("n += 1", depth)


def statements(x, *rest, key=2, **named):
    """Statements of every kind."""
    global CALLS
    import math

    y, *others = x * 2, *rest
    if (size := y.sum().item()) > 0:
        y = y + math.sqrt(size)
    match others:
        case [first, _]:
            y = y * first
        case []:
            z = y.max()
            y = y - z if z.item() > 1 else y
        case _:
            y = y.sin()
    turn = 0
    while turn < 2:
        turn += 1
        y = y * 1.5
    else:
        y[0] += float(y.min())
    table = {"y": y, **named}
    table["z"] = {k: v * key for k, v in table.items()}
    del others
    try:
        assert y.sum().item() > 0, "negative"
    except AssertionError:
        y = -y
    else:
        y = y + 1
    with ct.no_grad(), contextlib.nullcontext(y.sum().item()) as total:
        CALLS += 1

        class Pair:
            both = total, 1

    y: ct.Tensor = y + Pair.both[1]
    for i, (a, b) in enumerate([(1, 2), (3, 4)]):
        if b > 3 and y.sum().item() > 1e9:
            break
        y = y + a * i
    return y, {k: v for k, v in table.items() if k == "y"}, [v * 2 for v in (lambda t: (t, t + 1))(y)]
