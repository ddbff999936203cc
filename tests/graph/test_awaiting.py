"""Programs whose kernels another process compiles: calls run eagerly until they are there, and state goes on as in eager mode."""

import threading
import time

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.base.errors import BuildError
from cltensor.compiler import compile
from cltensor.dispatch.plan import Step
from cltensor.graph import awaiting
from cltensor.graph.awaiting import may_wait
from cltensor.graph.replay import planned
from cltensor.runtime.absent import AbsentKernel, absent_kernels
from cltensor.runtime.background import background
from cltensor.runtime.program import Programs
from graph.programs import STEPS, draws, numbers
from graph.test_generated_capture import as_tuple, cases
from ops import samples
from tensor.test_backward_precompile import run

pytestmark = [pytest.mark.device, pytest.mark.any_style]
F = nn.functional
BATCH = 24


class Jobs(list):
    """Jobs of the background thread, run when the test says so."""

    built = 0

    def add(self, job, device):
        self.append((job, device))

    def finish(self, works=True):
        """Run all jobs, with builds that work, compile nothing, or raise an exception."""
        for job, device in self:
            job(lambda source, device=device: self._build(source, device, works))
        self.clear()

    def _build(self, source, device, works):
        self.built += 1
        if isinstance(works, Exception):
            raise works
        return works and bool(device.program(source))


@pytest.fixture
def jobs(monkeypatch):
    """Every kernel that no eager plan holds counts as missing; the test builds it."""
    found = Jobs()
    monkeypatch.setenv("CLTENSOR_BACKGROUND", "1")
    monkeypatch.setattr(Programs, "find", lambda self, source: None)
    monkeypatch.setattr(background, "add", found.add)
    if not may_wait(ct.get_default_device()):
        pytest.skip("the device's programs are not kept")
    return found


@pytest.fixture
def unplanned(monkeypatch):
    """No op knows a plan when it is asked for what it lacks."""
    def fresh(node, lasting):
        node.op.plans.clear()
        return planned(node, lasting)

    monkeypatch.setattr(awaiting, "planned", fresh)


def waiting(compiled):
    """Whether the programs wait, one by one."""
    return [p.captured.replay is None for p in getattr(compiled, "_program", compiled).programs]


def chain(x):
    return (x * 2 + 1).relu().exp() - x


@pytest.mark.parametrize("name", STEPS)
def test_a_training_step_runs_eagerly_and_then_takes_over(name, jobs, unplanned):
    runs = []
    for wrap in (lambda f: f, compile):
        ct.manual_seed(1)
        program = STEPS[name]()
        net, step, batch = program.net, program.step, program.batch
        step, losses = wrap(step), []
        for i in range(9):
            if i == 5 and wrap is compile:
                assert waiting(step)[-1]
                captures = step.captures
                jobs.finish()
            losses.append(numbers(step(*batch(i))))
        grads = [p.grad is None for p in net.parameters()]
        runs.append((losses, [t.numpy() for t in net.state_dict().values()], grads, ct.get_rng_state().tolist()))
    assert not waiting(step)[-1]
    assert step.captures == captures <= 3
    np.testing.assert_allclose(runs[1][0], runs[0][0], rtol=2e-5)
    atol = 0.01 if name == "transformer" else 1e-5  # the gradient of its key's bias is rounding only, which AdamW scales up
    for a, b in zip(runs[1][1], runs[0][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=atol)
    assert runs[0][2:] == runs[1][2:]


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_a_module_with_its_backward_pass(name, jobs, unplanned):
    runs = []
    for wrap in (lambda f: f, compile):
        ct.manual_seed(1)
        program = STEPS[name]()
        net, batch = program.net, program.batch
        call, opt, losses = wrap(net), optim.SGD(net.parameters(), lr=0.1), []
        for i in range(6):
            if i == 3 and wrap is compile:
                assert waiting(call) == [True]
                jobs.finish()
            x, y = batch(i)
            opt.zero_grad()
            out = call(x)
            loss = F.cross_entropy(out, y) if y.dtype is ct.int64 else F.mse_loss(out, y)
            loss.backward()
            opt.step()
            losses.append(loss.item())
        runs.append(losses)
    assert waiting(call) == [False]
    [program] = call._program.programs
    assert program.captured.backward.program.replay is not None
    np.testing.assert_allclose(runs[1], runs[0], rtol=2e-5)


def test_a_gradient_of_an_eager_call_outlives_the_take_over(jobs):
    w = nn.Parameter(ct.tensor([1.0, 2.0, 3.0]))
    f = compile(lambda x: (x * w).tanh() * 2)
    [x] = draws(0, (3,))
    f(x)
    early = f(x).sum()
    jobs.finish()
    late = f(x).sum()
    assert waiting(f) == [False]
    early.backward()
    first, w.grad = w.grad, None
    late.backward()
    np.testing.assert_allclose(first.numpy(), w.grad.numpy(), rtol=1e-6)


def recordable():
    """A function of no arguments for a sample of each op that can be captured."""
    for case in cases():
        op, dtype = case.values
        arrays, attrs = samples.samples(op, dtype)[0]
        given = samples.tensors(arrays, dtype)

        def call(op=op, given=given, attrs=attrs):
            return tuple(t for t in as_tuple(op(*given, **attrs)) if isinstance(t, ct.Tensor))

        if compile(call, options={"wait": True})():
            yield call


def test_every_op_is_planned_without_its_kernels(jobs, unplanned):
    calls = list(recordable())
    assert len(calls) > 300
    for i in range(0, len(calls), BATCH):
        batch = calls[i: i + BATCH]
        compiled = compile(lambda batch=batch: tuple(t for call in batch for t in call()))
        for _ in range(2):
            wanted = [samples.values(t) for t in compiled()]
        assert waiting(compiled) == [True]
        jobs.finish(works=False)
        for found, value in zip(compiled(), wanted, strict=True):
            np.testing.assert_array_equal(samples.values(found), value)


def test_plans_without_kernels_are_not_kept(jobs, unplanned):
    f = compile(lambda x, y: (F.pad(x, (0, 1)) @ y).softmax(-1).relu())
    x, y = draws(0, (7, 11), (12, 5))
    f(x, y)
    assert waiting(f) == [True]
    str(f.explain())
    ops = {n.op for p in f.programs for _, g in p.captured.stages for n in g.nodes}
    assert not any(step.kernel is AbsentKernel for op in ops for plan in op.plans.values() for step in plan.steps)
    np.testing.assert_allclose(f(x, y).numpy(), f.fn(x, y).numpy(), rtol=1e-6)


def test_two_captures_wait_each_for_its_own(jobs):
    f = compile(chain)
    a, b = draws(0, (3,), (4, 4))
    f(a)
    first = jobs[:]
    f(b.t()[1:])
    del jobs[:1]
    assert (len(first), len(jobs)) == (1, 1)
    jobs.finish()
    for x in (a, b.t()[1:]):
        np.testing.assert_allclose(f(x).numpy(), chain(x).numpy(), rtol=1e-6)
    assert sorted(waiting(f)) == [False, True]
    assert f.captures == 2


def test_what_changes_while_it_waits_is_captured_again(jobs):
    net = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Sigmoid())
    f = compile(net)
    [x] = draws(0, (4, 3))
    f(x)
    net[0].weight.data = ct.ones(2, 3)
    np.testing.assert_allclose(f(x).detach().numpy(), net(x).detach().numpy(), rtol=1e-6)
    net[0].weight = nn.Parameter(ct.zeros(2, 3))
    f(x)
    jobs.finish()
    np.testing.assert_allclose(f(x).detach().numpy(), net(x).detach().numpy(), rtol=1e-6)
    assert f._program.captures == 3
    assert waiting(f) == [True, True, False]


@pytest.mark.parametrize("works", [False, RuntimeError("no process")])
def test_what_the_other_process_cannot_build_is_compiled_here(works, jobs):
    f = compile(chain)
    [x] = draws(0, (6,))
    f(x)
    if works:
        with pytest.raises(RuntimeError, match="no process"):
            jobs.finish(works)
    else:
        jobs.finish(works)
    np.testing.assert_allclose(f(x).numpy(), chain(x).numpy(), rtol=1e-6)
    assert waiting(f) == [False]


def test_a_program_that_is_dropped_is_not_compiled(jobs):
    f = compile(chain)
    f(*draws(0, (6,)))
    f.reset()
    jobs.finish()
    assert not jobs.built


def refuse(self, device, number):
    raise BuildError("kernel fused does not compile")


@pytest.mark.parametrize("wait", [True, False])
def test_a_kernel_that_does_not_build_leaves_the_function_eager(wait, jobs, monkeypatch):
    f = compile(chain, options={"wait": wait})
    [x] = draws(0, (6,))
    wanted = chain(x).numpy()
    f.fn(x)
    if not wait:
        f(x)
        jobs.finish(False)
    with monkeypatch.context() as patch:
        patch.setattr(Step, "prepare", refuse)
        with pytest.warns(UserWarning, match="runs eagerly, since a kernel does not build: kernel fused"):
            np.testing.assert_array_equal(f(x).numpy(), wanted)
    np.testing.assert_array_equal(f(x).numpy(), wanted)
    assert not f.programs
    assert "does not build" in str(f.explain())


def test_fullgraph_raises_where_a_kernel_does_not_build(jobs, monkeypatch):
    f = compile(chain, fullgraph=True)
    [x] = draws(0, (6,))
    f(x)
    jobs.finish(False)
    monkeypatch.setattr(Step, "prepare", refuse)
    with pytest.raises(BuildError, match="kernel fused"):
        f(x)


def test_explain_says_what_is_awaited(jobs):
    f = compile(lambda x: chain(x).sum())
    f(*draws(0, (6,)))
    [program] = f.explain().programs
    assert program.lacks > 0
    assert program.launches > 0
    assert f"until another process has compiled {program.lacks} kernel" in str(f.explain())
    jobs.finish()
    f(*draws(0, (6,)))
    [after] = f.explain().programs
    assert after.lacks == 0
    assert (after.launches, after.memory, after.bytes_moved) == (program.launches, program.memory, program.bytes_moved)
    assert "eagerly" not in str(f.explain())


@pytest.mark.parametrize("way", ["options", "module", "environment"])
def test_to_wait_for_the_kernels_instead(way, jobs, monkeypatch):
    [x] = draws(0, (2, 3))
    if way == "environment":
        monkeypatch.setenv("CLTENSOR_BACKGROUND", "0")
    f = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    if way == "module":
        f.compile(options={"wait": True})
        program = f._compiled
    else:
        f = compile(f, options={"wait": True} if way == "options" else None)
        program = f._program
    f(x)
    assert waiting(program) == [False]
    assert not jobs


def test_two_threads_while_kernels_are_awaited(jobs):
    f = compile(lambda x: chain((x @ x).softmax(-1)).cumsum(0))
    inputs = [draws(i, (9, 9))[0] for i in range(4)]
    wanted = [f.fn(x).numpy() for x in inputs]
    wrong = []

    def work(k):
        for i in range(40):
            x = (i + k) % 4
            if not np.allclose(f(inputs[x]).numpy(), wanted[x], rtol=1e-5):
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    while not jobs and any(t.is_alive() for t in threads):
        time.sleep(0.001)
    jobs.finish()
    for t in threads:
        t.join()
    assert not wrong
    last = threading.Thread(target=lambda: f(inputs[0]))  # in this thread other tests may have left a mode
    last.start()
    last.join()
    assert waiting(f) == [False]


def test_an_absent_kernel_cannot_be_launched(jobs):
    device = ct.get_default_device()
    with absent_kernels() as found:
        kernel = device.kernel("__kernel void nothing(__global float *x) { }", "nothing")
    assert len(found) == 1
    kernel.set_arg(0, None)
    with absent_kernels() as inner:
        pass
    assert inner == []


PROGRAM = """
    import cltensor as ct
    from cltensor.runtime.background import background
    from cltensor.runtime.program import build_stats
    f = ct.compile(lambda x: (x * 2 + 1).relu().exp() - x)
    x = ct.ones(5)
    f(x)
    before = build_stats().compiled
    waits = f.programs[0].lacks > 0
    for _ in range(3): f(x)
    END
    assert f(x).tolist() == f.fn(x).tolist()
    print(int(waits), f.captures, int(f.programs[0].captured.replay is None), build_stats().compiled - before)
"""


def test_another_process_compiles_and_the_next_one_starts_at_once(tmp_path):
    script = PROGRAM.replace("END", "background.wait()")
    settings = {"CLTENSOR_BACKGROUND": "1", "CLTENSOR_SINGLE_LAUNCH": "0", "CLTENSOR_AHEAD": "0"}
    waits = str(int(may_wait_here()))
    assert run(script, tmp_path, **settings) == [waits, "1", "0", "0"]
    assert run(script, tmp_path, **settings) == ["0", "1", "0", "0"]


def may_wait_here():
    """Whether a new process would wait."""
    return ct.get_default_device().programs.cache is not None


def test_a_process_ends_while_kernels_are_awaited(tmp_path):
    script = PROGRAM.replace("END", "raise SystemExit(print('early'))")
    assert run(script, tmp_path, CLTENSOR_BACKGROUND="1") == ["early"]


def test_without_a_disk_cache_nothing_waits(tmp_path):
    script = PROGRAM.replace("END", "")
    assert run(script, tmp_path, CLTENSOR_BACKGROUND="1", CLTENSOR_CACHE_LIMIT="0")[:3] == ["0", "1", "0"]
