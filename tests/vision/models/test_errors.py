"""Arguments that make no model, and images that a model does not take."""

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.vision import models as m

pytestmark = pytest.mark.any_style
CONFIG = m.mobilenetv3.InvertedResidualConfig
REFUSED = {
    "basic block with groups": (lambda: m.resnet.BasicBlock(4, 4, groups=2), ValueError, "groups=2, base_width=64"),
    "basic block dilated": (lambda: m.resnet.BasicBlock(4, 4, dilation=2), NotImplementedError, "use Bottleneck"),
    "dilations": (lambda: m.resnet50(replace_stride_with_dilation=[True]), ValueError, "None or three bools"),
    "squeezenet": (lambda: m.SqueezeNet("2"), ValueError, "'1_0', '1_1'"),
    "inverted residual": (lambda: m.mobilenetv2.InvertedResidual(4, 4, 3, 1), ValueError, "stride=3; it must be 1 or 2"),
    "rows of mobilenet": (lambda: m.MobileNetV2(inverted_residual_setting=[[1, 2]]), ValueError, r"\[\[1, 2\]\]; give rows"),
    "no rows": (lambda: m.MobileNetV2(inverted_residual_setting=[]), ValueError, "give rows"),
    "stride of mobilenet v3": (lambda: m.mobilenetv3.InvertedResidual(CONFIG(8, 3, 8, 8, False, "RE", 3, 1, 1.0), nn.BatchNorm2d),
                               ValueError, "stride=3"),
    "mobilenet v3 of nothing": (lambda: m.MobileNetV3([], 8), ValueError, "is empty; give an InvertedResidualConfig"),
    "mobilenet v3 of numbers": (lambda: m.MobileNetV3([1], 8), TypeError, "give a list of InvertedResidualConfig"),
    "efficientnet of nothing": (lambda: m.EfficientNet([], 0.1), ValueError, "is empty; give an MBConvConfig"),
    "efficientnet of numbers": (lambda: m.EfficientNet([1], 0.1), TypeError, "give a list of MBConvConfig"),
    "stride of efficientnet": (lambda: m.efficientnet.MBConv(m.efficientnet.MBConvConfig(1, 3, 3, 8, 8, 1), 0.0, nn.BatchNorm2d),
                               ValueError, "MBConv: stride=3"),
    "widths of regnet": (lambda: m.regnet.BlockParams.from_init_params(4, 9, 3.0, 2.0, 8), ValueError, "multiple of 8"),
    "stages of shufflenet": (lambda: m.ShuffleNetV2([1], [1] * 5), ValueError, "each of the 3 stages"),
    "channels of shufflenet": (lambda: m.ShuffleNetV2([1] * 3, [1]), ValueError, "give 5 numbers"),
    "stride of shufflenet": (lambda: m.shufflenetv2.InvertedResidual(4, 4, 4), ValueError, "must be 1, 2 or 3"),
    "channels of a shuffled block": (lambda: m.shufflenetv2.InvertedResidual(4, 6, 1), ValueError, "equal and even"),
    "alpha": (lambda: m.MNASNet(0), ValueError, "alpha=0; it is a factor"),
    "kernel of mnasnet": (lambda: m.mnasnet._InvertedResidual(4, 4, 4, 1, 1), ValueError, "strides are 1 and 2"),
    "parts of inception": (lambda: m.Inception3(inception_blocks=[1]), ValueError, "1 elements; give 7"),
    "parts of googlenet": (lambda: m.GoogLeNet(blocks=[1]), ValueError, "1 elements; give 3"),
    "convnext of nothing": (lambda: m.ConvNeXt([]), ValueError, "is empty; give a CNBlockConfig"),
    "convnext of numbers": (lambda: m.ConvNeXt([1]), TypeError, "give a list of CNBlockConfig"),
    "patches": (lambda: m.VisionTransformer(33, 8, 1, 2, 8, 8), AssertionError, "image_size=33 is no multiple of patch_size=8"),
    "windows": (lambda: m.swin_transformer.ShiftedWindowAttention(8, [7], [0, 0], 2), ValueError, "give two numbers each"),
    "windows of maxvit": (lambda: m.MaxVit((32, 32), 8, 7, [8], [1], 4, 0.1), ValueError, "block 0 works on 8 x 8 pixels"),
    "heads of maxvit": (lambda: m.maxvit.RelativePositionalMultiHeadAttention(8, 3, 4), ValueError, "no multiple of head_dim=3"),
    "kind of attention": (lambda: m.maxvit.PartitionAttentionLayer(8, 4, 2, "x", (4, 4), 4, nn.GELU, nn.LayerNorm, 0, 0, 0),
                          ValueError, "neither 'grid' nor 'window'"),
    "layers of a block": (lambda: m.maxvit.MaxVitBlock(4, 8, 0.25, 4, nn.BatchNorm2d, nn.GELU, 4, 4, 0.0, 0.0, 2, (8, 8), 2, [0.0]),
                          ValueError, "each of the 2 layers"),
    "size of lenet": (lambda: m.LeNet(image_size=30), ValueError, "image_size=30"),
}
VIT = {"image_size": 16, "patch_size": 8, "num_layers": 1, "num_heads": 2, "hidden_dim": 4, "mlp_dim": 8, "num_classes": 3}
IMAGES = {
    "vit of another size": (lambda: m.VisionTransformer(**VIT), (1, 3, 24, 16), AssertionError, "16 x 16, but 24 x 16 was given"),
    "vit of one image": (lambda: m.VisionTransformer(**VIT), (3, 16, 16), ValueError, r"images are \(N, 3, H, W\)"),
    "an encoder": (lambda: m.vision_transformer.Encoder(3, 1, 2, 4, 8, 0.0, 0.0), (3, 4), AssertionError,
                   r"\(batch, length, hidden_dim\)"),
    "maxvit of another size": (lambda: m.MaxVit((16, 16), 8, 2, [8], [1], 4, 0.0), (1, 3, 32, 32), RuntimeError, "with input_size"),
    "windows that do not fit": (lambda: m.maxvit.SwapAxes(0, 5), (1, 2), IndexError, "5"),
    "images of another depth": (lambda: m.lenet5(), (1, 3, 28, 28), RuntimeError, "to have 1 channels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_arguments_are_refused(name):
    make, kind, message = REFUSED[name]
    with ct.device("meta"), pytest.raises(kind, match=message):
        make()


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_refused(name):
    make, shape, kind, message = IMAGES[name]
    with ct.device("meta"):
        model = make()
        with pytest.raises(kind, match=message):
            model(ct.empty(shape))


def test_windows_of_another_size_are_refused():
    with pytest.raises(RuntimeError, match="5 x 4 cannot be cut into windows of 2 x 2"):
        m.maxvit.WindowPartition()(ct.empty(1, 2, 5, 4, device="meta"), 2)
