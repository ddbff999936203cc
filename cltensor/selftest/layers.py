"""Checks of the parts of networks: products, convolutions, pooling, softmax, normalisation, attention, an optimiser."""

import numpy as np

import cltensor as ct
from cltensor.nn import functional as F

from .comparison import expect_close


def matmul(device, rng):
    """Matrix products: sizes that are no multiple of a tile, many tiles, a vector, a batch."""
    for left, right in (((65, 131), (131, 70)), ((500, 512), (512, 500)), ((1, 784), (784, 515)), ((17, 40, 33), (17, 33, 29))):
        a, b = rng.standard_normal(left, np.float32), rng.standard_normal(right, np.float32)
        product = ct.tensor(a, device=device) @ ct.tensor(b, device=device)
        expect_close(product.numpy(), a.astype(np.float64) @ b.astype(np.float64), 1e-4, 1e-3)


def convolution(device, rng):
    """3 x 3 convolutions of many small images, with both gradients, and with stride 2."""
    x, weight = _leaf(rng, device, 359, 16, 8, 8), _leaf(rng, device, 32, 16, 3, 3)
    g = rng.standard_normal((359, 32, 8, 8), np.float32)
    y = F.conv2d(x, weight, padding=1)
    y.backward(ct.tensor(g, device=device))
    a, w = x.detach().numpy(), weight.detach().numpy()
    expect_close(y.detach().numpy(), _convolved(a, w, 1), 1e-4, 1e-3)
    expect_close(x.grad.numpy(), _convolved(g, w[:, :, ::-1, ::-1].swapaxes(0, 1), 1), 1e-4, 1e-3)
    expect_close(weight.grad.numpy(), np.tensordot(_d(g), _windows(_padded(a, 1), 3), ([0, 2, 3], [0, 2, 3])), 1e-4, 1e-2)
    a = rng.standard_normal((5, 16, 41, 37), np.float32)
    found = F.conv2d(ct.tensor(a, device=device), weight.detach(), stride=2)
    expect_close(found.numpy(), _convolved(a, w, 0)[:, :, ::2, ::2], 1e-4, 1e-3)


def pool(device, rng):
    """The largest and the mean of each 3 x 3 window."""
    a = rng.standard_normal((6, 17, 45, 39), np.float32)
    x, windows = ct.tensor(a, device=device), _windows(a, 3)[:, :, ::2, ::2]
    expect_close(F.max_pool2d(x, 3, 2).numpy(), windows.max((-2, -1)), 0, 0)
    expect_close(F.avg_pool2d(x, 3, 2).numpy(), windows.mean((-2, -1), dtype=np.float64), 1e-5, 1e-5)


def softmax(device, rng):
    """Softmax of rows, and its gradient."""
    a, g = 9 * rng.standard_normal((311, 1030), np.float32), rng.standard_normal((311, 1030), np.float32)
    x = ct.tensor(a, device=device, requires_grad=True)
    y = F.softmax(x, 1)
    y.backward(ct.tensor(g, device=device))
    e = np.exp(_d(a) - a.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    expect_close(y.detach().numpy(), p, 1e-4, 1e-6)
    expect_close(x.grad.numpy(), p * (g - (p * g).sum(1, keepdims=True)), 1e-3, 1e-5)


def normalization(device, rng):
    """Rows and channels normalised to mean 0 and deviation 1."""
    a = 3 + 2 * rng.standard_normal((250, 24, 70), np.float32)
    x = ct.tensor(a, device=device)
    for dims, found in (((2,), F.layer_norm(x, (70,))), ((0, 2), F.batch_norm(x, None, None, training=True))):
        mean, variance = _d(a).mean(dims, keepdims=True), _d(a).var(dims, keepdims=True)
        expect_close(found.numpy(), (a - mean) / np.sqrt(variance + 1e-5), 1e-3, 1e-4)


def attention(device, rng):
    """Causal scaled dot product attention."""
    q, k, v = (rng.standard_normal((3, 4, 150, 32), np.float32) for _ in range(3))
    on = [ct.tensor(a, device=device) for a in (q, k, v)]
    scores = np.where(np.tri(150, dtype=bool), _d(q) @ _d(k).swapaxes(2, 3) / 32**0.5, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    expect_close(F.scaled_dot_product_attention(*on, is_causal=True).numpy(), e / e.sum(-1, keepdims=True) @ _d(v), 1e-4, 1e-4)


def optimizer(device, rng):
    """A step of SGD over parameters of many sizes."""
    sizes = [3, 70, 1000, 33_333, 5, 260]
    parameters = [_leaf(rng, device, n) for n in sizes]
    before, g = [p.detach().numpy() for p in parameters], [rng.standard_normal(n, np.float32) for n in sizes]
    for p, gradient in zip(parameters, g, strict=True):
        p.grad = ct.tensor(gradient, device=device)
    ct.optim.SGD(parameters, lr=0.1).step()
    for p, old, gradient in zip(parameters, before, g, strict=True):
        expect_close(p.detach().numpy(), old - 0.1 * _d(gradient), 1e-5, 1e-6)


def _leaf(rng, device, *shape):
    return ct.tensor(rng.standard_normal(shape, np.float32), device=device, requires_grad=True)


def _d(a):
    return a.astype(np.float64)


def _padded(a, padding):
    return np.pad(a, [(0, 0), (0, 0), (padding, padding), (padding, padding)])


def _windows(a, size):
    """Every size x size window: (N, C, H, W) -> (N, C, H', W', size, size)."""
    return np.lib.stride_tricks.sliding_window_view(a, (size, size), (2, 3))


def _convolved(a, weight, padding):
    """The convolution of (N, C, H, W) with (O, C, K, K), stride 1, in float64."""
    product = np.tensordot(_windows(_padded(_d(a), padding), weight.shape[-1]), _d(weight), ([1, 4, 5], [1, 2, 3]))
    return np.moveaxis(product, -1, 1)
