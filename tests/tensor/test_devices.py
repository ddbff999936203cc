"""Two devices: tensors, gradients and layers move between them, and what lies on different ones is not mixed.

If PoCL's device is the only one, the tests run in a process of their own with POCL_DEVICES set, which shows the processor twice.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base import dtypes

pytestmark = pytest.mark.device


@pytest.fixture
def pair(device):
    if ct.opencl.device_count() < 2:
        pytest.skip("one device here; test_on_a_processor_shown_twice brings a second")
    return ct.device("opencl:0"), ct.device("opencl:1")


def test_on_a_processor_shown_twice(device):
    if ct.opencl.device_count() > 1 or device.platform_name != "Portable Computing Language":
        pytest.skip("PoCL's single device is what can be shown twice")
    environment = dict(os.environ, POCL_DEVICES="pthread pthread", CLTENSOR_DEVICE="portable")
    for name in [n for n in environment if n.startswith(("PYTEST_", "COV_"))]:
        del environment[name]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not shown_twice", __file__]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout.splitlines()[-1], done.stdout


LAYOUTS = {
    "contiguous": lambda x: x, "transposed": lambda x: x.T, "every second": lambda x: x[::2, 1::2],
    "expanded": lambda x: x[:1].expand(5, 6), "0-d": lambda x: x[0, 0], "empty": lambda x: x[:0], "offset": lambda x: x[2:],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", dtypes.ALL, ids=lambda d: d.name)
def test_copies_hold_the_same_values(pair, dtype, layout):
    here, there = pair
    x = LAYOUTS[layout](ct.arange(24, device=here).reshape(4, 6).remainder(2 if dtype is dtypes.bool_ else 24).to(dtype))
    y = x.to(there)
    assert (y.device, y.dtype, y.shape) == (there, dtype, x.shape)
    assert y.tolist() == x.tolist()
    assert y.to(here).tolist() == x.tolist()
    assert y.to(there) is y
    assert y.to(there, copy=True).data_ptr() != y.data_ptr() or not y.numel()


def test_values_are_computed_where_they_lie(pair):
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    for d in pair:
        x = ct.tensor(a, device=d)
        pairs = (x @ x.T, a @ a.T), (x.softmax(1).sum(1), np.ones(3)), (x.cumsum(0), a.cumsum(0)), (x.sum(), a.sum())
        for found, wanted in pairs:
            assert found.device is d
            np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-6)


def test_writing_across(pair):
    here, there = pair
    x, y = ct.zeros(2, 3, device=here), ct.arange(6.0, device=there).reshape(2, 3)
    x.copy_(y)
    x[0] = y[1]
    assert x.tolist() == [[3, 4, 5], [3, 4, 5]]
    y.T.copy_(x.T + 1)
    assert y.tolist() == [[4, 5, 6], [4, 5, 6]]


def test_gradients_come_back(pair):
    here, there = pair
    x = ct.arange(4.0, device=here, requires_grad=True)
    y = x.to(there).square().to(here) * ct.ones(4, device=here)
    y.sum().backward()
    assert x.grad.device is here
    assert x.grad.tolist() == [0, 2, 4, 6]
    (g,) = ct.autograd.grad(x.to(there).pow(3).sum(), x, create_graph=True)
    assert ct.autograd.grad(g.sum(), x)[0].tolist() == [0, 6, 12, 18]


@pytest.mark.parametrize("call", [
    lambda x, y: x + y, lambda x, y: x @ y, lambda x, y: ct.cat([x, y]), lambda x, y: x.add_(y), lambda x, y: ct.where(x > 0, x, y),
    lambda x, y: ct.add(x, x, out=y), lambda x, y: x[y.long()], lambda x, y: nn.functional.linear(x, y)])
def test_two_devices_are_not_mixed(pair, call):
    x, y = ct.ones(2, 2, device=pair[0]), ct.ones(2, 2, device=pair[1])
    with pytest.raises(RuntimeError, match=r"Expected all tensors to be on the same device.*opencl:[01].*opencl:[01].*\.to\("):
        call(x, y)
    assert x.tolist() == y.tolist() == [[1, 1], [1, 1]]


def test_numbers_go_with_any_device(pair):
    x = ct.ones(2, device=pair[1])
    assert (x * 2 + 1).tolist() == [3, 3]


def test_layers_and_optimisers_move(pair, tmp_path):
    here, there = pair
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)).to(here)
    x = ct.randn(8, 3, device=here)
    wanted = model.eval()(x).tolist()
    model.to(there)
    assert {p.device for p in (*model.parameters(), *model.buffers())} == {there}
    np.testing.assert_allclose(model(x.to(there)).tolist(), wanted, rtol=1e-5, atol=1e-6)
    model.train()
    optimizer = ct.optim.Adam(model.parameters())
    model(x.to(there)).sum().backward()
    optimizer.step()
    ct.save(model.state_dict(), tmp_path / "model")
    loaded = ct.load(tmp_path / "model", map_location=here)
    assert {t.device for t in loaded.values()} == {here}
    assert loaded["0.weight"].tolist() == model[0].weight.tolist()


def test_random_numbers_do_not_depend_on_the_device(pair):
    drawn = [ct.rand(5, generator=ct.Generator().manual_seed(3), device=d).tolist() for d in pair]
    assert drawn[0] == drawn[1]


def test_the_current_device(pair):
    here, there = pair
    with ct.opencl.device(there):
        assert ct.ones(1).device is there
        assert ct.opencl.current_device() == 1
    assert ct.ones(1).device is here
