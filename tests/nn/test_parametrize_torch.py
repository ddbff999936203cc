"""Parametrizations give PyTorch's weights, gradients and state_dicts; so do the older weight and spectral norms."""

import copy
import pickle

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.nn.utils import parametrizations, parametrize

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.device


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT


class Half(nn.Module):
    def forward(self, x):
        return x * 2

    def right_inverse(self, x):
        return x / 2


class Sum(nn.Module):
    def forward(self, a, b):
        return a + b

    def right_inverse(self, x):
        return x / 4, x * 3 / 4


def given(forward, right_inverse=None):
    """A parametrization of functions."""
    members = {"forward": lambda self, *x: forward(*x)}
    if right_inverse:
        members["right_inverse"] = lambda self, x: right_inverse(x)
    return type("Given", (nn.Module,), members)()


def test_life_of_a_parametrization():
    layer = nn.Linear(3, 3)
    weight, value = layer.weight, layer.weight.tolist()
    assert parametrize.register_parametrization(layer, "weight", Half()) is layer
    assert layer.parametrizations.weight.original is weight
    np.testing.assert_allclose(layer.weight.tolist(), value, rtol=1e-6)
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert repr(layer).startswith("ParametrizedLinear(\n  in_features=3")
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    layer.weight = cltensor.ones(3, 3)
    assert weight.tolist() == [[0.5] * 3] * 3
    layer(cltensor.ones(1, 3)).sum().backward()
    assert weight.grad.tolist() == [[2.0] * 3] * 3
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert layer.weight.tolist() == [[1.0] * 3] * 3
    with pytest.raises(RuntimeError, match="Symmetric does not implement right_inverse"):
        layer.weight = cltensor.zeros(3, 3)
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    assert "parametrizations" not in dict(layer.named_children())


def test_several_originals_and_several_tensors():
    layer = nn.Linear(2, 2)
    layer.register_buffer("shift", cltensor.ones(2))
    for name, made in (("weight", Sum()), ("bias", Half()), ("shift", Half())):
        parametrize.register_parametrization(layer, name, made)
    assert list(layer.state_dict()) == [f"parametrizations.{n}" for n in ("weight.original0", "weight.original1", "bias.original",
                                                                          "shift.original")]
    assert layer.shift.tolist() == [1, 1]
    with pytest.raises(ValueError, match="sequence of tensors"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    value = layer.weight.tolist()
    for name in ("shift", "weight"):
        parametrize.remove_parametrizations(layer, name)
    assert layer.weight.tolist() == value
    assert dict(layer.named_buffers()).keys() == {"shift"}
    assert type(layer).__name__ == "ParametrizedLinear"
    half = layer.bias.tolist()
    parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    np.testing.assert_allclose(layer.bias.tolist(), np.array(half) / 2)


def test_copies_and_files():
    layer = parametrize.register_parametrization(nn.Linear(3, 3), "weight", Half())
    again = copy.deepcopy(layer)
    parametrize.remove_parametrizations(again, "weight")
    assert again.weight.tolist() == layer.weight.tolist()
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(layer)
    other = parametrize.transfer_parametrizations_and_params(layer, nn.Linear(3, 3))
    assert other.parametrizations.weight.original is layer.parametrizations.weight.original
    assert other.parametrizations.weight[0] is layer.parametrizations.weight[0]
    with pytest.raises(KeyError):
        parametrize.transfer_parametrizations_and_params(layer, nn.Linear(3, 3), "bias")


def test_cached():
    calls = []
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", given(lambda x: calls.append(1) or x), unsafe=True)
    calls.clear()
    with parametrize.cached():
        assert layer.weight is layer.weight
        with parametrize.cached():
            layer.weight  # noqa: B018
        layer.weight  # noqa: B018
    assert len(calls) == 1
    layer.weight  # noqa: B018
    assert len(calls) == 2


@pytest.mark.parametrize(("made", "message"), [
    (given(lambda x: x[:1]), "change the shape"), (given(lambda x: x.double()), "change the dtype"),
    (given(lambda x: 3), "must return a tensor"), (given(lambda x: x, lambda x: x[:1]), "shape"),
    (given(lambda x: x, lambda x: x.double()), "dtype"), (given(lambda x: x, lambda x: 3), "must return a")])
def test_what_changes_the_tensor_is_refused(made, message):
    layer = nn.Linear(3, 3)
    before = layer.weight.tolist()
    with pytest.raises(ValueError, match=message):
        parametrize.register_parametrization(layer, "weight", made)
    assert type(layer) is nn.Linear
    assert layer.weight.tolist() == before
    parametrize.register_parametrization(layer, "weight", Half())
    with pytest.raises(ValueError, match=message):
        parametrize.register_parametrization(layer, "weight", made)
    assert len(layer.parametrizations.weight) == 1


def test_other_errors():
    with pytest.raises(ValueError, match="name 'nope'"):
        parametrize.register_parametrization(nn.Linear(2, 2), "nope", Half())
    with pytest.raises(TypeError, match="Module"):
        parametrize.register_parametrization(nn.Linear(2, 2), "weight", abs)
    with pytest.raises(ValueError, match="does not have a parametrization"):
        parametrize.remove_parametrizations(nn.Linear(2, 2), "weight")
    with pytest.raises(ValueError, match="one or more modules"):
        parametrize.ParametrizationList([], cltensor.ones(2))
    with pytest.raises(ValueError, match="element 1"):
        parametrize.register_parametrization(nn.Linear(2, 2), "weight", given(lambda a, b: a, lambda x: (x, 3)))
    with pytest.raises(ValueError, match="orthogonal_map"):
        parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="qr")
    with pytest.raises(ValueError, match="1 dimensions"):
        parametrizations.orthogonal(nn.Linear(2, 2), "bias")
    with pytest.raises(ValueError, match="no parameter or buffer"):
        parametrizations.spectral_norm(nn.Linear(2, 2), "nope")
    with pytest.raises(ValueError, match="positive"):
        parametrizations.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
    with pytest.raises(IndexError, match="out of range"):
        parametrizations.spectral_norm(nn.Linear(2, 2), dim=2)
    bare = parametrizations.orthogonal(nn.Linear(2, 2), orthogonal_map="cayley", use_trivialization=False)
    with pytest.raises(NotImplementedError, match="use_trivialization"):
        bare.weight = cltensor.ones(2, 2)
    with pytest.raises(ValueError, match="of shape"):
        bare.weight = cltensor.ones(2, 3)


NORMS = [("weight_norm", {}), ("weight_norm", {"dim": 1}), ("weight_norm", {"dim": None}), ("weight_norm", {"dim": -2}),
         ("weight_norm", {"name": "bias"}), ("spectral_norm", {}), ("spectral_norm", {"n_power_iterations": 3, "dim": 1}),
         ("spectral_norm", {"name": "bias"}),
         *(("orthogonal", {"orthogonal_map": m, "use_trivialization": t})
           for m in ("matrix_exp", "cayley", "householder") for t in (True, False))]
LAYERS = {"square": ("Linear", 4, 4), "wide": ("Linear", 5, 3), "tall": ("Linear", 3, 5), "image": ("ConvTranspose2d", 2, 3, 2)}


def weights(lib, layer, name, x):
    """The weight, in training twice and then in evaluation, and the gradients of what it is made of."""
    values = []
    for mode in (True, True, False):
        layer.train(mode)
        y = layer(x)
        values.append(getattr(layer, name))
        y.square().sum().backward()
    return values, [p.grad for _, p in sorted(layer.named_parameters())], list(layer.state_dict())


@pytest.mark.parametrize(("norm", "settings", "kind"), [
    (norm, settings, kind) for norm, settings in NORMS for kind in LAYERS
    if kind != "image" or (norm != "orthogonal" and settings.get("name") != "bias")], ids=str)
def test_norms(norm, settings, kind, rng):
    cls, *args = LAYERS[kind]
    name = settings.get("name", "weight")
    torch.manual_seed(0)
    theirs = getattr(torch.nn.utils.parametrizations, norm)(getattr(torch.nn, cls)(*args), **settings)
    ours = getattr(parametrizations, norm)(getattr(nn, cls)(*args), **settings)
    if norm == "orthogonal":
        with torch.no_grad():
            theirs.parametrizations.weight.original.add_(torch.randn(theirs.weight.shape) * 0.3)
            if settings["orthogonal_map"] == "householder":
                torch.diagonal(theirs.parametrizations.weight.original).sign_()
    ours.load_state_dict({k: cltensor.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    shape = (2, args[0], 3, 3) if kind == "image" else (2, args[0])
    x = rng.standard_normal(shape).astype(np.float32)
    expected, got = weights(torch, theirs, name, torch.from_numpy(x)), weights(cltensor, ours, name, cltensor.tensor(x))
    assert got[2] == expected[2]
    for e, g in zip([*expected[0], *expected[1]], [*got[0], *got[1]], strict=True):
        np.testing.assert_allclose(g.numpy(force=True), e.numpy(force=True), atol=5e-4, rtol=1e-3)


@pytest.mark.parametrize("orthogonal_map", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 5, 3), (2, 3, 5)])
def test_orthogonal_from_any_value(orthogonal_map, shape):
    module = nn.Module()
    module.weight = nn.Parameter(cltensor.randn(shape))
    parametrizations.orthogonal(module, orthogonal_map=orthogonal_map)

    def error(w):
        w = w if w.shape[-2] >= w.shape[-1] else w.mT
        return (w.mT @ w - cltensor.eye(w.shape[-1])).abs().max().item()

    assert error(module.weight) < 1e-5
    module.weight = wanted = cltensor.linalg.qr(cltensor.randn(shape))[0] if shape[-2] >= shape[-1] else (
        cltensor.linalg.qr(cltensor.randn(shape).mT)[0].mT)
    np.testing.assert_allclose(module.weight.tolist(), wanted.tolist(), atol=1e-5)
    module.weight = cltensor.ones(shape)
    assert error(module.weight) < 1e-5


def test_assignment_by_reflections():
    layer = parametrizations.orthogonal(nn.Linear(3, 3), orthogonal_map="householder", use_trivialization=False)
    for value in (cltensor.eye(3), cltensor.eye(3).flip(0), -cltensor.eye(3)):
        layer.weight = value
        np.testing.assert_allclose(layer.weight.tolist(), value.tolist(), atol=1e-6)


def test_older_weight_norm(rng):
    x = rng.standard_normal((2, 4)).astype(np.float32)
    found = []
    for lib, make in ((torch, torch.from_numpy), (cltensor, cltensor.tensor)):
        layer = lib.nn.Linear(4, 3)
        weight, bias = np.arange(12, dtype=np.float32).reshape(3, 4) / 9, np.ones(3, np.float32)
        layer.load_state_dict({"weight": make(weight), "bias": make(bias)})
        with pytest.warns(FutureWarning, match="weight_norm"):
            assert lib.nn.utils.weight_norm(layer) is layer
        layer(make(x)).square().sum().backward()
        tensors = layer.weight, layer.weight_g.grad, layer.weight_v.grad
        found.append([list(layer.state_dict()), *(t.numpy(force=True) for t in tensors)])
        with pytest.raises(RuntimeError, match="two weight_norm hooks"), pytest.warns(FutureWarning):
            lib.nn.utils.weight_norm(layer)
        state = layer.state_dict()
        newer = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(4, 3))
        newer.load_state_dict(state)
        np.testing.assert_allclose(newer.weight.numpy(force=True), layer.weight.numpy(force=True), rtol=1e-6)
        lib.nn.utils.remove_weight_norm(layer)
        assert list(layer.state_dict()) == ["bias", "weight"]
        with pytest.raises(ValueError, match="not found"):
            lib.nn.utils.remove_weight_norm(layer)
    assert found[0][0] == found[1][0]
    for e, g in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="uninitialized"), pytest.warns(FutureWarning):
        nn.utils.weight_norm(nn.LazyLinear(2))


def test_older_spectral_norm(rng):
    x = rng.standard_normal((2, 4)).astype(np.float32)
    theirs, ours = (lib.nn.utils.spectral_norm(lib.nn.Linear(4, 3), n_power_iterations=2) for lib in (torch, cltensor))
    ours.load_state_dict({k: cltensor.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for mode in (True, False):
        ys = []
        for layer, make in ((theirs, torch.from_numpy), (ours, cltensor.tensor)):
            layer.train(mode).zero_grad()
            y = layer(make(x))
            y.square().sum().backward()
            ys.append([t.numpy(force=True) for t in (y, layer.weight_orig.grad, layer.weight_u, layer.weight_v)])
        for e, g in zip(*ys, strict=True):
            np.testing.assert_allclose(g, e, rtol=1e-4, atol=1e-5)
    with pytest.raises(RuntimeError, match="two spectral_norm hooks"):
        nn.utils.spectral_norm(ours)
    nn.utils.remove_spectral_norm(ours)
    assert list(ours.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="not found"):
        nn.utils.remove_spectral_norm(ours)
    with pytest.raises(ValueError, match="None"):
        nn.utils.spectral_norm(nn.Linear(2, 2, bias=False), "bias")
    with pytest.raises(ValueError, match="uninitialized"):
        nn.utils.spectral_norm(nn.LazyLinear(2))
    with pytest.raises(ValueError, match="positive"):
        nn.utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)
