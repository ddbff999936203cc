"""How recurrent layers walk a sequence: pieces of rows, and launches on parts of buffers."""

import itertools
from dataclasses import dataclass

import numpy as np

from ...dispatch.plan import In, Out, Scratch, Value
from ...dispatch.spec import Spec, dense, spec
from ..gemm.gemm import MatrixProduct, Operand, product_steps


@dataclass(frozen=True)
class Piece:
    """Rows first .. first + count among the rows of all steps, computed together from `count` rows of the previous state.

    before  the first of those previous rows, among all rows or (if `starts`) among the rows of the initial state
    """

    first: int
    count: int
    before: int
    starts: bool


def pieces(batch_sizes, reverse):
    """The Pieces of a sequence in the order of work.  Step t has batch_sizes[t] rows, never more than the step before."""
    firsts = [0, *itertools.accumulate(batch_sizes)]
    if not reverse:
        return [Piece(firsts[t], n, firsts[t - 1] if t else 0, t == 0) for t, n in enumerate(batch_sizes)]
    found, running = [], 0
    for t in reversed(range(len(batch_sizes))):
        if running:
            found.append(Piece(firsts[t], running, firsts[t + 1], False))
        if batch_sizes[t] > running:
            found.append(Piece(firsts[t] + running, batch_sizes[t] - running, running, True))
        running = batch_sizes[t]
    return found


@dataclass(frozen=True)
class Part:
    """A matrix inside a buffer: an In, an Out or a Scratch, its layout, and the number of elements before it."""

    arg: object
    spec: Spec
    shift: int = 0

    def rows(self, first, count):
        """`count` of its rows, from `first` on."""
        s = self.spec
        return Part(self.arg, spec((count, s.shape[1]), s.strides, s.dtype, s.device), self.shift + first * s.strides[0])

    def columns(self, count):
        """The matrix cut into `count` parts of equal width."""
        s = self.spec
        width = s.shape[1] // count
        narrow = spec((s.shape[0], width), s.strides, s.dtype, s.device)
        return [Part(self.arg, narrow, self.shift + i * width * s.strides[1]) for i in range(count)]

    @property
    def mT(self):
        s = self.spec
        return Part(self.arg, spec(s.shape[::-1], s.strides[::-1], s.dtype, s.device), self.shift)

    def arguments(self, arg):
        """The kernel arguments that replace `arg`, an In or Out of a launch planned for this part alone."""
        shift = self.shift + arg.shift
        if isinstance(self.arg, Scratch):
            return self.arg, np.int64(shift)
        return (type(self.arg)(self.arg.index, shift),)


def vector(arg, s, rows):
    """A vector broadcast to `rows` equal rows."""
    return Part(arg, spec((rows, s.shape[0]), (0, s.strides[0]), s.dtype, s.device))


def temporary(like, rows, columns):
    """A Part in its own temporary buffer, with the dtype and device of a Spec."""
    laid = dense((rows, columns), like.dtype, like.device)
    return Part(Scratch(laid.nbytes), laid)


class Tape:
    """Collects the Steps of launches on Parts; temporary buffers of equal size share one buffer."""

    def __init__(self):
        self.steps, self.shared = [], {}

    def elementwise(self, op, inputs, outputs):
        """Run an elementwise op on Parts (or 0.0 for an input of zeros) and store into Parts."""
        specs = [i.spec if isinstance(i, Part) else float for i in inputs]
        places = {In(k): part for k, part in enumerate(i for i in inputs if isinstance(i, Part))}
        places.update({Out(k): part for k, part in enumerate(outputs)})
        self._place(op.plan_steps(*specs, *(o.spec for o in outputs)), places)

    def product(self, a, b, out, *added):
        """out = a @ b + the matrices in `added`, which may include out itself; out has dense rows."""
        places = dict(zip(map(In, range(2 + len(added))), (a, b, *added), strict=True))
        places[Out(0)] = out
        left, right = (Operand(In(k), (), *part.spec.strides) for k, part in enumerate((a, b)))
        extras = tuple((In(2 + k), part.spec.dtype, (0, *part.spec.strides)) for k, part in enumerate(added))
        epilogue = " + ".join(["acc", *(f"e{k}" for k in range(len(added)))])
        (M, K), N = a.spec.shape, b.spec.shape[1]
        product = MatrixProduct(out.spec.device, out.spec.dtype, (), M, N, K, left, right, extras, epilogue)
        self._place(product_steps(product), places)

    def _place(self, steps, places):
        for step in steps:
            args = itertools.chain.from_iterable(self._arguments(arg, places) for arg in step.args)
            self.steps.append(step.of(args))

    def _arguments(self, arg, places):
        if isinstance(arg, (In, Out)):
            return places[type(arg)(arg.index)].arguments(arg)
        if isinstance(arg, Scratch):  # launches run in sequence, so they can share
            return (self.shared.setdefault(arg.nbytes, arg),)
        return (arg.type(0),) if isinstance(arg, Value) else (arg,)
