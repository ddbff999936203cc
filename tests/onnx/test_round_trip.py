"""Networks exported to ONNX and read again are what they were: numbers, parameters and gradients, for all sizes."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.graph.structure import flatten

exported = pytest.importorskip("exported_networks")
pytestmark = [pytest.mark.device, pytest.mark.any_style]
OTHER = {"batch": 3, "steps": 6, "height": 24, "width": 32}


def tensors(found):
    return [t for t in flatten(found)[0] if isinstance(t, ct.Tensor)]


def close(got, expected, rtol=1e-3, atol=1e-4):
    for one, other in zip(tensors(got), tensors(expected), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=rtol, atol=atol)


def of_other_sizes(x, axes):
    """x repeated along its dynamic dimensions."""
    for dimension, name in axes.items():
        x = x.index_select(dimension, ct.arange(OTHER[name]) % x.shape[dimension])
    return x


def there_and_back(name, **options):
    """(a network, what was read of its export, its argument, the dynamic axes)."""
    made, example, axes = (exported.NETWORKS | exported.LARGE)[name]
    ct.manual_seed(0)
    model, x = made().eval(), example()
    proto = ct.onnx.export(model, x, input_names=["x"], dynamic_axes={"x": axes}, check=False, **options)
    return model, ct.onnx.load(proto.SerializeToString()), x, axes


@pytest.mark.parametrize("name", exported.NETWORKS)
def test_numbers(name):
    model, read, x, axes = there_and_back(name)
    step = ct.compile(read, dynamic=True)
    with ct.no_grad():
        for given in (x, of_other_sizes(x, axes), x[:1]):
            expected = model(given)
            close(read(given), expected)
            close(step(given), expected)


@pytest.mark.parametrize("name", ["cnn", "lstm", "gpt", "unet"])
def test_parameters_and_gradients(name):
    model, read, x, _ = there_and_back(name)
    ours, theirs = dict(model.named_parameters()), dict(read.named_parameters())
    assert ours.keys() <= theirs.keys()
    for one in (model, read):
        sum(t.square().mean() for t in tensors(one(x))).backward()
    for key, parameter in ours.items():
        scale = max(parameter.grad.abs().max().item(), 1e-6)
        np.testing.assert_allclose(theirs[key].grad.numpy() / scale, parameter.grad.numpy() / scale, atol=2e-3, err_msg=key)


@pytest.mark.parametrize("opset", [13, 15, 17, 18, 20, 21, 23])
@pytest.mark.parametrize("name", ["cnn", "gpt", "lstm", "normalised"])
def test_versions(name, opset):
    model, read, x, _ = there_and_back(name, opset_version=opset)
    with ct.no_grad():
        close(read(x), model(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", exported.LARGE)
def test_large_networks(name):
    model, read, x, _ = there_and_back(name)
    with ct.no_grad():
        close(read(x), model(x))
