"""GoogLeNet, the first Inception network, with batch normalisation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from ... import nn
from ...base.errors import ArgumentError
from ...nn import functional as F
from ...nn import init
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ._api import WeightsEnum, builder
from .imagenet import imagenet
from .inception import BasicConv2d, transformed

__all__ = [
    "GoogLeNet",
    "GoogLeNetOutputs",
    "GoogLeNet_Weights",
    "_GoogLeNetOutputs",
    "googlenet",
]
_SOURCE = "Szegedy et al., Going Deeper with Convolutions, 2015"


class GoogLeNetOutputs(NamedTuple):
    """What GoogLeNet returns in training: scores (N, num_classes) and those of its auxiliary heads, the later one first.

    Floating dtypes.  Never raises.  Source: Szegedy et al. 2015.

        >>> from cltensor.vision.models import GoogLeNetOutputs
        >>> GoogLeNetOutputs(ct.zeros(1, 5), None, None).logits.shape
        cltensor.Size([1, 5])
    """

    logits: Tensor
    aux_logits2: Tensor | None
    aux_logits1: Tensor | None


_GoogLeNetOutputs = GoogLeNetOutputs


class Inception(nn.Module):
    """1x1, 3x3, 3x3 and pooling side by side: (N, in_channels, H, W) -> (N, ch1x1 + ch3x3 + ch5x5 + pool_proj, H, W).

    The third branch, of ch5x5 channels, has a kernel of 3 where the paper has 5, as the published weights do.  conv_block makes the
    convolutions.  Floating dtypes.  Raises what they raise.  Source: Szegedy et al. 2015, figure 2.

        >>> from cltensor.vision.models.googlenet import Inception
        >>> Inception(8, 4, 2, 4, 2, 4, 4)(ct.ones(2, 8, 3, 3)).shape
        cltensor.Size([2, 16, 3, 3])
    """

    def __init__(self, in_channels: int, ch1x1: int, ch3x3red: int, ch3x3: int, ch5x5red: int, ch5x5: int, pool_proj: int,
                 conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch1 = conv(in_channels, ch1x1, kernel_size=1)
        self.branch2 = nn.Sequential(conv(in_channels, ch3x3red, kernel_size=1), conv(ch3x3red, ch3x3, kernel_size=3, padding=1))
        self.branch3 = nn.Sequential(conv(in_channels, ch5x5red, kernel_size=1), conv(ch5x5red, ch5x5, kernel_size=3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True),
                                     conv(in_channels, pool_proj, kernel_size=1))

    def forward(self, x: Tensor) -> Tensor:
        return cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(nn.Module):
    """An auxiliary head: (N, in_channels, H, W) -> scores (N, num_classes).

    conv_block makes the convolution.  Floating dtypes.  Raises what it raises.  Source: Szegedy et al. 2015, section 5.

        >>> from cltensor.vision.models.googlenet import InceptionAux
        >>> InceptionAux(8, 5).eval()(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, in_channels: int, num_classes: int, conv_block: Callable[..., nn.Module] | None = None,
                 dropout: float = 0.7) -> None:
        super().__init__()
        self.conv = (conv_block or BasicConv2d)(in_channels, 128, kernel_size=1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, num_classes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(F.adaptive_avg_pool2d(x, (4, 4))).flatten(1)
        return self.fc2(self.dropout(F.relu(self.fc1(x), inplace=True)))


class GoogLeNet(nn.Module):
    """Nine Inception blocks: images (N, 3, H, W) to scores (N, num_classes), or GoogLeNetOutputs in training.

    aux_logits: with the auxiliary heads, used in training alone.  transform_input: images are normalised by ImageNet's means and
    are to be normalised by 0.5.  blocks: what makes the convolutions, the blocks and the heads.  init_weights: weights start normal
    with 0.01, cut off at 2; None means True.  Floating dtypes.  Raises ArgumentError where blocks has not 3 elements.
    Source: Szegedy et al., Going Deeper with Convolutions, 2015.

        >>> from cltensor.vision.models import GoogLeNet
        >>> with ct.device("meta"):
        ...     GoogLeNet(num_classes=5)(ct.empty(2, 3, 64, 64)).aux_logits2.shape
        cltensor.Size([2, 5])
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True, transform_input: bool = False,
                 init_weights: bool | None = None, blocks: list[Callable[..., nn.Module]] | None = None, dropout: float = 0.2,
                 dropout_aux: float = 0.7) -> None:
        super().__init__()
        parts = blocks or [BasicConv2d, Inception, InceptionAux]
        if len(parts) != 3:
            raise ArgumentError(f"GoogLeNet: blocks has {len(parts)} elements; give 3, for the convolution, the block and the head")
        conv, block, aux = parts
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.conv1 = conv(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = conv(64, 64, kernel_size=1)
        self.conv3 = conv(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = block(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = block(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = block(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = block(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = block(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = block(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = block(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = block(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = block(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = aux(512, num_classes, dropout=dropout_aux) if aux_logits else None
        self.aux2 = aux(528, num_classes, dropout=dropout_aux) if aux_logits else None
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, num_classes)
        if init_weights or init_weights is None:
            self._initialize()

    def _initialize(self):
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                init.trunc_normal_(module.weight, std=0.01)

    def _head(self, head, x):
        """An auxiliary head's scores in training, if there is one."""
        return head(x) if self.training and head is not None else None

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutputs:
        x = transformed(x) if self.transform_input else x
        x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
        x = self.inception4a(self.maxpool3(self.inception3b(self.inception3a(x))))
        first = self._head(self.aux1, x)
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        second = self._head(self.aux2, x)
        x = self.inception5b(self.inception5a(self.maxpool4(self.inception4e(x))))
        scores = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return GoogLeNetOutputs(scores, second, first) if self.training and self.aux_logits else scores


def _published(weights, kwargs):
    """The file has auxiliary heads that were not trained; they are dropped unless they are asked for."""
    kwargs.setdefault("transform_input", True)
    wanted = kwargs.get("aux_logits", False)
    kwargs["aux_logits"] = True
    if not wanted:
        return _without_heads
    warnings.warn("googlenet: the auxiliary heads of the published weights are not trained; train them", UserWarning, stacklevel=3)
    return None


def _without_heads(model):
    model.aux_logits, model.aux1, model.aux2 = False, None, None


class GoogLeNet_Weights(WeightsEnum):
    """Published weights of googlenet."""

    IMAGENET1K_V1 = imagenet("googlenet-1378be20.pth", 6624904, 69.778, 89.53, 1.498, 49.731, min_size=15)
    DEFAULT = IMAGENET1K_V1

@builder(GoogLeNet_Weights, _SOURCE, prepare=_published)
def googlenet(**kwargs: Any) -> GoogLeNet:
    """GoogLeNet; with weights, transform_input is True and aux_logits False unless kwargs have them."""
    return GoogLeNet(**kwargs)
