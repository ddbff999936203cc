"""Training programs at tiny sizes, and the steps that train them, in float32 or under autocast."""

import contextlib
from dataclasses import dataclass, field

import numpy as np

import cltensor as ct
from cltensor import amp, nn, optim

F = nn.functional


def draws(step, *shapes):
    rng = np.random.default_rng(step)
    return [ct.tensor(rng.standard_normal(s, dtype=np.float32)) for s in shapes]


def classes(step, n, most):
    return ct.tensor(np.random.default_rng(step + 1000).integers(0, most, n))


def numbers(result):
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else (result,)
    return [n for p in parts for n in (numbers(p) if isinstance(p, (dict, tuple)) else [p.item()])]


@dataclass
class Program:
    """A model, its training step, and the arguments of the step for a number; whatever else the step changes."""

    net: nn.Module
    step: object
    batch: object
    optimizers: list = field(default_factory=list)
    scaler: amp.GradScaler | None = None


def precision(dtype):
    """The region of a forward pass in a dtype; float32 needs none."""
    return contextlib.nullcontext() if dtype is None else amp.autocast("cuda", dtype=dtype)


def scaler_for(dtype):
    """The GradScaler of float16; it grows, and its first scale is soon too large."""
    return amp.GradScaler(init_scale=2.0**14, growth_interval=5) if dtype is ct.float16 else None


def trained(net, opt, loss_of, batch, dtype=None, clip=None, schedule=None, after=None):
    """The Program of an ordinary step.  loss_of: (*batch) -> the loss; clip: norm of the gradients; after: called at the end."""
    scaler = scaler_for(dtype)

    def step(*args):
        opt.zero_grad()
        with precision(dtype):
            loss = loss_of(*args)
        if scaler is None:
            loss.backward()
        else:
            scaler.scale(loss).backward()
            if clip is not None:
                scaler.unscale_(opt)
        if clip is not None:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        if scaler is None:
            opt.step()
        else:
            scaler.step(opt)
            scaler.update()
        if schedule is not None:
            schedule.step()
        if after is not None:
            after()
        return loss

    return Program(net, step, batch, [opt], scaler)


def mlp(dtype=None):
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    return trained(net, opt, lambda x, y: F.cross_entropy(net(x), y), lambda i: (*draws(i, (5, 6)), classes(i, 5, 3)), dtype,
                   clip=0.5, schedule=optim.lr_scheduler.StepLR(opt, 20, 0.5))


def cnn(dtype=None):
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3),
                        nn.Flatten(), nn.Linear(16, 3))
    opt = optim.Adam(net.parameters(), lr=1e-2)
    return trained(net, opt, lambda x, y: F.cross_entropy(net(x), y, label_smoothing=0.1),
                   lambda i: (*draws(i, (4, 1, 4, 4)), classes(i, 4, 3)), dtype)


class Block(nn.Module):
    """Two convolutions beside a shortcut.  Source: He et al. 2015."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.path = nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(),
                                  nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after))
        self.short = nn.Identity() if before == after else nn.Sequential(
            nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        return (self.path(x) + self.short(x)).relu()


def resnet(dtype=None):
    net = nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), Block(4, 4, 1),
                        Block(4, 6, 2), Block(6, 6, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))
    opt = optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    return trained(net, opt, lambda x, y: F.cross_entropy(net(x), y), lambda i: (*draws(i, (2, 3, 8, 8)), classes(i, 2, 3)), dtype,
                   schedule=optim.lr_scheduler.OneCycleLR(opt, 0.02, 60))


class Reader(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.embed, self.cells, self.head = nn.Embedding(7, 5), kind(5, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.cells(self.embed(x))[0][:, -1])


def recurrent(kind, dtype=None):
    net = Reader(kind)
    return trained(net, optim.RMSprop(net.parameters(), lr=1e-2), lambda x, y: F.cross_entropy(net(x), y),
                   lambda i: (classes(i, (3, 4), 7), classes(i + 7, 3, 3)), dtype)


def lstm(dtype=None):
    return recurrent(nn.LSTM, dtype)


def gru(dtype=None):
    return recurrent(nn.GRU, dtype)


class GPT(nn.Module):
    """Blocks of causal attention and a perceptron, normalised before each; attention may keep keys and values for generation.

    Source: Radford et al. 2019.
    """

    class Block(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads, self.before, self.between = heads, nn.LayerNorm(width), nn.LayerNorm(width)
            self.mix, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)  # keys' biases do nothing
            self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

        def forward(self, x, cache=None, at=None):
            n, t, width = x.shape
            q, k, v = (p.reshape(n, t, self.heads, -1).transpose(1, 2) for p in self.mix(self.before(x)).chunk(3, -1))
            mask = None
            if cache is not None:
                k, v = (kept.index_copy_(2, at, new) for kept, new in zip(cache, (k, v), strict=True))
                mask = (ct.arange(k.shape[2]) <= at).reshape(1, -1)
            attended = F.scaled_dot_product_attention(q, k, v, mask, is_causal=cache is None)
            x = x + self.out(attended.transpose(1, 2).reshape(n, t, width))
            return x + self.perceptron(self.between(x))

    def __init__(self, tokens=11, width=8, heads=2, longest=6, layers=2):
        super().__init__()
        self.tokens, self.places = nn.Embedding(tokens, width), nn.Embedding(longest, width)
        self.blocks = nn.ModuleList([self.Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens, bias=False)
        self.head.weight = self.tokens.weight
        self.shape = heads, longest, width // heads

    def forward(self, x, caches=None, at=None):
        x = self.tokens(x) + self.places(ct.arange(x.shape[1]) if at is None else at)
        for i, block in enumerate(self.blocks):
            x = block(x) if caches is None else block(x, caches[i], at)
        return self.head(self.norm(x))

    def caches(self, n):
        """An empty cache for n sequences: keys and values of each block."""
        return [tuple(ct.zeros(n, *self.shape) for _ in range(2)) for _ in self.blocks]


def gpt(dtype=None):
    net = GPT()
    opt = optim.AdamW(net.parameters(), lr=ct.tensor(3e-3), weight_decay=0.1)
    return trained(net, opt, lambda x: F.cross_entropy(net(x[:, :-1]).flatten(0, 1), x[:, 1:].flatten()),
                   lambda i: (classes(i, (2, 6), 11),), dtype, clip=1.0,
                   schedule=optim.lr_scheduler.CosineAnnealingLR(opt, 50))


def transformer(dtype=None):
    net = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True), nn.Linear(8, 4))
    opt = optim.SGD(net.parameters(), lr=1e-2, momentum=0.9)  # Adam would make much of the gradients of keys' biases, which are 0
    return trained(net, opt, lambda x, y: F.mse_loss(net(x), y), lambda i: draws(i, (2, 5, 8), (2, 5, 4)), dtype)


class VAE(nn.Module):
    """An encoder to a mean and a variance, a draw, a decoder.  Source: Kingma and Welling 2014."""

    def __init__(self):
        super().__init__()
        self.down, self.up = nn.Linear(6, 4), nn.Linear(2, 6)

    def forward(self, x):
        mean, logvar = self.down(x).chunk(2, -1)
        return self.up(mean + ct.randn_like(mean) * (0.5 * logvar).exp()), mean, logvar


def vae(dtype=None):
    net = VAE()

    def loss_of(x):
        made, mean, logvar = net(x)
        return F.mse_loss(made, x) - 0.5 * (1 + logvar - mean * mean - logvar.exp()).mean()

    return trained(net, optim.Adam(net.parameters(), lr=1e-2), loss_of, lambda i: draws(i, (4, 6)), dtype)


def gan(dtype=None):
    maker, judge = nn.Sequential(nn.Linear(3, 6), nn.Tanh()), nn.Sequential(nn.Linear(6, 1))
    first, second = optim.Adam(maker.parameters(), lr=1e-2), optim.SGD(judge.parameters(), lr=1e-2)

    def step(real):
        with precision(dtype):
            made = maker(ct.randn(4, 3))
            loss = F.softplus(-judge(real)).mean() + F.softplus(judge(made.detach())).mean()
        second.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(judge.parameters(), 0.1)
        second.step()
        first.zero_grad()
        with precision(dtype):
            other = F.softplus(-judge(made)).mean()
        other.backward()
        first.step()
        return loss, {"maker": other}

    return Program(nn.ModuleList([maker, judge]), step, lambda i: draws(i, (4, 6)), [first, second])


class UNet(nn.Module):
    """Down, up again, and a shortcut between.  Source: Ronneberger et al. 2015."""

    def __init__(self):
        super().__init__()
        self.top = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.SiLU())
        self.down = nn.Sequential(nn.Conv2d(4, 6, 3, 2, 1), nn.GroupNorm(2, 6), nn.SiLU())
        self.up, self.last = nn.ConvTranspose2d(6, 4, 2, 2), nn.Conv2d(8, 1, 1)

    def forward(self, x):
        top = self.top(x)
        return self.last(ct.cat([top, self.up(self.down(top))], 1))


def unet(dtype=None):
    net = UNet()
    mean = optim.swa_utils.AveragedModel(net, multi_avg_fn=optim.swa_utils.get_ema_multi_avg_fn(0.9))
    program = trained(net, optim.Adam(net.parameters(), lr=1e-2), lambda x: F.mse_loss(net(x), x * 0.5),
                      lambda i: draws(i, (2, 1, 4, 4)), dtype, after=lambda: mean.update_parameters(net))
    return Program(nn.ModuleList([net, mean]), program.step, program.batch, program.optimizers)


def averaged(dtype=None):
    net, mean = nn.Linear(4, 2), nn.Linear(4, 2)
    mean.load_state_dict(net.state_dict())
    opt = optim.SGD(net.parameters(), lr=0.1)

    def step(x, y):
        with precision(dtype):
            loss = F.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        opt.zero_grad(set_to_none=False)
        with ct.no_grad():
            for p, q in zip(mean.parameters(), net.parameters(), strict=True):
                p.lerp_(q, 0.1)
        return loss

    return Program(nn.ModuleList([net, mean]), step, lambda i: draws(i, (3, 4), (3, 2)), [opt])


def swa(dtype=None):
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    mean, opt = optim.swa_utils.AveragedModel(net), optim.SGD(net.parameters(), lr=0.1)
    program = trained(net, opt, lambda x, y: F.mse_loss(net(x), y), lambda i: draws(i, (3, 4), (3, 2)), dtype,
                      schedule=optim.swa_utils.SWALR(opt, 0.05, 10), after=lambda: mean.update_parameters(net))
    return Program(nn.ModuleList([net, mean]), program.step, program.batch, [opt])


def accumulating(dtype=None):
    net = nn.Linear(4, 2)
    opt = optim.Adagrad(net.parameters(), lr=0.1)

    def step(x, y):
        for part in range(2):
            with precision(dtype):
                loss = F.mse_loss(net(x[part::2]), y[part::2])
            loss.backward()
        opt.step()
        opt.zero_grad()
        return net(x).detach().sum()

    return Program(net, step, lambda i: draws(i, (4, 4), (4, 2)), [opt])


def accumulating_over_calls(dtype=None):
    net = nn.Linear(4, 2)
    opt, scaler = optim.Adam(net.parameters(), lr=0.1), scaler_for(dtype)

    def step(last, x, y):
        with precision(dtype):
            loss = F.mse_loss(net(x), y)
        loss.backward() if scaler is None else scaler.scale(loss).backward()
        if last:
            if scaler is None:
                opt.step()
            else:
                scaler.step(opt)
                scaler.update()
            opt.zero_grad()
        return loss

    return Program(net, step, lambda i: (i % 3 == 2, *draws(i, (4, 4), (4, 2))), [opt], scaler)


STEPS = {f.__name__: f for f in (mlp, cnn, resnet, lstm, gru, gpt, transformer, vae, gan, unet, averaged, swa, accumulating,
                                 accumulating_over_calls)}
