"""complex32, which NumPy lacks, as pairs of float16."""

import numpy as np

PAIR = np.dtype([("real", "float16"), ("imag", "float16")])


def encode(array):
    """The pairs of an array of numbers, each part rounded to float16."""
    array = np.asarray(array)
    made = np.empty(array.shape, PAIR)
    made["real"], made["imag"] = array.real, array.imag
    return made


def decode(pairs):
    """The values of pairs, as complex64."""
    made = np.empty(pairs.shape, np.complex64)
    made.real, made.imag = pairs["real"], pairs["imag"]
    return made
