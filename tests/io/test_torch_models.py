"""Checkpoints of a ResNet-18, a GPT and an LSTM in the middle of training: PyTorch's go on here, ours go on there."""

import io

import numpy as np
import pytest

import cltensor
from cltensor.io import load, save

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device


def resnet(lib, width=4):
    """ResNet-18 with torchvision's names of parameters, narrow enough for a test."""
    nn = lib.nn

    class Block(nn.Module):
        def __init__(self, before, after, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
            self.relu = nn.ReLU(inplace=True)
            self.conv2, self.bn2 = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
            self.downsample = None
            if stride > 1:
                self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

        def forward(self, x):
            out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
            return self.relu(out + (x if self.downsample is None else self.downsample(x)))

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
            self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
            for i in range(4):
                before, after = width << max(i - 1, 0), width << i
                blocks = nn.Sequential(Block(before, after, 2 if i else 1), Block(after, after, 1))
                setattr(self, f"layer{i + 1}", blocks)
            self.avgpool, self.fc = nn.AdaptiveAvgPool2d((1, 1)), nn.Linear(width << 3, 10)

        def forward(self, x):
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(self.avgpool(x).flatten(1))

    return ResNet(), np.random.default_rng(1).standard_normal((4, 3, 48, 48)).astype(np.float32)


def gpt(lib):
    """A small GPT with tied embeddings and a causal mask in a buffer that is not saved."""
    nn, functional = lib.nn, lib.nn.functional

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln_1, self.attn, self.proj = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 16)
            self.ln_2, self.mlp = nn.LayerNorm(16), nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16))

        def forward(self, x):
            q, k, v = (t.reshape(*x.shape[:2], 2, 8).transpose(1, 2) for t in self.attn(self.ln_1(x)).split(16, -1))
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.transpose(1, 2).reshape(x.shape))
            return x + self.mlp(self.ln_2(x))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.wte, self.wpe = nn.Embedding(20, 16), nn.Embedding(12, 16)
            self.h = nn.ModuleList([Layer(), Layer()])
            self.ln_f, self.lm_head = nn.LayerNorm(16), nn.Linear(16, 20, bias=False)
            self.lm_head.weight = self.wte.weight
            self.register_buffer("positions", lib.arange(12), persistent=False)

        def forward(self, ids):
            x = self.wte(ids) + self.wpe(self.positions[: ids.shape[1]])
            for layer in self.h:
                x = layer(x)
            return self.lm_head(self.ln_f(x))

    return GPT(), np.random.default_rng(2).integers(0, 20, (2, 10))


def lstm(lib):
    """Two bidirectional layers and a linear one."""
    nn = lib.nn

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.out = nn.LSTM(5, 6, 2, batch_first=True, bidirectional=True), nn.Linear(12, 3)

        def forward(self, x):
            return self.out(self.lstm(x)[0])

    return Tagger(), np.random.default_rng(3).standard_normal((2, 7, 5)).astype(np.float32)


OPTIMISERS = {"Adam": {"lr": 1e-3, "amsgrad": True}, "SGD": {"lr": 1e-3, "momentum": 0.9, "nesterov": True}}


def made(lib, network, optimiser):
    """(model, its input, optimiser)."""
    model, x = network(lib)
    return model, lib.from_numpy(x), getattr(lib.optim, optimiser)(model.parameters(), **OPTIMISERS[optimiser])


def steps(model, x, optimiser, n):
    """Train for n steps; returns the losses."""
    losses = []
    for _ in range(n):
        optimiser.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def close(ours, theirs):
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(("optimiser", "zipped"), [("Adam", True), ("SGD", True), ("Adam", False)])
@pytest.mark.parametrize("network", [resnet, gpt, lstm])
def test_from_pytorch(network, optimiser, zipped):
    torch.manual_seed(0)
    theirs, x, step = made(torch, network, optimiser)
    steps(theirs, x, step, 2)
    out = io.BytesIO()
    torch.save({"model": theirs.state_dict(), "optimiser": step.state_dict()}, out, _use_new_zipfile_serialization=zipped)
    ours, y, other = made(cltensor, network, optimiser)
    found = load(io.BytesIO(out.getvalue()))
    assert not any(ours.load_state_dict(found["model"]))
    other.load_state_dict(found["optimiser"])
    theirs.eval()
    ours.eval()
    close(ours(y), theirs(x))
    theirs.train()
    ours.train()
    assert steps(ours, y, other, 2) == pytest.approx(steps(theirs, x, step, 2), rel=1e-3)
    theirs.eval()
    ours.eval()
    close(ours(y), theirs(x))


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("network", [resnet, gpt, lstm])
def test_to_pytorch(network, optimiser, tmp_path):
    cltensor.manual_seed(0)
    ours, y, step = made(cltensor, network, optimiser)
    steps(ours, y, step, 2)
    save({"model": ours.state_dict(), "optimiser": step.state_dict()}, tmp_path / "checkpoint.pt", format="torch")
    theirs, x, other = made(torch, network, optimiser)
    found = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    theirs.load_state_dict(found["model"])
    other.load_state_dict(found["optimiser"])
    theirs.eval()
    ours.eval()
    close(ours(y), theirs(x))
    theirs.train()
    ours.train()
    assert steps(ours, y, step, 3) == pytest.approx(steps(theirs, x, other, 3), rel=1e-3)
