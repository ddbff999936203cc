"""Every kernel template on tiny shapes under Oclgrind, in the launch style the gate asks for: the shortest call that runs it."""

from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor.codegen import templates
from cltensor.profiler.machine import CHAINS
from cltensor.profiler.machine import multiply_add as chained_multiply_add
from cltensor.runtime.device import default_device
from cltensor.tensor.random import implicit
from cltensor.vision import ops

# templates whose own tests are marked oclgrind
ELSEWHERE = {**dict.fromkeys(["conv_pad", "conv_panel", "conv_direct", "conv_product", "conv_sum", "conv_columns"],
                             "tests/ops/test_convolution.py"),
             **dict.fromkeys(["matmul_blocked", "matmul_tiled", "matmul_vector", "matmul_sum"], "tests/ops/test_matmul.py"),
             "pool": "tests/ops/test_pooling.py", "multi_tensor": "tests/ops/test_multi_tensor.py",
             **dict.fromkeys(["fft_direct", "fft_lines", "fft_points", "fft_real"], "tests/fft/test_transforms.py"),
             "attention": "tests/ops/test_attention.py", "winograd": "tests/ops/test_winograd.py"}

#: {name of the template: a function that gives (result, expected) for the calls that run it}
TRIED = {}


def tried(fn):
    """Add the function named after a template."""
    TRIED[fn.__name__] = fn
    return fn


def array(*shape):
    """The numbers from 0 in an order that is none, as float32."""
    return (np.arange(np.prod(shape)) * 7 % 19).astype(np.float32).reshape(shape)


def pairs(*shape):
    """array as complex64, with another order of the same numbers as imaginary parts."""
    return array(*shape) + 1j * array(*shape)[::-1]


@tried
def elementwise():
    z, w = pairs(5, 3), pairs(3) + 1
    yield (ct.tensor(z) / ct.tensor(w)).abs(), np.abs(z / w)
    yield ct.tensor(z)[::2].t() * ct.tensor(a := array(3, 3)) * 2j, z[::2].T * a * 2j
    a, b = array(5, 3), array(3)
    yield ct.tensor(a).exp() + ct.tensor(b), np.exp(a) + b
    yield ct.tensor(a)[::2].t().half(), a[::2].T.astype(np.float16)


@tried
def reduction():
    z = pairs(3, 37)
    for dim in (0, 1, None):
        yield ct.tensor(z).sum(dim), z.sum(dim)
    yield ct.tensor(z / 20).prod(0), (z / 20).prod(0)
    a = array(3, 37)
    for dim in (0, 1, None):
        yield ct.tensor(a).sum(dim), a.sum(dim)
    yield ct.tensor(a).max(1).indices, a.argmax(1)
    yield ct.tensor(a).var(), a.var(ddof=1)


@tried
def scan():
    z = pairs(3, 37)
    yield ct.tensor(z).cumsum(1), z.cumsum(1)
    a = array(3, 37)
    yield ct.tensor(a).cumsum(1), a.cumsum(1)
    yield ct.tensor(a).cummax(0).values, np.maximum.accumulate(a, 0)


@tried
def softmax():
    a = array(3, 37)
    e = np.exp(a - a.max(1, keepdims=True))
    x = ct.tensor(a, requires_grad=True)
    y = x.softmax(1)
    yield y.detach(), e / e.sum(1, keepdims=True)
    y.sum().backward()
    yield x.grad, np.zeros_like(a)
    yield ct.tensor(a).t().log_softmax(0), np.log(e / e.sum(1, keepdims=True)).T


@tried
def norm():
    a, pair = array(3, 37) + array(37), array(2, 3, 20)
    away = a - a.mean(1, keepdims=True)
    scale = 1 / np.sqrt((away * away).mean(1, keepdims=True) + 1e-5)
    x, w = ct.tensor(a, requires_grad=True), ct.tensor(array(37), requires_grad=True)
    y = ct.nn.functional.layer_norm(x, (37,), w)
    yield y.detach(), away * scale * array(37)
    y.sum().backward()
    yield w.grad, (away * scale).sum(0)
    centred = pair - pair.mean((0, 2), keepdims=True)
    normal = centred / np.sqrt((centred * centred).mean((0, 2), keepdims=True) + 1e-5)
    x, b = ct.tensor(pair, requires_grad=True), ct.zeros(3, requires_grad=True)
    y = ct.nn.functional.batch_norm(x, None, None, None, b, True)
    yield y.detach(), normal
    (y * ct.tensor(pair)).sum().backward()
    yield b.grad, pair.sum((0, 2))
    grouped = pair[:, :2].reshape(2, 1, -1)
    yield ct.nn.functional.group_norm(ct.tensor(pair[:, :2]), 1), ((grouped - grouped.mean(2, keepdims=True)) / np.sqrt(
        grouped.var(2, keepdims=True) + 1e-5)).reshape(2, 2, 20)


@tried
def gather():
    yield ct.tensor(z := pairs(5, 4))[ct.tensor([4, 0, -3])], z[[4, 0, -3]]
    a, rows = array(5, 4), np.array([4, 0, -3])
    yield ct.tensor(a)[ct.tensor(rows)], a[rows]
    yield ct.tensor(a).gather(1, ct.tensor(rows[:, None] % 4)), np.take_along_axis(a[:3], rows[:, None] % 4, 1)


@tried
def scatter():
    z = pairs(3, 2)
    yield ct.tensor(z).scatter_reduce(0, ct.tensor([[1, 1]]), ct.tensor(z[:1]), "prod"), np.stack([z[0], z[1] * z[0], z[2]])
    table = ct.zeros(4, 2)
    table.index_add_(0, ct.tensor([1, 3, 1]), ct.tensor(array(3, 2)))
    wanted = np.zeros((4, 2), np.float32)
    np.add.at(wanted, [1, 3, 1], array(3, 2))
    yield table, wanted
    table[ct.tensor([-4, -1])] = wanted[-4] = wanted[-1] = 7.0
    yield table, wanted


@tried
def sort_blocks():
    yield ct.tensor(array(2, 37)).sort(1).values, np.sort(array(2, 37), 1)


@tried
def sort_merge():
    long = array(1, 700)
    yield ct.tensor(long).sort(1).values, np.sort(long, 1)


@tried
def search():
    edges, values = np.sort(array(9)), array(13)
    yield ct.searchsorted(ct.tensor(edges), ct.tensor(values)), np.searchsorted(edges, values)


@tried
def mode():
    yield ct.tensor([[3.0, 1.0, 3.0], [2.0, 2.0, 5.0]]).mode(1).values, np.array([3.0, 2.0])


@tried
def compact():
    a = array(5, 7)
    yield ct.tensor(a)[ct.tensor(a > 9)], a[a > 9]


@tried
def random():
    ct.manual_seed(0)
    x = ct.rand(37)
    yield (x >= 0) & (x < 1), np.ones(37, bool)


@tried
def counts():
    ct.manual_seed(0)
    few = ct.binomial(ct.full((5,), 40.0), ct.tensor([0.0, 0.1, 0.4, 0.9, 1.0]))
    yield (few >= ct.tensor([0.0, 0, 0, 0, 40])) & (few <= ct.tensor([0.0, 40, 40, 40, 40])), np.ones(5, bool)
    yield ct.poisson(ct.tensor([0.0, 2, 50, np.inf])) >= ct.tensor([0.0, 0, 1, np.inf]), np.ones(4, bool)


@tried
def rejection():
    ct.manual_seed(0)
    yield implicit.standard_gamma(ct.tensor([0.0, 0.3, 2.0, 90.0])) > 0, np.ones(4, bool)
    yield implicit.dirichlet(ct.tensor([[0.3, 2.0]])).sum(-1), np.ones(1)
    yield implicit.von_mises(ct.tensor([0.1, 5.0])).abs() <= 3.1416, np.ones(2, bool)


@tried
def transpose():
    yield ct.tensor(z := pairs(40, 35)).t().contiguous(), z.T
    a = array(70, 67)
    yield ct.tensor(a).t().contiguous(), a.T
    yield ct.tensor(a).t().to(ct.int64).t().contiguous(), a.astype(np.int64)


@tried
def multiply_add():
    yield chained_multiply_add(ct.empty(64))(), np.full(64, 2 * CHAINS)  # s -> s / 2 + 1 ends at 2


@tried
def column_sums():
    shapes = (70, 5), (3, 66), (2, 3, 64)
    given = [array(*s) for s in shapes]
    found = compiled(lambda *xs: [x.flatten(0, -2).sum(0) for x in xs], *given)
    yield from ((f, a.reshape(-1, a.shape[-1]).sum(0)) for f, a in zip(found, given, strict=True))


@tried
def roi():
    a, inside = array(2, 4, 6, 6), np.s_[:, :, 2:4, 1:3]
    rois = ct.tensor([[1.0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, -5, 3, 9, 4.5]])
    x = ct.tensor(a, requires_grad=True)
    y = ops.roi_align(x, rois, 1, aligned=True)[:2, :, 0, 0]
    yield y.detach(), a[[1, 0]][inside].mean((2, 3))
    y.sum().backward()
    wanted = np.zeros_like(a)
    wanted[inside] = 0.25
    yield x.grad, wanted
    yield ops.ps_roi_align(x.detach(), rois, 2)[0, 0, 0, :1], a[1, 0, 2, 1:2]
    y = ops.roi_pool(x, rois - ct.tensor([0.0, 0, 0, 1, 1]), 1)[:2, :, 0, 0]
    yield y.detach(), a[[1, 0]][inside].max((2, 3))
    y.sum().backward()
    yield ops.ps_roi_pool(x, rois, 1)[:2, :, 0, 0].detach(), a[[1, 0]][inside].mean((2, 3))


@tried
def deform():
    a = array(1, 2, 5, 4)
    x, offset = ct.tensor(a, requires_grad=True), ct.tensor(array(1, 8, 4, 3) % 1, requires_grad=True)
    y = ops.deform_conv2d(x, offset, ct.ones(1, 2, 2, 2))
    yield y.detach()[0, 0], sum(a[0, :, i:i + 4, j:j + 3].sum(0) for i in (0, 1) for j in (0, 1))
    y.sum().backward()
    yield x.grad.sum(), np.float32(2 * 4 * 12)


def _row_of_boxes():
    left = np.arange(150, dtype=np.float32)
    boxes = np.stack([left, 0 * left, left + 1.5, 0 * left + 1], 1)
    return ops.nms(ct.tensor(boxes), ct.tensor(1 - left / 200), 0.2), np.arange(0, 150, 2)


@tried
def nms_overlaps():
    yield _row_of_boxes()
    same, scores = ct.ones(3, 4) * ct.tensor([0.0, 0, 1, 1]), ct.tensor([3.0, 2, 1])
    yield ops.batched_nms(same, scores, ct.tensor([0, 1, 0]), 0.5), np.arange(2)


@tried
def nms_scan():
    yield _row_of_boxes()


def compiled(fn, *arrays):
    """The results of a replay of fn on these arrays."""
    step = ct.compile(fn, options={"wait": True})
    for _ in range(3):
        found = step(*map(ct.tensor, arrays))
    return found


def test_every_template_is_tried():
    assert set(TRIED) | set(ELSEWHERE) == set(templates.names())
    for path in ELSEWHERE.values():
        assert "pytest.mark.oclgrind" in (Path(__file__).parents[2] / path).read_text(encoding="utf-8"), path


@pytest.mark.oclgrind
@pytest.mark.parametrize("name", TRIED)
def test_template(name, monkeypatch):
    used, device = set(), default_device()
    submit = device.submit

    def noted(launch):
        used.add(launch.source.template)
        submit(launch)

    monkeypatch.setitem(device.__dict__, "submit", noted)
    for found, wanted in TRIED[name]():
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)
    assert name in used


@pytest.mark.oclgrind
@pytest.mark.parametrize("shape", [(7, 5, 33), (20, 40, 70), (1, 30, 9)])
def test_epilogues(shape):
    """Products and a normalisation with what follows them in a captured program, in kernels of all their templates."""
    m, k, n = shape
    a, b, c, row = array(m, k) / 9, array(k, n) / 9, array(m, n), array(n)

    def fn(a, b, c, row):
        y = a @ b
        z = ct.nn.functional.layer_norm(c, (n,))
        return y * 2 + c, y, (z.relu() + row) * 3

    found = compiled(fn, a, b, c, row)
    away = c - c.mean(1, keepdims=True)
    normal = away / np.sqrt((away * away).mean(1, keepdims=True) + 1e-5)
    for f, wanted in zip(found, (a @ b * 2 + c, a @ b, (np.maximum(normal, 0) + row) * 3), strict=True):
        np.testing.assert_allclose(f.numpy(), wanted, rtol=1e-4, atol=1e-5)
