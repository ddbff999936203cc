"""Whole training steps, compiled: losses and parameters as in eager mode, step by step."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.compiler import CompiledModule, compile

pytestmark = [pytest.mark.device, pytest.mark.any_style]
F = nn.functional


def draws(step, *shapes):
    rng = np.random.default_rng(step)
    return [ct.tensor(rng.standard_normal(s, dtype=np.float32)) for s in shapes]


def classes(step, n, most):
    return ct.tensor(np.random.default_rng(step + 1000).integers(0, most, n))


def mlp():
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    schedule = optim.lr_scheduler.StepLR(opt, 2, 0.5)

    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        opt.step()
        schedule.step()
        return loss

    return net, step, lambda i: (*draws(i, (5, 6)), classes(i, 5, 3))


def cnn():
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.3),
                        nn.Flatten(), nn.Linear(16, 3))
    opt = optim.Adam(net.parameters(), lr=1e-2)

    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y, label_smoothing=0.1)
        loss.backward()
        opt.step()
        return loss

    return net, step, lambda i: (*draws(i, (4, 1, 4, 4)), classes(i, 4, 3))


class Reader(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.embed, self.cells, self.head = nn.Embedding(7, 5), kind(5, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.cells(self.embed(x))[0][:, -1])


def recurrent(kind):
    net = Reader(kind)
    opt = optim.RMSprop(net.parameters(), lr=1e-2)

    def step(x, y):
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        return loss

    return net, step, lambda i: (classes(i, (3, 4), 7), classes(i + 7, 3, 3))


def transformer():
    net = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True), nn.Linear(8, 4))
    opt = optim.AdamW(net.parameters(), lr=1e-3)

    def step(x, y):
        opt.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        return loss

    return net, step, lambda i: draws(i, (2, 5, 8), (2, 5, 4))


def vae():
    down, up = nn.Linear(6, 4), nn.Linear(2, 6)
    net = nn.ModuleList([down, up])
    opt = optim.Adam(net.parameters(), lr=1e-2)

    def step(x):
        mean, logvar = down(x).chunk(2, -1)
        z = mean + ct.randn_like(mean) * (0.5 * logvar).exp()
        loss = F.mse_loss(up(z), x) - 0.5 * (1 + logvar - mean * mean - logvar.exp()).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    return net, step, lambda i: draws(i, (4, 6))


def gan():
    maker, judge = nn.Sequential(nn.Linear(3, 6), nn.Tanh()), nn.Sequential(nn.Linear(6, 1))
    first, second = optim.Adam(maker.parameters(), lr=1e-2), optim.SGD(judge.parameters(), lr=1e-2)

    def step(real):
        made = maker(ct.randn(4, 3))
        second.zero_grad()
        loss = F.softplus(-judge(real)).mean() + F.softplus(judge(made.detach())).mean()
        loss.backward()
        second.step()
        first.zero_grad()
        other = F.softplus(-judge(made)).mean()
        other.backward()
        first.step()
        return loss, {"maker": other}

    return nn.ModuleList([maker, judge]), step, lambda i: draws(i, (4, 6))


def averaged():
    net, mean = nn.Linear(4, 2), nn.Linear(4, 2)
    mean.load_state_dict(net.state_dict())
    opt = optim.SGD(net.parameters(), lr=0.1)

    def step(x, y):
        loss = F.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        opt.zero_grad(set_to_none=False)
        with ct.no_grad():
            for p, q in zip(mean.parameters(), net.parameters(), strict=True):
                p.lerp_(q, 0.1)
        return loss

    return nn.ModuleList([net, mean]), step, lambda i: draws(i, (3, 4), (3, 2))


def accumulating():
    net = nn.Linear(4, 2)
    opt = optim.Adagrad(net.parameters(), lr=0.1)

    def step(x, y):
        for part in range(2):
            F.mse_loss(net(x[part::2]), y[part::2]).backward()
        opt.step()
        opt.zero_grad()
        return net(x).detach().sum()

    return net, step, lambda i: draws(i, (4, 4), (4, 2))


STEPS = {"mlp": mlp, "cnn": cnn, "lstm": lambda: recurrent(nn.LSTM), "gru": lambda: recurrent(nn.GRU), "transformer": transformer,
         "vae": vae, "gan": gan, "averaged": averaged, "accumulating": accumulating}


def numbers(result):
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else (result,)
    return [n for p in parts for n in (numbers(p) if isinstance(p, (dict, tuple)) else [p.item()])]


@pytest.mark.parametrize("name", STEPS)
def test_a_compiled_step_is_the_eager_one(name):
    runs = []
    for wrap in (lambda f: f, compile):
        ct.manual_seed(1)
        net, step, batch = STEPS[name]()
        step, losses = wrap(step), []
        for i in range(8):
            losses.append(numbers(step(*batch(i))))
        grads = [p.grad for p in net.parameters()]
        state = [t.numpy() for t in net.state_dict().values()]
        runs.append((losses, state, [g is None for g in grads], ct.get_rng_state().tolist()))
    (losses, state, grads, seed), (found, made, left, drawn) = runs
    np.testing.assert_allclose(found, losses, rtol=2e-5)
    for a, b in zip(made, state, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)
    assert left == grads
    assert drawn == seed
    assert step.programs, step.eager
    assert step.captures <= 3


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_a_compiled_module_trains_as_the_eager_one(name):
    runs = []
    for wrap in (lambda f: f, compile):
        ct.manual_seed(1)
        net, _, batch = STEPS[name]()
        call, opt, losses = wrap(net), optim.SGD(net.parameters(), lr=0.1), []
        for i in range(5):
            x, y = batch(i)
            x = x.requires_grad_()
            opt.zero_grad()
            out = call(x * 2)
            loss = F.cross_entropy(out, y) if y.dtype is ct.int64 else F.mse_loss(out, y)
            loss.backward()
            opt.step()
            losses += [loss.item(), x.grad.abs().sum().item()]
        net.eval()
        losses += [call(batch(9)[0]).sum().item() for _ in range(3)]
        runs.append((losses, [t.numpy() for t in net.state_dict().values()]))
    np.testing.assert_allclose(runs[1][0], runs[0][0], rtol=2e-5)
    for a, b in zip(runs[1][1], runs[0][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert isinstance(call, CompiledModule)
    assert call._program.captures == 2
