"""The cases to measure: one row each, in families."""

import math

from ...profiler.machine import FLOPS, multiply_add
from .case import Case, Family, both_ways, forward
from .training import INFERENCE, STEPS

ROWS = ((4096, 1024),)


def _complex(name, f, form="N", sizes=((1 << 20,), (1 << 22,)), inputs=lambda n: ((n, 2),), **work):
    """A row of f(library, *complex tensors); the inputs are pairs."""

    def setup(xp, *pairs):
        numbers = [xp.view_as_complex(p) for p in pairs]

        def action():
            y = f(xp, *numbers)
            return xp.view_as_real(y) if y.is_complex() else y

        return action

    return Case(name, form, sizes, inputs, setup, **work)


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


def _pointwise(name, f, reads=1, **options):
    return Case(name, "SHAPE", ((1 << 16,), (1 << 20,), (1 << 24,)), lambda *shape: (shape,) * reads, forward(f),
                nbytes=lambda itemsize, *shape: (reads + 1) * itemsize * math.prod(shape), **options)


def _reduced(name, f):
    return Case(name, "RxC", ((1024, 1024), (4096, 4096)), lambda r, c: ((r, c),), forward(f),
                nbytes=lambda itemsize, r, c: r * c * itemsize)


def _moved(name, f, inputs=lambda r, c: ((r, c),), size=(4096, 4096)):
    return Case(name, "RxC", (size,), inputs, forward(f), nbytes=lambda itemsize, r, c: 2 * itemsize * r * c)


def _rows(name, f, inputs=lambda r, c: ((r, c),)):
    return Case(name, "RxC", ROWS, inputs, both_ways(f))


def _product(name, f, inputs, sizes=((64,) * 3, (128,) * 3, (256,) * 3, (512,) * 3, (1024,) * 3, (2048,) * 3, (64, 784, 512),
                                     (512, 3072, 768)), form="MxKxN"):
    return Case(name, form, sizes, inputs, forward(f), flops=lambda m, k, n: 2 * m * k * n)


_VECTORS = ((1, 1024, 1024), (1, 784, 512), (1, 4096, 4096))
_FUNCTION = {1: "conv1d", 2: "conv2d", 3: "conv3d"}


def _convolution(name, n, c, size, k, r, stride=1, groups=1, dims=2):
    """Rows "forward" and "both ways" of one layer: n images of c channels and side `size`, k filters of side r."""

    def f(xp, x, w):
        return getattr(xp.nn.functional, _FUNCTION[dims])(x, w, stride=stride, padding=r // 2, groups=groups)

    out = (size + 2 * (r // 2) - r) // stride + 1
    flops = 2 * k * (c // groups) * r**dims * out**dims

    def case(name, setup, times):
        return Case(name, "BATCH", ((n,),), lambda n: ((n, c, *(size,) * dims), (k, c // groups, *(r,) * dims)), setup(f),
                    flops=lambda n: times * flops * n)

    return case(name, forward, 1), case(f"{name}, both", both_ways, 3)


# the distinct layers of ResNet-18 on 224 x 224: channels, side, filters, filter side, stride
_RESNET = ((3, 224, 64, 7, 2), (64, 56, 64, 3, 1), (64, 56, 128, 3, 2), (64, 56, 128, 1, 2), (128, 28, 128, 3, 1),
           (128, 28, 256, 3, 2), (128, 28, 256, 1, 2), (256, 14, 256, 3, 1), (256, 14, 512, 3, 2), (256, 14, 512, 1, 2),
           (512, 7, 512, 3, 1))


def _embedding(xp, table):
    numbers = (xp.arange(4096, device=table.device) * 7919) % len(table)
    table.requires_grad_()

    def action():
        table.grad = None
        y = xp.nn.functional.embedding(numbers, table)
        y.backward(y.detach())
        return table.grad

    return action


def _chosen(xp, a):
    numbers = (xp.arange(len(a), device=a.device) * 7919) % len(a)
    return lambda: a.index_select(0, numbers)


def _cross_entropy(xp, x):
    labels = xp.arange(len(x), device=x.device) % x.shape[1]
    return both_ways(lambda xp, x: xp.nn.functional.cross_entropy(x, labels))(xp, x)


def _transformed(name, form, sizes, f, inputs, real=False):
    """Rows of Fourier transforms of n numbers, which take about 5 n log2(n) operations, half as many for real ones."""
    def count(*size):
        return (2.5 if real else 5) * math.prod(size) * math.log2(size[-1])

    return Case(name, form, sizes, inputs, f, flops=count)


def _of_pairs(dim):
    """A setup whose action transforms the complex numbers that a tensor holds in pairs."""
    return lambda xp, a: forward(lambda xp, z: xp.view_as_real(xp.fft.fft(z, dim=dim)))(xp, xp.view_as_complex(a))


def _back(xp, a):
    z, n = xp.fft.rfft(a), a.shape[1]
    return lambda: xp.fft.irfft(z, n)


def _twenty(xp, a, b):
    """Five times four pointwise ops."""
    for _ in range(5):
        a = (a * b + a).clamp(-2, 2).abs()
    return a


FAMILIES = {
    "machine": Family("what the device can do at best: copying, multiplying and adding", (
        Case("copy", "N", ((1 << 24,),), lambda n: ((n,),), forward(lambda xp, a: a.clone()),
             nbytes=lambda itemsize, n: 2 * itemsize * n),
        Case("read", "N", ((1 << 24,),), lambda n: ((n,),), forward(lambda xp, a: a.sum()),
             nbytes=lambda itemsize, n: itemsize * n),
        Case("multiply-add", "N", ((1 << 16,),), lambda n: ((n,),), lambda xp, a: multiply_add(a), flops=lambda n: FLOPS * n),
        Case("matmul", "MxKxN", ((1024,) * 3,), lambda m, k, n: ((m, k), (k, n)), forward(lambda xp, a, b: a @ b),
             flops=lambda m, k, n: 2 * m * k * n),
    ), alone=True),
    "overhead": Family("what a small op costs before the device does anything", (
        Case("a + b", "N", ((64,),), lambda n: ((n,), (n,)), forward(lambda xp, a, b: a + b)),
        Case("a + b, with grad", "N", ((64,),), lambda n: ((n,), (n,)), _with_grad),
        Case("relu(x@w+b) fwd+bwd", "MxKxN", ((4, 8, 8),), lambda m, k, n: ((m, k), (k, n), (n,)), _layer),
    ), enqueue=True),
    "matmul": Family("matrix products, with a transposed operand, and with a vector", (
        _product("a @ b", lambda xp, a, b: a @ b, lambda m, k, n: ((m, k), (k, n))),
        _product("a @ b.mT", lambda xp, a, b: a @ b.mT, lambda m, k, n: ((m, k), (n, k))),
        _product("a.mT @ b", lambda xp, a, b: a.mT @ b, lambda m, k, n: ((k, m), (k, n))),
        _product("row @ b", lambda xp, a, b: a @ b, lambda m, k, n: ((m, k), (k, n)), _VECTORS, "1xKxN"),
        _product("row @ b.mT", lambda xp, a, b: a @ b.mT, lambda m, k, n: ((m, k), (n, k)), _VECTORS, "1xKxN"),
    )),
    "bmm": Family("batches of small matrix products", (
        Case("bmm", "BxMxKxN", ((96, 64, 64, 32),), lambda b, m, k, n: ((b, m, k), (b, k, n)),
             forward(lambda xp, a, b: a @ b), flops=lambda b, m, k, n: 2 * b * m * k * n),
    )),
    "elementwise": Family("ops that go over memory once", (
        _pointwise("a + b", lambda xp, a, b: a + b, reads=2),
        _pointwise("exp", lambda xp, a: xp.exp(a)),
        _pointwise("tanh", lambda xp, a: xp.tanh(a)),
        _pointwise("sigmoid", lambda xp, a: xp.sigmoid(a)),
        _pointwise("relu", lambda xp, a: xp.relu(a)),
    ), fixed=True),
    "complex": Family("complex numbers: functions, sums and products", (
        _complex("a * b", lambda xp, a, b: a * b, inputs=lambda n: ((n, 2), (n, 2)), nbytes=lambda itemsize, n: 6 * itemsize * n),
        _complex("a / b", lambda xp, a, b: a / b, inputs=lambda n: ((n, 2), (n, 2)), nbytes=lambda itemsize, n: 6 * itemsize * n),
        _complex("abs", lambda xp, a: a.abs(), nbytes=lambda itemsize, n: 3 * itemsize * n),
        _complex("exp", lambda xp, a: xp.exp(a), nbytes=lambda itemsize, n: 4 * itemsize * n),
        _complex("sum, rows", lambda xp, a: a.sum(1), "RxC", ((1024, 1024),), lambda r, c: ((r, c, 2),),
                 nbytes=lambda itemsize, r, c: 2 * itemsize * r * c),
        _complex("a @ b", lambda xp, a, b: a @ b, "MxKxN", ((256,) * 3, (1024,) * 3), lambda m, k, n: ((m, k, 2), (k, n, 2)),
                 flops=lambda m, k, n: 8 * m * k * n),
    )),
    "random": Family("random numbers by rejection, and their slopes", (
        _pointwise("gamma", lambda xp, a: xp.distributions.Gamma(a.abs() + 0.5, 1.0, validate_args=False).sample(), draws=True),
        _pointwise("Poisson", lambda xp, a: xp.poisson(a.abs() + 0.5), draws=True),
        Case("gamma, both", "N", ((1 << 16,), (1 << 20,)), lambda n: ((n,),), both_ways(
            lambda xp, a: xp.distributions.Gamma(a.abs() + 0.5, 1.0, validate_args=False).rsample()), draws=True),
        Case("Dirichlet, both", "RxC", ROWS, lambda r, c: ((r, c),), both_ways(
            lambda xp, a: xp.distributions.Dirichlet(a.abs() + 0.5, validate_args=False).rsample()), draws=True),
    )),
    "reduction": Family("sums and extremes over rows, columns and everything", (
        _reduced("sum, rows", lambda xp, a: a.sum(1)),
        _reduced("sum, columns", lambda xp, a: a.sum(0)),
        _reduced("sum", lambda xp, a: a.sum()),
        _reduced("mean, rows", lambda xp, a: a.mean(1)),
        _reduced("mean, columns", lambda xp, a: a.mean(0)),
        _reduced("max, rows", lambda xp, a: a.max(1)[0]),
        _reduced("max, columns", lambda xp, a: a.max(0)[0]),
        _reduced("amax, rows", lambda xp, a: a.amax(1)),
        _reduced("argmax, rows", lambda xp, a: a.argmax(1)),
    )),
    "movement": Family("copies to another place or order", (
        _moved("transpose", lambda xp, a: a.t().contiguous()),
        _moved("cat", lambda xp, a, b: xp.cat([a, b]), lambda r, c: ((r - r // 2, c), (r // 2, c))),
        Case("index_select", "RxC", ((4096, 4096),), lambda r, c: ((r, c),), _chosen,
             nbytes=lambda itemsize, r, c: 2 * itemsize * r * c),
        Case("embedding, both ways", "RxC", ((10000, 128),), lambda r, c: ((r, c),), _embedding),
    ), fixed=True),
    "fft": Family("Fourier transforms of complex and of real numbers", (
        _transformed("fft", "N", tuple((1 << k,) for k in (4, 8, 12, 16, 20)), _of_pairs(-1), lambda n: ((n, 2),)),
        _transformed("fft, rows", "RxC", ((256, 1024), (4096, 64)), _of_pairs(-1), lambda r, c: ((r, c, 2),)),
        _transformed("fft, columns", "RxC", ((1024, 256),), _of_pairs(0), lambda r, c: ((r, c, 2),)),
        _transformed("rfft", "RxC", ((256, 1024), (1, 1 << 16)), forward(lambda xp, a: xp.view_as_real(xp.fft.rfft(a))),
                     lambda r, c: ((r, c),), real=True),
        _transformed("irfft", "RxC", ((256, 1024),), _back, lambda r, c: ((r, c),), real=True),
    ), fixed=True),
    "softmax": Family("softmax over rows", (
        _reduced("softmax", lambda xp, a: xp.softmax(a, 1)),
        _reduced("log_softmax", lambda xp, a: xp.log_softmax(a, 1)),
    ), fixed=True),
    "rows": Family("layers over rows, forward and backward", (
        _rows("softmax", lambda xp, a: xp.softmax(a, 1)),
        _rows("layer_norm", lambda xp, a, w, b: xp.nn.functional.layer_norm(a, (a.shape[1],), w, b),
              lambda r, c: ((r, c), (c,), (c,))),
        _rows("batch_norm", lambda xp, a, w, b: xp.nn.functional.batch_norm(a, None, None, w, b, True),
              lambda r, c: ((r, c), (c,), (c,))),
        _rows("gelu", lambda xp, a: xp.nn.functional.gelu(a)),
        Case("cross_entropy", "RxC", ROWS, lambda r, c: ((r, c),), _cross_entropy),
    )),
    "conv": Family("convolutions of common sizes, forward, and forward and backward", (
        *_convolution("depthwise 3x3", 8, 128, 28, 128, 3, groups=128),
        *_convolution("1x1 64-256 56", 8, 64, 56, 256, 1),
        *_convolution("7x7/2 3-64 112", 8, 3, 112, 64, 7, 2),
        *_convolution("conv1d 64-64 1024", 8, 64, 1024, 64, 5, dims=1),
        *_convolution("conv3d 16-32 16", 4, 16, 16, 32, 3, dims=3),
    )),
    "resnet": Family("the layers of ResNet-18 on 224 x 224", tuple(
        case for c, size, k, r, stride in _RESNET
        for case in _convolution(f"{r}x{r}/{stride} {c}-{k} {size}", 8, c, size, k, r, stride))),
    "chain": Family("twenty pointwise ops, each on the result of the one before", (
        Case("20 pointwise ops", "SHAPE", ((1 << 10,), (1 << 16,), (1 << 18,), (1 << 22,)), lambda *shape: (shape, shape),
             forward(_twenty), nbytes=lambda itemsize, *shape: 50 * itemsize * math.prod(shape)),
    ), fixed=True),
    "train": Family("whole training steps: forward, backward, SGD with momentum", STEPS),
    "inference": Family("one input through the models of train", INFERENCE),
}
