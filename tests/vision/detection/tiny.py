"""Small detectors and segmentation heads, made alike of torchvision's classes and of ours, and what they are tried with."""

import numpy as np

BIG = 10**6  # so many are drawn that all are
RATIOS = (0.5, 1.0, 2.0)
STAGES = {"rpn_batch_size_per_image": BIG, "rpn_positive_fraction": 1.0, "box_batch_size_per_image": BIG,
          "box_positive_fraction": 1.0, "rpn_pre_nms_top_n_train": 60, "rpn_post_nms_top_n_train": 30, "rpn_pre_nms_top_n_test": 60,
          "rpn_post_nms_top_n_test": 30, "box_score_thresh": 0.2, "box_detections_per_img": 5}
SIZES = ((40, 56), (48, 36))  # of the images
BOXES = ([[4.0, 6, 30, 28], [20, 3, 50, 37]], [[2.0, 8, 25, 44]])
LABELS = ([1, 3], [2])


def backbone(nn, channels):
    """One map, an eighth of the image."""
    made = nn.Sequential(nn.Conv2d(3, channels, 3, stride=4, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, 2, 1))
    made.out_channels = channels
    return made


def _two_stage(models, ops, nn):
    faster, anchors = models.detection.faster_rcnn, models.detection.anchor_utils.AnchorGenerator(((10, 20, 30),), (RATIOS,))
    return {"backbone": backbone(nn, 8), "min_size": 48, "max_size": 64, "rpn_anchor_generator": anchors, **STAGES,
            "box_roi_pool": ops.MultiScaleRoIAlign(["0"], 3, 2), "box_head": faster.TwoMLPHead(72, 12),
            "box_predictor": faster.FastRCNNPredictor(12, 4)}


def faster_rcnn(models, ops, nn):
    return models.detection.FasterRCNN(**_two_stage(models, ops, nn))


def mask_rcnn(models, ops, nn):
    heads = models.detection.mask_rcnn
    return models.detection.MaskRCNN(**_two_stage(models, ops, nn), mask_roi_pool=ops.MultiScaleRoIAlign(["0"], 4, 2),
                                     mask_head=heads.MaskRCNNHeads(8, (6,), 1), mask_predictor=heads.MaskRCNNPredictor(6, 5, 4))


def keypoint_rcnn(models, ops, nn):
    heads = models.detection.keypoint_rcnn
    return models.detection.KeypointRCNN(**_two_stage(models, ops, nn), keypoint_roi_pool=ops.MultiScaleRoIAlign(["0"], 4, 2),
                                         keypoint_head=heads.KeypointRCNNHeads(8, (6,)),
                                         keypoint_predictor=heads.KeypointRCNNPredictor(6, 3))


def retinanet(models, ops, nn):
    anchors = models.detection.anchor_utils.AnchorGenerator(((10, 20),), (RATIOS,))
    return models.detection.RetinaNet(backbone(nn, 8), 4, 48, 64, anchor_generator=anchors, score_thresh=0.4, detections_per_img=5)


def retinanet_by_overlap(models, ops, nn):
    made = retinanet(models, ops, nn)
    made.head.regression_head._loss_type = "giou"
    return made


def fcos(models, ops, nn):
    anchors = models.detection.anchor_utils.AnchorGenerator(((8,),), ((1.0,),))
    return models.detection.FCOS(backbone(nn, 32), 4, 48, 64, anchor_generator=anchors, score_thresh=0.4, detections_per_img=5)


def ssd(models, ops, nn):
    boxes = models.detection.anchor_utils.DefaultBoxGenerator([[2, 3]], scales=[0.4, 0.6])
    made = backbone(nn, 8)
    made.out_channels = [8]
    return models.detection.ssd.SSD(made, boxes, (32, 40), 4, score_thresh=0.25, detections_per_img=5)


DETECTORS = (faster_rcnn, mask_rcnn, keypoint_rcnn, retinanet, retinanet_by_overlap, fcos, ssd)


def deeplab_head(models, ops, nn):
    return models.segmentation.deeplabv3.DeepLabHead(5, 3, (1, 2))


def fcn_head(models, ops, nn):
    return models.segmentation.fcn.FCNHead(8, 3)


HEADS = {deeplab_head: 5, fcn_head: 8}  # with the channels that they take


def value(name, shape, i):
    """The value of the i-th tensor of a state_dict; None for counters."""
    if name.endswith("num_batches_tracked"):
        return None
    drawn = np.random.default_rng(i).uniform(-1, 1, shape).astype(np.float32)
    if name.endswith("running_var"):
        return drawn * drawn + 0.5
    return drawn * (2.0 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.3 * drawn


def images():
    rng = np.random.default_rng(3)
    return [rng.random((3, *size), np.float32) for size in SIZES]


def targets():
    """Boxes, labels, masks and keypoints of each image, as arrays."""
    rng, found = np.random.default_rng(4), []
    for (high, wide), boxes, labels in zip(SIZES, BOXES, LABELS, strict=True):
        boxes = np.array(boxes, np.float32)
        y, x = np.mgrid[:high, :wide]
        masks = np.stack([(x >= b[0]) & (x < b[2]) & (y >= b[1]) & (y < b[3]) & ((x + y) % 7 > 1) for b in boxes])
        inside = rng.random((len(boxes), 3, 2), np.float32) * (boxes[:, None, 2:] - boxes[:, None, :2]) + boxes[:, None, :2]
        seen = np.broadcast_to(np.array([1.0, 0, 1], np.float32)[None, :, None], (len(boxes), 3, 1))
        found.append({"boxes": boxes, "labels": np.array(labels), "masks": masks.astype(np.uint8),
                      "keypoints": np.concatenate([inside, seen], 2).astype(np.float32)})
    return found


def direction(shape):
    """What an array is multiplied with to become one number."""
    return np.cos(np.arange(np.prod(shape, dtype=int)) + 1).reshape(shape)
