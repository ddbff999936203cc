"""LeNet-5, for digits."""

from __future__ import annotations

from typing import Any

from ... import nn
from ...base.errors import ArgumentError
from ...tensor.core.tensor import Tensor
from ._api import register_model

__all__ = ["LeNet", "lenet5"]


class LeNet(nn.Module):
    """LeNet-5: images (N, in_channels, image_size, image_size) to scores (N, num_classes).

    Two convolutions of 5x5, each followed by an activation and average pooling, and three linear layers of 120, 84 and
    num_classes.  image_size 28 is padded to the 32 of the paper.  Dropout, when given, follows the first two linear
    layers.  The paper's trained pooling, partial connections between maps and Gaussian units are left out, as usual.
    Floating dtypes.  Raises ArgumentError for another image_size.
    Source: LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.

        >>> from cltensor.vision.models import LeNet
        >>> LeNet()(ct.zeros(2, 1, 28, 28)).shape
        cltensor.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, image_size: int = 28, dropout: float = 0.0,
                 activation_layer: Any = nn.Tanh) -> None:
        super().__init__()
        if image_size not in (28, 32):
            raise ArgumentError(f"LeNet: image_size={image_size}; the layers fit images of 28 and 32, resize to one of these")
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5, padding=(32 - image_size) // 2), activation_layer(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), activation_layer(), nn.AvgPool2d(2))
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(16 * 5 * 5, 120), activation_layer(), nn.Dropout(dropout),
            nn.Linear(120, 84), activation_layer(), nn.Dropout(dropout), nn.Linear(84, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


@register_model()
def lenet5(*, weights: None = None, progress: bool = True, **kwargs: Any) -> LeNet:
    """LeNet-5.  Images (N, 1, 28, 28) to scores (N, 10), 61706 parameters; kwargs go to LeNet.

    No weights are published: weights must be None, and progress has nothing to show.  Floating dtypes.  Raises ArgumentError for
    weights.  Source: LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998.

        >>> from cltensor.vision import models
        >>> sum(p.numel() for p in models.lenet5().parameters())
        61706
    """
    if weights is not None:
        raise ArgumentError(f"lenet5: weights={weights!r}, but none are published; leave them out")
    return LeNet(**kwargs)
