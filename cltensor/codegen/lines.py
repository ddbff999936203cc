"""Lines of numbers that templates transform: what tells where they lie, and the outer dimensions that a batch of them has."""

from .interface import Buffer, Number


def operand(p, ctype, direction, meaning, rank, *dimensions, imaginary):
    """The Buffer p of lines of numbers, complex or real, and what its offset counts.

    dimensions: (size, distance) of the lines and of the elements of a line; imaginary: from a real to its imaginary part, an
    expression, 0 where there is none.  All distances are counted in real numbers.
    """
    parts = "2" if imaginary == 1 else f"2 if ({imaginary}) != 0 else 1" if " " in imaginary else f"2 if {imaginary} != 0 else 1"
    shape = (*(f"b{i}" for i in range(rank)), *(size for size, _ in dimensions), parts)
    strides = (*(f"{p}_b{i}" for i in range(rank)), *(distance for _, distance in dimensions), imaginary)
    return [Buffer(f"{p}_p", ctype, direction, shape, meaning, strides, f"{p}_o", step=f"{p}_u"),
            Number(f"{p}_u", f"what {p}_o counts in: 2 for complex numbers, 1 for real ones")]


def outer(rank):
    """The Numbers of the outer dimensions: size and distances of each, and their product."""
    each = [(Number(f"b{i}", f"the size of outer dimension {i}; 1 if there is none", allowed=">= 1"),
             *(Number(f"{p}_b{i}", f"from one of them to the next in {p}", unit="elements") for p in "xy")) for i in range(rank)]
    return [*(a for triple in each for a in triple), Number("outer", " * ".join(f"b{i}" for i in range(rank)))]


def distances(p, suffix="", imaginary=True):
    """The Numbers that tell how the lines of operand p lie."""
    told = {"e": f"from one number of a line of {p} to the next", "l": f"from one line of {p} to the next"}
    if imaginary:
        told["i"] = f"from a real part in {p} to its imaginary part, mostly 1; 0: {p} is real"
    return [Number(f"{p}{letter}{suffix}", words, unit="elements") for letter, words in told.items()]
