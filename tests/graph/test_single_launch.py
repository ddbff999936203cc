"""Replays whose launches are combined into one: the same bits as launch by launch."""

import math
import threading

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn, optim
from cltensor.base.errors import DimensionError
from cltensor.compiler import compile
from cltensor.graph import steady
from cltensor.graph.call import Call
from cltensor.graph.captured import Captured, capture
from cltensor.graph.single_launch import Run, SingleLaunch, dependencies, plan, supported
from graph.programs import STEPS, draws, numbers
from graph.test_generated_capture import as_tuple, cases
from ops import samples
from tensor.test_backward_precompile import run

pytestmark = [pytest.mark.device, pytest.mark.any_style]
F = nn.functional
BATCH = 24


def replays(compiled):
    """The Replays of all programs of a compiled function."""
    captured = [p.captured for p in getattr(compiled, "_program", compiled).programs]
    return [c.replay for c in (*captured, *(c.backward.program for c in captured if c.backward))]


def combine(compiled):
    """Combine the launches of all programs now, in this thread.  Returns whether the device allows it."""
    found = replays(compiled)
    for replay in found:
        if supported(replay.device):
            replay.single.prepare(lambda text, device=replay.device: bool(device.program(text)))
    return supported(found[0].device)


def combined(compiled):
    """Whether some launches are one now."""
    return any(isinstance(x, SingleLaunch) for r in replays(compiled) for x in r.single.made or ())


def twice(f, calls):
    """What f returns for each of the argument lists, compiled: launch by launch, then with the launches combined."""
    found = []
    for single in (False, True):
        ct.manual_seed(1)
        compiled = compile(f)
        for args in calls[:3]:
            compiled(*args)
        able = single and combine(compiled)
        found.append([[t.detach().numpy() for t in as_tuple(compiled(*args))] for args in calls])
        assert combined(compiled) == able
    return found


def same(found):
    for a, b in zip(*found, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("name", STEPS)
def test_a_training_step(name):
    runs = []
    for single in (False, True):
        ct.manual_seed(1)
        program = STEPS[name]()
        batch, step, losses = program.batch, compile(program.step), []
        for i in range(8):
            losses.append(numbers(step(*batch(i))))
            if i == 4 and single:
                able = combine(step)
        runs.append((losses, [t.numpy() for t in program.net.state_dict().values()]))
    assert runs[0][0] == runs[1][0]
    for a, b in zip(runs[0][1], runs[1][1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert combined(step) == able


def recordable():
    """(a function of no arguments, its result launch by launch) of a sample of each op that can be captured."""
    for case in cases():
        op, dtype = case.values
        arrays, attrs = samples.samples(op, dtype)[0]
        given = samples.tensors(arrays, dtype)

        def call(*_, op=op, given=given, attrs=attrs):
            return tuple(t for t in as_tuple(op(*given, **attrs)) if isinstance(t, ct.Tensor))

        result, captured = capture(call, (), {}, ct.get_default_device())
        if isinstance(captured, Captured) and result:
            yield call


def test_every_op_many_at_a_time(monkeypatch):
    monkeypatch.setattr(steady, "KEPT", math.inf)  # their inputs lie outside
    calls = list(recordable())
    assert len(calls) > 300
    for i in range(0, len(calls), BATCH):
        batch = calls[i: i + BATCH]
        compiled = compile(lambda batch=batch: tuple(t for call in batch for t in call()))
        for _ in range(2):
            wanted = [samples.values(t) for t in compiled()]
        able = combine(compiled)
        for _ in range(2):
            for found, value in zip(compiled(), wanted, strict=True):
                np.testing.assert_array_equal(samples.values(found), value)
        assert combined(compiled) == able


def test_dependencies_are_found_by_memory():
    a, b, c, d = (object() for _ in range(4))
    touched = ([a], [b]), ([a], [c]), ([b], [a]), ([c], [d]), ([], [d]), ([a, d], [])
    calls = [Call("", "", (1,), reads=reads, writes=writes) for reads, writes in touched]
    assert dependencies(calls) == [0, 0, 2, 2, 4, 5]


def test_large_launches_use_all_workers():
    n = 100_003
    w = ct.tensor(np.random.default_rng(0).standard_normal((64, 64), dtype=np.float32))

    def f(x):
        y = (x * 2 + 1).tanh()
        z = (x.flip(0) - y).exp()
        return z, z.cumsum(0), (z[: 64 * 64].reshape(64, 64) @ w).softmax(-1), z.sum(), (y * z).t()

    same(twice(f, [tuple(draws(i, (n,))) for i in range(5)]))


def test_arguments_that_move():
    data = ct.tensor(np.random.default_rng(0).standard_normal((40, 6), dtype=np.float32))
    calls = [(data[i: i + 4], data[2 * i: 2 * i + 3]) for i in range(8)]
    same(twice(lambda x, y: (x @ y.t(), x.flip(0) + 1, x.view(ct.int32).flip(1)), calls))


def test_numbers_that_change():
    p = nn.Parameter(ct.ones(5))
    opt = optim.Adam([p], lr=0.1)
    schedule = optim.lr_scheduler.ExponentialLR(opt, 0.7)

    def step(x):
        opt.zero_grad()
        (F.dropout(p * x, 0.5).sum() + ct.rand(5).sum()).backward()
        opt.step()
        schedule.step()
        return p.detach().clone(), ct.rand(3)

    found = []
    for single in (False, True):
        ct.manual_seed(3)
        with ct.no_grad():
            p.fill_(1)
        opt.state.clear()
        opt.param_groups[0]["lr"] = schedule.base_lrs[0]
        compiled = compile(step)
        for i in range(4):
            compiled(*draws(i, (5,)))
        able = single and combine(compiled)
        found.append([[t.numpy() for t in compiled(*draws(i, (5,)))] for i in range(4)])
        assert combined(compiled) == able
    same(found)


@pytest.mark.parametrize("way", range(3))
def test_each_way(way):
    """In the driver's threads, in the calling thread, launch by launch: with arguments and numbers that differ."""
    data, table = ct.tensor(np.random.default_rng(0).standard_normal((40, 6), dtype=np.float32)), ct.ones(9, 6).cumsum(0)
    compiled = compile(lambda x, i: (x.flip(0).tanh().cumsum(0) + F.embedding(i, table), ct.rand(2), (x @ x.t()).softmax(-1)))
    calls, wanted = [(data[k: k + 3], ct.tensor([k, 8 - k, k])) for k in range(5)], []
    for taken in (None, way):
        if taken is not None and combine(compiled):
            compiled(*calls[0])
            [replay] = replays(compiled)
            found = replay.single.ways.ways
            replay.single.ways.chosen = found[taken % len(found)]
        ct.manual_seed(5)
        wanted.append([[t.numpy() for t in compiled(*args)] for args in calls])
    same(wanted)


def test_results_are_never_overwritten():
    f = compile(lambda x: (x.flip(0).tanh(), x.cumsum(0)))
    for i in range(3):
        f(*draws(i, (300,)))
    combine(f)
    kept = [f(*draws(i, (300,))) for i in range(6)]
    for i, (a, b) in enumerate(kept):
        [x] = draws(i, (300,))
        np.testing.assert_array_equal(a.numpy(), x.flip(0).tanh().numpy())
        np.testing.assert_array_equal(b.numpy(), x.cumsum(0).numpy())


def test_an_argument_that_is_a_parameter():
    w = ct.ones(4)

    def f(x):
        y = x.flip(0) * 2
        w.add_(1)
        return y.cumsum(0), x.flip(0)

    def run(f):
        with ct.no_grad():
            w.fill_(1)
        return [[t.numpy() for t in f(x)] for x in (ct.zeros(4), ct.zeros(4), w, ct.zeros(4), w)]

    compiled = compile(f)
    run(compiled)
    combine(compiled)
    same((run(f), run(compiled)))


def test_a_bad_index_is_reported():
    table = ct.tensor(np.arange(12, dtype=np.float32).reshape(4, 3))
    f = compile(lambda i: (F.embedding(i, table) * 2).flip(0).cumsum(0))
    good = ct.tensor([0, 3])
    for _ in range(3):
        f(good)
    able = combine(f)
    wanted = f(good).numpy()
    with pytest.raises(DimensionError, match="index 9"):
        f(ct.tensor([1, 9])).numpy()
    np.testing.assert_array_equal(f(good).numpy(), wanted)
    assert combined(f) == able


def test_a_bad_index_is_reported_at_the_call(monkeypatch):
    table = ct.ones(4, 3)
    f = compile(lambda i: F.embedding(i, table).flip(0).cumsum(0))
    for _ in range(3):
        f(ct.tensor([0, 3]))
    combine(f)
    monkeypatch.setenv("CLTENSOR_SYNC", "1")
    with pytest.raises(DimensionError, match="index 9"):
        f(ct.tensor([1, 9]))


def test_two_threads_replay():
    f = compile(lambda x: (x @ x).softmax(-1).cumsum(0))
    inputs = [ct.tensor(np.random.default_rng(i).standard_normal((32, 32), dtype=np.float32)) for i in range(4)]
    wanted = [f(x).numpy() for x in inputs]
    combine(f)
    wrong = []

    def work(k):
        for i in range(40):
            x = (i + k) % 4
            if not np.array_equal(f(inputs[x]).numpy(), wanted[x]):
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_two_streams_replay():
    f = compile(lambda x: (x @ x).softmax(-1).cumsum(0))
    [x] = draws(0, (32, 32))
    wanted = f(x).numpy()
    for stream in (ct.opencl.Stream(), ct.opencl.Stream()):
        with ct.opencl.stream(stream):
            for _ in range(2):
                f(x)
            combine(f)
            np.testing.assert_array_equal(f(x).numpy(), wanted)


PROGRAM = """
    import cltensor as ct
    from cltensor.graph.single_launch import supported
    from cltensor.runtime.background import background
    from cltensor.runtime.program import build_stats
    f = ct.compile(lambda x: x.flip(0).cumsum(0))
    for _ in range(5): f(ct.ones(5))
    END
    assert f(ct.ones(5)).tolist() == [1, 2, 3, 4, 5]
    made = f.programs[-1].captured.replay.single.made
    assert (made is not None) == supported(ct.get_default_device())
    print(build_stats().compiled)
"""


def test_another_process_compiles_and_the_next_one_finds_it(tmp_path):
    script = PROGRAM.replace("END", "background.wait()")
    run(script, tmp_path, CLTENSOR_SINGLE_LAUNCH="1", CLTENSOR_AHEAD="0")
    assert run(script, tmp_path, CLTENSOR_SINGLE_LAUNCH="1", CLTENSOR_AHEAD="0") == ["0"]


def test_a_process_ends_while_a_program_is_compiled(tmp_path):
    script = PROGRAM.replace("END", "raise SystemExit(print('early'))")
    assert run(script, tmp_path, CLTENSOR_SINGLE_LAUNCH="1") == ["early"]


class Boundary:
    """A launch of another kind."""

    def __init__(self, launch):
        self.launch = launch

    def enqueue(self, *given):
        self.launch.enqueue(*given)


def test_launches_of_another_kind_stay_in_order():
    f = compile(lambda x: x.flip(0).cumsum(0).softmax(0).flip(0).tanh().cumsum(0))
    [x] = draws(0, (50,))
    for _ in range(3):
        wanted = f(x).numpy()
    [replay] = replays(f)
    replay.launches[2] = Boundary(replay.launches[2])
    parts = plan(replay.launches, replay.device)
    assert [isinstance(p, Boundary) for p in parts].count(True) == 1
    if combine(f):
        assert isinstance(parts[0], Run)
        assert isinstance(parts[2], Run)
    np.testing.assert_array_equal(f(x).numpy(), wanted)


def test_what_cannot_be_built_is_left_as_it_is():
    f = compile(lambda x: x.flip(0).cumsum(0).softmax(0))
    [x] = draws(0, (50,))
    for _ in range(3):
        wanted = f(x).numpy()
    [replay] = replays(f)
    replay.single.prepare(lambda text: False)
    np.testing.assert_array_equal(f(x).numpy(), wanted)
    assert replay.single.made is None


def test_profiling_sees_each_launch():
    f = compile(lambda x: x.flip(0).cumsum(0).softmax(0))
    [x] = draws(0, (50,))
    for _ in range(3):
        wanted = f(x).numpy()
    combine(f)
    [replay] = replays(f)
    f(x)
    before, replay.device.profiling = replay.device.profiling, True
    try:
        assert replay.single.instead() is None
        np.testing.assert_array_equal(f(x).numpy(), wanted)
    finally:
        replay.device.profiling = before
