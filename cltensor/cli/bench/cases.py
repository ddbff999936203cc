"""What is measured: one row each.

A case's `setup` gets the library (cltensor or its peer: PyTorch's names are ours, so one function serves both) and the
input tensors, and returns the action that is timed; what the action returns, if anything, is compared with the peer's.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A benchmark at several sizes.

    name    what the row is called
    form    the size's form, such as "MxKxN"; a single number stands for all of them, in "SHAPE" any number is right
    sizes   sizes measured when none are asked for
    inputs  (*size) -> shapes of the input tensors
    setup   (library, *tensors) -> action
    flops   (*size) -> floating-point operations of an action; nbytes: (itemsize, *size) -> bytes it must move
    """

    name: str
    form: str
    sizes: tuple
    inputs: object
    setup: object
    flops: object = None
    nbytes: object = None

    def size(self, numbers):
        """A tuple of ints as a size of this case, or None when it does not fit the form."""
        wanted = self.form.count("x") + 1
        if self.form == "SHAPE" or len(numbers) == wanted:
            return tuple(numbers)
        return tuple(numbers) * wanted if len(numbers) == 1 else None


@dataclass(frozen=True)
class Family:
    """Cases under one name on the command line; `enqueue` times handing work over, without waiting for it."""

    about: str
    cases: tuple
    enqueue: bool = False


def _grad(f):
    """A setup whose action runs f(library, *tensors) forward and backward with gradients of all tensors."""

    def setup(xp, *tensors):
        leaves = [t.requires_grad_() for t in tensors]

        def action():
            for t in leaves:
                t.grad = None
            y = f(xp, *leaves)
            y.backward(y.detach())
            return y

        return action

    return setup


def _forward(f):
    """A setup whose action is f(library, *tensors)."""
    return lambda xp, *tensors: lambda: f(xp, *tensors)


def _with_grad(xp, a, b):
    a.requires_grad_()
    return lambda: a + b


def _layer(xp, x, w, b):
    w.requires_grad_()
    b.requires_grad_()
    seed = xp.ones_like(x @ w.detach())

    def action():
        w.grad = b.grad = None
        y = xp.relu(x @ w + b)
        y.backward(seed)
        return y

    return action


def _conv(xp, x, w):
    return xp.nn.functional.conv2d(x, w, padding=w.shape[-1] // 2)


def _training(layers):
    """A setup whose action is a whole training step of nn.Sequential(*layers(nn)) on ten classes."""

    def setup(xp, x):
        model = xp.nn.Sequential(*layers(xp.nn)).to(x.device, x.dtype)
        optimizer = xp.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        labels = xp.arange(len(x), device=x.device) % 10

        def action():
            loss = xp.nn.functional.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return action

    return setup


def _mlp(nn):
    return nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10)


def _cnn(nn):
    return (nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 7 * 7, 10))


def _pointwise(name, f, reads=1):
    return Case(name, "SHAPE", ((1 << 16,), (1 << 20,), (1 << 24,)), lambda *shape: (shape,) * reads, _forward(f),
                nbytes=lambda itemsize, *shape: (reads + 1) * itemsize * math.prod(shape))


def _reduced(name, f):
    return Case(name, "RxC", ((1024, 1024), (4096, 4096)), lambda r, c: ((r, c),), _forward(f),
                nbytes=lambda itemsize, r, c: r * c * itemsize)


def _convolved(name, make):
    return Case(name, "NxCxHxKxR", ((8, 64, 56, 64, 3), (8, 128, 28, 128, 3), (8, 512, 7, 512, 3), (8, 64, 56, 256, 1)),
                lambda n, c, h, k, r: ((n, c, h, h), (k, c, r, r)), make(_conv),
                flops=lambda n, c, h, k, r: (2 if make is _forward else 6) * n * c * h * h * k * r * r)


def _product(name, f, inputs):
    return Case(name, "MxKxN", ((64,) * 3, (256,) * 3, (512,) * 3, (1024,) * 3, (64, 784, 512)), inputs, _forward(f),
                flops=lambda m, k, n: 2 * m * k * n)


FAMILIES = {
    "overhead": Family("what a small op costs before the device does anything", (
        Case("a + b", "N", ((64,),), lambda n: ((n,), (n,)), _forward(lambda xp, a, b: a + b)),
        Case("a + b, with grad", "N", ((64,),), lambda n: ((n,), (n,)), _with_grad),
        Case("relu(x@w+b) fwd+bwd", "MxKxN", ((4, 8, 8),), lambda m, k, n: ((m, k), (k, n), (n,)), _layer),
    ), enqueue=True),
    "matmul": Family("matrix products, and with a transposed operand", (
        _product("a @ b", lambda xp, a, b: a @ b, lambda m, k, n: ((m, k), (k, n))),
        _product("a @ b.mT", lambda xp, a, b: a @ b.mT, lambda m, k, n: ((m, k), (n, k))),
        _product("a.mT @ b", lambda xp, a, b: a.mT @ b, lambda m, k, n: ((k, m), (k, n))),
    )),
    "bmm": Family("batches of small matrix products", (
        Case("bmm", "BxMxKxN", ((96, 64, 64, 32),), lambda b, m, k, n: ((b, m, k), (b, k, n)),
             _forward(lambda xp, a, b: a @ b), flops=lambda b, m, k, n: 2 * b * m * k * n),
    )),
    "elementwise": Family("ops that go over memory once", (
        _pointwise("a + b", lambda xp, a, b: a + b, reads=2),
        _pointwise("exp", lambda xp, a: xp.exp(a)),
        _pointwise("tanh", lambda xp, a: xp.tanh(a)),
        _pointwise("sigmoid", lambda xp, a: xp.sigmoid(a)),
        _pointwise("relu", lambda xp, a: xp.relu(a)),
    )),
    "reduction": Family("sums and extremes over rows, columns and everything", (
        _reduced("sum, rows", lambda xp, a: a.sum(1)),
        _reduced("sum, columns", lambda xp, a: a.sum(0)),
        _reduced("sum", lambda xp, a: a.sum()),
        _reduced("amax, rows", lambda xp, a: a.amax(1)),
        _reduced("argmax, rows", lambda xp, a: a.argmax(1)),
    )),
    "softmax": Family("softmax over rows", (
        _reduced("softmax", lambda xp, a: xp.softmax(a, 1)),
        _reduced("log_softmax", lambda xp, a: xp.log_softmax(a, 1)),
    )),
    "conv2d": Family("square images (side H), K filters of R x R, padding R // 2", (
        _convolved("forward", _forward),
        _convolved("both ways", _grad),
    )),
    "training": Family("whole training steps: forward, backward, SGD with momentum", (
        Case("MLP 784-512-256-10", "N", ((64,),), lambda n: ((n, 784),), _training(_mlp)),
        Case("CNN 28x28", "N", ((64,),), lambda n: ((n, 1, 28, 28),), _training(_cnn)),
    )),
}
