"""Detectors of two stages: proposals, then what they show."""

from __future__ import annotations

from collections import OrderedDict

from .... import nn
from ....base.errors import AssertedError
from ....tensor.core.tensor import Tensor
from .targets import check_sizes, check_targets


def original_sizes(images: list[Tensor]) -> list[tuple[int, int]]:
    """(height, width) of each image."""
    for image in images:
        if image.ndim < 2:
            raise AssertedError(f"expecting the last two dimensions of the Tensor to be H and W, instead got {tuple(image.shape)}")
    return [tuple(map(int, image.shape[-2:])) for image in images]


def named(features: Tensor | dict[str, Tensor]) -> dict[str, Tensor]:
    """Maps by name; a backbone's only one is "0"."""
    return OrderedDict([("0", features)]) if isinstance(features, Tensor) else features


def prepared(model: nn.Module, images: list[Tensor], targets: list[dict[str, Tensor]] | None):
    """(images, targets, the images' sizes before, maps by name), checked, through the transform and the backbone of a detector."""
    if model.training:
        check_targets(targets)
    sizes = original_sizes(images)
    images, targets = model.transform(images, targets)
    check_sizes(targets)
    return images, targets, sizes, named(model.backbone(images.tensors))


class GeneralizedRCNN(nn.Module):
    """Images to detections: transform, backbone, rpn (proposals) and roi_heads, one after the other.

    Called with a list of images (3, H, W) and, in training, of targets; gives a dict of losses in training, else a list with a dict
    for each image: boxes (N, 4), labels and scores (N,), and masks or keypoints.  Floating dtypes.  Raises AssertedError for
    targets that are missing or hold boxes without area.  Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.models.detection.generalized_rcnn import GeneralizedRCNN
        >>> GeneralizedRCNN(None, None, None, None).training
        True
    """

    def __init__(self, backbone: nn.Module, rpn: nn.Module, roi_heads: nn.Module, transform: nn.Module) -> None:
        super().__init__()
        self.transform, self.backbone, self.rpn, self.roi_heads = transform, backbone, rpn, roi_heads

    def forward(self, images: list[Tensor], targets: list[dict[str, Tensor]] | None = None):
        images, targets, sizes, features = prepared(self, images, targets)
        proposals, losses = self.rpn(images, features, targets)
        detections, more = self.roi_heads(features, proposals, images.image_sizes, targets)
        detections = self.transform.postprocess(detections, images.image_sizes, sizes)
        return {**more, **losses} if self.training else detections
