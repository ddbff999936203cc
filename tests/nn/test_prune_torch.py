"""Pruning gives PyTorch's masks, names and gradients."""

import importlib
import math

import numpy as np
import pytest

import cltensor
from cltensor import nn, optim
from cltensor.nn.utils import prune
from cltensor.nn.utils.pruning_methods import pruning_hooks

torch = pytest.importorskip("torch")
torch_prune = importlib.import_module("torch.nn.utils.prune")
pytestmark = pytest.mark.device


def layers(rng, *sizes):
    """PyTorch's and our Linear with the same values."""
    theirs, ours = torch.nn.Linear(*sizes), nn.Linear(*sizes)
    with torch.no_grad():
        theirs.weight.copy_(torch.from_numpy(rng.standard_normal(theirs.weight.shape).astype(np.float32)))
    ours.load_state_dict({k: cltensor.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    return theirs, ours


STEPS = [
    [("l1_unstructured", "weight", {"amount": 0.3})], [("l1_unstructured", "weight", {"amount": 5}), ("identity", "bias", {})],
    [("ln_structured", "weight", {"amount": 1, "n": 2, "dim": 0})],
    [("ln_structured", "weight", {"amount": 0.5, "n": 1, "dim": -1})],
    [("ln_structured", "weight", {"amount": 2, "n": math.inf, "dim": 1})], [("l1_unstructured", "weight", {"amount": 0.0})],
    [("l1_unstructured", "weight", {"amount": 0.25}), ("l1_unstructured", "weight", {"amount": 0.25})],
    [("l1_unstructured", "weight", {"amount": 4}), ("ln_structured", "weight", {"amount": 1, "n": 2, "dim": 0}),
     ("l1_unstructured", "weight", {"amount": 2})],
    [("ln_structured", "weight", {"amount": 1, "n": 2, "dim": 1}), ("ln_structured", "weight", {"amount": 0.5, "n": 2, "dim": 1})],
    [("custom_from_mask", "bias", {"mask": [1, 0, 1]}), ("l1_unstructured", "bias", {"amount": 1})],
    [("l1_unstructured", "weight", {"amount": 3, "importance_scores": np.arange(15.0, dtype=np.float32).reshape(3, 5)})],
]


@pytest.mark.parametrize("steps", STEPS, ids=lambda s: "-".join(n for n, *_ in s))
def test_masks_and_gradients(steps, rng):
    both = layers(rng, 5, 3)
    x = rng.standard_normal((2, 5)).astype(np.float32)
    found = []
    for lib, layer, make in ((torch_prune, both[0], torch.tensor), (prune, both[1], cltensor.tensor)):
        for fn, name, settings in steps:
            settings = {k: make(v) if k in ("mask", "importance_scores") else v for k, v in settings.items()}
            assert getattr(lib, fn)(layer, name, **settings) is layer
        layer(make(x)).square().sum().backward()
        state = {k: v.numpy() for k, v in layer.state_dict().items()}
        grads = {f"{k}.grad": p.grad.numpy() for k, p in layer.named_parameters()}
        names = sorted({name for _, name, _ in steps})
        for name in names:
            assert lib.is_pruned(layer)
            lib.remove(layer, name)
        assert not lib.is_pruned(layer)
        found.append(state | grads | {f"left {k}": v.numpy() for k, v in layer.state_dict().items()})
    assert list(found[0]) == list(found[1])
    for k, e in found[0].items():
        np.testing.assert_allclose(found[1][k], e, rtol=1e-5, atol=1e-6, err_msg=k)


def test_random_methods_and_containers():
    layer = nn.Linear(10, 10)
    prune.random_unstructured(layer, "weight", 0.3)
    assert layer.weight_mask.sum().item() == 70
    prune.random_structured(layer, "weight", 2, dim=0)
    method = pruning_hooks(layer, "weight")[0][1]
    assert [type(m) for m in method] == [prune.RandomUnstructured, prune.RandomStructured]
    assert len(method) == 2
    assert method[0].amount == 0.3
    assert int((layer.weight_mask.sum(1) == 0).sum()) == 2
    assert len(pruning_hooks(layer, "weight")) == 1


def test_all_layers_together(rng):
    both = [layers(rng, 4, 3), layers(rng, 3, 2)]
    for lib, at in ((torch_prune, 0), (prune, 1)):
        pairs = [(pair[at], "weight") for pair in both]
        lib.global_unstructured(pairs, pruning_method=lib.L1Unstructured, amount=7)
        lib.global_unstructured(pairs, lib.L1Unstructured, amount=0.2)
    for theirs, ours in both:
        np.testing.assert_array_equal(ours.weight_mask.numpy(), theirs.weight_mask.numpy())


def test_pruned_weights_stay_zero_in_training():
    layer = prune.l1_unstructured(nn.Linear(4, 2), "weight", 0.5)
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    for _ in range(3):
        layer(cltensor.ones(3, 4)).square().sum().backward()
        optimizer.step()
    layer(cltensor.ones(3, 4))
    assert int((layer.weight == 0).sum()) == 4


def test_prune_of_a_tensor():
    method = prune.L1Unstructured(2)
    t = cltensor.arange(4.0)
    assert method.prune(t).tolist() == [0, 0, 2, 3]
    assert method.prune(t, importance_scores=cltensor.tensor([4.0, 3, 2, 1])).tolist() == [0, 1, 0, 0]
    assert method.prune(t, default_mask=cltensor.tensor([1.0, 0, 1, 1])).tolist() == [0, 0, 2, 3]


def test_errors():
    layer = nn.Linear(4, 3)
    before = layer.weight.tolist()
    wrong = [("l1_unstructured", {"amount": 13}, ValueError, "smaller than"),
             ("l1_unstructured", {"amount": 1.5}, ValueError, "range"),
             ("l1_unstructured", {"amount": -1}, ValueError, "non-negative"),
             ("l1_unstructured", {"amount": "a"}, TypeError, "int or"),
             ("ln_structured", {"amount": 0.5, "n": 2, "dim": 5}, IndexError, "Invalid index 5"),
             ("l1_unstructured", {"amount": 1, "importance_scores": cltensor.ones(2)}, AssertionError, "same shape"),
             ("custom_from_mask", {"mask": cltensor.ones(2)}, AssertionError, "mask has shape")]
    for fn, settings, error, message in wrong:
        with pytest.raises(error, match=message):
            getattr(prune, fn)(layer, "weight", **settings)
        assert list(layer.state_dict()) == ["weight", "bias"]
        assert layer.weight.tolist() == before
    with pytest.raises(ValueError, match="multidimensional"):
        prune.random_structured(layer, "bias", 1, dim=0)
    with pytest.raises(ValueError, match="has to be pruned"):
        prune.remove(layer, "weight")
    with pytest.raises(TypeError, match="unstructured"):
        prune.global_unstructured([(layer, "weight")], prune.LnStructured, amount=1, n=2, dim=0)
    with pytest.raises(TypeError, match="dict"):
        prune.global_unstructured([(layer, "weight")], prune.L1Unstructured, importance_scores=3, amount=1)
    with pytest.raises(TypeError, match="Iterable"):
        prune.global_unstructured(3, prune.L1Unstructured, amount=1)
    with pytest.raises(TypeError, match="BasePruningMethod"):
        prune.PruningContainer().add_pruning_method(3)
    with pytest.raises(TypeError, match="abstract"):
        prune.BasePruningMethod()
    with pytest.raises(AssertionError, match="same shape"):
        prune.Identity().prune(cltensor.ones(2), importance_scores=cltensor.ones(3))
    one, two = prune.Identity(), prune.Identity()
    one._tensor_name, two._tensor_name = "weight", "bias"
    with pytest.raises(ValueError, match="acting on the parameter named 'weight'"):
        prune.PruningContainer(one, two)

    class Odd(prune.BasePruningMethod):
        PRUNING_TYPE = "odd"

        def compute_mask(self, t, default_mask):
            return default_mask

    prune.identity(layer, "weight")
    with pytest.raises(ValueError, match="PRUNING_TYPE odd"):
        Odd.apply(layer, "weight")
    Odd.PRUNING_TYPE = "structured"
    with pytest.raises(ValueError, match="dim"):
        Odd.apply(layer, "weight")
