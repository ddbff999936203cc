"""Every argument of every launch is set, and its buffer is alive: setting an argument keeps nothing alive."""

import os
import subprocess
import sys

import pytest

import cltensor as ct

pytestmark = pytest.mark.device

WATCH = """
import gc, weakref
import cltensor as ct
from cltensor import nn, optim

device = ct.device()
device.lock
real_kernel, real_submit = device.kernel, device.submit

class Watched:
    def __init__(self, kernel):
        self.kernel, self.set = kernel, {}

    def __getattr__(self, name):
        return getattr(self.kernel, name)

    def set_arg(self, at, value):
        self.kernel.set_arg(at, value)
        self.set[at] = weakref.ref(value) if hasattr(value, "int_ptr") and hasattr(type(value), "__weakref__") else None

    def _set_arg_buf(self, at, value):  # for numbers; see number_setter
        self.kernel.set_arg(at, value) if not isinstance(value, bytes) else self.kernel._set_arg_buf(at, value)
        self.set[at] = None

launches = 0

def submit(launch):
    global launches
    watched = launch.kernel
    assert sorted(watched.set) == list(range(watched.kernel.num_args)), watched.kernel.function_name
    dead = [at for at, held in watched.set.items() if held is not None and held() is None]
    assert not dead, (watched.kernel.function_name, dead)
    launch.kernel = watched.kernel
    try:
        real_submit(launch)
    finally:
        launch.kernel = watched
    launches += 1

device.kernel, device.submit = lambda source, name: Watched(real_kernel(source, name)), submit
"""

WORK = """
def train(kind, count, **settings):
    params = [nn.Parameter(ct.full((3, 3), float(n))) for n in range(count)]
    optimizer = getattr(optim, kind)(params, lr=0.125, **settings)
    for step in range(4):
        optimizer.zero_grad()
        sum((p * p).sum() for p in params[step % 2 if count > 1 else 0:]).backward()
        optimizer.step()
    return sum(p.detach().sum() for p in params).item()

for count in (1, 2, 4, 11):
    train("SGD", count), train("SGD", count, momentum=0.5), train("Adam", count), train("RMSprop", count)

x = ct.arange(12.0).reshape(3, 4)
for _ in range(3):
    y = x[1:] + x[:-1]
    y = (y * 2).softmax(1) @ x.mT
    x[:, 2:] += x[:, :2]
    x = (x - x.mean(0)).clamp(-9, 9)
    y.cumsum(0), y.sort(), y.argmax(1), y[ct.tensor([0, 1, 1])], y.std(), y.sum((0, 1)), ct.where(y > 1, y, 0.0)
    nn.functional.layer_norm(y, (3,)), nn.functional.cross_entropy(y, ct.tensor([0, 2]))
assert launches > 300, launches
"""


def run(program, **settings):
    done = subprocess.run([sys.executable, "-c", program], env={**os.environ, **settings}, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr[-2000:] or f"ended with {done.returncode}"
    return done.stdout


def test_arguments_are_alive():
    """Without a pool, buffers are freed at once, and can be watched."""
    run(WATCH + WORK, CLTENSOR_MEMORY_POOL="0", CLTENSOR_AHEAD="0")


def test_memory_that_is_given_back_between_steps():
    """The buffers of the first step's gradients are freed before the second step."""
    program = "import cltensor as ct\nfrom cltensor import nn, optim\nlaunches = 999\n" + WORK.replace(
        "optimizer.step()\n", "optimizer.step()\n        ct.opencl.empty_cache()\n")
    run(program, CLTENSOR_AHEAD="0")


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("count", [2, 4, 11])
def test_steps_are_right_all_the_same(kind, count):
    params = [ct.nn.Parameter(ct.full((3, 3), n + 1.0)) for n in range(count)]
    alone = [ct.nn.Parameter(ct.full((3, 3), n + 1.0)) for n in range(count)]
    together, apart = getattr(ct.optim, kind)(params, lr=0.125), getattr(ct.optim, kind)([{"params": [p]} for p in alone], lr=0.125)
    for _ in range(3):
        for optimizer, members in ((together, params), (apart, alone)):
            optimizer.zero_grad()
            sum((p * p).sum() for p in members).backward()
            optimizer.step()
            ct.opencl.empty_cache()
    for p, q in zip(params, alone, strict=True):
        assert ct.allclose(p, q)
