"""Lazy modules take their sizes from the first input, as PyTorch's do, and become the plain layer."""

import copy
import pickle

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device

CASES = [("LazyLinear", (3,), (2, 5)), ("LazyBatchNorm1d", (), (4, 5)), ("LazyBatchNorm2d", (), (2, 5, 3, 4)),
         ("LazyBatchNorm3d", (), (2, 5, 2, 3, 2)), ("LazyInstanceNorm1d", (), (2, 5, 6)),
         ("LazyInstanceNorm2d", (), (2, 5, 3, 4)), ("LazyInstanceNorm3d", (), (2, 5, 2, 3, 2)),
         ("LazyConv1d", (4, 3), (2, 6, 7)), ("LazyConv2d", (4, 3), (6, 7, 5)), ("LazyConv3d", (4, 2), (2, 6, 3, 4, 3)),
         ("LazyConvTranspose1d", (4, 3), (2, 6, 7)), ("LazyConvTranspose2d", (4, 3), (2, 6, 3, 4)),
         ("LazyConvTranspose3d", (4, 2), (2, 6, 2, 3, 2))]


@pytest.mark.parametrize(("name", "args", "shape"), CASES)
def test_first_call(name, args, shape, rng):
    ours, theirs = (getattr(lib, name)(*args) for lib in (nn, torch.nn))
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.has_uninitialized_params()
    x = rng.standard_normal(shape).astype(np.float32)
    ours(cltensor.tensor(x))
    expected = theirs(torch.from_numpy(x))
    assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == name.removeprefix("Lazy")
    ours = getattr(nn, name)(*args)
    ours.load_state_dict({k: cltensor.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    again = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(cltensor.tensor(x)).numpy(force=True), again, atol=2e-5)
    assert again.shape == expected.shape


def test_channels_of_a_single_sample():
    for layer, shape in ((nn.LazyInstanceNorm1d(), (5, 6)), (nn.LazyInstanceNorm2d(), (5, 3, 4)), (nn.LazyConv1d(2, 3), (5, 6))):
        layer(cltensor.ones(shape))
        assert getattr(layer, "num_features", None) == 5 or layer.in_channels == 5


def test_before_the_first_call():
    layer = nn.LazyLinear(3)
    assert layer.double().weight.dtype is cltensor.float64
    assert layer.to_empty(device=None).weight.dtype is cltensor.float64
    assert repr(layer.weight) == "<UninitializedParameter>"
    assert not layer.requires_grad_(False).weight.requires_grad
    assert isinstance(copy.deepcopy(layer).weight, nn.UninitializedParameter)
    assert not pickle.loads(pickle.dumps(layer.weight)).requires_grad
    layer.reset_parameters()
    with pytest.raises(ValueError, match="uninitialized parameter"):
        layer.weight + 1
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        layer.weight.shape  # noqa: B018
    with pytest.raises(RuntimeError, match="Can't share memory"):
        layer.weight.share_memory_()
    with pytest.raises(RuntimeError, match="uninitialized"):
        nn.Linear(2, 3).load_state_dict(layer.state_dict())
    layer.load_state_dict(nn.LazyLinear(3).state_dict())
    assert layer(cltensor.ones(2, 4).double()).shape == (2, 3)
    assert not layer.weight.requires_grad


def test_a_buffer_without_shape():
    module = nn.Module()
    module.mean = nn.UninitializedBuffer(persistent=False)
    assert "mean" not in module.state_dict()
    assert not copy.deepcopy(module).mean.persistent
    module.mean.materialize((2, 3))
    assert isinstance(module.mean, nn.Buffer)
    assert module.mean.shape == (2, 3)


def test_what_fits_nothing():
    layer = nn.LazyConv2d(4, 3, groups=2)
    with pytest.raises(ValueError, match="divisible by groups"):
        layer(cltensor.ones(1, 5, 4, 4))
    assert layer.in_channels == 0
    with pytest.raises(RuntimeError, match="input to LazyConv2d"):
        layer(cltensor.ones(5))
    assert layer(cltensor.ones(1, 6, 4, 4)).shape == (1, 4, 2, 2)
    layer = nn.LazyLinear(3)
    layer.load_state_dict(nn.Linear(4, 3).state_dict())
    with pytest.raises(AssertionError, match="inferred from input: 5"):
        layer(cltensor.ones(1, 5))


class Doubling(nn.modules.lazy.LazyModuleMixin, nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.UninitializedParameter()

    def initialize_parameters(self, x, forget=False):
        if self.has_uninitialized_params() and not forget:
            self.scale.materialize(x.shape[-1:])
            nn.init.constant_(self.scale, 2.0)

    def forward(self, x, forget=False):
        return x * self.scale


def test_a_lazy_class_of_ones_own_trains():
    module = Doubling()
    optimizer = optim.SGD(module.parameters(), lr=0.5)
    with pytest.raises(RuntimeError, match="not fully initialized"):
        module(cltensor.ones(3), forget=True)
    module(cltensor.ones(3)).sum().backward()
    optimizer.step()
    assert module.scale.tolist() == [1.5, 1.5, 1.5]
    assert type(module) is Doubling
    module.cls_to_become = nn.Identity
    with pytest.raises(NotImplementedError, match="initialize_parameters"):
        type("Bare", (nn.modules.lazy.LazyModuleMixin, nn.Module), {"cls_to_become": nn.Identity})()(1)
