"""Blocks of detectors by their definitions: pyramids, pooling by level, dropped blocks, matchers, samplers, coders, images."""

import math

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.nn import functional as F
from cltensor.vision import ops
from cltensor.vision.models.detection import anchor_utils, box_coder, generalized_rcnn, matcher, rpn, sampler, ssd, transform
from cltensor.vision.models.detection.image_list import ImageList
from cltensor.vision.models.detection.masks import paste_masks_in_image
from cltensor.vision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7
from cltensor.vision.ops.poolers import LevelMapper

pytestmark = pytest.mark.device


def normal(*shape, seed=0):
    return ct.tensor(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def test_a_pyramid_adds_the_coarser_map_enlarged():
    fpn = ops.FeaturePyramidNetwork([2, 3], 4, LastLevelMaxPool())
    a, b = normal(1, 2, 4, 6), normal(1, 3, 2, 3)
    found = fpn({"a": a, "b": b})
    assert list(found) == ["a", "b", "pool"]
    top = fpn.inner_blocks[1](b)
    below = fpn.inner_blocks[0](a) + top.repeat_interleave(2, 2).repeat_interleave(2, 3)
    np.testing.assert_allclose(found["a"].detach().numpy(), fpn.layer_blocks[0](below).detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(found["b"].detach().numpy(), fpn.layer_blocks[1](top).detach().numpy(), atol=1e-6)
    np.testing.assert_array_equal(found["pool"].detach().numpy(), found["b"].detach().numpy()[:, :, ::2, ::2])


def test_two_more_levels_of_a_pyramid():
    extra = LastLevelP6P7(2, 4)
    p, c = normal(1, 4, 4, 4), normal(1, 2, 4, 4)
    results, names = extra([p], [c], ["0"])
    assert names == ["0", "p6", "p7"]
    p6 = F.conv2d(c, extra.p6.weight, extra.p6.bias, 2, 1)
    np.testing.assert_allclose(results[1].detach().numpy(), p6.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(results[2].detach().numpy(), extra.p7(p6.relu()).detach().numpy(), atol=1e-6)


def test_old_names_of_a_pyramid_and_of_heads_load():
    for module, prefix in ((ops.FeaturePyramidNetwork([2], 3), {"inner_blocks.0.0.": "inner_blocks.0.",
                                                                "layer_blocks.0.0.": "layer_blocks.0."}),
                           (rpn.RPNHead(2, 1), {"conv.0.0.": "conv."})):
        state = {name: value.clone() for name, value in module.state_dict().items()}
        old = dict(state)
        for new, before in prefix.items():
            for name in [n for n in state if n.startswith(new)]:
                old[before + name.removeprefix(new)] = old.pop(name) + 1
        module.load_state_dict(old)
        for name, value in module.state_dict().items():
            changed = any(name.startswith(new) for new in prefix)
            np.testing.assert_array_equal(value.numpy(), state[name].numpy() + changed)


def test_pooling_takes_the_map_that_fits():
    pool = ops.MultiScaleRoIAlign(["a", "b"], 2, 2, canonical_scale=16, canonical_level=1)
    maps = {"a": normal(2, 3, 32, 32), "b": normal(2, 3, 16, 16, seed=1), "other": normal(2, 3, 8, 8)}
    boxes = [ct.tensor([[0.0, 0, 50, 60], [3, 4, 12, 9]]), ct.tensor([[7.0, 7, 20, 20]])]
    found = pool(maps, boxes, [(64, 64), (60, 50)])
    assert pool.scales == [0.5, 0.25]
    levels = LevelMapper(1, 2, 16, 1)(boxes).tolist()
    assert levels == [1, 0, 0]
    rois = ct.cat([ct.cat([ct.full((len(b), 1), float(i)), b], 1) for i, b in enumerate(boxes)])
    for i, level in enumerate(levels):
        wanted = ops.roi_align(maps["ab"[level]], rois[i:i + 1], 2, pool.scales[level], 2)
        np.testing.assert_allclose(found[i:i + 1].numpy(), wanted.numpy(), atol=1e-6)


@pytest.mark.parametrize("dims", [2, 3])
def test_dropped_blocks(dims):
    ct.manual_seed(0)
    shape = (2, 3, *(9,) * dims)
    x = ct.ones(shape, requires_grad=True)
    layer = (ops.DropBlock2d if dims == 2 else ops.DropBlock3d)(0.2, 3)
    y = layer(x)
    kept = y.detach().numpy() != 0
    share = 1 - kept.mean()
    assert 0.05 < share < 0.4
    np.testing.assert_allclose(y.detach().numpy()[kept], 1 / (1 - share), rtol=1e-5)  # the mean stays
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.detach().numpy(), rtol=1e-5)
    dropped = ~kept  # every element dropped lies in a block that is dropped whole
    windows = np.lib.stride_tricks.sliding_window_view(dropped, (3,) * dims, tuple(range(2, 2 + dims))).all(tuple(range(-dims, 0)))
    covered = np.zeros(shape, bool)
    for at in np.argwhere(windows):
        covered[(at[0], at[1], *(slice(i, i + 3) for i in at[2:]))] = True
    np.testing.assert_array_equal(covered, dropped)
    assert layer.eval()(x) is x
    z = ct.ones(shape)
    assert (ops.drop_block2d if dims == 2 else ops.drop_block3d)(z, 0.2, 3, inplace=True) is z


def test_layers_are_their_functions():
    x, rois = normal(1, 4, 6, 6), ct.tensor([[0.0, 1, 1, 4, 5]])
    for layer, fn, more in ((ops.RoIAlign(2, 0.5, 2, True), ops.roi_align, (2, True)),
                            (ops.PSRoIAlign(2, 0.5, 2), ops.ps_roi_align, (2,)),
                            (ops.RoIPool(2, 0.5), ops.roi_pool, ()), (ops.PSRoIPool(2, 0.5), ops.ps_roi_pool, ())):
        np.testing.assert_array_equal(layer(x, rois).numpy(), fn(x, rois, 2, 0.5, *more).numpy())
        assert repr(layer).startswith(f"{type(layer).__name__}(output_size=2, spatial_scale=0.5")
    layer = ops.DeformConv2d(4, 6, (3, 2), stride=2, padding=1, groups=2, bias=False)
    assert repr(layer) == "DeformConv2d(4, 6, kernel_size=(3, 2), stride=(2, 2), padding=(1, 1), groups=2, bias=False)"
    y = layer(x, ct.zeros(1, 12, 3, 4))  # without offsets it is a convolution
    np.testing.assert_allclose(y.detach().numpy(), F.conv2d(x, layer.weight, None, 2, 1, 1, 2).detach().numpy(), atol=1e-6)
    assert layer.weight.detach().abs().max().item() <= 1 / math.sqrt(2 * 6)


def test_half_precision_sums_in_float32():
    x = ct.ones(1, 1, 8, 8, dtype=ct.float16, requires_grad=True)
    rois = ct.tensor([[0.0, 0, 0, 7, 7]], dtype=ct.float16).expand(3000, 5)
    ops.roi_align(x, rois, 1, 1.0, 2).sum().backward()
    assert x.grad.dtype is ct.float16
    assert x.grad.float().sum().item() == pytest.approx(3000, rel=2e-3)


def test_the_same_results_in_every_run():
    x, rois = normal(1, 2, 9, 9), ct.cat([ct.zeros(200, 1), normal(200, 4).abs() * 5], 1)
    def gradient():
        y = x.detach().requires_grad_()
        ops.roi_align(y, rois, 3, 1.0, 2).sin().sum().backward()
        return y.grad.numpy()
    first = gradient()
    for _ in range(2):
        np.testing.assert_array_equal(gradient(), first)


def test_many_boxes_go_in_parts(monkeypatch):
    from cltensor.ops.vision import nms

    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 40, (300, 2))
    boxes = ct.tensor(np.concatenate([corners, corners + rng.uniform(2, 9, (300, 2))], 1).astype(np.float32))
    scores = ct.tensor(rng.permutation(300).astype(np.float32))
    whole = ops.nms(boxes, scores, 0.2).tolist()
    nms.nms_kept.plans.clear()
    monkeypatch.setattr(nms, "MEMORY", 64 * 8 * 5)  # one row of words at a time
    assert ops.nms(boxes, scores, 0.2).tolist() == whole
    nms.nms_kept.plans.clear()
    wanted = nms.nms_kept.ref(boxes[scores.argsort(descending=True)].numpy(), None, limit=0.2)
    assert len(whole) == wanted.sum()


def test_matches():
    overlaps = ct.tensor([[0.9, 0.1, 0.5, 0.0], [0.0, 0.2, 0.4, 0.0]])
    assert matcher.Matcher(0.7, 0.3)(overlaps).tolist() == [0, -1, -2, -1]
    assert matcher.Matcher(0.7, 0.3, True)(overlaps).tolist() == [0, -1, 0, -1]
    assert matcher.SSDMatcher(0.45)(overlaps).tolist() == [0, -1, 1, -1]


def test_samples():
    ct.manual_seed(0)
    labels = ct.tensor([1.0] * 20 + [0.0] * 50 + [-1.0] * 5)
    (positive,), (negative,) = sampler.BalancedPositiveNegativeSampler(16, 0.25)([labels])
    assert (positive.sum().item(), negative.sum().item()) == (4, 12)
    assert positive.numpy()[20:].sum() == 0
    assert negative.numpy()[:20].sum() == negative.numpy()[70:].sum() == 0


def test_coders_invert_themselves():
    rng = np.random.default_rng(0)
    low = rng.uniform(0, 20, (2, 6, 2))
    a, b = (ct.tensor(np.concatenate([part, part + rng.uniform(1, 9, (6, 2))], 1).astype(np.float32)) for part in low)
    coder = box_coder.BoxCoder((10.0, 10.0, 5.0, 5.0))
    np.testing.assert_allclose(coder.decode(coder.encode([b], [a])[0], [a])[:, 0].numpy(), b.numpy(), atol=1e-4)
    for normal_ in (True, False):
        linear = box_coder.BoxLinearCoder(normal_)
        np.testing.assert_allclose(linear.decode(linear.encode(a, b), a).numpy(), b.numpy(), atol=1e-4)
    assert coder.decode(ct.zeros(0, 8), [ct.zeros(0, 4)]).shape == (0, 2, 4)
    wide = coder.decode_single(ct.tensor([[0.0, 0, 500, 500]]), ct.tensor([[0.0, 0, 16, 16]]))
    assert wide[0, 2].item() == pytest.approx(8 + 500, rel=1e-3)  # not more than 1000 / 16 times as large


def test_anchors():
    made = anchor_utils.AnchorGenerator(((4, 8), (16,)), ((1.0, 4.0), (1.0,)))
    assert made.num_anchors_per_location() == [4, 1]
    assert made.cell_anchors[0].tolist() == [[-2, -2, 2, 2], [-4, -4, 4, 4], [-1, -4, 1, 4], [-2, -8, 2, 8]]
    found = made(ImageList(ct.zeros(2, 3, 16, 32), [(16, 32)] * 2), [ct.zeros(2, 1, 2, 4), ct.zeros(2, 1, 1, 2)])
    assert len(found) == 2
    assert found[0].shape == (2 * 4 * 4 + 2, 4)
    assert found[0][4 * 5].tolist() == [8 - 2, 8 - 2, 8 + 2, 8 + 2]  # the second row and column
    assert found[0][-1].tolist() == [16 - 8, -8, 16 + 8, 8]
    flat = anchor_utils.AnchorGenerator((8, 16), (1.0,))
    assert (flat.sizes, flat.aspect_ratios) == (((8,), (16,)), ((1.0,), (1.0,)))


def test_default_boxes():
    made = anchor_utils.DefaultBoxGenerator([[2]], scales=[0.25, 1.0], steps=[8])
    found = made(ImageList(ct.zeros(1, 3, 16, 32), [(16, 32)]), [ct.zeros(1, 1, 2, 4)])[0]
    assert found.shape == (2 * 4 * 4, 4)
    assert found[0].tolist() == [4 - 4, 4 - 2, 4 + 4, 4 + 2]
    assert found[1].tolist() == [4 - 8, 4 - 4, 4 + 8, 4 + 4]  # the geometric mean of the scales
    np.testing.assert_allclose(found[2].numpy(), [4 - 4 * 2**0.5, 4 - 2**0.5, 4 + 4 * 2**0.5, 4 + 2**0.5], rtol=1e-6)
    assert anchor_utils.DefaultBoxGenerator([[2], [2], [2]], 0.2, 0.9).scales == pytest.approx([0.2, 0.55, 0.9, 1.0])


def test_images_in_a_batch_and_back():
    made = transform.GeneralizedRCNNTransform(32, 40, [0.5] * 3, [0.25] * 3).eval()
    images = [ct.rand(3, 16, 24), ct.rand(3, 20, 12)]
    target = [{"boxes": ct.tensor([[2.0, 4, 12, 8]]), "masks": ct.ones(1, 16, 24, dtype=ct.uint8),
               "keypoints": ct.tensor([[[3.0, 2, 1]]])},
              {"boxes": ct.zeros(0, 4)}]
    batch, targets = made(images, target)
    assert batch.image_sizes == [(26, 40), (40, 24)]
    assert batch.tensors.shape == (2, 3, 64, 64)
    np.testing.assert_allclose(targets[0]["boxes"].numpy(), [[2 * 40 / 24, 4 * 26 / 16, 12 * 40 / 24, 8 * 26 / 16]], rtol=1e-6)
    assert targets[0]["masks"].shape == (1, 26, 40)
    np.testing.assert_allclose(targets[0]["keypoints"].numpy(), [[[3 * 40 / 24, 2 * 26 / 16, 1]]], rtol=1e-6)
    assert target[0]["boxes"][0, 0].item() == 2  # what was given stays
    wanted = (F.interpolate(images[0][None], size=(26, 40), mode="bilinear") - 0.5) / 0.25
    np.testing.assert_allclose(batch.tensors[:1, :, :26, :40].numpy(), wanted.numpy(), atol=1e-4)
    assert batch.tensors[0, :, 26:].abs().sum().item() == batch.tensors[1, :, :, 24:].abs().sum().item() == 0
    found = made.postprocess([{"boxes": targets[0]["boxes"]}], batch.image_sizes[:1], [(16, 24)])
    np.testing.assert_allclose(found[0]["boxes"].numpy(), [[2, 4, 12, 8]], rtol=1e-5)


def test_masks_are_put_where_their_boxes_are():
    masks = ct.ones(2, 1, 4, 4)
    found = paste_masks_in_image(masks, ct.tensor([[2.0, 3, 8, 9], [-4.0, -4, 1, 1]]), (12, 10))
    assert found.shape == (2, 1, 12, 10)
    assert found[0, 0, 4:8, 3:7].min().item() > 0.9
    assert found[0, 0, :2].max().item() == found[0, 0, :, 9].max().item() == 0
    assert paste_masks_in_image(ct.zeros(0, 1, 4, 4), ct.zeros(0, 4), (5, 6)).shape == (0, 1, 5, 6)


def test_channels_are_found_without_computing():
    layer = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5))
    assert ssd.out_channels(layer, (20, 10)) == [5]
    assert layer.training
    assert generalized_rcnn.named(ct.ones(1)).keys() == {"0"}
