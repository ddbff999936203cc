"""The named tuples that functions of several results return; cltensor.return_types shows them."""

from collections import namedtuple

RESULTS = {}  # name in return_types -> class


def result(names, fields):
    """A class of named tuples, found in return_types under the first of its names, of which there may be several."""
    first, *others = names.split()
    made = namedtuple(first, fields, module="cltensor.return_types")
    RESULTS.update(dict.fromkeys((first, *others), made))
    return made
