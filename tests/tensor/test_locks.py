"""A signal handler or finaliser that Python runs while the device is locked neither waits nor disturbs the interrupted launch."""

import threading

import numpy as np
import pytest

import cltensor as ct
from cltensor.dispatch.plan import Step

pytestmark = pytest.mark.device


class Interrupting:
    """Stands for a device's `submit`: runs something else first, as a signal's handler or a finaliser may."""

    def __init__(self, submit, between):
        self.submit, self.between = submit, between

    def __call__(self, launch):
        between, self.between = self.between, None
        if between is not None:
            between()
        self.submit(launch)


def interrupted(monkeypatch, device, between, run):
    """What run() gives when between() runs after the arguments of its first kernel were set."""
    hook = Interrupting(device.submit, between)
    monkeypatch.setitem(device.__dict__, "submit", hook)
    result = run()
    monkeypatch.undo()
    assert hook.between is None
    return result


@pytest.fixture
def ab():
    return ct.arange(6.0).reshape(2, 3), ct.full((2, 3), 10.0)


CALLS = {
    "two tensors": lambda a, b: a + b,
    "a number": lambda a, b: a * 3.0,
    "one tensor": lambda a, b: -a,
    "three tensors": lambda a, b: ct.where(a > 2, a, b),
    "a view": lambda a, b: a[1] + b[1],
    "in place": lambda a, b: a.clone().add_(b),
    "row sums": lambda a, b: a.sum(1),
    "everything": lambda a, b: a.sum(),
    "product": lambda a, b: a @ b.mT,
    "cumulative sum": lambda a, b: a.cumsum(0),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_handler_runs_the_same_op(name, ab, device, monkeypatch):
    a, b = ab
    call, others = CALLS[name], (a + 100, b - 1)
    wanted, wanted_within = call(a, b).tolist(), call(*others).tolist()
    found = []
    for _ in range(2):  # by way of the general path, and of a ready call
        result = interrupted(monkeypatch, device, lambda: found.append(call(*others)), lambda: call(a, b))
        assert result.tolist() == wanted
        assert found.pop().tolist() == wanted_within
    assert call(a, b).tolist() == wanted


def test_a_handler_does_not_touch_what_launches_of_one_plan_hand_on(device, monkeypatch, rng):
    """Large sums take two launches; their intermediate results lie in temporary memory."""
    a = ct.tensor(rng.integers(-9, 9, (1 << 18,)).astype(np.float32))
    wanted = a.sum().item()
    found = []
    between = lambda: found.extend((ct.ones(70000).sum(), ct.ones(256, 3).softmax(0).sum(), ct.ones(70000).sum()))  # noqa: E731
    between()
    assert interrupted(monkeypatch, device, between, lambda: a.sum()).item() == wanted
    assert [f.item() for f in found] == [70000, 3, 70000] * 2


def test_an_exception_in_between_leaves_no_trace(ab, device, monkeypatch):
    a, b = ab
    a + b

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(monkeypatch, device, interrupt, lambda: a + a)
    monkeypatch.undo()
    assert (a + b).tolist() == [[10, 11, 12], [13, 14, 15]]
    assert (a[1] + b[1]).tolist() == [13, 14, 15]


@pytest.mark.parametrize("kind", ["Adam", "AdamW", "SGD", "RMSprop", "Adagrad"])
def test_settings_that_are_tensors(kind):
    def trained(lr):
        params = [ct.nn.Parameter(ct.full((3,), float(n))) for n in range(4)]
        optimizer = getattr(ct.optim, kind)(params, lr=lr)
        for _ in range(3):
            for p in params:
                p.grad = ct.full((3,), 0.5)
            optimizer.step()
        return [p.tolist() for p in params]

    assert trained(ct.tensor(0.125)) == trained(0.125)


def test_attributes_that_are_tensors():
    """They are read before the device is locked, even where reading one takes a kernel."""
    x, strided = ct.tensor([-1.0, 2.0]), ct.tensor([[0.5, 9.0], [9.0, 9.0]]).t()[:1, :1]
    assert ct.nn.functional.leaky_relu(x, strided).tolist() == [-0.5, 2]
    assert ct.add(x, x, alpha=strided).tolist() == [-1.5, 3]


def test_numbers_of_a_kernel_are_plain(monkeypatch, device):
    """Nothing but Python's own numbers is given to a kernel's arguments while the device is locked."""
    given, bind = [], Step.bind

    def noted(self, buffers, offsets, values, ticket=0):
        given.extend(values)
        bind(self, buffers, offsets, values, ticket)

    monkeypatch.setattr(Step, "bind", noted)
    x = ct.arange(4.0)
    ct.add(x, x, alpha=np.float32(2))
    x.clamp(np.float64(1), 2)
    ct.nn.functional.leaky_relu(x, ct.tensor(0.5))
    x.std(correction=np.int64(0))
    assert given
    assert {type(n) for n in given} <= {int, float, bool}


def test_threads_that_share_kernels(device):
    """Tensors with and without an offset take turns on one kernel object."""
    a, b = ct.arange(64.0), ct.arange(65.0)[1:]
    one, two = (a + a).tolist(), (b + b).tolist()
    wrong = []

    def work(x, wanted):
        for _ in range(200):
            if (x + x).tolist() != wanted:
                wrong.append(x._offset)

    threads = [threading.Thread(target=work, args=args) for args in ((a, one), (b, two), (a, one), (b, two))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
