"""A benchmark, and the most common actions.

A case's `setup` gets the library (cltensor or its peer: the names are PyTorch's, so one function serves both) and the
input tensors, and returns the action to time; the action's result, if any, is compared with the peer's.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A benchmark at several sizes.

    name    the name of the row
    form    the size's form, such as "MxKxN"; a single number stands for all of them; "SHAPE" takes any number of sizes
    sizes   the default sizes
    inputs  (*size) -> shapes of the input tensors
    setup   (library, *tensors) -> action
    flops   (*size) -> floating-point operations of an action; nbytes: (itemsize, *size) -> bytes it must move
    draws   whether results are random: those of a peer are others
    """

    name: str
    form: str
    sizes: tuple
    inputs: object
    setup: object
    flops: object = None
    nbytes: object = None
    draws: bool = False

    def size(self, numbers):
        """Convert a tuple of ints to a size of this case; None if it does not fit the form."""
        wanted = self.form.count("x") + 1
        if self.form == "SHAPE" or len(numbers) == wanted:
            return tuple(numbers)
        return tuple(numbers) * wanted if len(numbers) == 1 else None


@dataclass(frozen=True)
class Family:
    """Cases under one name on the command line.

    enqueue  time how long enqueueing takes, without waiting for the work
    alone    do not measure a peer
    """

    about: str
    cases: tuple
    enqueue: bool = False
    alone: bool = False


def forward(f):
    """A setup whose action is f(library, *tensors)."""
    return lambda xp, *tensors: lambda: f(xp, *tensors)


def both_ways(f):
    """A setup whose action runs f(library, *tensors) forward and backward with gradients of all tensors."""

    def setup(xp, *tensors):
        leaves = [t.requires_grad_() for t in tensors]

        def action():
            for t in leaves:
                t.grad = None
            y = f(xp, *leaves)
            if y.ndim:
                y.backward(y.detach())
            else:
                y.backward()
            return y

        return action

    return setup
