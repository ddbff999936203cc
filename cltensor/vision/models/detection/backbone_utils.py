"""Backbones for detection: a network's stages as maps, with a feature pyramid on them."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from .... import nn
from ....base.errors import ArgumentError
from ....tensor.core.tensor import Tensor
from ...ops.feature_pyramid_network import ExtraFPNBlock, FeaturePyramidNetwork, LastLevelMaxPool
from ...ops.misc import FrozenBatchNorm2d
from .. import mobilenet, resnet
from .._api import WeightsEnum
from .._utils import IntermediateLayerGetter

CHANNELS = 256  # of the maps of a pyramid


class BackboneWithFPN(nn.Module):
    """The stages of a backbone named in return_layers, with a FeaturePyramidNetwork on them: images to a dict of maps.

    return_layers: {name of a child: name of the map}; in_channels_list: their channels.  extra_blocks: LastLevelMaxPool where
    none is given.  Images (N, 3, H, W) of a floating dtype.  Raises ArgumentError for a name that is no child. Source: Lin et
    al., Feature Pyramid Networks, 2017.

        >>> from cltensor.vision.models import resnet18
        >>> from cltensor.vision.models.detection.backbone_utils import BackboneWithFPN
        >>> with ct.device("meta"):
        ...     maps = BackboneWithFPN(resnet18(), {"layer3": "0", "layer4": "1"}, [256, 512], 8)(ct.empty(1, 3, 64, 64))
        >>> {name: tuple(x.shape) for name, x in maps.items()}
        {'0': (1, 8, 4, 4), '1': (1, 8, 2, 2), 'pool': (1, 8, 1, 1)}
    """

    def __init__(self, backbone: nn.Module, return_layers: dict[str, str], in_channels_list: list[int], out_channels: int,
                 extra_blocks: ExtraFPNBlock | None = None, norm_layer: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(backbone, return_layers)
        self.fpn = FeaturePyramidNetwork(in_channels_list, out_channels, extra_blocks or LastLevelMaxPool(), norm_layer)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.fpn(self.body(x))


def freeze(module: nn.Module) -> None:
    """Let no parameter of a module be trained."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)


def resnet_fpn_extractor(backbone: resnet.ResNet, trainable_layers: int, returned_layers: list[int] | None = None,
                         extra_blocks: ExtraFPNBlock | None = None,
                         norm_layer: Callable[..., nn.Module] | None = None) -> BackboneWithFPN:
    """A pyramid on stages of a ResNet (1 to 4), of which the last trainable_layers are trained, 5 with the stem."""
    if not 0 <= trainable_layers <= 5:
        raise ArgumentError(f"Trainable layers should be in the range [0, 5], got {trainable_layers}")
    trained = ["layer4", "layer3", "layer2", "layer1", "conv1"][:trainable_layers] + ["bn1"] * (trainable_layers == 5)
    for name, parameter in backbone.named_parameters():
        if name.partition(".")[0] not in trained:
            parameter.requires_grad_(False)
    returned = [1, 2, 3, 4] if returned_layers is None else returned_layers
    if min(returned) <= 0 or max(returned) >= 5:
        raise ArgumentError(f"Each returned layer should be in the range [1, 4], got {returned}")
    first = backbone.inplanes // 8
    return BackboneWithFPN(backbone, {f"layer{k}": str(i) for i, k in enumerate(returned)},
                           [first * 2 ** (k - 1) for k in returned], CHANNELS, extra_blocks, norm_layer)


def resnet_fpn_backbone(*, backbone_name: str, weights: WeightsEnum | None,
                        norm_layer: Callable[..., nn.Module] = FrozenBatchNorm2d, trainable_layers: int = 3,
                        returned_layers: list[int] | None = None, extra_blocks: ExtraFPNBlock | None = None) -> BackboneWithFPN:
    """A ResNet by name with a feature pyramid: images (N, 3, H, W) to a dict of maps with 256 channels.

    weights: those of the ResNet, or None; trainable_layers: how many of its stages, from the last, are trained; returned_layers:
    the stages, from 1, that the pyramid stands on.  Floating dtypes.  Raises ArgumentError for numbers out of range.
    Source: Lin et al., Feature Pyramid Networks, 2017.

        >>> from cltensor.vision.models.detection.backbone_utils import resnet_fpn_backbone
        >>> with ct.device("meta"):
        ...     list(resnet_fpn_backbone(backbone_name="resnet18", weights=None)(ct.empty(1, 3, 64, 64)))
        ['0', '1', '2', '3', 'pool']
    """
    made = vars(resnet)[backbone_name](weights=weights, norm_layer=norm_layer)
    return resnet_fpn_extractor(made, trainable_layers, returned_layers, extra_blocks)


def stage_ends(features: nn.Sequential) -> list[int]:
    """Where the stages of a MobileNet's features end: the first layer, those that halve the size, the last."""
    return [0, *(i for i, block in enumerate(features) if getattr(block, "_is_cn", False)), len(features) - 1]


def mobilenet_extractor(backbone: nn.Module, fpn: bool, trainable_layers: int, returned_layers: list[int] | None = None,
                        extra_blocks: ExtraFPNBlock | None = None,
                        norm_layer: Callable[..., nn.Module] | None = None) -> nn.Module:
    """The features of a MobileNet with a pyramid on some stages, or a 1x1 convolution on the last."""
    features = backbone.features
    ends = stage_ends(features)
    stages = len(ends)
    if not 0 <= trainable_layers <= stages:
        raise ArgumentError(f"Trainable layers should be in the range [0, {stages}], got {trainable_layers}")
    freeze(features[: len(features) if trainable_layers == 0 else ends[stages - trainable_layers]])
    if not fpn:
        made = nn.Sequential(features, nn.Conv2d(features[-1].out_channels, CHANNELS, 1))
        made.out_channels = CHANNELS
        return made
    returned = [stages - 2, stages - 1] if returned_layers is None else returned_layers
    if min(returned) < 0 or max(returned) >= stages:
        raise ArgumentError(f"Each returned layer should be in the range [0, {stages - 1}], got {returned}")
    return BackboneWithFPN(features, {str(ends[k]): str(i) for i, k in enumerate(returned)},
                           [features[ends[k]].out_channels for k in returned], CHANNELS, extra_blocks, norm_layer)


def mobilenet_backbone(*, backbone_name: str, weights: WeightsEnum | None, fpn: bool,
                       norm_layer: Callable[..., nn.Module] = FrozenBatchNorm2d, trainable_layers: int = 2,
                       returned_layers: list[int] | None = None, extra_blocks: ExtraFPNBlock | None = None) -> nn.Module:
    """A MobileNet by name, with fpn with a feature pyramid: images (N, 3, H, W) to a dict of maps, or one map, with 256 channels.

    weights: those of the MobileNet, or None; trainable_layers: how many stages, from the last, are trained; returned_layers: the
    stages, from 0, that the pyramid stands on.  Floating dtypes.  Raises ArgumentError for numbers out of range.
    Source: Howard et al., Searching for MobileNetV3, 2019.

        >>> from cltensor.vision.models.detection.backbone_utils import mobilenet_backbone
        >>> with ct.device("meta"):
        ...     mobilenet_backbone(backbone_name="mobilenet_v3_small", weights=None, fpn=False)(ct.empty(1, 3, 64, 64)).shape
        cltensor.Size([1, 256, 2, 2])
    """
    made = vars(mobilenet)[backbone_name](weights=weights, norm_layer=norm_layer)
    return mobilenet_extractor(made, fpn, trainable_layers, returned_layers, extra_blocks)


def trained_layers(is_trained: bool, trainable_backbone_layers: int | None, max_value: int, default_value: int) -> int:
    """How many stages of a backbone are trained: all of a new one, the number given or the default of a trained one."""
    if not is_trained:
        if trainable_backbone_layers is not None:
            warnings.warn(f"trainable_backbone_layers has no effect where neither the model nor its backbone has weights: all "
                          f"{max_value} are trained", stacklevel=4)
        return max_value
    chosen = default_value if trainable_backbone_layers is None else trainable_backbone_layers
    if not 0 <= chosen <= max_value:
        raise ArgumentError(f"Trainable backbone layers should be in the range [0,{max_value}], got {chosen}")
    return chosen


def overwrite_eps(model: nn.Module, eps: float) -> None:
    """Set eps of every FrozenBatchNorm2d: old checkpoints were trained with 0."""
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = eps
