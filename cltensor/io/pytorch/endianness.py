"""The order of bytes that files without a note of their own are read in."""

from __future__ import annotations

import enum
import sys

from ...base.errors import ArgumentTypeError


class LoadEndianness(enum.Enum):
    """An order of bytes, for dtypes of more than one and tensors of any shape: this machine's, little or big.

    Raises ValueError for other numbers.  Source: as torch.serialization of PyTorch 2.13 has it.

    Example::

        cltensor.serialization.LoadEndianness.BIG
    """

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class _Chosen:
    value = None


def get_default_load_endianness() -> LoadEndianness | None:
    """The order of bytes, a LoadEndianness, in files that do not say theirs; None means little.  Never raises.

    PyTorch has written a note of it since 2.1; files from before come from little-endian machines, with next to no exception.
    dtypes of one byte have no order, whatever their shape.  Source: the record `byteorder` of PyTorch 2.13's archives.

    Example::

        cltensor.serialization.get_default_load_endianness()
    """
    return _Chosen.value


def set_default_load_endianness(endianness: LoadEndianness | None):
    """Set the order of bytes in files that do not say theirs.  Raises ArgumentTypeError for anything but a LoadEndianness or None.

    It matters for dtypes of more than a byte, in files of scalars and tensors of any shape alike.  Source: as in PyTorch 2.13.

    Example::

        cltensor.serialization.set_default_load_endianness(cltensor.serialization.LoadEndianness.BIG)
    """
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise ArgumentTypeError(f"set_default_load_endianness: expected a LoadEndianness or None, got {endianness!r}")
    _Chosen.value = endianness


def default():
    """"little" or "big"."""
    return {LoadEndianness.BIG: "big", LoadEndianness.NATIVE: sys.byteorder}.get(_Chosen.value, "little")
