"""Batch normalisation fused into the layer before it; weights in other layouts; modules without initial values."""

import warnings

import numpy as np
import pytest

import cltensor
from cltensor import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device


@pytest.mark.parametrize(("layer", "args", "norm", "shape"), [
    ("Conv2d", (3, 4, 3), "BatchNorm2d", (2, 3, 5, 5)), ("Conv1d", (3, 4, 2, 1, 0, 1, 1, False), "BatchNorm1d", (2, 3, 5)),
    ("ConvTranspose2d", (3, 4, 3), "BatchNorm2d", (2, 3, 5, 5)), ("Linear", (3, 4), "BatchNorm1d", (2, 3)),
    ("Linear", (3, 4, False), "BatchNorm1d", (2, 3))])
@pytest.mark.parametrize("affine", [True, False])
def test_fused_layer(layer, args, norm, shape, affine, rng):
    transpose = {"transpose": True} if "Transpose" in layer else {}
    fuse = "fuse_linear_bn_eval" if layer == "Linear" else "fuse_conv_bn_eval"
    if layer == "Linear" and not affine:
        affine = True  # PyTorch's needs weight and bias there
    first, second = getattr(torch.nn, layer)(*args).eval(), getattr(torch.nn, norm)(4, affine=affine).eval()
    with torch.no_grad():
        for t in second.state_dict().values():
            if t.is_floating_point():
                t.uniform_(0.5, 1.5)
    ours = [getattr(nn, layer)(*args).eval(), getattr(nn, norm)(4, affine=affine).eval()]
    for mine, other in zip(ours, (first, second), strict=True):
        mine.load_state_dict({k: cltensor.tensor(v.numpy()) for k, v in other.state_dict().items()})
    expected, got = getattr(torch.nn.utils, fuse)(first, second, **transpose), getattr(nn.utils, fuse)(*ours, **transpose)
    assert list(got.state_dict()) == list(expected.state_dict())
    for k, v in expected.state_dict().items():
        np.testing.assert_allclose(got.state_dict()[k].numpy(), v.numpy(), rtol=1e-5, atol=1e-6)
    x = rng.standard_normal(shape).astype(np.float32)
    np.testing.assert_allclose(got(cltensor.tensor(x)).tolist(), ours[1](ours[0](cltensor.tensor(x))).tolist(), atol=1e-4)
    with pytest.raises(AssertionError, match="eval"):
        getattr(nn.utils, fuse)(ours[0].train(), ours[1], **transpose)


def test_what_cannot_be_fused():
    with pytest.raises(AssertionError, match="running statistics"):
        nn.utils.fuse_conv_bn_eval(nn.Conv2d(1, 2, 3).eval(), nn.BatchNorm2d(2, track_running_stats=False).eval())
    with pytest.raises(AssertionError, match="out_features"):
        nn.utils.fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(3).eval())


def test_weights_in_another_layout():
    for n, layer, format in ((2, nn.Conv2d(3, 4, 3), cltensor.channels_last), (3, nn.Conv3d(3, 4, 3), cltensor.channels_last_3d)):
        before = layer.weight.tolist()
        model = nn.Sequential(layer, nn.ReLU())
        assert getattr(nn.utils, f"convert_conv{n}d_weight_memory_format")(model, format) is model
        assert layer.weight.is_contiguous(memory_format=format)
        assert layer.weight.tolist() == before


def test_a_module_without_initial_values():
    cltensor.manual_seed(0)
    expected = cltensor.rand(1).item()
    cltensor.manual_seed(0)
    layer = nn.utils.skip_init(nn.Linear, 3, 2, bias=False, dtype=cltensor.float64)
    assert cltensor.rand(1).item() == expected  # no random number was drawn
    assert (layer.weight.shape, layer.weight.dtype, layer.bias) == ((2, 3), cltensor.float64, None)
    assert nn.Linear(1, 500).weight.abs().max().item() > 0
    with pytest.raises(ValueError, match="Expected a Module"):
        nn.utils.skip_init(abs)
    with pytest.raises(ValueError, match="device"):
        nn.utils.skip_init(nn.ReLU)


def test_call_with_other_parameters():
    layer = nn.Linear(2, 1)
    own = layer.weight.tolist()
    given = {"weight": cltensor.ones(1, 2), "bias": cltensor.zeros(1)}
    with pytest.warns(FutureWarning, match="functional_call"):
        y = nn.utils.stateless.functional_call(layer, given, (cltensor.ones(1, 2),))
    assert y.tolist() == [[2]]
    assert layer.weight.tolist() == own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match="nope"):
            nn.utils.stateless.functional_call(layer, {"nope": own}, cltensor.ones(1, 2))
