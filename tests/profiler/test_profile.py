"""profile: what is recorded of ops, launches, gradients, updates, modules, captured programs; and that all is as before then."""

import gc
import multiprocessing
import os
import threading

import numpy as np
import pytest

import cltensor as ct
from cltensor import nn
from cltensor.base.context import context
from cltensor.base.errors import ArgumentError, AssertedError, CLTensorError
from cltensor.profiler import (
    DeviceType,
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    supported_activities,
)
from cltensor.runtime.device import default_device
from cltensor.runtime.job_thread import JobThread
from cltensor.utils.data import DataLoader, TensorDataset

pytestmark = pytest.mark.device


def calls(prof, kind=None):
    return [e for e in prof.events() if e.device_type is DeviceType.CPU and kind in (None, e.kind)]


def named(prof, name):
    return [e for e in calls(prof) if e.name == name]


def launched(prof):
    return [e for e in prof.events() if e.device_type is not DeviceType.CPU]


@pytest.fixture
def small():
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    return net, ct.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), ct.randn(4, 6), ct.tensor([0, 1, 2, 0])


def step(net, optimizer, x, y):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss


def test_an_op_is_a_call_with_a_launch():
    a, b = ct.ones(4, 5), ct.ones(5, 3)
    with profile(record_shapes=True, with_flops=True) as prof:
        c = a @ b
    (e,) = named(prof, "matmul")
    assert e.input_shapes == [[4, 5], [5, 3]]
    assert e.flops == 2 * 4 * 5 * 3
    assert e.nbytes == 4 * (4 * 5 + 5 * 3 + 4 * 3)
    assert e.launches == len(e.kernels) >= 1
    assert e.self_device_time_total == pytest.approx(sum(k.duration for k in e.kernels))
    assert e.device_time_total > 0
    assert 0 < e.self_cpu_time_total <= e.cpu_time_total <= prof.events().wall
    assert all(k.cpu_parent is e and k.name.endswith("(matmul)") for k in launched(prof) if k.kind == "kernel")
    assert np.array_equal(c.numpy(), np.full((4, 3), 5, np.float32))


def test_results_are_those_without_a_profile(small):
    net, optimizer, x, y = small
    state = {k: v.clone() for k, v in net.state_dict().items()}
    plain = [step(net, optimizer, x, y).item() for _ in range(3)]
    other = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    other.load_state_dict(state)
    with profile(profile_memory=True, with_modules=True, with_stack=True, with_flops=True):
        second = ct.optim.SGD(other.parameters(), lr=0.1, momentum=0.9)
        assert [step(other, second, x, y).item() for _ in range(3)] == plain
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        assert np.array_equal(p.detach().numpy(), q.detach().numpy())


def test_a_training_step_has_its_parts(small):
    step(*small)
    with profile(with_flops=True, with_modules=True) as prof:
        step(*small)
    assert [e.name for e in calls(prof, "optimizer")] == ["Optimizer.step#SGD.step"]
    (update,) = calls(prof, "update")
    assert update.cpu_parent.kind == "optimizer"
    assert update.launches >= 1
    assert update.flops > 0
    (backward,) = calls(prof, "backward")
    nodes = calls(prof, "node")
    assert all(n.cpu_parent is backward for n in nodes)
    assert nodes[0].name.startswith("CrossEntropy")
    forward = {e.sequence_nr: e for e in calls(prof, "op") if e.sequence_nr >= 0}
    assert {n.sequence_nr for n in nodes} <= set(forward)
    modules = [e.name for e in calls(prof, "module")]
    assert modules[0] == "nn.Module: Sequential"
    assert "nn.Module: 2: Linear" in modules
    assert any(n.module == "2: Linear" for n in nodes)


def test_sums_agree(small):
    net, optimizer, x, y = small
    step(net, optimizer, x, y)
    with profile() as prof:
        for _ in range(3):
            step(net, optimizer, x, y).item()
    s, events = prof.summary(), prof.events()
    assert s.attributed >= 0.95
    assert s.accounted == pytest.approx(1, abs=0.05)
    assert sum(s.host.values()) == pytest.approx(s.wall, rel=0.01)
    assert s.busy + s.idle == pytest.approx(s.wall, rel=0.001)
    own = sum(e.self_device_time_total for e in calls(prof))
    assert own == pytest.approx(events.self_device_time_total)
    roots = [e for e in calls(prof) if e.cpu_parent is None and e.thread == threading.get_ident()]
    assert sum(e.cpu_time_total for e in roots) == pytest.approx(
        sum(e.self_cpu_time_total for e in calls(prof) if e.thread == threading.get_ident()))
    assert s.launches == sum(e.kind == "kernel" for e in launched(prof))
    assert s.waits["wait for values"][0] == 3
    assert prof.key_averages().total_average().count == len(events)


def test_composites_are_parents():
    x = ct.randn(4, 6, requires_grad=True)
    with profile() as prof:
        nn.functional.layer_norm(x, (6,))
    parents = {e.cpu_parent.name for e in calls(prof, "op") if e.cpu_parent is not None}
    assert parents


def test_memory_of_calls():
    x = ct.ones(1000)
    with profile(profile_memory=True) as prof:
        y = x * 2
        del y
    (e,) = named(prof, "mul")
    assert 4000 <= e.self_device_memory_usage <= 4600
    peak, reserved = prof.memory_peaks()
    assert 4000 < peak <= reserved


def test_schedule_warm_up_and_steps():
    seen = []

    def ready(prof):
        seen.append([e.name for e in calls(prof, "step")])

    with profile(schedule=schedule(wait=1, warmup=1, active=2, repeat=2), on_trace_ready=ready) as prof:
        for i in range(9):
            ct.ones(3) * i
            prof.step()
    assert seen == [["ProfilerStep#2", "ProfilerStep#3"], ["ProfilerStep#6", "ProfilerStep#7"]]
    assert len(named(prof, "mul")) == 2
    assert context.profile is None


def test_schedules_are_torchs():
    plan = schedule(wait=1, warmup=1, active=2, repeat=1)
    A = ProfilerAction
    assert [plan(i) for i in range(6)] == [A.NONE, A.WARMUP, A.RECORD, A.RECORD_AND_SAVE, A.NONE, A.NONE]
    with pytest.warns(UserWarning, match="won't be using warmup"):
        plan = schedule(wait=1, warmup=0, active=2, repeat=2, skip_first=2)
    assert [plan(i) for i in range(8)] == [A.NONE] * 3 + [A.RECORD, A.RECORD_AND_SAVE, A.NONE, A.RECORD, A.RECORD_AND_SAVE]
    plan = schedule(wait=5, warmup=1, active=1, skip_first=1, skip_first_wait=1)
    assert [plan(i) for i in range(3)] == [A.NONE, A.WARMUP, A.RECORD_AND_SAVE]
    for wrong in ({"wait": -1, "warmup": 1, "active": 1}, {"wait": 1, "warmup": 1, "active": 0}):
        with pytest.raises(AssertedError, match="Invalid profiler schedule"):
            schedule(**wrong)
    with pytest.raises(AssertedError, match=r"non-negative\. Got -1"):
        plan(-1)


def test_a_schedule_that_drops_a_recording_warns():
    plan = iter([ProfilerAction.RECORD, ProfilerAction.NONE])
    prof = profile(schedule=lambda step: next(plan))
    prof.start()
    with pytest.warns(UserWarning, match="RECORD followed by NONE"):
        prof.step()
    assert context.profile is None


def test_events_of_several_cycles_are_kept():
    with profile(schedule=schedule(wait=0, warmup=1, active=1), acc_events=True) as prof:
        for _ in range(4):
            ct.ones(3) * 2
            prof.step()
    assert len(named(prof, "mul")) == 2


def test_named_parts_nest_and_decorate():
    @record_function("inner", "args")
    def inner(x):
        """Documented."""
        return x * 2

    with record_function("before"):
        pass
    with profile() as prof, record_function("outer"):
        assert inner(ct.ones(3)).sum().item() == 6
    (outer,), (e,) = named(prof, "outer"), named(prof, "inner(args)")
    assert e.cpu_parent is outer
    assert e.is_user_annotation
    assert named(prof, "mul")[0].cpu_parent is e
    assert inner.__doc__ == "Documented."
    assert not named(prof, "before")


def test_parts_that_outlive_a_profile():
    part, prof = record_function("late"), profile()
    with prof:
        part.__enter__()
        ct.ones(3) + 1
    part.__exit__(None, None, None)
    assert named(prof, "late")[0].time_range.end <= prof.events().wall + 1
    assert context.frame is None
    with profile() as second:
        ct.ones(3) + 1
    assert named(second, "add")[0].cpu_parent is None


def test_errors_leave_nothing_behind():
    a, b = ct.ones(3), ct.ones(4)
    with pytest.raises(CLTensorError), profile() as prof, record_function("part"):
        a @ b
    (part,) = named(prof, "part")
    assert [e.name for e in part.cpu_children] == ["matmul"]
    assert context.profile is None
    assert context.frame is None
    assert context.transform is None
    assert default_device().watch is None


def test_a_profile_of_nothing():
    with profile() as prof:
        pass
    assert prof.events() == []
    assert prof.key_averages().table() == ""
    assert prof.total_average().count == 0
    assert prof.advice() == []
    assert prof.summary().launches == 0


def test_two_at_once_are_an_error():
    with profile() as prof:
        with pytest.raises(CLTensorError, match="already enabled"), profile():
            pass
        ct.ones(3) * 2
    assert named(prof, "mul")


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda: profile(activities=[]), "No valid profiler activities"),
    (lambda: profile(activities=["cpu"]), "No valid profiler act"),
    (lambda: profile(schedule=3), "must be a function"),
    (lambda: profile().stop(), "must be initialized before stopping"),
    (lambda: profile().events(), "must be initialized before acc"),
    (lambda: profile().key_averages(), "must be initialized before getting key"),
    (lambda: profile().export_stacks("x"), "requires with_stack"),
    (lambda: profile().export_memory_timeline("x"), "required for mem"),
    (lambda: profile().toggle_collection_dynamic(True, [ProfilerActivity.CPU]), "no recording runs"),
    (lambda: profile().add_metadata_json("a", "{"), "is not JSON"),
])
def test_misuse(wrong, message):
    with pytest.raises(CLTensorError, match=message):
        wrong()


def test_asking_too_early():
    with profile() as prof, pytest.raises(AssertedError, match="didn't finish running"):
        prof.events()


def test_activities():
    assert supported_activities() == {ProfilerActivity.CPU, ProfilerActivity.OPENCL}
    with profile(activities=[ProfilerActivity.CPU]) as prof:
        ct.ones(3) * 2
    assert not launched(prof)
    assert named(prof, "mul")
    with profile(activities=[ProfilerActivity.CUDA]) as prof:
        ct.ones(3) * 2
    assert launched(prof)
    assert not calls(prof)


def test_collection_can_be_toggled():
    everything = [ProfilerActivity.CPU, ProfilerActivity.OPENCL]
    with profile() as prof:
        ct.ones(3) * 2
        prof.toggle_collection_dynamic(False, everything)
        ct.ones(3) - 2
        prof.toggle_collection_dynamic(True, everything)
        ct.ones(3) + 2
    assert named(prof, "mul")
    assert named(prof, "add")
    assert not named(prof, "sub")
    assert not any("sub" in e.name for e in launched(prof))


def test_threads_are_heard():
    def work():
        with record_function("elsewhere"):
            ct.ones(3) * 2

    with profile() as prof:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    (part,) = named(prof, "elsewhere")
    assert part.thread != threading.get_ident()
    assert part.cpu_children[-1].name == "mul"
    thread = threading.Thread(target=lambda: seen.append((context.profile, context.transform)))
    seen = []
    thread.start()
    thread.join()
    assert seen == [(None, None)]


def test_threads_of_the_package_are_not_heard():
    class Thread(JobThread):
        def run(self, job):
            found.append((context.profile, context.transform))
            with ct.autocast("cpu", dtype=ct.bfloat16):
                ct.ones(4, 4, requires_grad=True).sum().backward()

        def builders(self):
            return ()

    found, thread = [], Thread()
    with profile() as prof:
        thread.put(1)
        thread.wait()
        thread.put(2)
        thread.wait()
    thread.close()
    assert found == [(None, None)] * 2
    assert not calls(prof, "op")


def test_a_thread_that_was_in_autocast_goes_on():
    start, stopped, found = threading.Event(), threading.Event(), []

    def work():
        with ct.autocast("cpu", dtype=ct.bfloat16):
            found.append((ct.ones(4, 4) @ ct.ones(4, 4)).dtype)
            start.set()
            stopped.wait(60)
            found.append((ct.ones(4, 4) @ ct.ones(4, 4)).dtype)
        found.append((ct.ones(4, 4) @ ct.ones(4, 4)).dtype)

    with profile():
        thread = threading.Thread(target=work)
        thread.start()
        start.wait(60)
    stopped.set()
    thread.join()
    assert found[0] == found[1] != ct.float32
    assert found[2] == ct.float32


def test_autocast_and_vmap_list_each_op_once():
    a = ct.ones(4, 4)
    kind = ct.bfloat16
    with ct.autocast("cpu", dtype=kind), profile() as prof:
        assert (a @ a).dtype == kind
    assert len(named(prof, "matmul")) == 1
    assert named(prof, "matmul")[0].launches >= 1
    assert named(prof, "copy")[0].cpu_parent.name == "matmul"
    with profile() as prof:
        ct.func.vmap(lambda x: x * 2)(a)
    assert len(named(prof, "mul")) == 1


def test_captured_programs_run_launch_by_launch(small):
    net, optimizer, x, y = small
    compiled = ct.compile(lambda: step(net, optimizer, x, y), options={"wait": True})
    for _ in range(6):
        compiled()
    with profile(with_flops=True) as prof:
        compiled()
    replays = calls(prof, "replay")
    assert replays
    assert prof.summary().phases["captured"][1] > 0
    kernels = [e for e in launched(prof) if e.kind == "kernel"]
    assert sum(e.launches for e in replays) == len(kernels) > 3
    names = {w.name for w in prof.summary().works}
    assert "replay" not in names
    assert any(name.startswith("sgd_momentum_step") for name in names)
    assert sum(e.flops for e in kernels) > 0
    assert prof.summary().attributed >= 0.95


def test_a_loader_is_data():
    loader = DataLoader(TensorDataset(ct.arange(10)), batch_size=5)
    with profile() as prof:
        for (x,) in loader:
            x * 2
    data = calls(prof, "data")
    assert len(data) == 2
    assert prof.summary().phases["data"][0] > 0


def test_stacks(tmp_path):
    with profile(with_stack=True) as prof:
        ct.ones(3) * 2
    (e,) = named(prof, "mul")
    assert e.stack[0].startswith(f"{__file__}(")
    assert e.stack[0].endswith("test_stacks")
    prof.export_stacks(tmp_path / "stacks.txt")
    lines = (tmp_path / "stacks.txt").read_text().splitlines()
    assert all(int(line.rpartition(" ")[2]) > 0 for line in lines)
    assert any("test_stacks" in line for line in lines)
    with pytest.raises(AssertedError, match="metric should be one of"):
        prof.export_stacks(tmp_path / "x", "nothing")
    grouped = prof.key_averages(group_by_stack_n=1)
    assert any(a.key == "mul" and len(a.stack) == 1 for a in grouped)
    assert "Source Location" in grouped.table()


def test_queues_and_pools_are_as_before():
    device = default_device()
    channel = device.channels[0]
    before = channel.queue, channel.pool, device.profiling, channel.launch
    x = ct.arange(1000.0)
    with profile(profile_memory=True):
        y = [x + i for i in range(20)]  # new blocks, which the pool's own queue writes to first
        assert channel.queue is not before[0]
        assert device.profiling
    assert (channel.queue, channel.pool, device.profiling, channel.launch) == before
    assert "synchronize" not in device.__dict__
    assert all(np.array_equal(t.numpy(), np.arange(1000, dtype=np.float32) + i) for i, t in enumerate(y))


def test_streams_and_events_inside():
    with profile() as prof:
        side = ct.opencl.Stream()
        start, end = ct.opencl.Event(enable_timing=True), ct.opencl.Event(enable_timing=True)
        with side:
            start.record()
            x = ct.ones(1000) * 2
            end.record()
        side.synchronize()
        assert start.elapsed_time(end) >= 0
        assert x.sum().item() == 2000
    assert named(prof, "mul")[0].launches == 1


def test_queues_that_record_timestamps_already():
    event = ct.opencl.Event(enable_timing=True)
    event.record()
    device = default_device()
    queue = device.channels[0].queue
    with profile() as prof:
        ct.ones(100) * 2
    assert device.channels[0].queue is queue
    assert device.profiling
    assert all(x.begin is not None for x in prof._launches)
    later = ct.opencl.Event(enable_timing=True)
    later.record()
    later.synchronize()
    assert event.elapsed_time(later) > 0


def test_a_lent_queue_keeps_its_order():
    side = ct.opencl.Stream()
    queue = side.queue
    with profile() as prof, side:
        x = ct.ones(10) * 3
        assert side.queue is queue
    side.synchronize()
    assert x.tolist() == [3] * 10
    assert named(prof, "mul")[0].launches == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_are_not_heard():
    with profile() as prof:
        ct.ones(3) * 2
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(_in_a_child) == (None, None, 6.0)
    assert len(named(prof, "mul")) == 1


def _in_a_child():
    total = float((ct.ones(3) * 2).sum())
    return context.profile, context.transform, total


def test_garbage_is_no_leak():
    with profile(profile_memory=True) as prof:
        x = ct.ones(10) * 2
    del x
    gc.collect()
    assert prof.summary().launches
    assert all(n != 0 for _, n, _ in prof._recording.changes)


def test_unknown_number_and_unit():
    with profile() as prof:
        ct.ones(3) * 2
    with pytest.raises(AttributeError, match="no number 'nope'"):
        prof.key_averages().table(sort_by="nope")
    with pytest.raises(ArgumentError, match="time_unit"):
        prof.key_averages().table(time_unit="h")
