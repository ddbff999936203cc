"""Sequences of tensors, as lists, and values that may be absent, as None."""

import numpy as np

from ..operators import operator
from ..public import ct, integer, ints


@operator("SequenceEmpty", since=11)
def sequence_empty(*, dtype=1):
    return []


@operator("SequenceConstruct", since=11)
def sequence_construct(*inputs):
    return list(inputs)


@operator("SequenceLength", since=11)
def sequence_length(input_sequence):
    return np.array(len(input_sequence), np.int64)


@operator("SequenceAt", since=11, host="position")
def sequence_at(input_sequence, position):
    return input_sequence[integer(position)]


@operator("SequenceInsert", since=11, host="position")
def sequence_insert(input_sequence, tensor, position=None):
    at = len(input_sequence) if position is None else integer(position)
    if not -len(input_sequence) <= at <= len(input_sequence):
        raise IndexError(f"position {at} of a sequence of {len(input_sequence)}")
    made = list(input_sequence)
    made.insert(at, tensor)
    return made


@operator("SequenceErase", since=11, host="position")
def sequence_erase(input_sequence, position=None):
    made = list(input_sequence)
    made.pop(-1 if position is None else integer(position))
    return made


@operator("ConcatFromSequence", since=11)
def concat_from_sequence(input_sequence, *, axis, new_axis=0):
    return ct.stack(input_sequence, axis) if new_axis else ct.cat(input_sequence, axis)


@operator("SplitToSequence", since=11, host="split")
def split_to_sequence(input, split=None, *, axis=0, keepdims=1):
    if split is None:
        parts = ct.split(input, 1, axis)
        return list(parts) if keepdims else [part.squeeze(axis) for part in parts]
    return list(ct.split(input, integer(split) if split.ndim == 0 else list(ints(split)), axis))


@operator("SequenceMap", since=17)
def sequence_map(input_sequence, *inputs, body, n_outputs=1):
    made = [[] for _ in range(n_outputs)]
    for i in range(len(input_sequence)):
        found = body(input_sequence[i], *(other[i] if isinstance(other, list) else other for other in inputs))
        for kept, value in zip(made, found, strict=True):
            kept.append(value)
    return tuple(made)


@operator("Optional", since=15)
def optional(input=None, *, type=None):
    return input


@operator("OptionalHasElement", since=15)
def optional_has_element(input=None):
    return np.array(input is not None, bool)


@operator("OptionalGetElement", since=15)
def optional_get_element(input):
    if input is None:
        raise ValueError("the optional holds nothing")
    return input
