"""A benchmark, and the most common actions.

A case's `setup` gets the library (cltensor or its peer: the names are PyTorch's, so one function serves both) and the
input tensors, and returns the action to time; the action's result, if any, is compared with the peer's.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A benchmark at several sizes.

    name    the name of the row
    form    the size's form, such as "MxKxN"; a number in it is fixed; "SHAPE" takes any number of sizes.  One number stands for all
            parts where these are letters (lengths), not where they are words, such as "BATCHxTOKENS"
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
        parts = self.form.split("x")
        if self.form == "SHAPE":
            return tuple(numbers)
        if len(numbers) == 1 and self._is_of_lengths:
            numbers = tuple(int(p) if p.isdigit() else numbers[0] for p in parts)
        fits = len(numbers) == len(parts) and all(p == str(n) for p, n in zip(parts, numbers, strict=True) if p.isdigit())
        return tuple(numbers) if fits else None

    @property
    def forms(self):
        """The forms of sizes that fit, in words."""
        return self.form if not self._is_of_lengths or self.form == "N" else f"N or {self.form}"

    def meaning(self, numbers):
        """What the first number of a size is: a length, or the word of the form."""
        return "length" if len(numbers) > 1 or self._is_of_lengths else self.form.partition("x")[0].lower()

    @property
    def _is_of_lengths(self):
        return self.form == "SHAPE" or all(len(p) == 1 for p in self.form.split("x"))


@dataclass(frozen=True)
class Family:
    """Cases under one name on the command line.

    enqueue  time how long enqueueing takes, without waiting for the work
    alone    do not measure a peer
    fixed    its kernels have no constants to tune
    """

    about: str
    cases: tuple
    enqueue: bool = False
    alone: bool = False
    fixed: bool = False


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
