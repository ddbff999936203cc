"""Named numbers: numbers that a captured program computes anew each time, such as a learning rate or a random offset.

A recorder hands them out in place of plain numbers and knows them again where they reach an op.  Arithmetic on them gives plain
numbers.
"""


class NamedFloat(float):
    """A float with a `source`, its name for the recorder."""


class NamedInt(int):
    """An int with a `source`, its name for the recorder."""


def named(value, source):
    """value as a number that carries `source`; bools and other values stay what they are."""
    kind = {float: NamedFloat, int: NamedInt}.get(type(value))
    if kind is None:
        return value
    made = kind(value)
    made.source = source
    return made
