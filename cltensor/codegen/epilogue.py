"""Epilogues of products in templates: what is made of each sum before it is stored, with the parameters and arguments it takes."""

from . import types
from .interface import Buffer, Number
from .parameters import DTYPE, NAME, TEXT, Parameter, row, several

#: the parameters of a template with an epilogue
PARAMETERS = {
    "epilogue": Parameter("acc", "the C expression to store: acc is the sum, e0, e1, ... the elements of `extras`", TEXT),
    "extras": Parameter((), "the dtypes of further inputs", several(DTYPE)),
    "scalars": Parameter((), "names of numbers in the epilogue", several(NAME)),
    "activation": Parameter("", "the body of a C function of acc that is applied after the epilogue", TEXT),
    "functions": Parameter("", "definitions of C functions that the epilogue calls", TEXT),
    "outs": Parameter((), "what to store besides", several(row(dtype=DTYPE, value=TEXT)))}


def arguments(extras, outs, scalars, dtype, unused_if=None, batches="batches"):
    """The Buffers and Numbers of an epilogue.

    extras: (name, dtype), outs: (name, dtype, expression) of operands (batches, M, N) that have strides of their own; scalars:
    names of numbers of dtype's compute type; batches: how many matrices there are, an expression.
    """
    found = []
    for direction, operands in (("in", extras), ("out", outs)):
        for name, kind, *_ in operands:
            found.append(Buffer(f"{name}_p", types.storage_type(kind), direction, (batches, "M", "N"),
                                f"the {'operand' if direction == 'in' else 'result'} {name} of the epilogue",
                                (f"{name}_batch", f"{name}_row", f"{name}_col"), f"{name}_offset", unused_if))
            found += [Number(f"{name}_{along}", f"from one element of {name} to the next along {words}", unit="elements")
                      for along, words in (("batch", "the batch"), ("row", "M"), ("col", "N"))]
    return found + [Number(n, f"the number {n} of the epilogue", types.compute_type(dtype)) for n in scalars]


def batch_arguments(rank, *operands):
    """The Numbers of batch dimensions: the size of each, and the strides of operands with these names."""
    return [a for r in range(rank) for a in (
        Number(f"n{r}", f"the size of batch dimension {r}", allowed=">= 1"),
        *(Number(f"{x}_batch{r}", f"from one matrix of {x} to the next along n{r}", unit="elements") for x in operands))]


def batched(rank, name, *matrix):
    """(shape, strides) of an operand in batch dimensions, for the (size, stride) pairs of its rows and columns."""
    return ((*(f"n{r}" for r in range(rank)), *(size for size, _ in matrix)),
            (*(f"{name}_batch{r}" for r in range(rank)), *(stride for _, stride in matrix)))
