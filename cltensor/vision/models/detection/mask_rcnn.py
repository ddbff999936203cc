"""Mask R-CNN: Faster R-CNN that also finds a mask of each object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .... import nn
from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn import init
from ...ops.misc import Conv2dNormActivation
from ...ops.poolers import MultiScaleRoIAlign
from .._api import WeightsEnum, register_model
from ..coco import detection, documented, loaded, settled
from ..resnet import ResNet50_Weights
from .faster_rcnn import FasterRCNN, old, resnet50_fpn, second_version

_SOURCE = "He et al., Mask R-CNN, 2017"
_RESULT = ("A list of images (3, H, W) in [0, 1] to a list of dicts with boxes (N, 4), labels, scores and masks (N, 1, H, W); in "
           "training, with targets (boxes, labels and masks), to a dict of losses.  kwargs go to the class.")


class MaskRCNNHeads(nn.Sequential):
    """3x3 convolutions to the channels in layers, with norm_layer and ReLU: (N, in_channels, H, W) -> (N, layers[-1], H, W).

    Floating dtypes.  Raises ShapeError for other channels.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.models.detection.mask_rcnn import MaskRCNNHeads
        >>> MaskRCNNHeads(2, (4, 3), 1)(ct.ones(1, 2, 5, 5)).shape
        cltensor.Size([1, 3, 5, 5])
    """

    def __init__(self, in_channels: int, layers, dilation: int, norm_layer: Callable[..., nn.Module] | None = None):
        made = []
        for channels in layers:
            made.append(Conv2dNormActivation(in_channels, channels, 3, padding=dilation, dilation=dilation, norm_layer=norm_layer))
            in_channels = channels
        super().__init__(*made)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                if layer.bias is not None:
                    init.zeros_(layer.bias)

    def _load_from_state_dict(self, state_dict, prefix, *rest):
        """Also load the names of the first version."""
        for i in range(len(self)):
            for name in ("weight", "bias"):
                before = f"{prefix}mask_fcn{i + 1}.{name}"
                if before in state_dict:
                    state_dict[f"{prefix}{i}.0.{name}"] = state_dict.pop(before)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class MaskRCNNPredictor(nn.Sequential):
    """Mask logits (N, num_classes, 2 H, 2 W) from (N, in_channels, H, W), through dim_reduced channels.

    Floating dtypes.  Raises ShapeError for other channels.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.models.detection.mask_rcnn import MaskRCNNPredictor
        >>> MaskRCNNPredictor(2, 4, 3)(ct.ones(1, 2, 5, 5)).shape
        cltensor.Size([1, 3, 10, 10])
    """

    def __init__(self, in_channels: int, dim_reduced: int, num_classes: int):
        super().__init__()
        self.conv5_mask = nn.ConvTranspose2d(in_channels, dim_reduced, 2, 2, 0)
        self.relu = nn.ReLU(inplace=True)
        self.mask_fcn_logits = nn.Conv2d(dim_reduced, num_classes, 1)
        for layer in (self.conv5_mask, self.mask_fcn_logits):
            init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")


class MaskRCNN(FasterRCNN):
    """Faster R-CNN with masks: detections also have masks (N, 1, H, W), probabilities; targets have masks (N, H, W), 0 or 1.

    mask_roi_pool, mask_head and mask_predictor are made where they are None; other arguments are those of FasterRCNN.  Floating
    dtypes.  Raises ArgumentError, ArgumentTypeError where parts do not fit.  Source: He et al., Mask R-CNN, 2017.

        >>> from cltensor.vision.models.detection import MaskRCNN
        >>> MaskRCNN(ct.nn.Conv2d(3, 8, 3), 2, min_size=64, max_size=64).roi_heads.has_mask()
        True
    """

    def __init__(self, backbone, num_classes=None, min_size=800, max_size=1333, image_mean=None, image_std=None,
                 rpn_anchor_generator=None, rpn_head=None, rpn_pre_nms_top_n_train=2000, rpn_pre_nms_top_n_test=1000,
                 rpn_post_nms_top_n_train=2000, rpn_post_nms_top_n_test=1000, rpn_nms_thresh=0.7, rpn_fg_iou_thresh=0.7,
                 rpn_bg_iou_thresh=0.3, rpn_batch_size_per_image=256, rpn_positive_fraction=0.5, rpn_score_thresh=0.0,
                 box_roi_pool=None, box_head=None, box_predictor=None, box_score_thresh=0.05, box_nms_thresh=0.5,
                 box_detections_per_img=100, box_fg_iou_thresh=0.5, box_bg_iou_thresh=0.5, box_batch_size_per_image=512,
                 box_positive_fraction=0.25, bbox_reg_weights=None, mask_roi_pool=None, mask_head=None, mask_predictor=None,
                 **kwargs):
        if not isinstance(mask_roi_pool, (MultiScaleRoIAlign, type(None))):
            raise ArgumentTypeError(f"MaskRCNN: mask_roi_pool should be a MultiScaleRoIAlign or None, not a "
                                    f"{type(mask_roi_pool).__name__}")
        if num_classes is not None and mask_predictor is not None:
            raise ArgumentError("MaskRCNN: num_classes should be None when mask_predictor is specified, which knows its classes")
        super().__init__(backbone, num_classes, min_size, max_size, image_mean, image_std, rpn_anchor_generator, rpn_head,
                         rpn_pre_nms_top_n_train, rpn_pre_nms_top_n_test, rpn_post_nms_top_n_train, rpn_post_nms_top_n_test,
                         rpn_nms_thresh, rpn_fg_iou_thresh, rpn_bg_iou_thresh, rpn_batch_size_per_image, rpn_positive_fraction,
                         rpn_score_thresh, box_roi_pool, box_head, box_predictor, box_score_thresh, box_nms_thresh,
                         box_detections_per_img, box_fg_iou_thresh, box_bg_iou_thresh, box_batch_size_per_image,
                         box_positive_fraction, bbox_reg_weights, **kwargs)
        self.roi_heads.mask_roi_pool = mask_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 14, 2)
        self.roi_heads.mask_head = mask_head or MaskRCNNHeads(backbone.out_channels, (256,) * 4, 1)
        self.roi_heads.mask_predictor = mask_predictor or MaskRCNNPredictor(256, 256, num_classes)


class MaskRCNN_ResNet50_FPN_Weights(WeightsEnum):
    """Published weights of maskrcnn_resnet50_fpn."""

    COCO_V1 = detection("maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", 44401393, 134.38, 169.84, 37.9, masks=34.6)
    DEFAULT = COCO_V1


class MaskRCNN_ResNet50_FPN_V2_Weights(WeightsEnum):
    """Published weights of maskrcnn_resnet50_fpn_v2."""

    COCO_V1 = detection("maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth", 46359409, 333.577, 177.219, 47.4, masks=41.8)
    DEFAULT = COCO_V1


@register_model()
@documented(MaskRCNN_ResNet50_FPN_Weights, _SOURCE, _RESULT)
def maskrcnn_resnet50_fpn(*, weights: MaskRCNN_ResNet50_FPN_Weights | None = None, progress: bool = True,
                          num_classes: int | None = None,
                          weights_backbone: ResNet50_Weights | None = ResNet50_Weights.IMAGENET1K_V1,
                          trainable_backbone_layers: int | None = None, **kwargs: Any) -> MaskRCNN:
    """Mask R-CNN on a ResNet-50 with a feature pyramid."""
    weights, of_backbone, classes = settled(MaskRCNN_ResNet50_FPN_Weights, weights, ResNet50_Weights, weights_backbone, num_classes,
                                            91)
    backbone = resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers)
    return old(MaskRCNN(backbone, classes, **kwargs), weights, progress)


@register_model()
@documented(MaskRCNN_ResNet50_FPN_V2_Weights, _SOURCE, _RESULT)
def maskrcnn_resnet50_fpn_v2(*, weights: MaskRCNN_ResNet50_FPN_V2_Weights | None = None, progress: bool = True,
                             num_classes: int | None = None, weights_backbone: ResNet50_Weights | None = None,
                             trainable_backbone_layers: int | None = None, **kwargs: Any) -> MaskRCNN:
    """Mask R-CNN on a ResNet-50 with a feature pyramid, with deeper heads and norms that are trained."""
    weights, of_backbone, classes = settled(MaskRCNN_ResNet50_FPN_V2_Weights, weights, ResNet50_Weights, weights_backbone,
                                            num_classes, 91)
    backbone = resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers, frozen_norm=False, norm_layer=nn.BatchNorm2d)
    anchors, rpn_head, box_head = second_version(backbone)
    masks = MaskRCNNHeads(backbone.out_channels, [256] * 4, 1, norm_layer=nn.BatchNorm2d)
    return loaded(MaskRCNN(backbone, classes, rpn_anchor_generator=anchors, rpn_head=rpn_head, box_head=box_head, mask_head=masks,
                           **kwargs), weights, progress)
