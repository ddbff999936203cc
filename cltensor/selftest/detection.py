"""Checks of the kernels of detection: pooling of regions, deformable convolution, suppression of overlapping boxes."""

import numpy as np

import cltensor as ct
from cltensor.nn import functional as F
from cltensor.vision import ops

from .comparison import expect_close, expect_equal


def regions(device, rng):
    """Regions of whole pixels: their bins hold what windows of the plane hold; the gradients put back what was taken."""
    a, k = rng.standard_normal((2, 17, 64, 48), np.float32), 40
    corners = 4 * rng.integers(0, 8, (k, 2))
    images = rng.integers(0, 2, k)
    rois = np.concatenate([images[:, None], corners, corners + 16], 1).astype(np.float32)
    cut = np.stack([a[n, :, y:y + 16, x:x + 16] for n, (x, y) in zip(images, corners, strict=True)])
    cells = cut.reshape(k, 17, 4, 4, 4, 4)
    x, boxes = ct.tensor(a, device=device, requires_grad=True), ct.tensor(rois, device=device)
    mean = ops.roi_align(x, boxes, 4, aligned=True)
    expect_close(mean.detach().numpy(), cells.mean((3, 5), dtype=np.float64), 1e-4, 1e-4)
    inside = boxes - ct.tensor([0.0, 0, 0, 1, 1], device=device)
    expect_close(ops.roi_pool(x.detach(), inside, 4).numpy(), cells.max((3, 5)), 0, 0)
    mean.sum().backward()
    wanted = np.zeros(a.shape)
    for n, (left, top) in zip(images, corners, strict=True):
        wanted[n, :, top:top + 16, left:left + 16] += 1 / 16
    expect_close(x.grad.numpy(), wanted, 1e-4, 1e-4)


def deformed(device, rng):
    """A convolution whose taps all move by one column is that of the image moved by one column, gradients too."""
    a, w = rng.standard_normal((3, 8, 33, 40), np.float32), rng.standard_normal((5, 8, 3, 3), np.float32)
    moved = np.zeros((3, 18, 33, 40), np.float32)
    moved[:, 1::2] = 1
    x, weight, offset = (ct.tensor(v, device=device, requires_grad=True) for v in (a, w, moved))
    y = ops.deform_conv2d(x, offset, weight, padding=1)
    plain = ct.tensor(a, device=device, requires_grad=True)
    other = F.conv2d(F.pad(plain, (0, 2, 1, 1)), weight.detach())
    expect_close(y.detach().numpy(), other.detach().numpy(), 1e-4, 1e-3)
    g = ct.tensor(rng.standard_normal((3, 5, 33, 40), np.float32), device=device)
    y.backward(g)
    other.backward(g)
    expect_close(x.grad.numpy(), plain.grad.numpy(), 1e-4, 1e-3)


def suppression(device, rng):
    """Boxes in a row that overlap their neighbours: every second one stays, in the order of the scores."""
    n = 3001
    left = np.arange(n, dtype=np.float32)
    boxes = np.stack([left, np.zeros(n), left + 1.5, np.ones(n)], 1).astype(np.float32)
    scores = np.where(np.arange(n) % 2, 0.1, 0.9).astype(np.float32)
    found = ops.nms(ct.tensor(boxes, device=device), ct.tensor(scores, device=device), 0.2)
    expect_equal(found.numpy(), np.arange(0, n, 2))
