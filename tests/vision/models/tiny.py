"""Small members of each family, made by arguments that torchvision's constructors take as well; m is either library's models.

WHOLE has models that take images, PARTS blocks, with the channels and the size of what they take.
"""

import importlib

import numpy as np


def _googlenet(m):
    """The module, whose name in the package is the function's."""
    return importlib.import_module(f"{m.__name__}.googlenet")


WHOLE = {
    "squeezenet": (32, lambda m, nn: m.SqueezeNet("1_1", num_classes=3, dropout=0.0)),
    "resnet": (32, lambda m, nn: m.ResNet(m.resnet.BasicBlock, [1, 1, 1, 1], num_classes=3)),
    "mobilenet_v2": (32, lambda m, nn: m.MobileNetV2(3, 0.25, [[1, 16, 1, 1], [2, 24, 2, 2]], dropout=0.0)),
    "mobilenet_v3": (32, lambda m, nn: m.MobileNetV3(
        [m.mobilenetv3.InvertedResidualConfig(*row, 0.5) for row in (
            (16, 3, 16, 16, True, "RE", 2, 1), (16, 5, 48, 16, False, "HS", 1, 1), (16, 3, 32, 24, True, "HS", 2, 2))],
        16, num_classes=3, dropout=0.0)),
    "densenet": (64, lambda m, nn: m.DenseNet(4, (1, 2, 1, 1), 8, bn_size=2, num_classes=3)),
    "efficientnet": (16, lambda m, nn: m.EfficientNet(
        [m.efficientnet.FusedMBConvConfig(1, 3, 1, 8, 8, 2), m.efficientnet.FusedMBConvConfig(2, 3, 2, 8, 8, 1),
         m.efficientnet.MBConvConfig(2, 5, 1, 8, 16, 2)], 0.0, 0.0, num_classes=3)),
    "regnet": (16, lambda m, nn: m.RegNet(
        m.regnet.BlockParams([1, 2], [8, 16], [4, 8], [1.0, 0.5], [2, 2], 0.25), num_classes=3, stem_width=8)),
    "shufflenet": (64, lambda m, nn: m.ShuffleNetV2([1, 2, 1], [8, 8, 16, 16, 16], num_classes=3)),
    "mnasnet": (64, lambda m, nn: m.MNASNet(0.1, num_classes=3, dropout=0.0)),
    "convnext": (16, lambda m, nn: m.ConvNeXt(
        [m.convnext.CNBlockConfig(4, 8, 2), m.convnext.CNBlockConfig(8, None, 1)], num_classes=3, layer_scale=0.5)),
    "vit": (16, lambda m, nn: m.VisionTransformer(16, 8, 2, 2, 8, 16, num_classes=3, representation_size=6)),
    "vit with a stem": (16, lambda m, nn: m.VisionTransformer(
        16, 8, 1, 2, 8, 16, num_classes=3,
        conv_stem_configs=[m.vision_transformer.ConvStemConfig(4, 3, 4), m.vision_transformer.ConvStemConfig(4, 3, 2)])),
    "swin": (26, lambda m, nn: m.SwinTransformer([2, 2], 8, [2, 1], [2, 4], [4, 3], stochastic_depth_prob=0.0, num_classes=3)),
    "swin v2": (26, lambda m, nn: m.SwinTransformer(
        [2, 2], 8, [2, 1], [2, 4], [4, 4], stochastic_depth_prob=0.0, num_classes=3,
        block=m.swin_transformer.SwinTransformerBlockV2, downsample_layer=m.swin_transformer.PatchMergingV2)),
    "maxvit": (32, lambda m, nn: m.MaxVit((32, 32), 8, 2, [8, 16], [1, 2], 4, 0.0, num_classes=3)),
}
PARTS = {
    "alexnet": ((3, 64), lambda m, nn: m.AlexNet(num_classes=3).features),
    "vgg": ((3, 16), lambda m, nn: m.vgg.make_layers([8, "M", 16, "M"])),
    "vgg with norms": ((3, 16), lambda m, nn: m.vgg.make_layers([8, "M", 16, "M"], True)),
    "basic block": ((8, 8), lambda m, nn: m.resnet.BasicBlock(8, 8)),
    "bottleneck": ((16, 8), lambda m, nn: m.resnet.Bottleneck(
        16, 4, 2, nn.Sequential(m.resnet.conv1x1(16, 16, 2), nn.BatchNorm2d(16)), groups=2, base_width=128, dilation=2)),
    "inception a": ((8, 6), lambda m, nn: m.inception.InceptionA(8, 16)),
    "inception b": ((8, 7), lambda m, nn: m.inception.InceptionB(8)),
    "inception c": ((8, 8), lambda m, nn: m.inception.InceptionC(8, 16)),
    "inception d": ((8, 7), lambda m, nn: m.inception.InceptionD(8)),
    "inception e": ((8, 4), lambda m, nn: m.inception.InceptionE(8)),
    "inception's head": ((8, 17), lambda m, nn: m.inception.InceptionAux(8, 3)),
    "googlenet": ((8, 6), lambda m, nn: _googlenet(m).Inception(8, 4, 4, 8, 4, 8, 4)),
    "googlenet's head": ((8, 5), lambda m, nn: _googlenet(m).InceptionAux(8, 3, dropout=0.0)),
}
# The last layers of this one are large, and see images of one pixel, which batch normalisation in training makes chaotic.
EVALUATED = {"resnet"}
CASES = {**{name: ((3, size), make) for name, (size, make) in WHOLE.items()}, **PARTS}
MODES = [(name, mode) for name in CASES for mode in ("eval", "train") if mode == "eval" or name not in EVALUATED]


def values(name, shape, number):
    """The value of a parameter or buffer: the same in both libraries, of a size that keeps activations near 1."""
    drawn = np.random.RandomState(number).standard_normal(shape)
    if name.endswith("running_var"):
        return 0.5 + drawn**2
    if len(shape) < 2:
        return 0.1 * drawn + (name.endswith("weight") and 1)
    fan = int(np.prod(shape[1:]))
    return drawn / np.sqrt(fan)


def is_drawn(name):
    """Whether an entry of a state_dict is drawn by `values`; indices, offsets and counts stay."""
    return not name.endswith(("relative_position_index", "relative_coords_table", "num_batches_tracked", "logit_scale"))


def images(channels, size):
    """Two images."""
    return np.random.RandomState(99).standard_normal((2, channels, size, size))


def directions(shapes):
    """One array for each shape, to multiply with and sum: a number that every element of an array counts in."""
    return [np.random.RandomState(1000 + i).standard_normal(shape) for i, shape in enumerate(shapes)]
