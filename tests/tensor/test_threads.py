"""Eight threads at once, each in its own mode: the results are those of each thread alone, bit for bit."""

import threading

import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.context import context
from cltensor.cli.bench import command
from cltensor.tune.space import asking, trying

pytestmark = [pytest.mark.device, pytest.mark.limit(120)]
ROUNDS = 3


def _training(where):
    generator = ct.Generator().manual_seed(1)
    x, y = (ct.randn(8, n, generator=generator, device=where) for n in (4, 2))
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)).to(where)
    for p in model.parameters():
        nn.init.normal_(p, generator=generator)
    optimizer = ct.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _without_gradients(where):
    x = ct.arange(12.0, device=where).reshape(3, 4).requires_grad_()
    found = []
    for i in range(20):
        with ct.no_grad():
            y = (x * i).sum(1)
            found += [y.requires_grad, *y.tolist()]
        with ct.enable_grad():
            found.append((x * i).requires_grad)
    return found


def _inference(where):
    x = ct.ones(5, device=where, requires_grad=True)
    found = []
    for i in range(20):
        with ct.inference_mode():
            y = (x + i).cumsum(0)
            found += [y.is_inference(), *y.tolist()]
        found.append((x * 2).is_inference())
    return found


def _anomaly(where):
    found = []
    for i in range(5):
        x = ct.tensor([0.0, float(i)], device=where, requires_grad=True)
        with ct.autograd.detect_anomaly():
            try:
                (x.sqrt() * 0).sum().backward()
                found.append(x.grad.tolist())
            except RuntimeError as e:
                found.append("nan" in str(e))
    return found


def _random(where):
    generator = ct.Generator().manual_seed(5)
    return [ct.rand(3, 3, generator=generator, device=where).tolist() for _ in range(10)] + [
        ct.randperm(9, generator=generator).tolist()]


def _in_place(where):
    x = ct.arange(24.0, device=where).reshape(4, 6)
    for i in range(10):
        x[:, 1:3].mul_(0.5)
        x[i % 4] += x.sum(0)
        x = x / x.abs().amax()
    return x.tolist()


def _second_order(where):
    x = ct.tensor([0.5, -1.5], device=where, requires_grad=True)
    found = []
    for _ in range(8):
        (g,) = ct.autograd.grad((x.exp() * x).sum(), x, create_graph=True)
        found.append(ct.autograd.grad(g.sum(), x)[0].tolist())
    return found


def _events(where):
    x, found = ct.ones(64, 64, device=where), []
    for i in range(10):
        y = x @ x * i
        event = ct.opencl.current_stream(where).record_event()
        event.synchronize()
        found.append((event.query(), y[0, 0].item()))
    return found


def _mapped(where):
    x = ct.arange(24.0, device=where).reshape(4, 3, 2)
    generator = ct.Generator().manual_seed(3)
    found = []
    for i in range(8):
        found.append(ct.func.vmap(lambda a, i=i: (a @ a.T * i).sum(0))(x).tolist())
        found.append(ct.func.vmap(ct.func.vmap(lambda a, i=i: a.softmax(0) + i))(x).tolist())
        found.append(ct.func.vmap(lambda a: ct.bernoulli(a / 30, generator=generator), randomness="different")(x).tolist())
        with pytest.raises(RuntimeError, match="randomness error mode"):
            ct.func.vmap(lambda a: a + ct.randn(2, device=where))(x)
    return found


def _counted(where):
    """What a recorder is told of: this thread's ops alone."""
    x = ct.ones(3, device=where, requires_grad=True)
    return [command.ops_in(lambda i=i: (x * 2 + i).exp().sum().backward()) for i in range(20)]


def _on_trial(where):
    """A constant on trial in this thread is used in this thread only."""
    found = []
    for i in range(50):
        with trying(("matmul_blocked cpu float32", "M64"), {"MR": 4 + i}), asking() as asked:
            found.append((context.trial[1], len(asked)))
    return found


JOBS = (_training, _without_gradients, _inference, _anomaly, _random, _in_place, _second_order, _events)


def _together(jobs):
    """What every job gives, all running at the same time."""
    start, found = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(i, job, where):
        start.wait()
        try:
            found[i] = job(where)
        except Exception as e:
            found[i] = e

    threads = [threading.Thread(target=run, args=(i, *job)) for i, job in enumerate(jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return found


def test_each_gets_what_it_gets_alone(device):
    others = [ct.device(i) for i in range(ct.opencl.device_count())]
    jobs = [(job, others[i % len(others)]) for i, job in enumerate(JOBS)]
    alone = [job(where) for job, where in jobs]
    for _ in range(ROUNDS):
        for (job, where), found, wanted in zip(jobs, _together(jobs), alone, strict=True):
            assert found == wanted, f"{job.__name__} on {where}"


def test_modes_of_other_threads_change_nothing(device):
    jobs = [(job, None) for job in (_mapped, _training, _counted, _random, _mapped, _without_gradients, _on_trial, _random)]
    alone = [job(where) for job, where in jobs]
    for _ in range(ROUNDS):
        for (job, _), found, wanted in zip(jobs, _together(jobs), alone, strict=True):
            assert found == wanted, job.__name__


def test_one_job_eight_times():
    alone = _training(None)
    assert all(found == alone for found in _together([(_training, None)] * 8))


def _bad_indices(where):
    x, found = ct.arange(4, device=where), []
    for i in range(20):
        try:
            found.append(x[ct.tensor([3 + i % 2], device=where)].tolist())
        except IndexError as e:
            found.append("index 4 is out of bounds" in str(e))
    return found


def test_faults_are_raised_in_the_thread_that_made_them(device, monkeypatch):
    monkeypatch.setenv("CLTENSOR_SYNC", "1")
    jobs = [(job, None) for job in (_bad_indices, _in_place, _bad_indices, _second_order, _bad_indices, _random)]
    alone = [job(where) for job, where in jobs]
    assert alone[0] == [[3], True] * 10
    for _ in range(ROUNDS):
        for (job, _), found, wanted in zip(jobs, _together(jobs), alone, strict=True):
            assert found == wanted, job.__name__
