"""Automatic augmentation of the one picture or video of a sample."""

from __future__ import annotations

from typing import Any

from ....base import dtypes
from ....base.errors import ArgumentError, ArgumentTypeError
from ....tensor import Tensor
from ... import pillow
from ...tv_tensors import BoundingBoxes, Image, KeyPoints, Mask, TVTensor, Video
from ...tv_tensors.base import plain
from .. import draws, policies
from ..autoaugment import AutoAugmentPolicy, check_severity, mixture, operate
from ..interpolation import InterpolationMode, as_mode
from ..kernels.ranges import limit
from . import functional as F
from .functional import is_pure_tensor
from .samples import check_type, flatten
from .transform import Fill, Transform

Mode = InterpolationMode | str | int
_PICTURES = (Image, Video, is_pure_tensor, pillow.is_pillow)


class _Augmentation(Transform):
    """An augmentation of the one picture or video of a sample."""

    def __init__(self, *, interpolation: Mode = "nearest", fill: Any = None) -> None:
        super().__init__()
        self.interpolation, self.fill, self._fill = as_mode(interpolation), fill, Fill(fill)

    def forward(self, *inputs: Any) -> Any:
        """The sample, its picture changed."""
        leaves, rebuilt = flatten(inputs if len(inputs) > 1 else inputs[0])
        for x in leaves:
            if check_type(x, (BoundingBoxes, Mask, KeyPoints)):
                raise ArgumentTypeError(f"Inputs of type {type(x).__name__} are not supported by {type(self).__name__}()")
        needed = self._needs_transform_list(leaves)
        found = [i for i, x in enumerate(leaves) if needed[i] and check_type(x, _PICTURES)]
        if not found:
            raise ArgumentTypeError("Found no image or video in the sample.")
        if len(found) > 1:
            raise ArgumentError("Auto augment transformations are only properly defined for a single image or video, but found "
                                f"{len(found)}.")
        picture = leaves[found[0]]
        leaves[found[0]] = self._augmented(picture, tuple(F.get_size(picture)))
        return rebuilt(leaves)

    def _augmented(self, picture: Any, size: tuple[int, int]) -> Any:
        raise NotImplementedError

    def _operated(self, picture, op, strength):
        """picture after an operation; solarize's threshold is a share of the range."""
        if op == "Solarize":
            strength *= limit(picture.dtype if isinstance(picture, Tensor) else dtypes.uint8)
        return operate(F, picture, op, strength, self.interpolation, self._fill[type(picture)])

    def _random(self, space: dict[str, policies.Magnitudes]) -> tuple[str, policies.Magnitudes]:
        """An operation."""
        name = list(space)[draws.integer(0, len(space))]
        return name, space[name]

    def _signed(self, strength: float, signed: bool) -> float:
        """A strength, negated at random where it may be."""
        return -strength if signed and draws.unit() <= 0.5 else strength


class AutoAugment(_Augmentation):
    """A pair of operations out of those that were found best for a data set; a picture or video of any size and dtype.

    fill: the colour of what comes from outside, or a dict of one for each class.

    Raises ArgumentError for a policy there is none of, ArgumentTypeError for a sample without picture, and with boxes or masks.
    Source: Cubuk et al. 2018; torchvision 0.29's transforms.v2.AutoAugment.

        changed = v2.AutoAugment()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET, interpolation: Mode = "nearest",
                 fill: Any = None) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        if policy not in policies.POLICIES:
            raise ArgumentError(f"The provided policy {policy} is not recognized.")
        self.policy, self._policies = policy, policies.POLICIES[policy]

    def _augmented(self, picture, size):
        pair = self._policies[draws.integer(0, len(self._policies))]
        space = policies.auto_augment(10, size, 1.0)
        for step in pair:
            if step.p <= draws.unit():
                continue
            values, signed = space[step.op]
            strength = 0.0 if values is None else self._signed(values[step.strength], signed)
            picture = self._operated(picture, step.op, strength)
        return picture


class RandAugment(_Augmentation):
    """num_ops random operations, each of strength `magnitude` out of num_magnitude_bins; a picture or video of any size and dtype.

    fill: the colour of what comes from outside, or a dict of one for each class.

    Raises what AutoAugment raises.  Source: Cubuk et al. 2019; torchvision 0.29's transforms.v2.RandAugment.

        changed = v2.RandAugment()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31, interpolation: Mode = "nearest",
                 fill: Any = None) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins

    def _augmented(self, picture, size):
        space = policies.rand_augment(self.num_magnitude_bins, size, 1.0)
        for _ in range(self.num_ops):
            op, (values, signed) = self._random(space)
            strength = 0.0 if values is None else self._signed(float(values[self.magnitude]), signed)
            picture = self._operated(picture, op, strength)
        return picture


class TrivialAugmentWide(_Augmentation):
    """One random operation of a random strength; a picture or video of any size and dtype.

    fill: the colour of what comes from outside, or a dict of one for each class.

    Raises what AutoAugment raises.  Source: Müller and Hutter 2021; torchvision 0.29's transforms.v2.TrivialAugmentWide.

        changed = v2.TrivialAugmentWide()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, num_magnitude_bins: int = 31, interpolation: Mode = "nearest", fill: Any = None) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.num_magnitude_bins = num_magnitude_bins

    def _augmented(self, picture, size):
        op, (values, signed) = self._random(policies.trivial_augment(self.num_magnitude_bins, 1.0))
        if values is None:
            return self._operated(picture, op, 0.0)
        return self._operated(picture, op, self._signed(float(values[draws.integer(0, len(values))]), signed))


class AugMix(_Augmentation):
    """The picture mixed with mixture_width chains of random operations of itself; a picture or video of any size and dtype.

    severity: 1 to 10; chain_depth: how many operations in a chain, one to three where it is not positive; alpha: how even the
    mixture is; all_ops: with brightness, colour, contrast and sharpness.  Pillow images are mixed as tensors.

    Raises ArgumentError for a severity that is none, and what AutoAugment raises.
    Source: Hendrycks et al. 2019; torchvision 0.29's transforms.v2.AugMix.

        changed = v2.AugMix()(cltensor.rand(3, 32, 32))
    """

    def __init__(self, severity: int = 3, mixture_width: int = 3, chain_depth: int = -1, alpha: float = 1.0, all_ops: bool = True,
                 interpolation: Mode = "bilinear", fill: Any = None) -> None:
        super().__init__(interpolation=interpolation, fill=fill)
        self.severity, self.mixture_width, self.chain_depth = check_severity(severity), mixture_width, chain_depth
        self.alpha, self.all_ops = alpha, all_ops

    def _augmented(self, picture, size):
        x = plain(picture) if isinstance(picture, Tensor) else F.pil_to_tensor(picture)
        space = policies.aug_mix(10, size, self.all_ops, 1.0)
        mixed = mixture(self, x, lambda aug: self._chained(aug, space))
        if isinstance(picture, TVTensor):
            return type(picture)._wrapped(mixed, picture)
        return mixed if isinstance(picture, Tensor) else F.to_pil_image(mixed)

    def _chained(self, aug, space):
        op, (values, signed) = self._random(space)
        if values is None:
            return self._operated(aug, op, 0.0)
        return self._operated(aug, op, self._signed(float(values[draws.integer(0, self.severity)]), signed))
