"""bfloat16, which NumPy lacks, as the upper 16 bits of float32."""

import numpy as np


def encode(array):
    """The bit patterns (uint16) of an array rounded to bfloat16 (to nearest, ties to even)."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(array), 0x7FC0, rounded).astype(np.uint16).reshape(np.shape(array))


def decode(bits):
    """The values of bit patterns (uint16), as float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
