"""Tensors in forked processes: those sent there are host data, and nothing of the parent's device is touched."""

import multiprocessing

import numpy as np
import pytest

import cltensor as ct
from cltensor.codegen import nodes

pytestmark = [pytest.mark.device, pytest.mark.any_style, pytest.mark.limit(60),
              pytest.mark.filterwarnings("ignore:This process .* is multi-threaded"),
              pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")]
WEIGHT = None  # set before a fork: a tensor of the parent


def _normalized(t):
    return (t - t.mean()) / t.std(correction=0), t.dtype is ct.float32, str(t.device)


def _described(t):
    return t.sum().item(), t.tolist(), [ct.tensor(t.tolist()), t > 1], ct.rand(2).shape, bool((t.T @ t).isfinite().all())


def _refused(what):
    attempts = {"inherited": lambda: WEIGHT + 1, "mixed": lambda: WEIGHT @ ct.ones(2), "read": lambda: WEIGHT.tolist(),
                "write": lambda: WEIGHT.zero_(), "wait": ct.opencl.synchronize, "stream": ct.opencl.Stream}
    try:
        attempts[what]()
    except RuntimeError as e:
        return str(e)
    return "let through"


def _wrong(program):
    try:
        return str(eval(program))
    except Exception as e:
        return str(e)


@pytest.fixture
def pool(device):
    global WEIGHT
    WEIGHT = ct.ones(2) * 2
    with multiprocessing.get_context("fork").Pool(2) as made:
        yield made


def test_a_pool_works_on_tensors(pool):
    sent = [ct.tensor([[1.0, 2.0], [3.0, 4.0 + i]]) for i in range(6)]
    for t, (found, single, where) in zip(sent, pool.map_async(_normalized, sent).get(timeout=30), strict=True):
        values = t.numpy()
        np.testing.assert_allclose(found.numpy(), (values - values.mean()) / values.std(), rtol=1e-6)
        assert found.device is t.device
        assert single
        assert where == str(t.device)
    total, values, (same, larger), shape, finite = pool.apply_async(_described, (sent[0],)).get(timeout=30)
    assert (total, values, same.tolist(), larger.tolist()) == (10, sent[0].tolist(), values, [[False, True], [True, True]])
    assert shape == (2,)
    assert finite


def test_device_work_of_the_parent_is_refused_at_once(pool):
    for what in ("inherited", "mixed", "read", "write", "wait", "stream"):
        assert "Use the device in the main program" in pool.apply_async(_refused, (what,)).get(timeout=30), what
    assert (WEIGHT + 1).tolist() == [3, 3]


@pytest.mark.parametrize(("program", "message"), [
    ("ct.tensor([1, 2]) // ct.tensor([1, 0])", "floor_divide: ZeroDivisionError"),
    ("ct.tensor([1, 2]) // 0", "floor_divide: ZeroDivisionError"), ("ct.tensor([1, 2]) % 0", "remainder: ZeroDivisionError"),
    ("ct.tensor([1]).fmod(0)", "fmod: ZeroDivisionError"), ("ct.tensor([1, 2])[ct.tensor([5])]", "index 5 is out of bounds"),
    ("ct.bernoulli(ct.tensor([2.0]))", "all probabilities"), ("ct.normal(ct.zeros(2), -ct.ones(2))", "all elements of std"),
])
def test_bad_values_are_refused_there_as_well(pool, program, message):
    assert message in pool.apply_async(_wrong, (program,)).get(timeout=30)


def test_locks_held_at_the_time_of_the_fork_are_not_taken_along(device):
    ct.ones(1)
    with nodes._lock, ct.default_generator._lock:
        pool = multiprocessing.get_context("fork").Pool(1)
    with pool:
        assert len(pool.apply_async(_new_to_the_parent).get(timeout=30)) == 3


def _new_to_the_parent():
    made = ct.ops.kinds.elementwise.elementwise("only_here", lambda input: input * 0.125 - 3, doc="")
    return ct.rand(3).add(made(ct.ones(3))).tolist()


def test_layers_and_optimisers_run_where_they_were_sent(pool):
    layer = ct.nn.Linear(2, 1)
    found = pool.apply_async(_trained, (layer.state_dict(),)).get(timeout=30)
    np.testing.assert_allclose(found["weight"].numpy(), _trained(layer.state_dict())["weight"].numpy(), rtol=1e-5)


def _trained(state):
    layer = ct.nn.Linear(2, 1)
    layer.load_state_dict(state)
    optimizer = ct.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        layer(ct.tensor([[1.0, 2.0], [3.0, -1.0]])).square().mean().backward()
        optimizer.step()
    return layer.state_dict()
