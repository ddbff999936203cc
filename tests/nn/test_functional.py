"""Functions of nn.functional that need no PyTorch to check: dropout, embedding, one_hot, losses, arguments of layers."""

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.nn import functional as F

pytestmark = pytest.mark.device


@pytest.mark.parametrize(("fn", "shape"), [(F.dropout, (1, 20000)), (F.dropout1d, (1, 20000, 2)), (F.dropout2d, (1, 20000, 2, 1))])
def test_dropout_keeps_the_mean_and_the_right_share(fn, shape):
    cltensor.manual_seed(0)
    y = fn(cltensor.ones(shape), 0.3, True).numpy()
    zeros = (y == 0).reshape(20000, -1)
    assert zeros.mean() == pytest.approx(0.3, abs=0.015)
    assert (zeros == zeros[:, :1]).all()
    np.testing.assert_allclose(y[y != 0], 1 / 0.7, rtol=1e-6)
    cltensor.manual_seed(0)
    assert (fn(cltensor.ones(shape), 0.3, True).numpy() == y).all()


def test_dropout_gradient_is_its_mask():
    x = cltensor.ones(100, requires_grad=True)
    y = F.dropout(x, 0.5, True)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()
    assert F.dropout(x, 0.5, False) is x
    assert F.dropout(x, 1.0, True).tolist() == [0] * 100
    z = cltensor.ones(100)
    assert F.dropout(z, 0.5, True, inplace=True) is z
    assert 0 in z.tolist()
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            nn.Dropout(wrong)


@pytest.mark.parametrize("dtype", [cltensor.float32, cltensor.float64])
def test_gelu_bends_alike_on_both_sides_of_zero(dtype):
    x = cltensor.tensor([-3.0, -1e-6, 0, 1e-6, 0.5, 14], dtype=dtype, requires_grad=True)
    slope, = cltensor.autograd.grad(F.gelu(x).sum(), x, create_graph=True)
    slope.sum().backward()
    a = x.detach().numpy().astype(float)
    density = np.exp(-a * a / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(x.grad.numpy(), density * (2 - a * a), rtol=1e-5, atol=1e-6)


def test_alpha_dropout_keeps_mean_and_variance():
    cltensor.manual_seed(0)
    x = cltensor.randn(100000)
    y = F.alpha_dropout(x, 0.2, True).numpy()
    assert y.mean() == pytest.approx(0, abs=0.02)
    assert y.std() == pytest.approx(1, abs=0.02)


def test_embedding():
    table = cltensor.arange(12).reshape(4, 3).float().requires_grad_()
    ids = cltensor.tensor([[1, 3], [1, 0]])
    rows = F.embedding(ids, table, padding_idx=3)
    assert rows.tolist() == [[[3, 4, 5], [9, 10, 11]], [[3, 4, 5], [0, 1, 2]]]
    rows.sum().backward()
    assert table.grad.tolist() == [[1] * 3, [2] * 3, [0] * 3, [0] * 3]
    assert F.embedding(cltensor.tensor(2), table).shape == (3,)
    with pytest.raises(TypeError, match="integer dtype, got float32"):
        F.embedding(cltensor.ones(1), table)
    with pytest.raises(IndexError, match="index 4 is out of bounds"):
        F.embedding(cltensor.tensor([4]), table).tolist()
    layer = nn.Embedding(4, 3, padding_idx=-1)
    assert (layer.padding_idx, layer.weight[3].tolist()) == (3, [0, 0, 0])
    frozen = nn.Embedding.from_pretrained(table.detach())
    assert not frozen.weight.requires_grad


def test_one_hot():
    assert F.one_hot(cltensor.tensor([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(cltensor.tensor([1]), 4).tolist() == [[0, 1, 0, 0]]
    with pytest.raises(IndexError):
        F.one_hot(cltensor.tensor([5]), 4).tolist()


def test_losses_by_hand():
    a, b = cltensor.tensor([1.0, -2.0]), cltensor.tensor([0.0, 2.0])
    assert F.mse_loss(a, b).item() == 8.5
    assert F.l1_loss(a, b, reduction="sum").item() == 5
    assert F.huber_loss(a, b, delta=2.0, reduction="none").tolist() == [0.5, 6]
    logits = cltensor.tensor([100.0, -100.0, 0.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(logits, cltensor.tensor([1.0, 0.0, 1.0]), reduction="sum")
    loss.backward()
    assert loss.item() == pytest.approx(np.log(2))
    assert logits.grad.tolist() == pytest.approx([0, 0, -0.5])
    with pytest.warns(UserWarning, match="different to the input size"):
        F.mse_loss(cltensor.ones(2, 1), cltensor.ones(2))
    with pytest.raises(RuntimeError, match="must be the same as input size"):
        F.binary_cross_entropy_with_logits(cltensor.ones(2), cltensor.ones(3))
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none'"):
        F.mse_loss(a, b, reduction="average")


@pytest.mark.parametrize("fn", [F.elu, F.celu, F.selu, F.gelu, F.silu, F.mish, F.softplus, F.logsigmoid, F.softsign, F.tanhshrink,
                                lambda x: F.binary_cross_entropy_with_logits(x, x * 0 + 1, reduction="none")])
def test_curves_stay_finite_far_out_in_value_and_slope(fn):
    x = cltensor.tensor([-1e4, -100.0, 100.0, 1e4], requires_grad=True)
    y = fn(x)
    slope, = cltensor.autograd.grad(y.sum(), x, create_graph=True)
    curve, = cltensor.autograd.grad(slope.sum(), x)
    assert np.isfinite([*y.tolist(), *slope.tolist(), *curve.tolist()]).all()


@pytest.mark.parametrize(("call", "words"), [
    (lambda: nn.Conv2d(3, 4, 3, groups=2), "in_channels must be divisible by groups"),
    (lambda: nn.Conv2d(2, 4, 3, padding="left"), "Invalid padding string 'left'"),
    (lambda: nn.Conv2d(2, 4, 3, padding="same", stride=2), "not supported for strided"),
    (lambda: nn.Conv2d(2, 4, (3, 3, 3)), "kernel_size must be one int or 2 ints"),
    (lambda: nn.Conv2d(2, 4, 3, padding_mode="mirror"), "padding_mode must be one of"),
    (lambda: nn.Conv2d(2, 4, 3)(cltensor.ones(2, 5)), r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d"),
    (lambda: nn.Conv2d(2, 4, 3)(cltensor.ones(1, 3, 5, 5)), "expected input.* to have 2 channels, but got 3"),
    (lambda: nn.MaxPool2d((2, 2, 2))(cltensor.ones(1, 1, 4, 4)), "kernel_size must be one int or 2 ints"),
    (lambda: nn.ConvTranspose2d(1, 1, 2, stride=2)(cltensor.ones(1, 1, 2, 2), output_size=(9, 9)), "valid sizes range from"),
    (lambda: nn.Linear(3, 2)(cltensor.ones(4)), r"input \(4,\), weight \(2, 3\)"),
    (lambda: F.pad(cltensor.ones(2), (1, 1), mode="mirror"), "Unrecognised padding mode"),
    (lambda: F.glu(cltensor.ones(3)), "must be even"),
    (lambda: F.prelu(cltensor.ones(2, 3), cltensor.ones(2)), "weight needs 1 element or 3"),
])
def test_mistakes_are_named(call, words):
    with pytest.raises(RuntimeError, match=words):
        call()


def test_transposed_convolution_to_a_wanted_size():
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    assert layer(cltensor.ones(1, 1, 4, 4), output_size=(8, 7)).shape == (1, 1, 8, 7)
