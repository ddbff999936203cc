"""Models captured as graphs, in mixed precision, and computing results again in backward."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.vision import models

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def small():
    return models.RegNet(models.regnet.BlockParams([1, 1], [8, 16], [4, 8], [1.0, 1.0], [2, 2], 0.25), 3, 8)


def vit():
    return models.VisionTransformer(16, 8, 1, 2, 8, 16, num_classes=3, representation_size=4)


def swin():
    return models.SwinTransformer([2, 2], 8, [2], [2], [4, 4], num_classes=3, stochastic_depth_prob=0.0)


@pytest.mark.parametrize("make", [small, vit, swin])
def test_a_captured_model_gives_the_same(make):
    ct.manual_seed(0)
    model = make().eval()
    x = ct.randn(2, 3, 16, 16)
    compiled = ct.compile(model)
    with ct.no_grad():
        for _ in range(3):
            np.testing.assert_allclose(compiled(x).numpy(), model(x).numpy(), atol=1e-5)


@pytest.mark.parametrize("make", [small, vit, swin])
def test_mixed_precision_stays_near(make):
    ct.manual_seed(0)
    model = make().eval()
    x = ct.randn(2, 3, 16, 16)
    expected = model(x).detach().numpy()
    with ct.autocast(x.device.type, dtype=ct.bfloat16):
        out = model(x)
    assert out.dtype == ct.bfloat16
    np.testing.assert_allclose(out.detach().float().numpy(), expected, atol=0.05 * np.abs(expected).max() + 0.01)
    out.float().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == ct.float32 for p in model.parameters())


def test_a_densenet_that_saves_memory_has_the_same_gradients():
    gradients = []
    for memory_efficient in (False, True):
        ct.manual_seed(0)
        model = models.DenseNet(4, (2,), 8, bn_size=2, num_classes=3, memory_efficient=memory_efficient)
        x = ct.randn(2, 3, 32, 32, requires_grad=True)
        model(x).sum().backward()
        gradients.append([x.grad, *(p.grad for p in model.parameters())])
    for plain, again in zip(*gradients, strict=True):
        np.testing.assert_allclose(again.numpy(), plain.numpy(), atol=1e-5)


def test_dropout_of_layers_is_for_training():
    ct.manual_seed(0)
    layer = models.densenet._DenseLayer(8, 4, 2, 0.5)
    x = ct.randn(2, 8, 4, 4)
    assert (layer(x) == 0).float().mean().item() > 0.3
    assert ct.equal(layer.eval()(x), layer(x))
