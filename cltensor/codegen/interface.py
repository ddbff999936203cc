"""Interfaces: what a kernel's arguments are, how to launch it and what must hold, declared once, in its template.

A template writes its parameter list by `arguments(...)`, of Buffers and Numbers in the order of the C parameters, and says by
`launch(...)` how large a grid is.  The rendered file explains itself by them, `cltensor kernels render --json` gives them as data,
and the ops of the runtime take their launch sizes from them.
"""

from dataclasses import dataclass, field

from ..base.errors import ArgumentError
from .sizes import expression

DIRECTIONS = ("in", "out", "inout", "scratch")


@dataclass(frozen=True)
class Buffer:
    """A pointer to global memory, and after it, where `offset` names one, a `long` with where to begin.

    name       the C parameter's
    ctype      of an element
    direction  in, out, inout (read and written) or scratch (memory for the kernel's own use)
    shape      sizes of the dimensions, outermost first: expressions, or words where they depend on values
    meaning    what it holds
    strides    how it lies in memory: "dense" (row-major, without gaps), or an expression for each dimension, in elements
    offset     the C parameter with the position of its first element, counted in `step` elements
    unused_if  a condition under which it is not touched, and any buffer will do
    restrict   whether it overlaps no other buffer
    step       how many elements the offset's unit stands for, an expression
    """

    name: str
    ctype: str
    direction: str
    shape: tuple
    meaning: str
    strides: object = "dense"
    offset: str | None = None
    unused_if: str | None = None
    restrict: bool = False
    step: object = 1

    def __post_init__(self):
        if self.direction not in DIRECTIONS:
            raise ArgumentError(f"{self.name}: the direction is {', '.join(DIRECTIONS)}, not {self.direction!r}")

    def c(self):
        """Its C parameters."""
        constant = "const " if self.direction == "in" else ""
        pointer = f"__global {constant}{self.ctype} *{'restrict ' if self.restrict else ''}{self.name}"
        return [pointer, f"const long {self.offset}"] if self.offset else [pointer]


@dataclass(frozen=True)
class Number:
    """A number passed by value.

    name, ctype  of the C parameter
    meaning      what it is
    unit         what it counts, such as "elements"; "" for a plain number
    allowed      values that are right, in words; "" for all
    """

    name: str
    meaning: str
    ctype: str = "long"
    unit: str = ""
    allowed: str = ""

    def c(self):
        """Its C parameter."""
        return [f"const {self.ctype} {self.name}"]


@dataclass(frozen=True)
class Choice:
    """A number that the caller of a launch chooses: it changes the speed, not the result.

    meaning: what it is, and which values are right; default: an expression for a good one.
    """

    meaning: str
    default: str


@dataclass
class Interface:
    """A kernel's interface.

    kernel     its name; arguments: Buffers and Numbers in order
    local, global_  sizes by dimension, as expressions of arguments, parameters and choices
    choices    {name: Choice}
    larger     whether a larger global size than the formula's gives the same result
    needs      what must hold, in sentences
    """

    kernel: str = ""
    arguments: list = field(default_factory=list)
    local: tuple = ()
    global_: tuple = ()
    choices: dict = field(default_factory=dict)
    larger: bool = False
    needs: tuple = ()

    def declare(self, kernel, *arguments):
        """Take the arguments; a list among them stands for its parts.  Returns the C parameter list, for the template."""
        self.kernel = kernel
        self.arguments = [a for part in arguments for a in (part if isinstance(part, (list, tuple)) else [part])]
        names = [text.split()[-1].lstrip("*") for a in self.arguments for text in a.c()]
        if len(set(names)) < len(names):
            twice = {n for n in names if names.count(n) > 1}
            raise ArgumentError(f"kernel {kernel}: argument {', '.join(sorted(twice))} is declared twice")
        return ",\n    ".join(", ".join(a.c()) for a in self.arguments)

    def launched(self, local, global_, larger=False, needs=(), **choices):
        """Take the launch sizes.  Returns "" for the template."""
        self.local, self.global_ = tuple(map(expression, local)), tuple(map(expression, global_))
        self.larger, self.needs, self.choices = larger, tuple(needs), choices
        return ""

    @staticmethod
    def notes(what, value="the bits of the value as a float"):
        """The two last arguments of a kernel that leaves a note where it meets `what`; value: what the note tells of it."""
        told = f"zeros; the first launch that meets {what} writes `who`, and {value}"
        return [Buffer("fault", "long", "inout", (4,), told),
                Number("who", "the number of the launch, not 0, for the note")]

    def walks(self, style, units, local=64, most=65535, needs=()):
        """Take the launch sizes of a kernel whose work-items walk over units of work, an expression: any grid is right.

        local, most: work-items of a group and the most groups, None for any number, in the gpu style.
        """
        if style == "cpu":
            groups = Choice("work-groups, any number >= 1", f"max(1, min(8, {units}))")
            return self.launched(["1"], ["groups"], True, needs, groups=groups)
        count = f"ceil({units}, {local})"
        return self.launched([local], [f"max(1, {f'min({count}, {most})' if most else count}) * {local}"], True, needs)

    def walks_rows(self, style, rows, run, ahead=1, needs=(), **further):
        """Take the launch sizes of a kernel whose work-items walk over `rows` of length `run`, expressions: any grid is right.

        ahead: elements of a row for each work-item of the gpu style; further: a Choice of how many there are along dimension 2.
        """
        more, one = list(further), str(rows) == "1"
        if style == "cpu":
            over = {} if one else {"row_groups": Choice("work-groups over the rows, any number >= 1", f"max(1, min(8, {rows}))")}
            most = "8" if one else "max(1, 8 // row_groups)"
            along = Choice("work-groups along a row, any number >= 1", f"max(1, min({most}, {run}))")
            return self.launched(["1"] * (2 + len(more)), [*(over or "1"), "run_groups", *more], True, needs,
                                 **over, run_groups=along, **further)
        along = f"min(ceil({run}, lx * {ahead}), 4096)"
        lx = Choice("work-items of a group along a row, any number >= 1", f"max(1, min(64, {run}))")
        if one:
            return self.launched(["lx", *("1" for _ in (0, *more))], [f"{along} * lx", "1", *more], True, needs, lx=lx, **further)
        ly = Choice("rows of a group, any number >= 1", f"max(1, min(64 // lx, {rows}))")
        return self.launched(["lx", "ly", *("1" for _ in more)],
                             [f"{along} * lx", f"min(ceil({rows}, ly), max(1, 65536 // {along})) * ly", *more], True, needs,
                             lx=lx, ly=ly, **further)

    @property
    def formula(self):
        """The launch sizes in words."""
        return f"local = ({_joined(self.local)}); global = ({_joined(self.global_)})"

    def sizes(self, values):
        """(global size, local size) for the values of names, a mapping; choices left out take their defaults."""
        known = dict(values)
        for name, choice in self.choices.items():
            if name not in known:
                known[name] = expression(choice.default)(known)
        try:
            return tuple(e(known) for e in self.global_), tuple(e(known) for e in self.local)
        except KeyError as missing:
            raise ArgumentError(f"kernel {self.kernel}: its launch size depends on {missing.args[0]}, which is not given") from None


def _joined(sizes):
    return ", ".join(map(str, sizes)) + ("," if len(sizes) == 1 else "")
