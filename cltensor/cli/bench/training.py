"""Whole training steps, and inference of one input: models written once for both libraries."""

import math

from .case import Case

CLASSES, TOKENS = 10, 64
LAYERS, HEADS = 4, 4  # of the GPT


def training(model, target=None):
    """A setup whose action is a training step (forward, backward, SGD with momentum) of model(nn).

    target: (library, x) -> class numbers; by default one of ten classes per row.
    """

    def setup(xp, x):
        net = model(xp.nn).to(x.device, x.dtype)
        optimizer = xp.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
        labels = (target or _classes)(xp, x)

        def action():
            scores = net(x)
            loss = xp.nn.functional.cross_entropy(scores.reshape(-1, scores.shape[-1]), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return action

    return setup


def inference(model):
    """A setup whose action is model(nn) in eval mode, of the same parameters in both libraries."""

    def setup(xp, x):
        net = _evaluated(xp, model(xp.nn), x)

        def action():
            with xp.no_grad():
                return net(x)

        return action

    return setup


def generation(xp, x):
    """A setup whose action is one more token of the GPT: keys and values are kept, for as many tokens as x is long."""
    n, length, width = x.shape
    net, table = (_evaluated(xp, m, x) for m in (_gpt(xp.nn), xp.nn.Embedding(TOKENS, width)))
    size = n, HEADS, length, width // HEADS
    kept = [[xp.zeros(size, dtype=x.dtype, device=x.device) for _ in range(2)] for _ in range(LAYERS)]
    said, places = x[:, :1].clone(), xp.arange(length, device=x.device)
    at = places[:1].clone()

    def action():
        with xp.no_grad():
            y, mask = said, (places <= at).reshape(1, -1)
            for block, cache in zip(net[:LAYERS], kept, strict=True):
                y = block(y, cache, at, mask)
            scores = net[LAYERS:](y)
            said.copy_(table(scores.argmax(-1)))
            at.copy_((at + 1) % length)
            return scores

    return action


def _evaluated(xp, net, x):
    """A module in eval mode, of the same parameters in both libraries, where x is."""
    net = net.to(x.device, x.dtype).eval()
    with xp.no_grad():
        for p in net.parameters():
            p.copy_(_settled(xp, p))
    return net


def _settled(xp, p):
    """Values for a parameter without chance: of the size that keeps sums over its inputs small."""
    steps = xp.arange(p.numel(), device=p.device) * 7919 % 201
    return ((steps.reshape(p.shape) - 100) / (100 * math.sqrt(p.numel() / len(p)))).to(p.dtype)


def _classes(xp, x):
    return xp.arange(len(x), device=x.device) % CLASSES


def _mlp(nn):
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, CLASSES))


def _cnn(nn):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, CLASSES))


def _resnet18(nn):
    """The residual network of 18 layers.  Source: He et al. 2015, table 1."""

    class Block(nn.Module):
        def __init__(self, inside, outside, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(),
                nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside))
            self.short = nn.Identity() if inside == outside else nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))

        def forward(self, x):
            return nn.functional.relu(self.body(x) + self.short(x))

    blocks = [Block(a, b, s) for a, b, s in ((64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2),
                                             (256, 256, 1), (256, 512, 2), (512, 512, 1))]
    return nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1), *blocks,
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, CLASSES))


def _lstm(nn):
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.recurrent, self.scores = nn.LSTM(128, 128), nn.Linear(128, CLASSES)

        def forward(self, x):
            return self.scores(self.recurrent(x)[0][-1])

    return Last()


def _gpt(nn):
    """Blocks of causal self-attention and a perceptron, normalised before each; a block may keep keys and values.

    Source: Radford et al. 2019.
    """
    width = 128

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
            self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x, kept=None, at=None, mask=None):
            n, t, _ = x.shape
            q, k, v = (p.reshape(n, t, HEADS, -1).transpose(1, 2) for p in self.mix(self.before(x)).chunk(3, -1))
            if kept is not None:
                k, v = (old.index_copy_(2, at, new) for old, new in zip(kept, (k, v), strict=True))
            attended = nn.functional.scaled_dot_product_attention(q, k, v, mask, is_causal=kept is None)
            x = x + self.out(attended.transpose(1, 2).reshape(n, t, width))
            return x + self.perceptron(self.between(x))

    return nn.Sequential(*(Block() for _ in range(LAYERS)), nn.LayerNorm(width), nn.Linear(width, TOKENS))


def _tokens(xp, x):
    return xp.arange(x.shape[0] * x.shape[1], device=x.device) % TOKENS


def _lstm_classes(xp, x):
    return xp.arange(x.shape[1], device=x.device) % CLASSES


INFERENCE = (
    Case("MLP 784-512-256-10", "BATCH", ((1,),), lambda n: ((n, 784),), inference(_mlp)),
    Case("CNN 28x28", "BATCH", ((1,),), lambda n: ((n, 1, 28, 28),), inference(_cnn)),
    Case("ResNet-18", "BATCHxSIDE", ((1, 64),), lambda n, h: ((n, 3, h, h),), inference(_resnet18)),
    Case("LSTM 128", "STEPSxBATCH", ((32, 1),), lambda t, n: ((t, n, 128),), inference(_lstm)),
    Case("GPT, 4 layers of 128", "BATCHxTOKENS", ((1, 64),), lambda n, t: ((n, t, 128),), inference(_gpt)),
    Case("generate, a token of the GPT", "BATCHxTOKENS", ((1, 256),), lambda n, t: ((n, t, 128),), generation),
)

STEPS = (
    Case("MLP 784-512-256-10", "BATCH", ((64,),), lambda n: ((n, 784),), training(_mlp)),
    Case("CNN 28x28", "BATCH", ((64,),), lambda n: ((n, 1, 28, 28),), training(_cnn)),
    Case("ResNet-18", "BATCHxSIDE", ((8, 64),), lambda n, h: ((n, 3, h, h),), training(_resnet18)),
    Case("LSTM 128", "STEPSxBATCH", ((32, 32),), lambda t, n: ((t, n, 128),), training(_lstm, _lstm_classes)),
    Case("GPT, 4 layers of 128", "BATCHxTOKENS", ((8, 64),), lambda n, t: ((n, t, 128),), training(_gpt, _tokens)),
)
