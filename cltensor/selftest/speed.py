"""A device's times: of a kernel launch, and of a training step."""

import statistics
import time

import cltensor as ct
from cltensor import nn, optim


def launch(device, rng):
    """The time of a launch: seconds to enqueue a small addition, and until its result is available."""
    a, b = ct.ones(64, device=device), ct.ones(64, device=device)
    enqueue = [_timed(lambda: [a + b for _ in range(200)], device) / 200 for _ in range(10)]
    wait = [_timed(lambda: (a + b, device.synchronize()), device) for _ in range(100)]
    return {"enqueue": statistics.median(enqueue), "done": statistics.median(wait)}


def training(device, rng):
    """Seconds for a training step of a small convolutional network, the median of 15."""
    net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1568, 10)).to(device)
    optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    x, labels = ct.rand(32, 1, 28, 28, device=device), ct.arange(32, device=device) % 10

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), labels).backward()
        optimizer.step()
        device.synchronize()

    for _ in range(3):
        step()
    return {"step": statistics.median(_timed(step, device) for _ in range(15))}


def _timed(action, device):
    start = time.perf_counter()
    action()
    seconds = time.perf_counter() - start
    device.synchronize()
    return seconds
