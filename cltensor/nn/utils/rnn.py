"""Batches of sequences of unequal length: padded, or packed so that recurrent layers skip the padding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ...base import dtypes
from ...base.errors import ArgumentError, DTypeError, ShapeError
from ...tensor import Tensor
from ...tensor.api.creation import tensor

__all__ = ["PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence",
           "pad_sequence", "unpack_sequence", "unpad_sequence"]


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """Sequences of unequal length, longest first, stored step by step: all first elements, then all second ones, and so on.

    data (N, *): the elements; batch_sizes (T,): how many sequences reach each step; sorted_indices, unsorted_indices (B,): the
    order of the sequences, and its inverse.  Made by pack_padded_sequence and pack_sequence.
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if batch_sizes is None:
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    @property
    def sizes(self):
        """batch_sizes as a tuple of int, read from the device at most once."""
        known = self.__dict__.get("_sizes")
        if known is None:
            known = self.__dict__["_sizes"] = tuple(self.batch_sizes.tolist())
        return known

    def replaced(self, data):
        """The same sequences with other data."""
        made = type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)
        made.__dict__["_sizes"] = self.sizes
        return made

    def to(self, *args, **kwargs):
        """Move or convert the data, as Tensor.to does; the indices move to its device."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        made = self.replaced(data)
        at = [None if i is None else i.to(data.device) for i in (self.sorted_indices, self.unsorted_indices)]
        return made._replace(sorted_indices=at[0], unsorted_indices=at[1])

    def double(self):
        """Convert the data to float64."""
        return self.to(dtypes.float64)

    def float(self):
        """Convert the data to float32."""
        return self.to(dtypes.float32)

    def half(self):
        """Convert the data to float16."""
        return self.to(dtypes.float16)

    def long(self):
        """Convert the data to int64."""
        return self.to(dtypes.int64)

    def int(self):
        """Convert the data to int32."""
        return self.to(dtypes.int32)


def invert_permutation(permutation):
    """The inverse of a permutation (B,); None for None."""
    return None if permutation is None else permutation.argsort()


def _host_lengths(op, lengths):
    """lengths as a NumPy vector."""
    values = np.asarray(lengths.tolist() if isinstance(lengths, Tensor) else lengths)
    if values.ndim != 1:
        raise ShapeError(f"{op}: 'lengths' argument should be a 1D tensor or a list of int, but got {values.ndim}D")
    return values.astype(np.int64)


def _packed(data, sizes, order=None):
    """The PackedSequence of data with these batch sizes (an array) and order of the sequences (an array or None)."""
    device = data.device
    indices = (None, None) if order is None else (tensor(order, device=device), tensor(np.argsort(order), device=device))
    made = PackedSequence(data, tensor(sizes, device=device), *indices)
    made.__dict__["_sizes"] = tuple(sizes.tolist())
    return made


def pack_padded_sequence(input: Tensor, lengths, batch_first: bool = False, enforce_sorted: bool = True):
    """Pack padded sequences: the PackedSequence of input (T, B, *), or (B, T, *) with batch_first.

    lengths (B,): of the sequences, a list or a tensor (this waits for it); longest first unless enforce_sorted is False.
    Raises ShapeError for lengths that do not fit.
    """
    op = "pack_padded_sequence"
    lengths = _host_lengths(op, lengths)
    if input.numel() == 0:
        raise ShapeError(f"{op}: Cannot pack empty tensors.")
    x = input.transpose(0, 1) if batch_first else input
    steps, batch = x.shape[:2]
    if len(lengths) != batch:
        raise ShapeError(f"{op}: Expected `len(lengths)` to be equal to batch_size, but got {len(lengths)} (batch_size={batch})")
    order = None if enforce_sorted else np.argsort(-lengths, kind="stable")
    lengths = lengths if enforce_sorted else lengths[order]
    if lengths.min() <= 0:
        raise ShapeError(f"{op}: Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0: "
                         f"{lengths.tolist()}")
    if (np.diff(lengths) > 0).any():
        raise ShapeError(f"{op}: `lengths` array must be sorted in decreasing order when `enforce_sorted` is True, got "
                         f"{lengths.tolist()}. You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence")
    if lengths[0] > steps:
        raise ShapeError(f"{op}: a length of {lengths[0]}, but the padded sequences have {steps} steps")
    present = np.arange(lengths[0])[:, None] < lengths
    places = (np.arange(lengths[0])[:, None] * batch + (np.arange(batch) if order is None else order))[present]
    data = x.reshape(steps * batch, *x.shape[2:]).index_select(0, tensor(places, device=x.device))
    return _packed(data, present.sum(1), order)


def pad_packed_sequence(sequence, batch_first: bool = False, padding_value: float = 0.0, total_length=None):
    """Undo pack_padded_sequence: (padded (T, B, *) or (B, T, *), lengths (B,)).

    total_length: T, at least the longest length.  Raises ArgumentError if it is less.
    """
    sizes = np.asarray(sequence.sizes)
    steps = len(sizes)
    if total_length is not None and total_length < steps:
        raise ArgumentError("Expected total_length to be at least the length of the longest sequence in input, but got "
                            f"total_length={total_length} and max sequence length being {steps}")
    steps, batch, data = total_length or steps, int(sizes[0]), sequence.data
    order = np.arange(batch) if sequence.sorted_indices is None else np.asarray(sequence.sorted_indices.tolist())
    present = np.arange(batch) < sizes[:, None]
    places = (np.arange(len(sizes))[:, None] * batch + order)[present]
    padded = data.new_full((steps * batch, *data.shape[1:]), padding_value)
    padded = padded.index_copy(0, tensor(places, device=data.device), data).reshape(steps, batch, *data.shape[1:])
    lengths = np.empty(batch, np.int64)
    lengths[order] = present.sum(0)
    return padded.transpose(0, 1) if batch_first else padded, tensor(lengths, device=data.device)


def pad_sequence(sequences, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"):
    """Stack tensors (L, *) of unequal length, padded to the longest: (T, B, *), or (B, T, *) with batch_first.

    Raises ShapeError if there are none or their other sizes differ, ArgumentError for another padding_side.
    """
    if not isinstance(sequences, Iterable):
        raise DTypeError(f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}")
    sequences = tuple(sequences)
    if not sequences:
        raise ShapeError("pad_sequence: received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise ArgumentError(f"pad_sequence: Expected padding_side to be one of left or right, but got {padding_side}.")
    first, longest = sequences[0], max(s.shape[0] for s in sequences)
    shape = (longest, len(sequences)) if not batch_first else (len(sequences), longest)
    padded = first.new_full((*shape, *first.shape[1:]), padding_value)
    for i, s in enumerate(sequences):
        start = longest - s.shape[0] if padding_side == "left" else 0
        padded.select(0 if batch_first else 1, i).narrow(0, start, s.shape[0]).copy_(s)
    return padded


def unpad_sequence(padded_sequences, lengths, batch_first: bool = False):
    """Undo pad_sequence: a list of tensors (L, *), given their lengths (B,)."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row.narrow(0, 0, int(n)) for row, n in zip(rows, _host_lengths("unpad_sequence", lengths), strict=True)]


def pack_sequence(sequences, enforce_sorted: bool = True):
    """The PackedSequence of a list of tensors (L, *), longest first unless enforce_sorted is False."""
    return pack_padded_sequence(pad_sequence(sequences), [s.shape[0] for s in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The tensors of a PackedSequence, as a list."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def __dir__():
    return sorted(__all__)
