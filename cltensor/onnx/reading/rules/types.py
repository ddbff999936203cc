"""Conversions between element types, also to those that devices do not have."""

from ..element_types import NARROW, Narrow, array_of, held_as, name_of, name_of_value, numpy_type, tensor_of
from ..operators import operator
from ..public import ct
from ..rounding import rounded
from .text import number_of_text, text_of_number


@operator("Cast", since=6, narrow=True)
def cast(input, *, to, saturate=1, round_mode="up"):
    return converted(input, name_of(to), saturate, round_mode)


@operator("CastLike", since=15, narrow=True)
def cast_like(input, target_type, *, saturate=1, round_mode="up"):
    return converted(input, name_of_value(target_type), saturate, round_mode)


def converted(value, wanted, saturate=1, round_mode="up"):
    """A value as another element type, by name."""
    if wanted == "string":
        return text_of_number(array_of(value))
    if not hasattr(value, "device") and not isinstance(value, Narrow):
        return number_of_text(value, wanted)
    tensor = value.tensor if isinstance(value, Narrow) else value
    if wanted in NARROW:
        return Narrow(rounded(tensor, wanted, saturate, round_mode), wanted)
    return tensor.to(held_as(wanted))


@operator("BitCast", since=26, narrow=True)
def bit_cast(input, *, to):
    wanted = name_of(to)
    if isinstance(input, Narrow) or wanted in NARROW:
        return tensor_of(array_of(input).view(numpy_type(wanted)))
    if wanted == "bool" or input.dtype is ct.bool:
        return input.to(ct.uint8).view(held_as(wanted)) if wanted != "bool" else input.view(ct.uint8).to(ct.bool)
    return input.view(held_as(wanted))
