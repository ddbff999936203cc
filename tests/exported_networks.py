"""Small networks of every kind, for tests of models that leave Python."""

import functools

import cltensor as ct
from cltensor import nn
from cltensor.nn import functional as F
from cltensor.vision import models


class UNet(nn.Module):
    """Two levels, one raised by a transposed convolution and one by interpolation."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = _block(3, 8), _block(8, 16), _block(16, 16)
        self.raised, self.fourth = nn.ConvTranspose2d(16, 16, 2, 2), _block(32, 8)
        self.resized, self.last = nn.Upsample(scale_factor=2, mode="bilinear"), nn.Sequential(_block(16, 8), nn.Conv2d(8, 2, 1))
        self.pooled = nn.MaxPool2d(2)

    def forward(self, x):
        first = self.first(x)
        second = self.second(self.pooled(first))
        third = self.third(self.pooled(second))
        fourth = self.fourth(ct.cat([self.raised(third), second], 1))
        return self.last(ct.cat([self.resized(fourth), first], 1))


def _block(inside, outside):
    return nn.Sequential(nn.Conv2d(inside, outside, 3, padding=1), nn.BatchNorm2d(outside), nn.ReLU())


class Recurrent(nn.Module):
    """A recurrent layer of two directions, its last outputs and its states."""

    def __init__(self, kind):
        super().__init__()
        self.layer, self.head = getattr(nn, kind)(6, 8, num_layers=2, batch_first=True, bidirectional=True), nn.Linear(16, 3)

    def forward(self, x):
        y, state = self.layer(x)
        return self.head(y[:, -1]), *(state if isinstance(state, tuple) else (state,))


class GPT(nn.Module):
    """Tokens to scores by causal attention, with the embedding's weight for both."""

    def __init__(self, words=50, width=32, heads=4, layers=2, longest=64):
        super().__init__()
        self.words, self.places, self.heads = nn.Embedding(words, width), nn.Embedding(longest, width), heads
        self.layers = nn.ModuleList([nn.ModuleDict({
            "before": nn.LayerNorm(width), "qkv": nn.Linear(width, 3 * width), "out": nn.Linear(width, width),
            "after": nn.LayerNorm(width),
            "mlp": nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))}) for _ in range(layers)])
        self.last = nn.LayerNorm(width)

    def forward(self, ids):
        batch, steps = ids.shape
        x = self.words(ids) + self.places(ct.arange(steps))
        for layer in self.layers:
            parts = layer["qkv"](layer["before"](x)).chunk(3, -1)
            heads = [part.view(batch, steps, self.heads, -1).transpose(1, 2) for part in parts]
            attended = F.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).reshape(batch, steps, -1)
            x = x + layer["out"](attended)
            x = x + layer["mlp"](layer["after"](x))
        return self.last(x) @ self.words.weight.T


class VAE(nn.Module):
    """A variational autoencoder; evaluated, it decodes the mean."""

    def __init__(self):
        super().__init__()
        self.encoder, self.mean, self.spread = nn.Linear(20, 16), nn.Linear(16, 4), nn.Linear(16, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 16), nn.ELU(), nn.Linear(16, 20), nn.Sigmoid())

    def forward(self, x):
        hidden = F.silu(self.encoder(x))
        mean, spread = self.mean(hidden), self.spread(hidden)
        z = mean + ct.randn_like(mean) * (0.5 * spread).exp() if self.training else mean
        return self.decoder(z), mean, spread


class Normalised(nn.Module):
    """Groups, instances, reflections, shuffled pixels, averages over windows, the largest and where they are."""

    def __init__(self):
        super().__init__()
        self.convolution, self.groups = nn.Conv2d(4, 8, 3, groups=2), nn.GroupNorm(2, 8)
        self.instances, self.slopes, self.shuffle = nn.InstanceNorm2d(8, affine=True), nn.PReLU(8), nn.PixelShuffle(2)
        self.windows = nn.AdaptiveAvgPool2d((3, 2))

    def forward(self, x):
        x = self.slopes(self.instances(F.mish(self.groups(self.convolution(x)))))
        x = self.shuffle(F.pad(x, (1, 2, 0, 1), mode="reflect"))
        return F.softplus(self.windows(x)).flatten(1), F.log_softmax(x, 1), x.amax((2, 3)), x.flatten(1).topk(3).indices


class SqueezeExcite(nn.Module):
    """Channels weighed by what all pixels say."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.SiLU())
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.Hardswish(), nn.Conv2d(2, 8, 1),
                                     nn.Hardsigmoid())
        self.last = nn.Linear(8, 4)

    def forward(self, x):
        x = self.first(x)
        return self.last((x * self.squeeze(x)).mean((2, 3)))


def _pictures(size=32, channels=3):
    return lambda: ct.rand(2, channels, size, size)


def _mlp():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3), nn.Softmax(-1))


def _cnn():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5))


def _resnet():
    return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=5, width_per_group=64)


def _vit():
    return models.VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=4, hidden_dim=32, mlp_dim=64,
                                    num_classes=5)


def _convnext():
    settings = [models.convnext.CNBlockConfig(8, 16, 1), models.convnext.CNBlockConfig(16, None, 1)]
    return models.ConvNeXt(settings, num_classes=5)


def _encoder():
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 2)


def _sequences():
    return ct.randn(2, 5, 6)


BATCH, SEQUENCE = {0: "batch"}, {0: "batch", 1: "steps"}
#: {name: (a function that makes it, one that makes an argument, the dynamic axes of that)}
NETWORKS = {
    "mlp": (_mlp, lambda: ct.randn(2, 6), BATCH),
    "cnn": (_cnn, _pictures(8, 1), BATCH),
    "resnet": (_resnet, _pictures(), BATCH),
    "mobilenet_v2": (lambda: models.mobilenet_v2(num_classes=5, width_mult=0.25), _pictures(), BATCH),
    "shufflenet": (lambda: models.ShuffleNetV2([1, 1, 1], [8, 16, 16, 16, 32], num_classes=5), _pictures(), BATCH),
    "convnext": (_convnext, _pictures(), BATCH),
    "squeeze_excite": (SqueezeExcite, _pictures(), {0: "batch", 2: "height", 3: "width"}),
    "unet": (UNet, _pictures(16), {0: "batch", 2: "height", 3: "width"}),
    "normalised": (Normalised, lambda: ct.randn(2, 4, 9, 9), BATCH),
    "vit": (_vit, _pictures(), BATCH),
    "lstm": (functools.partial(Recurrent, "LSTM"), _sequences, SEQUENCE),
    "gru": (functools.partial(Recurrent, "GRU"), _sequences, SEQUENCE),
    "rnn": (functools.partial(Recurrent, "RNN"), _sequences, SEQUENCE),
    "encoder": (_encoder, lambda: ct.randn(2, 5, 16), SEQUENCE),
    "gpt": (GPT, lambda: ct.randint(0, 50, (2, 7)), SEQUENCE),
    "vae": (VAE, lambda: ct.rand(3, 20), BATCH),
}
#: larger ones, of torchvision's
LARGE = {
    "resnet18": (lambda: models.resnet18(num_classes=5), _pictures(64), BATCH),
    "efficientnet_b0": (lambda: models.efficientnet_b0(num_classes=5), _pictures(64), BATCH),
    "mobilenet_v3_small": (lambda: models.mobilenet_v3_small(num_classes=5), _pictures(64), BATCH),
    "densenet121": (lambda: models.densenet121(num_classes=5), _pictures(64), BATCH),
    "regnet_y_400mf": (lambda: models.regnet_y_400mf(num_classes=5), _pictures(64), BATCH),
    "swin_t": (lambda: models.swin_t(num_classes=5), _pictures(64), BATCH),
    "lraspp": (lambda: models.segmentation.lraspp_mobilenet_v3_large(num_classes=4, weights_backbone=None), _pictures(64), BATCH),
}
