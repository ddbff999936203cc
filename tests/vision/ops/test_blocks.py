"""Blocks of networks: convolution with norm and activation, squeeze-and-excitation, perceptrons, frozen norms."""

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.vision import ops

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def kinds(block):
    return [type(layer).__name__ for layer in block]


def test_convolutions_with_norm_and_activation():
    block = ops.Conv2dNormActivation(3, 4)
    assert kinds(block) == ["Conv2d", "BatchNorm2d", "ReLU"]
    assert block[0].bias is None
    assert block[0].padding == (1, 1)
    assert block[2].inplace
    assert block.out_channels == 4
    block = ops.Conv2dNormActivation(3, 4, (3, 5), dilation=2, norm_layer=None, activation_layer=nn.GELU, inplace=None)
    assert kinds(block) == ["Conv2d", "GELU"]
    assert block[0].padding == (2, 4)
    assert block[0].bias is not None
    assert ops.Conv2dNormActivation(3, 4, 3, dilation=(1, 2))[0].padding == (1, 2)
    assert ops.Conv2dNormActivation(3, 4, 5, padding="same")[0].padding == "same"
    assert ops.Conv2dNormActivation(3, 4, norm_layer=None, bias=False)[0].bias is None
    block = ops.Conv3dNormActivation(1, 2, (1, 3, 3), dilation=(1, 2, 3), groups=1, activation_layer=None)
    assert kinds(block) == ["Conv3d", "BatchNorm3d"]
    assert block[0].padding == (0, 2, 3)
    assert block(ct.ones(1, 1, 2, 8, 8)).shape == (1, 2, 2, 8, 8)
    with pytest.raises(TypeError, match="kernel_size='a' is neither"):
        ops.Conv2dNormActivation(1, 2, "a")
    with pytest.warns(UserWarning, match="is a base class"):
        ops.ConvNormActivation(3, 4)


def test_squeeze_and_excitation():
    ct.manual_seed(0)
    block = ops.SqueezeExcitation(4, 2, nn.Tanh, nn.Hardsigmoid)
    x = np.random.RandomState(0).standard_normal((2, 4, 3, 5)).astype(np.float32)
    w1, b1, w2, b2 = (block.state_dict()[name].numpy() for name in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"))
    hidden = np.tanh(x.mean((2, 3)) @ w1[:, :, 0, 0].T + b1)
    scale = np.clip((hidden @ w2[:, :, 0, 0].T + b2) / 6 + 0.5, 0, 1)
    np.testing.assert_allclose(block(ct.tensor(x)).detach().numpy(), x * scale[:, :, None, None], atol=1e-5)
    with pytest.raises(RuntimeError, match="to have 4 channels"):
        block(ct.ones(1, 3, 2, 2))


def test_perceptrons():
    mlp = ops.MLP(4, [8, 3], norm_layer=nn.LayerNorm, activation_layer=nn.GELU, dropout=0.5, bias=False)
    assert kinds(mlp) == ["Linear", "LayerNorm", "GELU", "Dropout", "Linear", "Dropout"]
    assert mlp[0].bias is None
    assert mlp(ct.ones(2, 5, 4)).shape == (2, 5, 3)
    assert all(layer.inplace for layer in ops.MLP(4, [8, 3], inplace=True) if isinstance(layer, (nn.ReLU, nn.Dropout)))
    assert kinds(ops.MLP(4, [2])) == ["Linear", "Dropout"]
    with pytest.raises(ValueError, match="hidden_channels is empty"):
        ops.MLP(4, [])


def test_permute():
    assert ops.Permute([0, 2, 1])(ct.ones(1, 2, 3)).shape == (1, 3, 2)
    with pytest.raises(RuntimeError, match="permute"):
        ops.Permute([0, 1])(ct.ones(1, 2, 3))


def test_frozen_norms_are_norms_in_evaluation():
    ct.manual_seed(0)
    norm = nn.BatchNorm2d(3, eps=0.01)
    norm(ct.randn(4, 3, 5, 5))
    with ct.no_grad():
        norm.weight.uniform_()
        norm.bias.uniform_()
    frozen = ops.FrozenBatchNorm2d(3, eps=0.01)
    assert str(frozen.load_state_dict(norm.state_dict())) == "<All keys matched successfully>"
    assert not list(frozen.parameters())
    assert repr(frozen) == "FrozenBatchNorm2d(3, eps=0.01)"
    x = ct.randn(2, 3, 4, 4)
    np.testing.assert_allclose(frozen(x).numpy(), norm.eval()(x).detach().numpy(), atol=1e-6)
    with pytest.raises(RuntimeError, match="broadcast"):
        frozen(ct.ones(1, 2, 2, 2))


def test_stochastic_depth_drops_rows_or_all():
    ct.manual_seed(0)
    x = ct.ones(4000, 2)
    found = ops.stochastic_depth(x, 0.25, "row").numpy()
    assert set(np.unique(found)) == {0.0, np.float32(1 / 0.75)}
    assert (found[:, 0] == found[:, 1]).all()
    np.testing.assert_allclose((found[:, 0] == 0).mean(), 0.25, atol=0.03)
    drawn = [ops.stochastic_depth(x[:3], 0.5, "batch").numpy() for _ in range(40)]
    assert all(len(np.unique(d)) == 1 for d in drawn)
    assert {d[0, 0] for d in drawn} == {0.0, 2.0}
    assert not ops.stochastic_depth(x, 1.0, "row").any()
    assert ops.stochastic_depth(ct.tensor(3.0), 0.5, "batch").item() in (0.0, 6.0)
    layer = ops.StochasticDepth(0.5, "row")
    assert layer.eval()(x) is x
    assert ops.stochastic_depth(x, 0.0, "row") is x
    assert repr(layer) == "StochasticDepth(p=0.5, mode=row)"


def test_gradients_of_stochastic_depth_are_the_draws():
    x = ct.ones(8, 2, requires_grad=True)
    out = ops.stochastic_depth(x, 0.5, "row")
    out.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), out.detach().numpy())


def test_stochastic_depth_refuses():
    x = ct.ones(2, 2)
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError, match="is no probability"):
            ops.stochastic_depth(x, p, "row", training=False)
    with pytest.raises(ValueError, match="mode='rows' is neither"):
        ops.StochasticDepth(0.5, "rows").eval()(x)
    with pytest.raises(RuntimeError, match="0-d input has none"):
        ops.stochastic_depth(ct.tensor(1.0), 0.5, "row")
    with pytest.raises(TypeError, match="convert the input to a floating dtype"):
        ops.stochastic_depth(x.int(), 0.5, "row")
