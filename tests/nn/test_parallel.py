"""A batch split over the devices of one process; devices may be the same one several times."""

from collections import namedtuple

import pytest

import cltensor
from cltensor import nn

pytestmark = pytest.mark.device


@pytest.fixture
def here():
    return cltensor.get_default_device()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_results_and_gradients(here, count):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4).eval(), nn.Linear(4, 2))
    x = cltensor.randn(5, 3)
    expected = model(x)
    expected.square().sum().backward()
    wanted = [p.grad.tolist() for p in model.parameters()]
    model.zero_grad()
    parallel = nn.DataParallel(model, [here] * count or None)
    assert next(iter(parallel.state_dict())) == "module.0.weight"
    y = parallel(x)
    y.square().sum().backward()
    assert y.shape == (5, 2)
    assert (y - expected).abs().max().item() < 1e-5
    for p, g in zip(model.parameters(), wanted, strict=True):
        assert (p.grad - cltensor.tensor(g)).abs().max().item() < 1e-4
    assert (nn.parallel.data_parallel(model, x, [here] * count) - expected).abs().max().item() < 1e-5


def test_a_batch_smaller_than_the_list(here):
    assert nn.DataParallel(nn.Linear(3, 4), [here] * 3)(cltensor.ones(1, 3)).shape == (1, 4)


Pair = namedtuple("Pair", "a b")


def test_scatter_and_gather(here):
    given = {"x": cltensor.arange(4), "y": [cltensor.ones(2, 3), "text"], "z": Pair(cltensor.ones(2), 3)}
    parts = nn.parallel.scatter(given, [here, here])
    assert [p["x"].tolist() for p in parts] == [[0, 1], [2, 3]]
    assert parts[1]["y"][1] == "text"
    assert parts[0]["z"].b == 3
    joined = nn.parallel.gather([{"x": p["x"], "y": (p["y"][0], None)} for p in parts], here)
    assert joined["x"].tolist() == [0, 1, 2, 3]
    assert joined["y"][0].shape == (2, 3)
    with pytest.warns(UserWarning, match="scalars"):
        assert nn.parallel.gather([cltensor.tensor(1.0), cltensor.tensor(2.0)], here).tolist() == [1, 2]
    with pytest.raises(ValueError, match="keys"):
        nn.parallel.gather([{"a": cltensor.ones(1)}, {"b": cltensor.ones(1)}], here)


def test_copies(here):
    model = nn.Linear(2, 2)
    free, = nn.parallel.replicate(model, [here], detach=True)
    assert not free(cltensor.ones(1, 2)).requires_grad
    bound, = nn.parallel.replicate(model, [here])
    bound(cltensor.ones(1, 2)).sum().backward()
    assert model.weight.grad is not None
    assert next(model.parameters()) is model.weight
    with pytest.raises(ValueError, match="number of modules"):
        nn.parallel.parallel_apply([model], [])
    assert nn.parallel.parallel_apply([model], [cltensor.ones(1, 2)], [{}])[0].shape == (1, 2)
    with pytest.raises(TypeError, match="Module"):
        nn.DataParallel(3)
