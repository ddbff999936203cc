"""Small trainings that the tests run, here and in processes of their own."""

import random
import time

import numpy as np

import cltensor as ct
from cltensor import nn, optim, train
from cltensor.utils.data import DataLoader, Dataset


class Noisy(Dataset):
    """Points and their classes; each reading draws from every source of random numbers."""

    def __init__(self, n=40):
        rng = np.random.default_rng(0)
        self.x = rng.standard_normal((n, 6)).astype(np.float32)
        self.y = (self.x[:, :3].sum(axis=1) > 0).astype(np.int64)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        noise = 0.01 * (random.random() + np.random.random())
        return ct.tensor(self.x[i] + np.float32(noise)), ct.tensor(self.y[i])


class Tells(train.Callback):
    """Prints the step, and takes its time."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds

    def on_step_end(self, run):
        print(run.step, flush=True)
        time.sleep(self.seconds)


def model():
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))


def start(path=None, seed=0, epochs=3, own_seed=False, workers=0, callbacks=(), **words):
    """(model, optimizer, History) of a training that uses everything that has a state."""
    ct.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)
    net = model()
    optimizer = optim.AdamW(net.parameters(), 0.02)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=100)
    loader = DataLoader(Noisy(), 8, shuffle=True, generator=7 if own_seed else None, num_workers=workers)
    held_out = DataLoader(Noisy(16), 8)
    history = train.fit(net, nn.CrossEntropyLoss(), optimizer, loader, epochs, validation=held_out, scheduler=scheduler,
                        metrics=["accuracy", train.F1(2)], scheduler_every="step", checkpoint=path, progress=False,
                        callbacks=callbacks, **words)
    return net, optimizer, history


def bits(net, optimizer, history):
    """All that must be equal to the bit."""
    tensors = {**net.state_dict(), **{f"{i}.{k}": v for i, s in optimizer.state_dict()["state"].items() for k, v in s.items()
                                      if hasattr(v, "numpy")}}
    values = {name: found for name, found in history.items() if name != "seconds"}
    return {name: t.numpy().tobytes() for name, t in tensors.items()}, values, optimizer.param_groups[0]["lr"]
