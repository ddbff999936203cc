"""Automatic augmentation: operations and their strengths drawn at random, on Pillow images and tensors (..., C, H, W)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ...base.errors import ArgumentError
from ...nn import Module
from ...tensor import Tensor
from . import draws, policies
from . import functional as F
from .geometry import fill_for
from .interpolation import InterpolationMode, as_mode
from .policies import AutoAugmentPolicy as AutoAugmentPolicy


def operate(functional: Any, img: Any, op: str, strength: float, interpolation: InterpolationMode, fill: Any) -> Any:
    """img after an operation of the augmentations, by the functionals of a module.  Raises ArgumentError for one there is not."""
    if op in _GEOMETRY:
        return _GEOMETRY[op](functional, img, strength, {"interpolation": interpolation, "fill": fill})
    if op in _COLOUR:
        return _COLOUR[op](functional, img, strength)
    raise ArgumentError(f"The provided operator {op} is not recognized.")


def _sheared(functional, img, shear, how):
    return functional.affine(img, angle=0.0, translate=[0, 0], scale=1.0, shear=shear, center=[0, 0], **how)


def _moved(functional, img, translate, how):
    return functional.affine(img, angle=0.0, translate=translate, scale=1.0, shear=[0.0, 0.0], **how)


_GEOMETRY: dict[str, Callable] = {
    "ShearX": lambda f, img, m, how: _sheared(f, img, [math.degrees(math.atan(m)), 0.0], how),
    "ShearY": lambda f, img, m, how: _sheared(f, img, [0.0, math.degrees(math.atan(m))], how),
    "TranslateX": lambda f, img, m, how: _moved(f, img, [int(m), 0], how),
    "TranslateY": lambda f, img, m, how: _moved(f, img, [0, int(m)], how),
    "Rotate": lambda f, img, m, how: f.rotate(img, m, **how),
}
_COLOUR: dict[str, Callable] = {
    "Identity": lambda f, img, m: img,
    "Brightness": lambda f, img, m: f.adjust_brightness(img, 1.0 + m),
    "Color": lambda f, img, m: f.adjust_saturation(img, 1.0 + m),
    "Contrast": lambda f, img, m: f.adjust_contrast(img, 1.0 + m),
    "Sharpness": lambda f, img, m: f.adjust_sharpness(img, 1.0 + m),
    "Posterize": lambda f, img, m: f.posterize(img, int(m)),
    "Solarize": lambda f, img, m: f.solarize(img, m),
    "AutoContrast": lambda f, img, m: f.autocontrast(img),
    "Equalize": lambda f, img, m: f.equalize(img),
    "Invert": lambda f, img, m: f.invert(img),
}


def check_severity(severity: int) -> int:
    """severity.  Raises ArgumentError outside [1, 10]."""
    if not 1 <= severity <= 10:
        raise ArgumentError(f"The severity must be between [1, 10]. Got {severity} instead.")
    return severity


class _Augmentation(Module):
    """What the automatic augmentations share."""

    def _apply(self, img: Any, op: str, strength: float) -> Any:
        return operate(F, img, op, strength, self.interpolation, fill_for(self.fill, img))

    def _signed(self, values: float, signed: bool) -> float:
        """A strength, negated at random where it may be."""
        return -values if signed and draws.integer(0, 2) else values


class AutoAugment(_Augmentation):
    """A pair of operations out of those that were found best for a data set; pictures of any size, of bytes.

    Raises ArgumentError for a policy there is none of.
    Source: Cubuk et al. 2018; torchvision 0.29's transforms.AutoAugment.

        changed = transforms.AutoAugment()((255 * cltensor.rand(3, 32, 32)).to(cltensor.uint8))
    """

    def __init__(self, policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
                 interpolation: InterpolationMode = InterpolationMode.NEAREST, fill: Sequence[float] | None = None) -> None:
        super().__init__()
        if policy not in policies.POLICIES:
            raise ArgumentError(f"The provided policy {policy} is not recognized.")
        self.policy, self.interpolation, self.fill = policy, as_mode(interpolation), fill
        self.policies = policies.POLICIES[policy]

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, list[float], list[int]]:
        """(which pair, a number for each operation that says whether it happens, one that is 0 where it is negated)."""
        which = draws.integer(0, transform_num)
        return which, [draws.unit() for _ in range(2)], [draws.integer(0, 2) for _ in range(2)]

    def forward(self, img: Any) -> Any:
        """img, changed."""
        which, chances, signs = self.get_params(len(self.policies))
        _, height, width = F.get_dimensions(img)
        space = policies.auto_augment(10, (height, width))
        for step, chance, sign in zip(self.policies[which], chances, signs, strict=True):
            if chance <= step.p:
                values, signed = space[step.op]
                strength = 0.0 if step.strength is None else values[step.strength]
                img = self._apply(img, step.op, -strength if signed and sign == 0 else strength)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(policy={self.policy}, fill={self.fill})"


class RandAugment(_Augmentation):
    """num_ops random operations, each of the same strength `magnitude` out of num_magnitude_bins; pictures of any size, of bytes.

    Raises what the operations raise.  Source: Cubuk et al. 2019; torchvision 0.29's transforms.RandAugment.

        changed = transforms.RandAugment()((255 * cltensor.rand(3, 32, 32)).to(cltensor.uint8))
    """

    def __init__(self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31,
                 interpolation: InterpolationMode = InterpolationMode.NEAREST, fill: Sequence[float] | None = None) -> None:
        super().__init__()
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins
        self.interpolation, self.fill = as_mode(interpolation), fill

    def forward(self, img: Any) -> Any:
        """img, changed."""
        _, height, width = F.get_dimensions(img)
        space = policies.rand_augment(self.num_magnitude_bins, (height, width))
        for _ in range(self.num_ops):
            op = list(space)[draws.integer(0, len(space))]
            values, signed = space[op]
            img = self._apply(img, op, self._signed(0.0 if values is None else float(values[self.magnitude]), signed))
        return img

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(num_ops={self.num_ops}, magnitude={self.magnitude}, "
                f"num_magnitude_bins={self.num_magnitude_bins}, interpolation={self.interpolation}, fill={self.fill})")


class TrivialAugmentWide(_Augmentation):
    """One random operation of a random strength; pictures of any size, of bytes.

    Raises what the operations raise.  Source: Müller and Hutter 2021; torchvision 0.29's transforms.TrivialAugmentWide.

        changed = transforms.TrivialAugmentWide()((255 * cltensor.rand(3, 32, 32)).to(cltensor.uint8))
    """

    def __init__(self, num_magnitude_bins: int = 31, interpolation: InterpolationMode = InterpolationMode.NEAREST,
                 fill: Sequence[float] | None = None) -> None:
        super().__init__()
        self.num_magnitude_bins, self.interpolation, self.fill = num_magnitude_bins, as_mode(interpolation), fill

    def forward(self, img: Any) -> Any:
        """img, changed."""
        space = policies.trivial_augment(self.num_magnitude_bins)
        op = list(space)[draws.integer(0, len(space))]
        values, signed = space[op]
        strength = 0.0 if values is None else float(values[draws.integer(0, len(values))])
        return self._apply(img, op, self._signed(strength, signed))

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(num_magnitude_bins={self.num_magnitude_bins}, interpolation={self.interpolation}, "
                f"fill={self.fill})")


class AugMix(_Augmentation):
    """The picture mixed with mixture_width chains of random operations of itself; pictures of any size, of bytes.

    severity: 1 to 10; chain_depth: how many operations in a chain, one to three where it is not positive; alpha: how even the
    mixture is; all_ops: with brightness, colour, contrast and sharpness.  Pillow images are mixed as tensors.

    Raises ArgumentError for a severity that is none.  Source: Hendrycks et al. 2019; torchvision 0.29's transforms.AugMix.

        changed = transforms.AugMix()((255 * cltensor.rand(3, 32, 32)).to(cltensor.uint8))
    """

    def __init__(self, severity: int = 3, mixture_width: int = 3, chain_depth: int = -1, alpha: float = 1.0, all_ops: bool = True,
                 interpolation: InterpolationMode = InterpolationMode.BILINEAR, fill: Sequence[float] | None = None) -> None:
        super().__init__()
        self.severity, self.mixture_width, self.chain_depth = check_severity(severity), mixture_width, chain_depth
        self.alpha, self.all_ops, self.interpolation, self.fill = alpha, all_ops, as_mode(interpolation), fill

    def forward(self, img: Any) -> Any:
        """img, mixed."""
        _, height, width = F.get_dimensions(img)
        x = img if isinstance(img, Tensor) else F.pil_to_tensor(img)
        space = policies.aug_mix(10, (height, width), self.all_ops)
        mixed = mixture(self, x, lambda aug: self._chained(aug, space))
        return mixed if isinstance(img, Tensor) else F.to_pil_image(mixed)

    def _chained(self, aug, space):
        """aug after one more operation."""
        op = list(space)[draws.integer(0, len(space))]
        values, signed = space[op]
        strength = 0.0 if values is None else float(values[draws.integer(0, self.severity)])
        return self._apply(aug, op, self._signed(strength, signed))

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(severity={self.severity}, mixture_width={self.mixture_width}, "
                f"chain_depth={self.chain_depth}, alpha={self.alpha}, all_ops={self.all_ops}, "
                f"interpolation={self.interpolation}, fill={self.fill})")


def mixture(augmix: Any, x: Tensor, step: Callable[[Tensor], Tensor]) -> Tensor:
    """x mixed with chains of step(x), for the settings of an AugMix; each picture of a batch has weights of its own."""
    batch = x.reshape((1,) * max(4 - x.ndim, 0) + tuple(x.shape))
    n, shape = batch.shape[0], (batch.shape[0],) + (1,) * (batch.ndim - 1)
    shares = [draws.dirichlet([augmix.alpha] * 2) for _ in range(n)]
    weights = [[w * share[1] for w in draws.dirichlet([augmix.alpha] * augmix.mixture_width)] for share in shares]
    floats = batch.float()
    mixed = floats * _column([share[0] for share in shares], floats, shape)
    for i in range(augmix.mixture_width):
        aug = batch
        for _ in range(augmix.chain_depth if augmix.chain_depth > 0 else draws.integer(1, 4)):
            aug = step(aug)
        mixed = mixed + aug.float() * _column([w[i] for w in weights], floats, shape)
    return mixed.reshape(x.shape).to(x.dtype)


def _column(values, like, shape):
    """Numbers as a tensor that multiplies each picture of a batch; one number where there is one picture."""
    return values[0] if len(values) == 1 else like.new_tensor(values).reshape(shape)
