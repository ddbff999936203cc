"""Image functions and attention against PyTorch's, values and gradients."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import cltensor as ct  # noqa: E402
import cltensor.nn.functional as F  # noqa: E402

pytestmark = pytest.mark.device
R = np.random.default_rng(0)
X = R.standard_normal((2, 4, 6, 6))
GRID = R.uniform(-1.5, 1.5, (2, 5, 7, 2))
Q = R.standard_normal((2, 4, 5, 3))
MASK = R.random((5, 5)) > 0.3


def check(name, arrays, *args, **kwargs):
    ours = [ct.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    theirs = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays]
    a, b = getattr(F, name)(*ours, *args, **kwargs), getattr(torch.nn.functional, name)(*theirs, *args, **kwargs)
    assert tuple(a.shape) == tuple(b.shape)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-9)
    weight = R.standard_normal(tuple(b.shape))
    (a * ct.tensor(weight)).sum().backward()
    (b * torch.tensor(weight)).sum().backward()
    for x, y in zip(ours, theirs, strict=True):
        if y.requires_grad:
            grad = np.zeros(x.shape) if x.grad is None else x.grad.numpy()  # a gradient nobody needs may be left out
            np.testing.assert_allclose(grad, y.grad.numpy(), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("name", "args"), [("pixel_shuffle", (2,)), ("pixel_unshuffle", (2,)), ("channel_shuffle", (2,)),
                                            ("unfold", ((3, 2), 2, 1, 2)), ("unfold", (2,))])
def test_rearranging(name, args):
    check(name, [X], *args)


def test_fold():
    check("fold", [R.standard_normal((2, 36, 9))], (6, 6), 3, padding=1, stride=2)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "area", "bilinear", "bicubic"])
@pytest.mark.parametrize("how", [{"size": (9, 4)}, {"scale_factor": 1.7}])
def test_interpolate(mode, how):
    check("interpolate", [X], mode=mode, **how)


def test_nearest_places_are_computed_in_float32():
    for old, new in ((64, 20), (33, 21), (40, 31)):
        check("interpolate", [np.arange(float(old)).reshape(1, 1, old)], new, mode="nearest-exact")


def test_interpolate_in_one_and_three_dimensions():
    check("interpolate", [R.standard_normal((2, 3, 5))], 8, mode="linear", align_corners=True)
    check("interpolate", [R.standard_normal((1, 2, 3, 4, 3))], (4, 3, 5), mode="trilinear")


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grid_sample(mode, padding):
    for align in (False, True):
        check("grid_sample", [X, GRID], mode, padding, align)


def test_affine_grid():
    check("affine_grid", [R.standard_normal((2, 2, 3))], (2, 3, 4, 5), align_corners=False)


@pytest.mark.parametrize("kwargs", [{}, {"is_causal": True}, {"scale": 0.3}])
def test_attention(kwargs):
    check("scaled_dot_product_attention", [Q, Q + 1, Q - 1], **kwargs)


def test_attention_masks_and_shared_heads():
    check("scaled_dot_product_attention", [Q, Q, Q, MASK])
    check("scaled_dot_product_attention", [Q, Q, Q, np.where(MASK, 0.0, -1.0)])
    check("scaled_dot_product_attention", [Q, Q[:, :2], Q[:, 2:]], enable_gqa=True)


def test_errors():
    x = ct.ones(1, 3, 4, 4)
    for call in (lambda: F.pixel_shuffle(x, 2), lambda: F.unfold(x, 9), lambda: F.fold(ct.ones(1, 5, 5), 4, 2),
                 lambda: F.interpolate(x), lambda: F.interpolate(x, 2, mode="linear"), lambda: F.interpolate(x, 2, mode="cubic"),
                 lambda: F.grid_sample(x, ct.ones(2, 2, 2, 2)), lambda: F.channel_shuffle(x, 2),
                 lambda: F.scaled_dot_product_attention(x, ct.ones(1, 3, 4, 5), x)):
        with pytest.raises((ct.ShapeError, ct.ArgumentError), match=r"\w+: |expects|divisible"):
            call()
