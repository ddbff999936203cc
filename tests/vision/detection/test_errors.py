"""What ops and models of detection and segmentation refuse, and what they say."""

from types import SimpleNamespace

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.errors import (
    ArgumentError,
    ArgumentTypeError,
    AssertedError,
    AssertedShapeError,
    DimensionError,
    DTypeError,
    MismatchError,
    ShapeError,
    UnsupportedError,
)
from cltensor.vision import models, ops
from cltensor.vision.models.detection import anchor_utils, backbone_utils, box_loss, faster_rcnn, matcher, transform
from cltensor.vision.models.detection import ssd as ssd_module
from cltensor.vision.ops import focal_loss, iou_loss
from cltensor.vision.ops.feature_pyramid_network import FeaturePyramidNetwork
from vision.detection import tiny

pytestmark = [pytest.mark.device, pytest.mark.any_style]

#: what the calls take: tensors are made when there is a device
t = SimpleNamespace()


@pytest.fixture(autouse=True, scope="module")
def tensors():
    """Fill t."""
    t.boxes, t.scores, t.x, t.rois = ct.zeros(3, 4), ct.zeros(3), ct.zeros(1, 4, 5, 5), ct.zeros(2, 5)
    t.offset, t.weight, t.keeps = ct.zeros(1, 18, 3, 3), ct.zeros(2, 4, 3, 3), nn.Conv2d(3, 8, 1)


CALLS = {
    "unknown format": (lambda: ops.box_convert(t.boxes, "foo", "xyxy"), ArgumentError, "format 'foo' is not known"),
    "upright and rotated": (lambda: ops.box_convert(t.boxes, "xyxy", "xywhr"), UnsupportedError, "xyxy to xywhr"),
    "coordinates": (lambda: ops.box_convert(t.boxes[:, :3], "xyxy", "xywh"), MismatchError, "are no xyxy boxes"),
    "area of rotated": (lambda: ops.box_area(t.boxes, "xywhr"), ArgumentError, "box_area: format 'xywhr'"),
    "overlap format": (lambda: ops.box_iou(t.boxes, t.boxes, "foo"), ArgumentError, "box_iou: format 'foo'"),
    "masks": (lambda: ops.masks_to_boxes(t.boxes), MismatchError, r"must be \(N, H, W\)"),
    "nms boxes": (lambda: ops.nms(t.boxes[:, :3], t.scores, 0.5), ShapeError, r"nms: boxes \(3, 3\) must be"),
    "nms scores": (lambda: ops.nms(t.boxes, t.scores[:2], 0.5), ShapeError, r"nms: scores \(2,\) must be \(3,\)"),
    "nms dtypes": (lambda: ops.nms(t.boxes, t.scores.double(), 0.5), DTypeError, "both must be of one floating dtype"),
    "nms integers": (lambda: ops.nms(t.boxes.int(), t.scores.int(), 0.5), DTypeError, "both must be of one floating dtype"),
    "batched_nms idxs": (lambda: ops.batched_nms(t.boxes, t.scores, t.scores[:2], 0.5), ShapeError, "a category for each box"),
    "reduction": (lambda: iou_loss.generalized_box_iou_loss(t.boxes, t.boxes, "foo"), ArgumentError, "reduction='foo'"),
    "alpha": (lambda: focal_loss.sigmoid_focal_loss(t.scores, t.scores, 2), ArgumentError, "alpha=2 must be in"),
    "regions": (lambda: ops.roi_align(t.x, t.boxes, 2), AssertedShapeError, r"must be \(K, 5\)"),
    "list of regions": (lambda: ops.roi_align(t.x, [t.rois], 2), AssertedShapeError, "or a list of tensors"),
    "no regions": (lambda: ops.roi_align(t.x, 5, 2), AssertedShapeError, "boxes 5 must be"),
    "region dtype": (lambda: ops.roi_align(t.x, t.rois.double(), 2), DTypeError, "of one floating dtype"),
    "region input": (lambda: ops.roi_pool(t.x[0], t.rois, 2), ShapeError, r"must be \(N, C, H, W\)"),
    "output size": (lambda: ops.roi_pool(t.x, t.rois, (2, 0)), ArgumentError, "each at least 1"),
    "channels by bin": (lambda: ops.ps_roi_align(t.x, t.rois, 3), ShapeError, "no multiple of the 3 x 3 bins"),
    "deform offset": (lambda: ops.deform_conv2d(t.x, t.offset[:, :17], t.weight), ShapeError, "must be a multiple of 2 \\* 9 taps"),
    "deform output": (lambda: ops.deform_conv2d(t.x, t.offset[:, :, :2], t.weight), ShapeError, r"must be \(1, 18, 3, 3\)"),
    "deform mask": (lambda: ops.deform_conv2d(t.x, t.offset, t.weight, mask=t.offset),
                    ShapeError, r"mask .* must be \(1, 9, 3, 3\)"),
    "deform weight": (lambda: ops.deform_conv2d(t.x, t.offset, t.weight[:, :3]), ShapeError, "does not fit the 4 channels"),
    "deform bias": (lambda: ops.deform_conv2d(t.x, t.offset, t.weight, t.scores), ShapeError, r"bias \(3,\) must be \(2,\)"),
    "deform input": (lambda: ops.deform_conv2d(t.x[0], t.offset, t.weight), ShapeError, "must have four dimensions"),
    "deform dtype": (lambda: ops.deform_conv2d(t.x.double(), t.offset, t.weight), DTypeError, "of one floating dtype"),
    "deform stride": (lambda: ops.deform_conv2d(t.x, t.offset, t.weight, stride=0), ArgumentError, "must be at least 1"),
    "deform groups": (lambda: ops.DeformConv2d(4, 6, 3, groups=4), ArgumentError, "groups=4 must divide"),
    "drop probability": (lambda: ops.drop_block2d(t.x, 1.5, 3), ArgumentError, "has to be between 0 and 1"),
    "drop dimensions": (lambda: ops.drop_block3d(t.x, 0.5, 3), MismatchError, "should be 5 dimensional"),
    "even block": (lambda: ops.drop_block2d(t.x, 0.5, 2), ArgumentError, "block size should be odd"),
    "pyramid channels": (lambda: FeaturePyramidNetwork([0], 4), ArgumentError, "in_channels=0"),
    "pyramid extra": (lambda: FeaturePyramidNetwork([1], 4, t.keeps), AssertedError, "derive it from ExtraFPNBlock"),
    "pooler names": (lambda: ops.MultiScaleRoIAlign(["a"], 2, 2)({"b": t.x}, [t.boxes], [(5, 5)]),
                     ArgumentError, "none of the maps"),
    "pooler images": (lambda: ops.MultiScaleRoIAlign(["a"], 2, 2)({"a": t.x}, [t.boxes], []),
                      ArgumentError, "image_shapes is empty"),
    "pooler size": (lambda: ops.MultiScaleRoIAlign(["a"], "7", 2), ArgumentTypeError, "neither a size nor two"),
    "anchor maps": (lambda: anchor_utils.AnchorGenerator()(None, [t.x, t.x]), AssertedError, "2 feature maps, 1 tuples of sizes"),
    "default box steps": (lambda: anchor_utils.DefaultBoxGenerator([[2]], steps=[1, 2]), ArgumentError, "2 steps for 1"),
    "thresholds": (lambda: matcher.Matcher(0.3, 0.7), ArgumentError, "should be <= high_threshold"),
    "nothing to match": (lambda: matcher.Matcher(0.7, 0.3)(ct.zeros(0, 4)), ArgumentError, "No ground-truth boxes"),
    "no proposals": (lambda: matcher.Matcher(0.7, 0.3)(ct.zeros(4, 0)), ArgumentError, "No proposal boxes"),
    "box loss": (lambda: box_loss.box_loss("l3", None, t.boxes, t.boxes, t.boxes), ArgumentError, "Unsupported loss 'l3'"),
    "predictor": (lambda: faster_rcnn.FastRCNNPredictor(4, 2)(t.x), ArgumentError, "the last two dimensions"),
    "no out_channels": (lambda: models.detection.FasterRCNN(nn.ReLU(), 2), ArgumentError, "contain an attribute out_channels"),
    "no classes": (lambda: models.detection.FasterRCNN(t.keeps), ArgumentError, "should not be None"),
    "classes twice": (lambda: models.detection.FasterRCNN(t.keeps, 2, box_predictor=t.keeps), ArgumentError, "should be None"),
    "anchors": (lambda: models.detection.FasterRCNN(t.keeps, 2, rpn_anchor_generator=5), ArgumentTypeError, "AnchorGenerator or"),
    "pool": (lambda: models.detection.FasterRCNN(t.keeps, 2, box_roi_pool=5), ArgumentTypeError, "MultiScaleRoIAlign or None"),
    "mask pool": (lambda: models.detection.MaskRCNN(t.keeps, 2, mask_roi_pool=5), ArgumentTypeError, "mask_roi_pool"),
    "mask classes": (lambda: models.detection.MaskRCNN(t.keeps, 2, mask_predictor=t.keeps), ArgumentError, "mask_predictor"),
    "keypoint pool": (lambda: models.detection.KeypointRCNN(t.keeps, 2, keypoint_roi_pool=5),
                      ArgumentTypeError, "keypoint_roi_pool"),
    "keypoints twice": (lambda: models.detection.KeypointRCNN(t.keeps, 2, keypoint_predictor=t.keeps, num_keypoints=3),
                        ArgumentError,
                        "num_keypoints should be None"),
    "retinanet": (lambda: models.detection.RetinaNet(nn.ReLU(), 2), ArgumentError, "RetinaNet: backbone should contain"),
    "retinanet anchors": (lambda: models.detection.RetinaNet(t.keeps, 2, anchor_generator=5), ArgumentTypeError, "AnchorGenerator"),
    "fcos": (lambda: models.detection.FCOS(nn.ReLU(), 2), ArgumentError, "FCOS: backbone should contain"),
    "fcos anchors": (lambda: models.detection.FCOS(t.keeps, 2, anchor_generator=5), ArgumentTypeError, "AnchorGenerator"),
    "fcos shapes": (lambda: models.detection.FCOS(t.keeps, 2, anchor_generator=anchor_utils.AnchorGenerator()), ArgumentError,
                    "should be 1 instead of 9"),
    "ssd maps": (lambda: ssd_module.SSD(t.keeps, anchor_utils.DefaultBoxGenerator([[2], [2]]), (8, 8), 2), ArgumentError,
                 "gives 1 maps and anchor_generator boxes for 2"),
    "image dtype": (lambda: _transform()([ct.zeros(3, 4, 4, dtype=ct.uint8)]), DTypeError, "to be of floating type"),
    "image shape": (lambda: _transform()([ct.zeros(4, 4)]), MismatchError, "a list of 3d tensors"),
    "no image": (lambda: _transform()([]), ArgumentError, "there is no image"),
    "backbone layers": (lambda: backbone_utils.resnet_fpn_backbone(backbone_name="resnet18", weights=None, trainable_layers=7),
                        ArgumentError, r"in the range \[0, 5\]"),
    "returned layers": (lambda: backbone_utils.resnet_fpn_backbone(backbone_name="resnet18", weights=None, returned_layers=[5]),
                        ArgumentError, r"in the range \[1, 4\]"),
    "trained layers": (lambda: backbone_utils.trained_layers(True, 9, 5, 3), ArgumentError, r"in the range \[0,5\]"),
    "no auxiliary": (lambda: models.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None, aux_loss=True), UnsupportedError,
                     "has no auxiliary classifier"),
    "classes of weights": (lambda: models.segmentation.fcn_resnet50(weights="DEFAULT", num_classes=3), ArgumentError,
                           "num_classes=3 does not fit the weights"),
    "weights of another": (lambda: models.segmentation.fcn_resnet50(weights=models.ResNet50_Weights.DEFAULT), ArgumentTypeError,
                           "FCN_ResNet50_Weights"),
}


def _transform():
    return transform.GeneralizedRCNNTransform(8, 8, [0.5] * 3, [0.5] * 3)


@pytest.mark.parametrize("case", CALLS)
def test_refused(case):
    call, error, text = CALLS[case]
    with ct.device("meta") if "layers" in case else ct.enable_grad(), pytest.raises(error, match=text):
        call()


def test_a_region_of_an_image_that_is_not_there():
    y = ops.roi_align(t.x, ct.tensor([[1.0, 0, 0, 2, 2]]), 1)
    with pytest.raises(DimensionError, match="index 1 is out of bounds for dimension with size 1"):
        y.numpy()


def test_targets_of_detectors():
    model = tiny.mask_rcnn(models, ops, nn).train()
    images = [ct.tensor(image) for image in tiny.images()]
    targets = [{k: ct.tensor(v) for k, v in t.items()} for t in tiny.targets()]
    with pytest.raises(AssertedError, match="targets should not be none"):
        model(images)
    for change, error, text in (({"boxes": [1.0]}, AssertedError, "to be of type Tensor, got list"),
                                ({"boxes": ct.zeros(4)}, AssertedError, r"shape \[N, 4\], got \(4,\)"),
                                ({"boxes": ct.tensor([[5.0, 5, 5, 9]])}, AssertedError, "Found invalid box .* at index 1"),
                                ({"labels": ct.tensor([1.0])}, DTypeError, "labels must be of int64")):
        with pytest.raises(error, match=text):
            model(images, [targets[0], {**targets[1], **change}])
    for name, change in (("boxes", targets[0]["boxes"].int()), ("keypoints", targets[0]["keypoints"].double())):
        heads = tiny.keypoint_rcnn(models, ops, nn).roi_heads
        with pytest.raises(DTypeError, match=f"target {name} must be of float type"):
            heads({}, [], [], [{**targets[0], name: change}])
    without = {k: v for k, v in targets[1].items() if k != "masks"}
    with pytest.raises(AssertedError, match="every target must have boxes, labels, masks"):
        model(images, [targets[0], without])
    with pytest.raises(AssertedError, match="the last two dimensions"):
        model.eval()([ct.zeros(4)])


def test_images_without_objects():
    for make in (tiny.faster_rcnn, tiny.retinanet, tiny.fcos, tiny.ssd):
        model = make(models, ops, nn).train()
        empty = {"boxes": ct.zeros(0, 4), "labels": ct.zeros(0, dtype=ct.int64)}
        losses = model([ct.tensor(image) for image in tiny.images()], [empty, empty])
        total = sum(losses.values())
        total.backward()
        assert np.isfinite(total.item())


def test_warnings():
    with pytest.warns(UserWarning, match="trainable_backbone_layers has no effect"):
        assert backbone_utils.trained_layers(False, 2, 5, 3) == 5
