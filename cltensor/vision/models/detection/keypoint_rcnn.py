"""Keypoint R-CNN: Faster R-CNN that also finds the keypoints of each person."""

from __future__ import annotations

from typing import Any

from .... import nn
from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn import functional as F
from ....nn import init
from ....tensor.core.tensor import Tensor
from ...ops.poolers import MultiScaleRoIAlign
from .._api import WeightsEnum, register_model
from ..coco import PERSON, agreed, detection, documented, settled
from ..resnet import ResNet50_Weights
from .faster_rcnn import FasterRCNN, old, resnet50_fpn

_SOURCE = "He et al., Mask R-CNN, 2017"
_RESULT = ("A list of images (3, H, W) in [0, 1] to a list of dicts with boxes (N, 4), labels, scores, keypoints (N, K, 3) and "
           "keypoints_scores (N, K); in training, with targets (boxes, labels and keypoints), to a dict of losses.  kwargs go to "
           "the class.")


class KeypointRCNNHeads(nn.Sequential):
    """3x3 convolutions to the channels in layers, with ReLU: (N, in_channels, H, W) -> (N, layers[-1], H, W).

    Floating dtypes.  Raises ShapeError for other channels.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.models.detection.keypoint_rcnn import KeypointRCNNHeads
        >>> KeypointRCNNHeads(2, (4, 3))(ct.ones(1, 2, 5, 5)).shape
        cltensor.Size([1, 3, 5, 5])
    """

    def __init__(self, in_channels: int, layers):
        made = []
        for channels in layers:
            made += [nn.Conv2d(in_channels, channels, 3, padding=1), nn.ReLU(inplace=True)]
            in_channels = channels
        super().__init__(*made)
        for layer in made[::2]:
            init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            init.zeros_(layer.bias)


class KeypointRCNNPredictor(nn.Module):
    """Heatmaps (N, num_keypoints, 4 H, 4 W) from (N, in_channels, H, W).

    Floating dtypes.  Raises ShapeError for other channels.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.models.detection.keypoint_rcnn import KeypointRCNNPredictor
        >>> KeypointRCNNPredictor(2, 3)(ct.ones(1, 2, 5, 5)).shape
        cltensor.Size([1, 3, 20, 20])
    """

    def __init__(self, in_channels: int, num_keypoints: int):
        super().__init__()
        self.kps_score_lowres = nn.ConvTranspose2d(in_channels, num_keypoints, 4, stride=2, padding=1)
        init.kaiming_normal_(self.kps_score_lowres.weight, mode="fan_out", nonlinearity="relu")
        init.zeros_(self.kps_score_lowres.bias)
        self.up_scale, self.out_channels = 2, num_keypoints

    def forward(self, x: Tensor) -> Tensor:
        found = self.kps_score_lowres(x)
        return F.interpolate(found, scale_factor=float(self.up_scale), mode="bilinear", align_corners=False,
                             recompute_scale_factor=False)


class KeypointRCNN(FasterRCNN):
    """Faster R-CNN with keypoints: detections also have keypoints (N, K, 3), x, y and 1, and keypoints_scores (N, K).

    Targets have keypoints (N, K, 3), float32, the third number being 0 for those not seen.  num_keypoints: 17 where it is None.
    keypoint_roi_pool, keypoint_head and keypoint_predictor are made where they are None; other arguments are those of FasterRCNN.
    Floating dtypes.  Raises ArgumentError, ArgumentTypeError where parts do not fit.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.models.detection import KeypointRCNN
        >>> KeypointRCNN(ct.nn.Conv2d(3, 8, 3), 2, min_size=64, max_size=64, num_keypoints=5).roi_heads.has_keypoint()
        True
    """

    def __init__(self, backbone, num_classes=None, min_size=None, max_size=1333, image_mean=None, image_std=None,
                 rpn_anchor_generator=None, rpn_head=None, rpn_pre_nms_top_n_train=2000, rpn_pre_nms_top_n_test=1000,
                 rpn_post_nms_top_n_train=2000, rpn_post_nms_top_n_test=1000, rpn_nms_thresh=0.7, rpn_fg_iou_thresh=0.7,
                 rpn_bg_iou_thresh=0.3, rpn_batch_size_per_image=256, rpn_positive_fraction=0.5, rpn_score_thresh=0.0,
                 box_roi_pool=None, box_head=None, box_predictor=None, box_score_thresh=0.05, box_nms_thresh=0.5,
                 box_detections_per_img=100, box_fg_iou_thresh=0.5, box_bg_iou_thresh=0.5, box_batch_size_per_image=512,
                 box_positive_fraction=0.25, bbox_reg_weights=None, keypoint_roi_pool=None, keypoint_head=None,
                 keypoint_predictor=None, num_keypoints=None, **kwargs):
        if not isinstance(keypoint_roi_pool, (MultiScaleRoIAlign, type(None))):
            raise ArgumentTypeError(f"KeypointRCNN: keypoint_roi_pool should be a MultiScaleRoIAlign or None, not a "
                                    f"{type(keypoint_roi_pool).__name__}")
        if num_keypoints is not None and keypoint_predictor is not None:
            raise ArgumentError("KeypointRCNN: num_keypoints should be None when keypoint_predictor is specified, which knows "
                                "theirs")
        super().__init__(backbone, num_classes, min_size or (640, 672, 704, 736, 768, 800), max_size, image_mean, image_std,
                         rpn_anchor_generator, rpn_head, rpn_pre_nms_top_n_train, rpn_pre_nms_top_n_test,
                         rpn_post_nms_top_n_train, rpn_post_nms_top_n_test, rpn_nms_thresh, rpn_fg_iou_thresh, rpn_bg_iou_thresh,
                         rpn_batch_size_per_image, rpn_positive_fraction, rpn_score_thresh, box_roi_pool, box_head, box_predictor,
                         box_score_thresh, box_nms_thresh, box_detections_per_img, box_fg_iou_thresh, box_bg_iou_thresh,
                         box_batch_size_per_image, box_positive_fraction, bbox_reg_weights, **kwargs)
        self.roi_heads.keypoint_roi_pool = keypoint_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2)
        self.roi_heads.keypoint_head = keypoint_head or KeypointRCNNHeads(backbone.out_channels, (512,) * 8)
        self.roi_heads.keypoint_predictor = keypoint_predictor or KeypointRCNNPredictor(512, num_keypoints or 17)


class KeypointRCNN_ResNet50_FPN_Weights(WeightsEnum):
    """Published weights of keypointrcnn_resnet50_fpn."""

    COCO_LEGACY = detection("keypointrcnn_resnet50_fpn_coco-9f466800.pth", 59137258, 133.924, 226.054, 50.6, categories=PERSON,
                            keypoints=61.1)
    COCO_V1 = detection("keypointrcnn_resnet50_fpn_coco-fc266e95.pth", 59137258, 137.42, 226.054, 54.6, categories=PERSON,
                        keypoints=65.0)
    DEFAULT = COCO_V1


@register_model()
@documented(KeypointRCNN_ResNet50_FPN_Weights, _SOURCE, _RESULT)
def keypointrcnn_resnet50_fpn(*, weights: KeypointRCNN_ResNet50_FPN_Weights | None = None, progress: bool = True,
                              num_classes: int | None = None, num_keypoints: int | None = None,
                              weights_backbone: ResNet50_Weights | None = ResNet50_Weights.IMAGENET1K_V1,
                              trainable_backbone_layers: int | None = None, **kwargs: Any) -> KeypointRCNN:
    """Keypoint R-CNN on a ResNet-50 with a feature pyramid."""
    weights, of_backbone, classes = settled(KeypointRCNN_ResNet50_FPN_Weights, weights, ResNet50_Weights, weights_backbone,
                                            num_classes, 2)
    if weights is not None:
        num_keypoints = agreed("num_keypoints", num_keypoints, len(weights.meta["keypoint_names"]))
    backbone = resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers)
    return old(KeypointRCNN(backbone, classes, num_keypoints=num_keypoints, **kwargs), weights, progress)
