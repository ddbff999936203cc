"""AutoAugment's policies, and how strongly each operation of an automatic augmentation is applied."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import numpy as np


class AutoAugmentPolicy(Enum):
    """The data set that a policy was found on.

    Pictures may be of any size and dtype.  Raises ValueError for a name there is none of.
    Source: Cubuk et al. 2018, "AutoAugment: learning augmentation policies from data".

        policy = AutoAugmentPolicy("cifar10")
    """

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


class Step(NamedTuple):
    """An operation, its probability, and which of ten strengths it has (None: it has none)."""

    op: str
    p: float
    strength: int | None


def _policies(text):
    """[(Step, Step)]: operations "name probability strength" are joined by "+", pairs of them by ";"."""
    return [tuple(_step(*step.split()) for step in pair.split("+")) for pair in text.split(";")]


def _step(op, p, strength=None):
    return Step(op, float(p), None if strength is None else int(strength))


#: appendix A of the paper
POLICIES = {
    AutoAugmentPolicy.IMAGENET: _policies(
        "Posterize 0.4 8 + Rotate 0.6 9; Solarize 0.6 5 + AutoContrast 0.6; "
        "Equalize 0.8 + Equalize 0.6; Posterize 0.6 7 + Posterize 0.6 6; "
        "Equalize 0.4 + Solarize 0.2 4; Equalize 0.4 + Rotate 0.8 8; "
        "Solarize 0.6 3 + Equalize 0.6; Posterize 0.8 5 + Equalize 1; "
        "Rotate 0.2 3 + Solarize 0.6 8; Equalize 0.6 + Posterize 0.4 6; "
        "Rotate 0.8 8 + Color 0.4 0; Rotate 0.4 9 + Equalize 0.6; "
        "Equalize 0 + Equalize 0.8; Invert 0.6 + Equalize 1; "
        "Color 0.6 4 + Contrast 1 8; Rotate 0.8 8 + Color 1 2; "
        "Color 0.8 8 + Solarize 0.8 7; Sharpness 0.4 7 + Invert 0.6; "
        "ShearX 0.6 5 + Equalize 1; Color 0.4 0 + Equalize 0.6; "
        "Equalize 0.4 + Solarize 0.2 4; Solarize 0.6 5 + AutoContrast 0.6; "
        "Invert 0.6 + Equalize 1; Color 0.6 4 + Contrast 1 8; "
        "Equalize 0.8 + Equalize 0.6"
    ),
    AutoAugmentPolicy.CIFAR10: _policies(
        "Invert 0.1 + Contrast 0.2 6; Rotate 0.7 2 + TranslateX 0.3 9; "
        "Sharpness 0.8 1 + Sharpness 0.9 3; ShearY 0.5 8 + TranslateY 0.7 9; "
        "AutoContrast 0.5 + Equalize 0.9; ShearY 0.2 7 + Posterize 0.3 7; "
        "Color 0.4 3 + Brightness 0.6 7; Sharpness 0.3 9 + Brightness 0.7 9; "
        "Equalize 0.6 + Equalize 0.5; Contrast 0.6 7 + Sharpness 0.6 5; "
        "Color 0.7 7 + TranslateX 0.5 8; Equalize 0.3 + AutoContrast 0.4; "
        "TranslateY 0.4 3 + Sharpness 0.2 6; Brightness 0.9 6 + Color 0.2 8; "
        "Solarize 0.5 2 + Invert 0; Equalize 0.2 + AutoContrast 0.6; "
        "Equalize 0.2 + Equalize 0.6; Color 0.9 9 + Equalize 0.6; "
        "AutoContrast 0.8 + Solarize 0.2 8; Brightness 0.1 3 + Color 0.7 0; "
        "Solarize 0.4 5 + AutoContrast 0.9; TranslateY 0.9 9 + TranslateY 0.7 9; "
        "AutoContrast 0.9 + Solarize 0.8 3; Equalize 0.8 + Invert 0.1; "
        "TranslateY 0.7 9 + AutoContrast 0.9"
    ),
    AutoAugmentPolicy.SVHN: _policies(
        "ShearX 0.9 4 + Invert 0.2; ShearY 0.9 8 + Invert 0.7; "
        "Equalize 0.6 + Solarize 0.6 6; Invert 0.9 + Equalize 0.6; "
        "Equalize 0.6 + Rotate 0.9 3; ShearX 0.9 4 + AutoContrast 0.8; "
        "ShearY 0.9 8 + Invert 0.4; ShearY 0.9 5 + Solarize 0.2 6; "
        "Invert 0.9 + AutoContrast 0.8; Equalize 0.6 + Rotate 0.9 3; "
        "ShearX 0.9 4 + Solarize 0.3 3; ShearY 0.8 8 + Invert 0.7; "
        "Equalize 0.9 + TranslateY 0.6 6; Invert 0.9 + Equalize 0.6; "
        "Contrast 0.3 3 + Rotate 0.8 4; Invert 0.8 + TranslateY 0 2; "
        "ShearY 0.7 6 + Solarize 0.4 8; Invert 0.6 + Rotate 0.8 4; "
        "ShearY 0.3 7 + TranslateX 0.9 3; ShearX 0.1 6 + Invert 0.6; "
        "Solarize 0.7 2 + TranslateY 0.6 7; ShearY 0.8 4 + Invert 0.8; "
        "ShearX 0.7 9 + TranslateY 0.8 3; ShearY 0.8 5 + AutoContrast 0.7; "
        "ShearX 0.7 2 + Invert 0.1"
    ),
}


class Magnitudes(NamedTuple):
    """The strengths of an operation, None where it has none; signed: whether they may be negated at random."""

    values: Sequence[float] | None
    signed: bool


def _line(start, end, n):
    """n numbers from start to end, in float32, counted from the nearer end."""
    step, i = (np.float32(end) - np.float32(start)) / np.float32(n - 1), np.arange(n)
    up, down = np.float32(start) + step * i.astype(np.float32), np.float32(end) - step * (n - 1 - i).astype(np.float32)
    return np.where(i < n // 2, up, down).astype(np.float32).tolist()


def _bits(bins, kept, lost):
    """Bits that posterize keeps: from `kept` down by up to `lost`."""
    return (kept - np.rint(np.arange(bins) / ((bins - 1) / lost))).astype(int).tolist()


_COLOURS = ("Brightness", "Color", "Contrast", "Sharpness")
_NONE = Magnitudes(None, False)


def _space(bins, shear, moves, turn, colour, posterize, white):
    """{operation: Magnitudes}; moves: how far along (x, y); white: the largest threshold of solarize."""
    low = 0.0
    return {
        "ShearX": Magnitudes(_line(low, shear, bins), True), "ShearY": Magnitudes(_line(low, shear, bins), True),
        "TranslateX": Magnitudes(_line(low, moves[0], bins), True), "TranslateY": Magnitudes(_line(low, moves[1], bins), True),
        "Rotate": Magnitudes(_line(low, turn, bins), True),
        **{name: Magnitudes(_line(low, colour, bins), True) for name in _COLOURS},
        "Posterize": Magnitudes(posterize, False), "Solarize": Magnitudes(_line(white, 0.0, bins), False),
        "AutoContrast": _NONE, "Equalize": _NONE,
    }


def auto_augment(bins: int, size: tuple[int, int], white: float = 255.0) -> dict[str, Magnitudes]:
    """AutoAugment's operations, for pictures of size (height, width)."""
    height, width = size
    moves = 150.0 / 331.0 * width, 150.0 / 331.0 * height
    return {**_space(bins, 0.3, moves, 30.0, 0.9, _bits(bins, 8, 4), white), "Invert": _NONE}


def rand_augment(bins: int, size: tuple[int, int], white: float = 255.0) -> dict[str, Magnitudes]:
    """RandAugment's operations (Cubuk et al. 2019)."""
    without = auto_augment(bins, size, white)
    del without["Invert"]
    return {"Identity": _NONE, **without}


def trivial_augment(bins: int, white: float = 255.0) -> dict[str, Magnitudes]:
    """TrivialAugment's wide operations (Müller and Hutter 2021)."""
    return {"Identity": _NONE, **_space(bins, 0.99, (32.0, 32.0), 135.0, 0.99, _bits(bins, 8, 6), white)}


def aug_mix(bins: int, size: tuple[int, int], all_ops: bool, white: float = 255.0) -> dict[str, Magnitudes]:
    """AugMix's operations (Hendrycks et al. 2019): the colours, which its test sets have too, come last and only with all_ops."""
    height, width = size
    found = _space(bins, 0.3, (width / 3.0, height / 3.0), 30.0, 0.9, _bits(bins, 4, 4), white)
    colours = {name: found.pop(name) for name in _COLOURS}
    return {**found, **colours} if all_ops else found
