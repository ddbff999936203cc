"""Arguments of transforms, checked when one is made."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ...base.errors import ArgumentError, ArgumentTypeError
from .sizes import pair


def size_of(size: int | Sequence[int]) -> tuple[int, int]:
    """(height, width).  Raises ArgumentTypeError, ArgumentError."""
    if not isinstance(size, (int, Sequence)):
        raise ArgumentTypeError(f"size should be an integer or a sequence of integers, but got {size!r}")
    return pair(size)


def sequence(name: str, values: Any, *lengths: int) -> list[float]:
    """values as a list of floats, of one of these lengths.  Raises ArgumentTypeError, ArgumentError."""
    if not isinstance(values, Sequence):
        raise ArgumentTypeError(f"{name} should be a sequence of length {' or '.join(map(str, lengths))}, got {values!r}")
    if len(values) not in lengths:
        raise ArgumentError(f"{name} should be a sequence of length {' or '.join(map(str, lengths))}, got {values!r}")
    return list(values)


def angles(name: str, degrees: Any, *lengths: int) -> list[float]:
    """[low, high] from one number or a sequence.  Raises ArgumentTypeError, ArgumentError."""
    if isinstance(degrees, numbers.Number):
        if degrees < 0:
            raise ArgumentError(f"If {name} is a single number, it must be positive. Got {degrees}")
        return [-float(degrees), float(degrees)]
    return [float(d) for d in sequence(name, degrees, *(lengths or (2,)))]


def pair_of_floats(name: str, value: Any) -> list[float]:
    """[x, y] from one number or a sequence of one or two.  Raises ArgumentTypeError, ArgumentError."""
    if isinstance(value, numbers.Number):
        return [float(value)] * 2
    values = [float(v) for v in sequence(name, value, 1, 2)]
    return values * 2 if len(values) == 1 else values


def probability(p: float, text: str = "`p` should be a floating point value in the interval [0.0, 1.0].") -> float:
    """p.  Raises ArgumentError for what is no probability."""
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"{text} Got {p}")
    return p


def is_fill(fill: Any) -> bool:
    """Whether a value may be a colour: a number or numbers."""
    return isinstance(fill, (numbers.Number, tuple, list))


def jitter(name: str, value: Any, center: float = 1.0, bound: tuple[float, float] = (0.0, float("inf")),
           positive: bool = True) -> tuple[float, float] | None:
    """The range of a factor, from how far it may be from center or from both ends; None where it cannot differ from center.

    Raises ArgumentError, ArgumentTypeError.
    """
    if value is None:
        return None
    if isinstance(value, numbers.Number):
        if value < 0:
            raise ArgumentError(f"If {name} is a single number, it must be non negative. Got {value}")
        low, high = center - value, center + value
        low = max(low, 0.0) if positive else low
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        low, high = value
    else:
        raise ArgumentTypeError(f"{name}={value!r} should be a single number or a sequence with length 2.")
    if not bound[0] <= low <= high <= bound[1]:
        raise ArgumentError(f"{name} values should be between {bound} and increasing, but got {[low, high]}.")
    return None if low == high == center else (float(low), float(high))


def check_affine(degrees: Any, translate: Any, scale: Any, shear: Any) -> tuple[list[float], Any, Any, list[float] | None]:
    """The ranges of RandomAffine.  Raises ArgumentError, ArgumentTypeError."""
    turn = angles("degrees", degrees)
    if translate is not None:
        sequence("translate", translate, 2)
        if not all(0.0 <= t <= 1.0 for t in translate):
            raise ArgumentError(f"translation values should be between 0 and 1, got {translate}")
    if scale is not None:
        sequence("scale", scale, 2)
        if any(s <= 0 for s in scale):
            raise ArgumentError(f"scale values should be positive, got {scale}")
    return turn, translate, scale, None if shear is None else angles("shear", shear, 2, 4)


def check_erasing(p: float, scale: Any, ratio: Any, value: Any) -> None:
    """Raise ArgumentError, ArgumentTypeError for what makes no sense as arguments of RandomErasing."""
    if not isinstance(value, (numbers.Number, str, tuple, list)):
        raise ArgumentTypeError(f"Argument value should be either a number or str or a sequence, got {value!r}")
    if isinstance(value, str) and value != "random":
        raise ArgumentError(f"If value is str, it should be 'random', got {value!r}")
    for name, found in (("scale", scale), ("ratio", ratio)):
        if not isinstance(found, Sequence):
            raise ArgumentTypeError(f"{name.capitalize()} should be a sequence, got {found!r}")
    if scale[0] < 0 or scale[1] > 1:
        raise ArgumentError(f"Scale should be between 0 and 1, got {scale}")
    probability(p, "Random erasing probability should be between 0 and 1.")


def check_blur(kernel_size: Any, sigma: Any) -> tuple[tuple[int, int], tuple[float, float]]:
    """((width, height), (low, high)) of GaussianBlur.  Raises ArgumentError."""
    size = pair(kernel_size, "Kernel size should be a tuple/list of two integers.")
    if any(k <= 0 or k % 2 == 0 for k in size):
        raise ArgumentError(f"Kernel size value should be an odd and positive number. Got {kernel_size}")
    low, high = pair_of_floats("sigma", sigma)
    if not 0.0 < low <= high:
        raise ArgumentError(f"sigma values should be positive and of the form (min, max). Got {sigma}")
    return size, (low, high)


def check_part(scale: Any, ratio: Any) -> None:
    """Raise ArgumentTypeError unless the ranges of a part's area and of its aspect ratio are sequences."""
    for name, found in (("Scale", scale), ("Ratio", ratio)):
        if not isinstance(found, Sequence):
            raise ArgumentTypeError(f"{name} should be a sequence, got {found!r}")
