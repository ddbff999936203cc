"""First values: bounds, moments, structure, seeds, gains."""

import math

import numpy as np
import pytest

import cltensor
from cltensor import nn
from cltensor.nn import init

pytestmark = pytest.mark.device
FAN_IN, FAN_OUT = 60 * 9, 80 * 9
STDS = {
    "xavier_uniform_": (lambda t, g: init.xavier_uniform_(t, 2.0, generator=g), 2 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "xavier_normal_": (lambda t, g: init.xavier_normal_(t, generator=g), math.sqrt(2 / (FAN_IN + FAN_OUT))),
    "kaiming_uniform_": (lambda t, g: init.kaiming_uniform_(t, a=1, generator=g), math.sqrt(1 / FAN_IN)),
    "kaiming_normal_": (lambda t, g: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu", generator=g),
                        math.sqrt(2 / FAN_OUT)),
    "normal_": (lambda t, g: init.normal_(t, std=0.5, generator=g), 0.5),
    "uniform_": (lambda t, g: init.uniform_(t, -1, 1, generator=g), math.sqrt(1 / 3)),
    "trunc_normal_": (lambda t, g: init.trunc_normal_(t, std=2.0, a=-1, b=1, generator=g), 0.5671),
}


def seeded():
    return cltensor.Generator().manual_seed(5)


@pytest.mark.parametrize("name", STDS)
def test_moments_and_seeds(name):
    fill, std = STDS[name]
    p = nn.Parameter(cltensor.empty(80, 60, 3, 3))
    assert fill(p, seeded()) is p
    values = p.detach().numpy()
    assert values.std() == pytest.approx(std, rel=0.02)
    assert values.mean() == pytest.approx(0, abs=0.02 * std)
    if "uniform" in name:
        assert np.abs(values).max() <= std * math.sqrt(3) * 1.0001
    if "trunc" in name:
        assert np.abs(values).max() <= 1
    fill(p, seeded())
    assert (p.detach().numpy() == values).all()
    assert p.requires_grad
    assert p.is_leaf


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal(shape):
    m = init.orthogonal_(cltensor.empty(shape), gain=2, generator=seeded()).numpy().reshape(shape[0], -1)
    gram = m @ m.T if m.shape[0] <= m.shape[1] else m.T @ m
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_sparse():
    m = init.sparse_(cltensor.empty(50, 20), 0.3, std=2, generator=seeded()).numpy()
    assert ((m == 0).sum(0) == 15).all()
    assert m[m != 0].std() == pytest.approx(2, rel=0.1)


def test_constants_and_identities(rng):
    assert init.constant_(cltensor.empty(2), 3).tolist() == [3, 3]
    assert init.eye_(cltensor.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]
    x = cltensor.from_numpy(rng.standard_normal((1, 4, 5, 5)).astype(np.float32))
    for groups in (1, 2):
        layer = nn.Conv2d(4, 4, 3, padding=1, groups=groups, bias=False)
        init.dirac_(layer.weight, groups)
        assert layer(x).tolist() == x.tolist()


def test_gains():
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)
    for call, words in ((lambda: init.calculate_gain("cos"), "Unsupported nonlinearity cos"),
                        (lambda: init.xavier_normal_(cltensor.empty(3)), "fewer than 2 dimensions"),
                        (lambda: init.kaiming_normal_(cltensor.empty(3, 3), mode="fan"), "Mode fan not supported"),
                        (lambda: init.eye_(cltensor.empty(3)), "2 dimensions")):
        with pytest.raises(ValueError, match=words):
            call()
    with pytest.warns(UserWarning, match="no-op"):
        init.kaiming_uniform_(cltensor.empty(0, 3))
