"""Faster R-CNN on ResNet-50 and MobileNet V3 with feature pyramids.

Sources: Ren et al., Faster R-CNN, 2015; Li et al., Benchmarking Detection Transfer Learning with Vision Transformers, 2021 (v2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .... import nn
from ....base.errors import ArgumentError, ArgumentTypeError
from ....nn import functional as F
from ....nn import init
from ....tensor.core.tensor import Tensor
from ...ops.misc import Conv2dNormActivation, FrozenBatchNorm2d
from ...ops.poolers import MultiScaleRoIAlign
from .._api import WeightsEnum, register_model
from ..coco import detection, documented, loaded, settled
from ..mobilenetv3 import MobileNet_V3_Large_Weights, mobilenet_v3_large
from ..resnet import ResNet50_Weights, resnet50
from .anchor_utils import AnchorGenerator
from .backbone_utils import mobilenet_extractor, overwrite_eps, resnet_fpn_extractor, trained_layers
from .generalized_rcnn import GeneralizedRCNN
from .roi_heads import RoIHeads
from .rpn import RegionProposalNetwork, RPNHead
from .transform import GeneralizedRCNNTransform

_SOURCE = "Ren et al., Faster R-CNN, 2015"
RESULT = ("A list of images (3, H, W) in [0, 1] to a list of dicts with boxes (N, 4), labels and scores; in training, with targets "
          "(boxes and labels), to a dict of losses.  kwargs go to the class.")
_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
_RATIOS = (0.5, 1.0, 2.0)


class TwoMLPHead(nn.Module):
    """Two linear layers with ReLU: (N, *) with in_channels numbers each -> (N, representation_size).

    Floating dtypes.  Raises ShapeError for other sizes.  Source: Girshick, Fast R-CNN, 2015.

        >>> from cltensor.vision.models.detection.faster_rcnn import TwoMLPHead
        >>> TwoMLPHead(8, 3)(ct.ones(2, 2, 2, 2)).shape
        cltensor.Size([2, 3])
    """

    def __init__(self, in_channels: int, representation_size: int):
        super().__init__()
        self.fc6 = nn.Linear(in_channels, representation_size)
        self.fc7 = nn.Linear(representation_size, representation_size)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.fc7(F.relu(self.fc6(x.flatten(1)))))


class FastRCNNConvFCHead(nn.Sequential):
    """3x3 convolutions to conv_layers channels, then linear layers of fc_layers sizes: (N, C, H, W) -> (N, fc_layers[-1]).

    ReLU follows each.  input_size: (C, H, W).  norm_layer follows each convolution.  Floating dtypes.  Raises ShapeError for
    other sizes.
    Source: Wu and He, Group Normalization, 2018.

        >>> from cltensor.vision.models.detection.faster_rcnn import FastRCNNConvFCHead
        >>> FastRCNNConvFCHead((2, 3, 3), [4], [5])(ct.ones(1, 2, 3, 3)).shape
        cltensor.Size([1, 5])
    """

    def __init__(self, input_size: tuple[int, int, int], conv_layers: list[int], fc_layers: list[int],
                 norm_layer: Callable[..., nn.Module] | None = None):
        channels, height, width = input_size
        layers = []
        for size in conv_layers:
            layers.append(Conv2dNormActivation(channels, size, norm_layer=norm_layer))
            channels = size
        layers.append(nn.Flatten())
        numbers = channels * height * width
        for size in fc_layers:
            layers += [nn.Linear(numbers, size), nn.ReLU(inplace=True)]
            numbers = size
        super().__init__(*layers)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                if layer.bias is not None:
                    init.zeros_(layer.bias)


class FastRCNNPredictor(nn.Module):
    """Scores (N, num_classes) and box shifts (N, 4 * num_classes) from (N, in_channels), or (N, in_channels, 1, 1).

    Floating dtypes.  Raises ArgumentError for larger maps.  Source: Girshick, Fast R-CNN, 2015.

        >>> from cltensor.vision.models.detection.faster_rcnn import FastRCNNPredictor
        >>> [tuple(x.shape) for x in FastRCNNPredictor(4, 3)(ct.ones(2, 4))]
        [(2, 3), (2, 12)]
    """

    def __init__(self, in_channels: int, num_classes: int):
        super().__init__()
        self.cls_score = nn.Linear(in_channels, num_classes)
        self.bbox_pred = nn.Linear(in_channels, num_classes * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if x.ndim == 4 and tuple(x.shape[2:]) != (1, 1):
            raise ArgumentError(f"FastRCNNPredictor: x has the wrong shape, expecting the last two dimensions to be [1,1] "
                                "instead of "
                                f"{list(x.shape[2:])}")
        x = x.flatten(1)
        return self.cls_score(x), self.bbox_pred(x)


def five_levels() -> AnchorGenerator:
    """Anchors of 32 to 512 pixels in three ratios, one size for each level of a pyramid."""
    return AnchorGenerator(tuple((2**k,) for k in range(5, 10)), (_RATIOS,) * 5)


def _check(backbone, rpn_anchor_generator, box_roi_pool, num_classes, box_predictor):
    if not hasattr(backbone, "out_channels"):
        raise ArgumentError("FasterRCNN: backbone should contain an attribute out_channels that says how many channels its "
                            "maps have, "
                            "the same for all")
    if not isinstance(rpn_anchor_generator, (AnchorGenerator, type(None))):
        raise ArgumentTypeError(f"FasterRCNN: rpn_anchor_generator should be an AnchorGenerator or None, not a "
                                f"{type(rpn_anchor_generator).__name__}")
    if not isinstance(box_roi_pool, (MultiScaleRoIAlign, type(None))):
        raise ArgumentTypeError(f"FasterRCNN: box_roi_pool should be a MultiScaleRoIAlign or None, not a "
                                f"{type(box_roi_pool).__name__}")
    if num_classes is not None and box_predictor is not None:
        raise ArgumentError("FasterRCNN: num_classes should be None when box_predictor is specified, which knows its classes")
    if num_classes is None and box_predictor is None:
        raise ArgumentError("FasterRCNN: num_classes should not be None when box_predictor is not specified")


class FasterRCNN(GeneralizedRCNN):
    """Detection in two stages on a backbone whose maps all have backbone.out_channels channels.

    Called with a list of images (3, H, W) in [0, 1] and, in training, of targets: dicts with boxes (N, 4) and labels (N,), int64,
    0 being background.  Gives a dict of losses in training, else for each image a dict of boxes (N, 4), labels and scores (N,).
    num_classes counts background.  min_size to image_std are those of GeneralizedRCNNTransform, rpn_... those of
    RegionProposalNetwork, box_... those of RoIHeads; parts that are None are made.  Floating dtypes.  Raises ArgumentError,
    ArgumentTypeError where parts do not fit.  Source: Ren et al., Faster R-CNN, 2015.

        >>> from cltensor.vision.models.detection import FasterRCNN
        >>> backbone = ct.nn.Conv2d(3, 8, 3)
        >>> backbone.out_channels
        8
        >>> FasterRCNN(backbone, 2, min_size=64, max_size=64).roi_heads.box_predictor.cls_score.out_features
        2
    """

    def __init__(self, backbone, num_classes=None, min_size=800, max_size=1333, image_mean=None, image_std=None,
                 rpn_anchor_generator=None, rpn_head=None, rpn_pre_nms_top_n_train=2000, rpn_pre_nms_top_n_test=1000,
                 rpn_post_nms_top_n_train=2000, rpn_post_nms_top_n_test=1000, rpn_nms_thresh=0.7, rpn_fg_iou_thresh=0.7,
                 rpn_bg_iou_thresh=0.3, rpn_batch_size_per_image=256, rpn_positive_fraction=0.5, rpn_score_thresh=0.0,
                 box_roi_pool=None, box_head=None, box_predictor=None, box_score_thresh=0.05, box_nms_thresh=0.5,
                 box_detections_per_img=100, box_fg_iou_thresh=0.5, box_bg_iou_thresh=0.5, box_batch_size_per_image=512,
                 box_positive_fraction=0.25, bbox_reg_weights=None, **kwargs):
        _check(backbone, rpn_anchor_generator, box_roi_pool, num_classes, box_predictor)
        channels = backbone.out_channels
        anchors = rpn_anchor_generator or five_levels()
        rpn = RegionProposalNetwork(
            anchors, rpn_head or RPNHead(channels, anchors.num_anchors_per_location()[0]), rpn_fg_iou_thresh, rpn_bg_iou_thresh,
            rpn_batch_size_per_image, rpn_positive_fraction,
            {"training": rpn_pre_nms_top_n_train, "testing": rpn_pre_nms_top_n_test},
            {"training": rpn_post_nms_top_n_train, "testing": rpn_post_nms_top_n_test}, rpn_nms_thresh, rpn_score_thresh)
        pool = box_roi_pool or MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
        head = box_head or TwoMLPHead(channels * pool.output_size[0] ** 2, 1024)
        roi_heads = RoIHeads(pool, head, box_predictor or FastRCNNPredictor(1024, num_classes), box_fg_iou_thresh,
                             box_bg_iou_thresh, box_batch_size_per_image, box_positive_fraction, bbox_reg_weights,
                             box_score_thresh, box_nms_thresh, box_detections_per_img)
        transform = GeneralizedRCNNTransform(min_size, max_size, image_mean or _MEAN, image_std or _STD, **kwargs)
        super().__init__(backbone, rpn, roi_heads, transform)


class FasterRCNN_ResNet50_FPN_Weights(WeightsEnum):
    """Published weights of fasterrcnn_resnet50_fpn."""

    COCO_V1 = detection("fasterrcnn_resnet50_fpn_coco-258fb6c6.pth", 41755286, 134.38, 159.743, 37.0)
    DEFAULT = COCO_V1


class FasterRCNN_ResNet50_FPN_V2_Weights(WeightsEnum):
    """Published weights of fasterrcnn_resnet50_fpn_v2."""

    COCO_V1 = detection("fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth", 43712278, 280.371, 167.104, 46.7)
    DEFAULT = COCO_V1


class FasterRCNN_MobileNet_V3_Large_FPN_Weights(WeightsEnum):
    """Published weights of fasterrcnn_mobilenet_v3_large_fpn."""

    COCO_V1 = detection("fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth", 19386354, 4.494, 74.239, 32.8)
    DEFAULT = COCO_V1


class FasterRCNN_MobileNet_V3_Large_320_FPN_Weights(WeightsEnum):
    """Published weights of fasterrcnn_mobilenet_v3_large_320_fpn."""

    COCO_V1 = detection("fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth", 19386354, 0.719, 74.239, 22.8)
    DEFAULT = COCO_V1


def resnet50_fpn(weights, weights_backbone, progress, trainable_backbone_layers, frozen_norm=True, **how):
    """ResNet-50 with a feature pyramid; with frozen_norm a trained one has FrozenBatchNorm2d."""
    trained = weights is not None or weights_backbone is not None
    count = trained_layers(trained, trainable_backbone_layers, 5, 3)
    norm_layer = FrozenBatchNorm2d if trained and frozen_norm else nn.BatchNorm2d
    return resnet_fpn_extractor(resnet50(weights=weights_backbone, progress=progress, norm_layer=norm_layer), count, **how)


def old(model, weights, progress):
    """A model with the weights of its first version; COCO_V1 were trained with an eps of 0."""
    loaded(model, weights, progress)
    if weights is not None and weights.name == "COCO_V1":
        overwrite_eps(model, 0.0)
    return model


def second_version(backbone):
    """(anchors, RPN head, box head) of the enhanced recipe on a ResNet-50: two convolutions, and four with norm."""
    anchors = five_levels()
    return (anchors, RPNHead(backbone.out_channels, anchors.num_anchors_per_location()[0], conv_depth=2),
            FastRCNNConvFCHead((backbone.out_channels, 7, 7), [256] * 4, [1024], norm_layer=nn.BatchNorm2d))


@register_model()
@documented(FasterRCNN_ResNet50_FPN_Weights, _SOURCE, RESULT)
def fasterrcnn_resnet50_fpn(*, weights: FasterRCNN_ResNet50_FPN_Weights | None = None, progress: bool = True,
                            num_classes: int | None = None,
                            weights_backbone: ResNet50_Weights | None = ResNet50_Weights.IMAGENET1K_V1,
                            trainable_backbone_layers: int | None = None, **kwargs: Any) -> FasterRCNN:
    """Faster R-CNN on a ResNet-50 with a feature pyramid."""
    weights, of_backbone, classes = settled(FasterRCNN_ResNet50_FPN_Weights, weights, ResNet50_Weights, weights_backbone,
                                            num_classes, 91)
    return old(FasterRCNN(resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers), classes, **kwargs), weights,
               progress)


@register_model()
@documented(FasterRCNN_ResNet50_FPN_V2_Weights, _SOURCE, RESULT)
def fasterrcnn_resnet50_fpn_v2(*, weights: FasterRCNN_ResNet50_FPN_V2_Weights | None = None, progress: bool = True,
                               num_classes: int | None = None, weights_backbone: ResNet50_Weights | None = None,
                               trainable_backbone_layers: int | None = None, **kwargs: Any) -> FasterRCNN:
    """Faster R-CNN on a ResNet-50 with a feature pyramid, with deeper heads and norms that are trained."""
    weights, of_backbone, classes = settled(FasterRCNN_ResNet50_FPN_V2_Weights, weights, ResNet50_Weights, weights_backbone,
                                            num_classes, 91)
    backbone = resnet50_fpn(weights, of_backbone, progress, trainable_backbone_layers, frozen_norm=False, norm_layer=nn.BatchNorm2d)
    anchors, rpn_head, box_head = second_version(backbone)
    model = FasterRCNN(backbone, classes, rpn_anchor_generator=anchors, rpn_head=rpn_head, box_head=box_head, **kwargs)
    return loaded(model, weights, progress)


def _on_mobilenet(weights_class, weights, progress, num_classes, weights_backbone, trainable_backbone_layers, kwargs):
    weights, of_backbone, classes = settled(weights_class, weights, MobileNet_V3_Large_Weights, weights_backbone, num_classes, 91)
    trained = weights is not None or of_backbone is not None
    count = trained_layers(trained, trainable_backbone_layers, 6, 3)
    norm_layer = FrozenBatchNorm2d if trained else nn.BatchNorm2d
    backbone = mobilenet_extractor(mobilenet_v3_large(weights=of_backbone, progress=progress, norm_layer=norm_layer), True, count)
    anchors = AnchorGenerator(((32, 64, 128, 256, 512),) * 3, (_RATIOS,) * 3)
    return loaded(FasterRCNN(backbone, classes, rpn_anchor_generator=anchors, **kwargs), weights, progress)


@register_model()
@documented(FasterRCNN_MobileNet_V3_Large_320_FPN_Weights, _SOURCE, RESULT)
def fasterrcnn_mobilenet_v3_large_320_fpn(
        *, weights: FasterRCNN_MobileNet_V3_Large_320_FPN_Weights | None = None, progress: bool = True,
        num_classes: int | None = None,
        weights_backbone: MobileNet_V3_Large_Weights | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
        trainable_backbone_layers: int | None = None, **kwargs: Any) -> FasterRCNN:
    """Faster R-CNN on a MobileNet V3 with a feature pyramid, for images of 320 pixels."""
    kwargs = {"min_size": 320, "max_size": 640, "rpn_pre_nms_top_n_test": 150, "rpn_post_nms_top_n_test": 150,
              "rpn_score_thresh": 0.05, **kwargs}
    return _on_mobilenet(FasterRCNN_MobileNet_V3_Large_320_FPN_Weights, weights, progress, num_classes, weights_backbone,
                         trainable_backbone_layers, kwargs)


@register_model()
@documented(FasterRCNN_MobileNet_V3_Large_FPN_Weights, _SOURCE, RESULT)
def fasterrcnn_mobilenet_v3_large_fpn(
        *, weights: FasterRCNN_MobileNet_V3_Large_FPN_Weights | None = None, progress: bool = True,
        num_classes: int | None = None,
        weights_backbone: MobileNet_V3_Large_Weights | None = MobileNet_V3_Large_Weights.IMAGENET1K_V1,
        trainable_backbone_layers: int | None = None, **kwargs: Any) -> FasterRCNN:
    """Faster R-CNN on a MobileNet V3 with a feature pyramid."""
    return _on_mobilenet(FasterRCNN_MobileNet_V3_Large_FPN_Weights, weights, progress, num_classes, weights_backbone,
                         trainable_backbone_layers, {"rpn_score_thresh": 0.05, **kwargs})
