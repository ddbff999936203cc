"""First values of parameters: their distributions, by family, and the same numbers from the same seed."""

import math

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.vision import models

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def normal(values, std):
    """Whether numbers are as if drawn from N(0, std): deviation and fourth moment."""
    values = values.detach().numpy().ravel().astype(np.float64)
    off = 6 / math.sqrt(values.size)
    np.testing.assert_allclose(values.std(), std, rtol=off)
    np.testing.assert_allclose((values**4).mean() / values.std() ** 4, 3, atol=10 * off)


def uniform(values, bound):
    """Whether numbers are as if drawn from [-bound, bound]."""
    values = values.detach().numpy().ravel().astype(np.float64)
    assert np.abs(values).max() <= bound * (1 + 1e-6)
    np.testing.assert_allclose(values.std(), bound / math.sqrt(3), rtol=6 / math.sqrt(values.size))


def he(conv, mode="out"):
    """The deviation of He et al. of a convolution."""
    kernel = math.prod(conv.kernel_size)
    return math.sqrt(2 / (kernel * (conv.out_channels if mode == "out" else conv.in_channels // conv.groups)))


@pytest.fixture(autouse=True)
def seeded():
    ct.manual_seed(0)


def test_resnet():
    small = nn.Sequential(models.resnet.BasicBlock(8, 16, downsample=models.resnet.conv1x1(8, 16)))  # all of a ResNet takes seconds
    models.ResNet._initialize(small, zero_init_residual=True)
    for conv in (small[0].conv1, small[0].conv2, small[0].downsample):
        normal(conv.weight, he(conv))
    assert ct.equal(small[0].bn2.weight, ct.zeros(16))
    assert ct.equal(small[0].bn1.weight, ct.ones(16))


def test_vgg_densenet_and_squeezenet():
    small = nn.Sequential(*models.vgg.make_layers([16, 32]), nn.Linear(16, 100))  # all of a VGG takes seconds
    models.VGG._initialize(small)
    normal(small[2].weight, he(small[2]))
    normal(small[4].weight, 0.01)
    assert not small[2].bias.any()
    model = models.DenseNet(8, (1, 1), 16, num_classes=100)
    normal(model.features.conv0.weight, he(model.features.conv0, "in"))
    assert not model.classifier.bias.any()
    uniform(model.classifier.weight, 1 / math.sqrt(model.classifier.in_features))
    model = models.SqueezeNet("1_1", 100)
    uniform(model.features[3].squeeze.weight, math.sqrt(6 / 64))
    normal(model.classifier[1].weight, 0.01)


def test_mobilenets():
    row = models.mobilenetv3.InvertedResidualConfig(16, 3, 16, 16, True, "RE", 2, 1, 1.0)
    for model in (models.MobileNetV2(10, 0.25, [[1, 16, 1, 1]]), models.MobileNetV3([row], 64, 10)):
        last = model.features[-1][0]
        normal(last.weight, he(last))
        normal(model.classifier[-1].weight, 0.01)
        assert not model.classifier[-1].bias.any()


def test_mnasnet_efficientnet_and_regnet():
    model = models.MNASNet(0.1, 10)
    normal(model.layers[14].weight, he(model.layers[14]))
    uniform(model.classifier[1].weight, math.sqrt(3 / 10))
    config = models.efficientnet.MBConvConfig(4, 3, 1, 16, 16, 1)
    model = models.EfficientNet([config], 0.1, num_classes=25)
    expand, depthwise = model.features[1][0].block[0][0], model.features[1][0].block[1][0]
    normal(expand.weight, he(expand))
    normal(depthwise.weight, he(depthwise))
    uniform(model.classifier[1].weight, 1 / 5)
    model = models.RegNet(models.regnet.BlockParams([1], [64], [8], [1.0], [2]), 10)
    grouped = model.trunk_output.block1[0].f.b[0]
    normal(grouped.weight, he(grouped))
    normal(model.fc.weight, 0.01)


def test_convnext_swin_and_maxvit():
    model = models.ConvNeXt([models.convnext.CNBlockConfig(32, None, 1)], num_classes=10)
    normal(model.features[1][0].block[3].weight, 0.02)
    assert ct.equal(model.features[1][0].layer_scale, ct.full((32, 1, 1), 1e-6))
    for block in (models.swin_transformer.SwinTransformerBlock, models.swin_transformer.SwinTransformerBlockV2):
        model = models.SwinTransformer([4, 4], 32, [1], [2], [4, 4], num_classes=10, block=block)
        normal(model.features[1][0].mlp[0].weight, 0.02)
        assert not model.features[1][0].mlp[0].bias.any()
    attention = models.swin_transformer.SwinTransformerBlockV2(32, 2, [4, 4], [0, 0]).attn
    np.testing.assert_allclose(attention.logit_scale.detach().numpy(), math.log(10), rtol=1e-6)
    assert not attention.qkv.bias[32:64].any()
    assert attention.qkv.bias[:32].any()
    model = models.MaxVit((16, 16), 16, 4, [32], [1], 8, 0.0, num_classes=10)
    normal(model.classifier[3].weight, 0.02)
    normal(model.blocks[0].layers[0].layers.window_attention.attn_layer[1].relative_position_bias_table, 0.02)


def test_vision_transformer():
    model = models.VisionTransformer(16, 8, 1, 2, 32, 64, num_classes=10, representation_size=16)
    normal(model.conv_proj.weight, math.sqrt(1 / 192))
    normal(model.heads.pre_logits.weight, math.sqrt(1 / 32))
    normal(model.encoder.pos_embedding, 0.02)
    uniform(model.encoder.layers[0].mlp[0].weight, math.sqrt(6 / 96))
    normal(model.encoder.layers[0].mlp[0].bias, 1e-6)
    zeros = model.class_token, model.heads.head.weight, model.heads.head.bias, model.conv_proj.bias
    assert not any(value.any() for value in zeros)


def test_inception_and_googlenet():
    conv = models.inception.BasicConv2d

    def nothing(*_):
        return nn.Identity()

    def head(channels, classes):
        return models.inception.InceptionAux(8, classes)

    parts = [conv, *[nothing] * 5, head]
    model = models.Inception3(10, inception_blocks=parts)
    normal(model.Conv2d_3b_1x1.conv.weight, 0.1)
    normal(model.AuxLogits.conv0.conv.weight, 0.1)
    normal(model.AuxLogits.fc.weight, 0.001)
    assert models.Inception3(10, inception_blocks=parts, init_weights=False).fc.weight.abs().max() < 0.03
    model = models.GoogLeNet(10, aux_logits=False, blocks=[conv, nothing, nothing])
    normal(model.conv3.conv.weight, 0.01)
    normal(model.fc.weight, 0.01)


def test_a_seed_gives_the_same_numbers():
    made = []
    for _ in range(2):
        ct.manual_seed(7)
        made.append(models.lenet5().state_dict())
    assert all(ct.equal(value, made[1][name]) for name, value in made[0].items())
