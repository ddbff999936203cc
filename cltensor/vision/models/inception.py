"""Inception V3: branches of factorised convolutions side by side."""

from __future__ import annotations

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

__all__ = [
    "Inception3",
    "InceptionOutputs",
    "Inception_V3_Weights",
    "_InceptionOutputs",
    "inception_v3",
]
_SOURCE = "Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016"


class InceptionOutputs(NamedTuple):
    """What Inception3 returns in training: scores (N, num_classes) and those of the auxiliary head, None where it has none.

    Floating dtypes.  Never raises.  Source: Szegedy et al. 2016.

        >>> from cltensor.vision.models import InceptionOutputs
        >>> InceptionOutputs(ct.zeros(1, 5), None).logits.shape
        cltensor.Size([1, 5])
    """

    logits: Tensor
    aux_logits: Tensor | None


_InceptionOutputs = InceptionOutputs


def transformed(x: Tensor) -> Tensor:
    """Images (N, 3, H, W) normalised by ImageNet's means and deviations, normalised by 0.5 and 0.5 instead."""
    scale = x.new_tensor([0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5]).reshape(1, 3, 1, 1)
    shift = x.new_tensor([(0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5]).reshape(1, 3, 1, 1)
    return x * scale + shift


class BasicConv2d(nn.Module):
    """A convolution without bias, batch normalisation and ReLU: (N, in_channels, H, W) -> (N, out_channels, H', W').

    Other arguments go to nn.Conv2d.  Floating dtypes.  Raises what it raises.  Source: Szegedy et al. 2016.

        >>> from cltensor.vision.models.inception import BasicConv2d
        >>> BasicConv2d(3, 8, kernel_size=3)(ct.ones(2, 3, 4, 4)).shape
        cltensor.Size([2, 8, 2, 2])
    """

    def __init__(self, in_channels: int, out_channels: int, **kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)), inplace=True)


class InceptionA(nn.Module):
    """1x1, 5x5, twice 3x3, and pooling: (N, in_channels, H, W) -> (N, 224 + pool_features, H, W).

    conv_block makes the convolutions.  Floating dtypes.  Raises what they raise.  Source: Szegedy et al. 2016, figure 5.

        >>> from cltensor.vision.models.inception import InceptionA
        >>> InceptionA(8, 32)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 256, 4, 4])
    """

    def __init__(self, in_channels: int, pool_features: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch1x1 = conv(in_channels, 64, kernel_size=1)
        self.branch5x5_1 = conv(in_channels, 48, kernel_size=1)
        self.branch5x5_2 = conv(48, 64, kernel_size=5, padding=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, kernel_size=1)
        self.branch3x3dbl_2 = conv(64, 96, kernel_size=3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, kernel_size=3, padding=1)
        self.branch_pool = conv(in_channels, pool_features, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        return cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)),
                    self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                    self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))], 1)


class InceptionB(nn.Module):
    """3x3 and twice 3x3 of stride 2, and pooling: (N, in_channels, H, W) -> (N, 480 + in_channels, (H - 1) // 2, (W - 1) // 2).

    conv_block makes the convolutions.  Floating dtypes.  Raises what they raise.  Source: Szegedy et al. 2016, figure 10.

        >>> from cltensor.vision.models.inception import InceptionB
        >>> InceptionB(8)(ct.ones(2, 8, 5, 5)).shape
        cltensor.Size([2, 488, 2, 2])
    """

    def __init__(self, in_channels: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch3x3 = conv(in_channels, 384, kernel_size=3, stride=2)
        self.branch3x3dbl_1 = conv(in_channels, 64, kernel_size=1)
        self.branch3x3dbl_2 = conv(64, 96, kernel_size=3, padding=1)
        self.branch3x3dbl_3 = conv(96, 96, kernel_size=3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return cat([self.branch3x3(x), self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
                    F.max_pool2d(x, 3, stride=2)], 1)


class InceptionC(nn.Module):
    """1x1, 7x7 as 1x7 and 7x1, twice that, and pooling: (N, in_channels, H, W) -> (N, 768, H, W).

    channels_7x7: the width inside.  conv_block makes the convolutions.  Floating dtypes.  Raises what they raise.
    Source: Szegedy et al. 2016, figure 6.

        >>> from cltensor.vision.models.inception import InceptionC
        >>> InceptionC(8, 16)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 768, 4, 4])
    """

    def __init__(self, in_channels: int, channels_7x7: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        conv, c7 = conv_block or BasicConv2d, channels_7x7
        wide = {"kernel_size": (1, 7), "padding": (0, 3)}
        tall = {"kernel_size": (7, 1), "padding": (3, 0)}
        self.branch1x1 = conv(in_channels, 192, kernel_size=1)
        self.branch7x7_1 = conv(in_channels, c7, kernel_size=1)
        self.branch7x7_2 = conv(c7, c7, **wide)
        self.branch7x7_3 = conv(c7, 192, **tall)
        self.branch7x7dbl_1 = conv(in_channels, c7, kernel_size=1)
        self.branch7x7dbl_2 = conv(c7, c7, **tall)
        self.branch7x7dbl_3 = conv(c7, c7, **wide)
        self.branch7x7dbl_4 = conv(c7, c7, **tall)
        self.branch7x7dbl_5 = conv(c7, 192, **wide)
        self.branch_pool = conv(in_channels, 192, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return cat([self.branch1x1(x), once, twice, self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))], 1)


class InceptionD(nn.Module):
    """3x3 and 7x7 with 3x3, of stride 2, and pooling: (N, in_channels, H, W) -> (N, 512 + in_channels, (H - 1) // 2, (W - 1) // 2).

    conv_block makes the convolutions.  Floating dtypes.  Raises what they raise.  Source: Szegedy et al. 2016, section 5.

        >>> from cltensor.vision.models.inception import InceptionD
        >>> InceptionD(8)(ct.ones(2, 8, 5, 5)).shape
        cltensor.Size([2, 520, 2, 2])
    """

    def __init__(self, in_channels: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.branch3x3_1 = conv(in_channels, 192, kernel_size=1)
        self.branch3x3_2 = conv(192, 320, kernel_size=3, stride=2)
        self.branch7x7x3_1 = conv(in_channels, 192, kernel_size=1)
        self.branch7x7x3_2 = conv(192, 192, kernel_size=(1, 7), padding=(0, 3))
        self.branch7x7x3_3 = conv(192, 192, kernel_size=(7, 1), padding=(3, 0))
        self.branch7x7x3_4 = conv(192, 192, kernel_size=3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        long = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return cat([self.branch3x3_2(self.branch3x3_1(x)), long, F.max_pool2d(x, 3, stride=2)], 1)


class InceptionE(nn.Module):
    """1x1, 1x3 beside 3x1, 3x3 ahead of both, and pooling: (N, in_channels, H, W) -> (N, 2048, H, W).

    conv_block makes the convolutions.  Floating dtypes.  Raises what they raise.  Source: Szegedy et al. 2016, figure 7.

        >>> from cltensor.vision.models.inception import InceptionE
        >>> InceptionE(8)(ct.ones(2, 8, 4, 4)).shape
        cltensor.Size([2, 2048, 4, 4])
    """

    def __init__(self, in_channels: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        wide = {"kernel_size": (1, 3), "padding": (0, 1)}
        tall = {"kernel_size": (3, 1), "padding": (1, 0)}
        self.branch1x1 = conv(in_channels, 320, kernel_size=1)
        self.branch3x3_1 = conv(in_channels, 384, kernel_size=1)
        self.branch3x3_2a = conv(384, 384, **wide)
        self.branch3x3_2b = conv(384, 384, **tall)
        self.branch3x3dbl_1 = conv(in_channels, 448, kernel_size=1)
        self.branch3x3dbl_2 = conv(448, 384, kernel_size=3, padding=1)
        self.branch3x3dbl_3a = conv(384, 384, **wide)
        self.branch3x3dbl_3b = conv(384, 384, **tall)
        self.branch_pool = conv(in_channels, 192, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return cat([self.branch1x1(x), self.branch3x3_2a(once), self.branch3x3_2b(once), self.branch3x3dbl_3a(twice),
                    self.branch3x3dbl_3b(twice), self.branch_pool(F.avg_pool2d(x, 3, stride=1, padding=1))], 1)


class InceptionAux(nn.Module):
    """The auxiliary head: (N, in_channels, H, W) -> scores (N, num_classes).

    conv_block makes the convolutions.  Floating dtypes.  Raises ShapeError where H or W is less than 17.
    Source: Szegedy et al. 2016, figure 8.

        >>> from cltensor.vision.models.inception import InceptionAux
        >>> InceptionAux(8, 5).eval()(ct.ones(2, 8, 17, 17)).shape
        cltensor.Size([2, 5])
    """

    def __init__(self, in_channels: int, num_classes: int, conv_block: Callable[..., nn.Module] | None = None) -> None:
        super().__init__()
        conv = conv_block or BasicConv2d
        self.conv0 = conv(in_channels, 128, kernel_size=1)
        self.conv1 = conv(128, 768, kernel_size=5)
        self.fc = nn.Linear(768, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(self.conv0(F.avg_pool2d(x, 5, stride=3)))
        return self.fc(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


class Inception3(nn.Module):
    """Inception V3: images (N, 3, H, W), H and W of at least 75, to scores (N, num_classes), or InceptionOutputs in training.

    aux_logits: with the auxiliary head, used in training alone.  transform_input: images are normalised by ImageNet's means and
    are to be normalised by 0.5.  inception_blocks: what makes the convolutions, the blocks A to E and the auxiliary head.
    init_weights: weights start normal with 0.1, cut off at 2; None means True.  Floating dtypes.  Raises ArgumentError where
    inception_blocks has not 7 elements.  Source: Szegedy et al., Rethinking the Inception Architecture, 2016.

        >>> from cltensor.vision.models import Inception3
        >>> with ct.device("meta"):
        ...     Inception3(num_classes=5)(ct.empty(2, 3, 299, 299)).aux_logits.shape
        cltensor.Size([2, 5])
    """

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True, transform_input: bool = False,
                 inception_blocks: list[Callable[..., nn.Module]] | None = None, init_weights: bool | None = None,
                 dropout: float = 0.5) -> None:
        super().__init__()
        parts = inception_blocks or [BasicConv2d, InceptionA, InceptionB, InceptionC, InceptionD, InceptionE, InceptionAux]
        if len(parts) != 7:
            raise ArgumentError(f"Inception3: inception_blocks has {len(parts)} elements; give 7, for the convolution, A to E and "
                                "the head")
        conv, a, b, c, d, e, aux = parts
        self.aux_logits, self.transform_input = aux_logits, transform_input
        self.Conv2d_1a_3x3 = conv(3, 32, kernel_size=3, stride=2)
        self.Conv2d_2a_3x3 = conv(32, 32, kernel_size=3)
        self.Conv2d_2b_3x3 = conv(32, 64, kernel_size=3, padding=1)
        self.maxpool1 = nn.MaxPool2d(3, stride=2)
        self.Conv2d_3b_1x1 = conv(64, 80, kernel_size=1)
        self.Conv2d_4a_3x3 = conv(80, 192, kernel_size=3)
        self.maxpool2 = nn.MaxPool2d(3, stride=2)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = a(192, 32), a(256, 64), a(288, 64)
        self.Mixed_6a = b(288)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = c(768, 128), c(768, 160), c(768, 160), c(768, 192)
        self.AuxLogits = aux(768, num_classes) if aux_logits else None
        self.Mixed_7a = d(768)
        self.Mixed_7b, self.Mixed_7c = e(1280), e(2048)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2048, num_classes)
        if init_weights or init_weights is None:
            self._initialize()

    def _initialize(self):
        """The auxiliary head starts smaller than the rest."""
        smaller = {"AuxLogits.conv1.conv": 0.01, "AuxLogits.fc": 0.001}
        for name, module in self.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                init.trunc_normal_(module.weight, std=smaller.get(name, 0.1))

    def forward(self, x: Tensor) -> Tensor | InceptionOutputs:
        x = transformed(x) if self.transform_input else x
        x = self.maxpool1(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))))
        aux = self.AuxLogits(x) if self.training and self.AuxLogits is not None else None
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        scores = self.fc(self.dropout(self.avgpool(x)).flatten(1))
        return InceptionOutputs(scores, aux) if self.training and self.aux_logits else scores


def _published(weights, kwargs):
    """The file has the auxiliary head; it is dropped where it is not wanted."""
    kwargs.setdefault("transform_input", True)
    wanted = kwargs.get("aux_logits", True)
    kwargs["aux_logits"] = True
    return None if wanted else _without_head


def _without_head(model):
    model.aux_logits, model.AuxLogits = False, None


class Inception_V3_Weights(WeightsEnum):
    """Published weights of inception_v3."""

    IMAGENET1K_V1 = imagenet("inception_v3_google-0cc3c7bd.pth", 27161264, 77.294, 93.45, 5.713, 103.903, min_size=75,
                             crop_size=299, resize_size=342)
    DEFAULT = IMAGENET1K_V1

@builder(Inception_V3_Weights, _SOURCE, prepare=_published)
def inception_v3(**kwargs: Any) -> Inception3:
    """Inception V3; with weights, transform_input is True unless kwargs have it."""
    return Inception3(**kwargs)
