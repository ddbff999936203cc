"""Gradients where a function has no slope, an infinite one, or nothing to go through."""

import numpy as np
import pytest

import cltensor as ct
import cltensor.nn.functional as F

pytestmark = pytest.mark.device
INF, NAN = float("inf"), float("nan")


def slope(fn, values):
    """The gradient of the sum of fn at values, as a list."""
    x = ct.tensor(values, requires_grad=True)
    return ct.autograd.grad(fn(x).sum(), x)[0].tolist()


def test_standard_deviation_of_equal_numbers():
    assert slope(lambda x: x.std(1), [[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]) == [[0.0] * 3] * 2
    assert slope(lambda x: ct.std_mean(x)[0], [3.0, 3.0]) == [0.0, 0.0]


@pytest.mark.parametrize("p", [0.5, 1, 1.5, 2, 3, INF])
def test_norms_of_nothing_but_zeros(p):
    zeros = [[0.0, 0.0]]
    for fn in (lambda x: x.norm(p), lambda x: ct.dist(x, x * 1, p), lambda x: ct.cdist(x, x * 1, p),
               lambda x: F.pairwise_distance(x, x * 1, p, eps=0.0)):
        assert slope(fn, zeros) == zeros


def test_norms_with_infinities():
    assert slope(lambda x: x.norm(3), [2.0, INF])[0] == 0
    assert ct.tensor([NAN, 0.0, 1.0]).norm(0).item() == 2


def test_logit_at_its_limits():
    np.testing.assert_allclose(slope(lambda x: ct.logit(x, eps=0.1), [0.0, 1.0, 0.05, 0.5]), [0, 0, 0, 4])


def test_entropy_at_zero():
    assert slope(ct.special.entr, [0.0, 1.0]) == [INF, -1.0]


def test_nan_passes_relu():
    assert slope(ct.relu, [NAN, -1.0, 2.0]) == [1.0, 0.0, 1.0]
    assert slope(lambda x: x.clamp(min=0), [NAN, -1.0, 2.0]) == [0.0, 0.0, 1.0]


def test_shrunk_and_bent():
    assert slope(F.softshrink, [NAN, 0.25, -0.5, 0.75]) == [1.0, 0.0, 0.0, 1.0]
    assert slope(F.hardswish, [NAN, -3.0, -3.5, 3.0, 0.0]) == [1.0, 0.0, 0.0, 1.0, 0.5]
    assert slope(lambda x: F.softshrink(x).reciprocal(), [0.0]) == [0.0]
    assert slope(lambda x: F.hardswish(x).sqrt(), [-4.0]) == [0.0]


def test_power_pooling():
    x = [[[0.0, 0.0, 1.0, -1.0, 2.0, 3.0]]]
    assert slope(lambda x: F.lp_pool1d(x, 2, 2), x)[0][0][:2] == [0.0, 0.0]
    found = slope(lambda x: F.lp_pool1d(x, 1.5, 2), x)[0][0]
    assert np.isnan(found[2:4]).all()
    assert found[:2] == [0.0, 0.0]


def test_divergence_and_its_target():
    x = ct.tensor([0.1, 0.2, 0.3])
    target = ct.tensor([0.0, 0.5, -0.1], requires_grad=True)
    losses = F.kl_div(x, target, reduction="none")
    np.testing.assert_allclose(losses.tolist(), [0.0, 0.5 * np.log(0.5) - 0.1, NAN], rtol=1e-6)
    np.testing.assert_allclose(ct.autograd.grad(losses.sum(), target)[0].tolist(), [NAN, np.log(0.5) + 0.8, NAN], rtol=1e-5)


def test_median_shares_its_gradient():
    x = [1.0, 2.0, 2.0, 2.0, 3.0]
    np.testing.assert_allclose(slope(ct.median, x), [0, 1 / 3, 1 / 3, 1 / 3, 0])
    np.testing.assert_allclose(slope(ct.nanmedian, [*x, NAN, NAN]), [0, 1 / 3, 1 / 3, 1 / 3, 0, 0, 0])
    assert slope(lambda x: x.median(0).values, x) == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("write", [lambda y: y.zero_(), lambda y: y.fill_(2.0), lambda y: y.copy_(ct.ones_like(y)),
                                   lambda y: y.masked_fill_(y.detach() == y.detach(), 0.0)],
                         ids=["zero_", "fill_", "copy_", "masked_fill_"])
def test_what_is_overwritten_gets_zeros(write):
    x = ct.ones(3, requires_grad=True)
    y = x.clone()
    write(y)
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_overwriting_passes_on_the_new_value_s_gradient():
    x, z = ct.ones(3, requires_grad=True), ct.ones(3, requires_grad=True)
    y = x * 2
    y.copy_(z * 3)
    y.sum().backward()
    assert (x.grad.tolist(), z.grad.tolist()) == ([0, 0, 0], [3, 3, 3])


@pytest.mark.parametrize("matrix", [[[1.0, 0.0, 0.0], [0.0] * 3, [0.0] * 3], [[0.0] * 2] * 2, [[2.0, 0.0], [0.0, 2.0]]],
                         ids=["rank 1", "zero", "equal values"])
def test_nuclear_norm_of_a_singular_matrix(matrix):
    """A subgradient: of spectral norm at most 1, with the norm itself for its inner product with the matrix."""
    g = np.array(slope(lambda x: ct.linalg.norm(x, "nuc"), matrix))
    assert np.linalg.norm(g, 2) <= 1 + 1e-5
    np.testing.assert_allclose((g * matrix).sum(), np.linalg.norm(matrix, "nuc"), rtol=1e-5)


def test_a_row_of_masks_of_minus_a_billion():
    """Beside -1e9 the logarithm of a row's sum of exponentials is lost in one number."""
    rng = np.random.default_rng(0)
    q, k, v = (ct.tensor(rng.standard_normal((2, 2, 5, 8)).astype("f4"), requires_grad=True) for _ in range(3))
    mask = ct.zeros(5, 5)
    mask[3] = -1e9
    F.scaled_dot_product_attention(q, k, v, attn_mask=mask).sum().backward()
    weights = np.einsum("nhle,nhse->nhls", *(t.detach().numpy().astype(np.float64) for t in (q, k))) / np.sqrt(8)
    weights[:, :, 3] = 0  # all equal: float32 loses what is added to -1e9
    weights = np.exp(weights) / np.exp(weights).sum(-1, keepdims=True)
    np.testing.assert_allclose(v.grad.numpy()[..., 0], weights.sum(2), rtol=1e-4)


def test_infinite_log_probabilities_of_other_classes():
    x = ct.tensor([[-INF, -0.1, -2.0], [0.0, -INF, -INF]], requires_grad=True)
    loss = F.nll_loss(x, ct.tensor([1, 0]))
    np.testing.assert_allclose(loss.item(), 0.05, rtol=1e-6)
    np.testing.assert_allclose(ct.autograd.grad(loss, x)[0].tolist(), [[0, -0.5, 0], [-0.5, 0, 0]])


def test_what_lies_outside_a_sampled_image():
    image = ct.full((1, 1, 2, 2), INF)
    grid = ct.tensor([[[[5.0, 5.0], [NAN, 0.0]]]])
    assert F.grid_sample(image, grid, align_corners=True).tolist() == [[[[0.0, 0.0]]]]


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 2), (2, 3, 0)])
def test_batch_norm_of_nothing(shape):
    m = ct.nn.BatchNorm1d(3)
    x = ct.ones(shape, requires_grad=True)
    y = m(x)
    y.sum().backward()
    assert (tuple(y.shape), tuple(x.grad.shape)) == (shape, shape)
    assert m.weight.grad.tolist() == [0, 0, 0]
    assert m.running_mean.tolist() == [0, 0, 0]
    assert m.running_var.tolist() == [1, 1, 1]


def test_scans_of_a_number():
    for fn in (lambda x: x.cumprod(0), lambda x: x.logcumsumexp(0), lambda x: x.cumsum(0)):
        assert slope(fn, 0.0) == 1


def test_losses_of_one_variance_or_a_number():
    var = ct.full((4, 1), 2.0)
    x, target = ct.ones(4, 3), ct.zeros(4, 3)
    np.testing.assert_allclose(F.gaussian_nll_loss(x, target, var).item(), 0.5 * (np.log(2) + 0.5), rtol=1e-6)
    np.testing.assert_allclose(F.gaussian_nll_loss(x, target, ct.full((1, 3), 2.0)).item(), 0.5 * (np.log(2) + 0.5), rtol=1e-6)
    assert F.kl_div(ct.tensor(0.5), ct.tensor(1.0), reduction="batchmean").item() == -0.5
