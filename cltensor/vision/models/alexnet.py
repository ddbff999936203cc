"""AlexNet."""

from __future__ import annotations

from typing import Any

from ... import nn
from ...tensor.core.tensor import Tensor
from ._api import WeightsEnum, builder
from .imagenet import imagenet

__all__ = ["AlexNet", "AlexNet_Weights", "alexnet"]


class AlexNet(nn.Module):
    """Five convolutions and three linear layers: images (N, 3, H, W) to scores (N, num_classes).

    The variant of 2014, without groups and local normalisation; H and W of at least 63.  dropout: the probability ahead of the
    first two linear layers.  Floating dtypes.  Raises ShapeError for smaller images.
    Source: Krizhevsky, One Weird Trick for Parallelizing Convolutional Neural Networks, 2014.

        >>> from cltensor.vision.models import AlexNet
        >>> with ct.device("meta"):
        ...     AlexNet(num_classes=5)(ct.empty(1, 3, 64, 64)).shape
        cltensor.Size([1, 5])
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2))
        self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True),
            nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(inplace=True),
            nn.Linear(4096, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class AlexNet_Weights(WeightsEnum):
    """Published weights of alexnet."""

    IMAGENET1K_V1 = imagenet("alexnet-owt-7be5be79.pth", 61100840, 56.522, 79.066, 0.714, 233.087, min_size=63)
    DEFAULT = IMAGENET1K_V1

@builder(AlexNet_Weights, "Krizhevsky, One Weird Trick for Parallelizing Convolutional Neural Networks, 2014")
def alexnet(**kwargs: Any) -> AlexNet:
    """AlexNet."""
    return AlexNet(**kwargs)
