"""MNASNet: inverted residuals found by a search."""

from __future__ import annotations

import warnings
from typing import Any

from ... import nn
from ...base.errors import ArgumentError
from ...nn import init
from ...tensor.core.tensor import Tensor
from ._api import WeightsEnum, builder
from .imagenet import imagenet

__all__ = [
    "MNASNet", "MNASNet0_5_Weights", "MNASNet0_75_Weights", "MNASNet1_0_Weights", "MNASNet1_3_Weights", "mnasnet0_5",
    "mnasnet0_75", "mnasnet1_0", "mnasnet1_3",
]
_SOURCE = "Tan et al., MnasNet: Platform-Aware Neural Architecture Search for Mobile, 2019"
_BN_MOMENTUM = 1 - 0.9997  # the paper's decay is the part that is kept

# Stacks of the paper's figure: channels at alpha 1, kernel, stride, expansion, blocks.
_STACKS = ((24, 3, 2, 3, 3), (40, 5, 2, 3, 3), (80, 5, 2, 6, 3), (96, 3, 1, 6, 2), (192, 5, 2, 6, 4), (320, 3, 1, 6, 1))


class _InvertedResidual(nn.Module):
    """Expand, convolve each channel, project; the input is added where shapes agree."""

    def __init__(self, in_ch: int, out_ch: int, kernel_size: int, stride: int, expansion_factor: int,
                 bn_momentum: float = 0.1) -> None:
        super().__init__()
        if stride not in (1, 2) or kernel_size not in (3, 5):
            raise ArgumentError(f"MNASNet: a block with stride {stride} and kernel {kernel_size}; strides are 1 and 2, kernels "
                                "3 and 5")
        wide = in_ch * expansion_factor
        self.apply_residual = in_ch == out_ch and stride == 1
        self.layers = nn.Sequential(
            nn.Conv2d(in_ch, wide, 1, bias=False), nn.BatchNorm2d(wide, momentum=bn_momentum), nn.ReLU(inplace=True),
            nn.Conv2d(wide, wide, kernel_size, stride=stride, padding=kernel_size // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide, momentum=bn_momentum), nn.ReLU(inplace=True),
            nn.Conv2d(wide, out_ch, 1, bias=False), nn.BatchNorm2d(out_ch, momentum=bn_momentum))

    def forward(self, input: Tensor) -> Tensor:
        return self.layers(input) + input if self.apply_residual else self.layers(input)


def _round_to_multiple_of(val: float, divisor: int, round_up_bias: float = 0.9) -> int:
    """val rounded to a multiple of divisor, at least divisor and at least round_up_bias * val."""
    rounded = max(divisor, int(val + divisor / 2) // divisor * divisor)
    return rounded if rounded >= round_up_bias * val else rounded + divisor


def _get_depths(alpha: float) -> list[int]:
    """The channels of the stem's two convolutions and of each stack."""
    return [_round_to_multiple_of(size * alpha, 8) for size in (32, 16, *(row[0] for row in _STACKS))]


def _stack(in_ch, out_ch, kernel_size, stride, exp_factor, repeats, bn_momentum):
    """Blocks in a row; the first one has the stride."""
    blocks = [_InvertedResidual(in_ch, out_ch, kernel_size, stride, exp_factor, bn_momentum)]
    blocks += [_InvertedResidual(out_ch, out_ch, kernel_size, 1, exp_factor, bn_momentum) for _ in range(1, repeats)]
    return nn.Sequential(*blocks)


def _stem(first, second):
    """The layers ahead of the stacks, and their channels."""
    return [nn.Conv2d(3, first, 3, padding=1, stride=2, bias=False), nn.BatchNorm2d(first, momentum=_BN_MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, first, 3, padding=1, stride=1, groups=first, bias=False), nn.BatchNorm2d(first, momentum=_BN_MOMENTUM),
            nn.ReLU(inplace=True),
            nn.Conv2d(first, second, 1, padding=0, stride=1, bias=False), nn.BatchNorm2d(second, momentum=_BN_MOMENTUM)]


class MNASNet(nn.Module):
    """Stacks of inverted residuals: images (N, 3, H, W) to scores (N, num_classes).

    alpha: a factor for all channels.  A state_dict of version 1, whose stem alpha did not change, loads: the model takes that
    stem, with a warning, and its state_dict is of version 1 from then on.  Floating dtypes.  Raises ArgumentError where
    alpha is not positive.  Source: Tan et al., MnasNet: Platform-Aware Neural Architecture Search for Mobile, 2019.

        >>> from cltensor.vision.models import MNASNet
        >>> with ct.device("meta"):
        ...     MNASNet(0.5, num_classes=5)(ct.empty(2, 3, 32, 32)).shape
        cltensor.Size([2, 5])
    """

    _version = 2

    def __init__(self, alpha: float, num_classes: int = 1000, dropout: float = 0.2) -> None:
        super().__init__()
        if alpha <= 0:
            raise ArgumentError(f"MNASNet: alpha={alpha}; it is a factor for channels and must be positive")
        self.alpha, self.num_classes = alpha, num_classes
        first, channels, *sizes = _get_depths(alpha)
        layers = _stem(first, channels)
        for size, (_, kernel, stride, expansion, blocks) in zip(sizes, _STACKS, strict=True):
            layers.append(_stack(channels, size, kernel, stride, expansion, blocks, _BN_MOMENTUM))
            channels = size
        layers += [nn.Conv2d(channels, 1280, 1, bias=False), nn.BatchNorm2d(1280, momentum=_BN_MOMENTUM), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout, inplace=True), nn.Linear(1280, num_classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        init.kaiming_uniform_(self.classifier[1].weight, mode="fan_out", nonlinearity="sigmoid")
        init.zeros_(self.classifier[1].bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.layers(x).mean((2, 3)))

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        stem = state_dict.get(f"{prefix}layers.0.weight")
        if (local_metadata.get("version") or 1) < 2 and stem is not None and len(stem) == 32 != self.layers[0].out_channels:
            self._take_first_stem()
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def _take_first_stem(self):
        """Become a model of version 1, whose stem has the channels of alpha 1."""
        sizes = _get_depths(self.alpha)
        stack = _stack(16, sizes[2], 3, 2, 3, 3, _BN_MOMENTUM)
        like = self.classifier[1].weight
        for index, layer in enumerate([*_stem(32, 16), stack]):
            self.layers[index] = layer.to(like.device, like.dtype).train(self.training)
        self._version = 1
        warnings.warn("MNASNet: the state_dict is of version 1, whose first layers alpha does not change; the model takes these, "
                      "and its own state_dict is of version 1 now", UserWarning, stacklevel=2)


class MNASNet0_5_Weights(WeightsEnum):
    """Published weights of mnasnet0_5."""

    IMAGENET1K_V1 = imagenet("mnasnet0.5_top1_67.823-3ffadce67e.pth", 2218512, 67.734, 87.49, 0.104, 8.591, min_size=1)
    DEFAULT = IMAGENET1K_V1


class MNASNet0_75_Weights(WeightsEnum):
    """Published weights of mnasnet0_75."""

    IMAGENET1K_V1 = imagenet("mnasnet0_75-7090bc5f.pth", 3170208, 71.18, 90.496, 0.215, 12.303, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V1


class MNASNet1_0_Weights(WeightsEnum):
    """Published weights of mnasnet1_0."""

    IMAGENET1K_V1 = imagenet("mnasnet1.0_top1_73.512-f206786ef8.pth", 4383312, 73.456, 91.51, 0.314, 16.915, min_size=1)
    DEFAULT = IMAGENET1K_V1


class MNASNet1_3_Weights(WeightsEnum):
    """Published weights of mnasnet1_3."""

    IMAGENET1K_V1 = imagenet("mnasnet1_3-a4c69d6f.pth", 6282256, 76.506, 93.522, 0.526, 24.246, min_size=1, resize_size=232)
    DEFAULT = IMAGENET1K_V1

@builder(MNASNet0_5_Weights, _SOURCE)
def mnasnet0_5(**kwargs: Any) -> MNASNet:
    """MNASNet with 0.5 times the channels."""
    return MNASNet(0.5, **kwargs)


@builder(MNASNet0_75_Weights, _SOURCE)
def mnasnet0_75(**kwargs: Any) -> MNASNet:
    """MNASNet with 0.75 times the channels."""
    return MNASNet(0.75, **kwargs)


@builder(MNASNet1_0_Weights, _SOURCE)
def mnasnet1_0(**kwargs: Any) -> MNASNet:
    """MNASNet with 1.0 times the channels."""
    return MNASNet(1.0, **kwargs)


@builder(MNASNet1_3_Weights, _SOURCE)
def mnasnet1_3(**kwargs: Any) -> MNASNet:
    """MNASNet with 1.3 times the channels."""
    return MNASNet(1.3, **kwargs)
