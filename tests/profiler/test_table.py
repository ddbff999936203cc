"""Tables, averages, traces and memory timelines: their form, and that their numbers are those of the events."""

import gzip
import json
import re

import pytest

import cltensor as ct
from cltensor.autograd import profiler as legacy
from cltensor.base.errors import AssertedError, CLTensorError, UnsupportedError
from cltensor.profiler import DeviceType, Machine, profile, record_function, tensorboard_trace_handler
from cltensor.profiler.events import EventList, FunctionEvent
from cltensor.profiler.memory import CATEGORIES

pytestmark = [pytest.mark.device, pytest.mark.any_style]


def event(name, start, end, parent=None, **more):
    made = FunctionEvent(0, name, 1, start, end)
    made.cpu_time_total = made.self_cpu_time_total = end - start
    for key, value in more.items():
        setattr(made, key, value)
    if parent is not None:
        made.cpu_parent = parent
        parent.cpu_children.append(made)
        parent.self_cpu_time_total -= end - start
    return made


@pytest.fixture
def events():
    outer = event("outer", 0, 10_000)
    inner = [event("inner", 1000 * i, 1000 * i + 500, outer, input_shapes=[[i]], flops=2_000_000) for i in range(3)]
    return EventList([outer, *inner], 20_000, frozenset({"shapes", "flops"}))


@pytest.fixture(scope="module")
def prof():
    x, w = ct.randn(16, 8), ct.randn(8, 4, requires_grad=True)
    with profile(record_shapes=True, profile_memory=True, with_stack=True, with_flops=True) as found, record_function("<part>"):
        ((x @ w).relu() ** 2).sum().backward()
    return found


def test_averages_sum_up(events):
    outer, inner = events.key_averages()
    assert (outer.key, outer.count, outer.cpu_time_total, outer.self_cpu_time_total) == ("outer", 1, 10_000, 8500)
    assert (inner.key, inner.count, inner.cpu_time_total, inner.cpu_time, inner.flops) == ("inner", 3, 1500, 500, 6_000_000)
    assert [a.count for a in events.key_averages(group_by_input_shapes=True)] == [1, 1, 1, 1]
    total = events.total_average()
    assert (total.key, total.count, total.self_cpu_time_total) == ("Total", 4, 10_000)
    assert events.self_cpu_time_total == 10_000
    assert repr(inner).startswith("<FunctionEventAvg key=inner self_cpu_time=1.500ms cpu_time=500.000us")


def test_the_table_in_full(events):
    lines = events.key_averages().table(sort_by="self_cpu_time_total").splitlines()
    assert lines[1].split("  ")[0] == "Name"
    assert re.split(r"  +", lines[1]) == [
        "Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg", "# of Calls", "Total MFLOPs", "Bytes"]
    assert re.split(r"  +", lines[3]) == ["outer", "85.00%", "8.500ms", "100.00%", "10.000ms", "10.000ms", "1", "--", "--"]
    assert re.split(r"  +", lines[4]) == ["inner", "15.00%", "1.500ms", "15.00%", "1.500ms", "500.000us", "3", "6.000", "--"]
    assert lines[6:] == ["Self CPU time total: 10.000ms", "Wall clock time total: 20.000ms"]


def test_options_of_the_table(events):
    table = events.table
    assert "Input Shapes" in table()
    assert len(table(row_limit=1).splitlines()) + 3 == len(table(row_limit=-1).splitlines())
    assert table(header="A title").splitlines()[1] == "A title"
    assert "inner" not in table(top_level_events_only=True)
    assert "10000.000us" in table(time_unit="us")
    assert "out..." not in table()
    assert "o..." in table(max_name_column_width=4)
    assert table(sort_by="cuda_time_total") == table(sort_by="device_time_total")
    assert "Of the roofline" in table(machine=Machine(1e9, 1e9))
    assert str(events) == table()


def test_the_numbers_of_a_real_one(prof):
    averages = prof.key_averages()
    table = averages.table(sort_by="self_device_time_total", row_limit=-1)
    for title in ("Self Device %", "Device Mem", "Launches", "Input Shapes", "Source Location", "Total", "Bytes"):
        assert (title in table) == (title not in ("Input Shapes", "Source Location"))
    assert "Input Shapes" in prof.key_averages(group_by_input_shape=True).table()
    assert {e.device_type for e in averages} == {DeviceType.CPU, DeviceType.OPENCL}
    assert "<part>" in table
    e = prof.events()[0]
    assert e.cuda_time_total == e.device_time_total
    assert e.cpu_time_total_str.endswith("s")
    assert repr(e).startswith("<FunctionEvent id=0 name=<part> device_type=CPU")


def test_a_trace_is_one(prof, tmp_path):
    prof.add_metadata("note", "text")
    prof.add_metadata_json("numbers", "[1, 2]")
    prof.export_chrome_trace(tmp_path / "trace.json")
    prof.events().export_chrome_trace(tmp_path / "trace.json.gz")
    trace = json.loads((tmp_path / "trace.json").read_text())
    with gzip.open(tmp_path / "trace.json.gz", "rt") as file:
        assert json.load(file) == trace
    assert (trace["note"], trace["numbers"], trace["trace_id"]) == ("text", [1, 2], prof.get_trace_id())
    complete = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    assert {"cpu_op", "kernel", "user_annotation"} <= {e["cat"] for e in complete}
    assert all(isinstance(e["pid"], int) and isinstance(e["tid"], int) and e["dur"] >= 0 for e in complete)
    starts, ends = ([e for e in trace["traceEvents"] if e["ph"] == ph] for ph in "sf")
    assert {e["id"] for e in starts} == {e["id"] for e in ends}
    begins = {(e["pid"], e["ts"]) for e in complete if e["cat"] in ("kernel", "gpu_memcpy")}
    assert len(begins) == len(ends)
    memory = [e["args"] for e in trace["traceEvents"] if e["name"] == "[memory]"]
    assert memory
    assert all(m["Total Allocated"] <= m["Total Reserved"] for m in memory)
    matmul = next(e for e in complete if e["name"] == "matmul")
    assert matmul["args"]["Input Dims"] == [[16, 8], [8, 4]]
    outside = [e for e in complete if e["cat"] == "cpu_op"]
    for e in outside:
        part = next(x for x in complete if x["name"] == "<part>")
        inside = part["ts"] - 1 <= e["ts"] and e["ts"] + e["dur"] <= part["ts"] + part["dur"] + 1
        assert inside or e["name"] == "synchronize"


def test_memory_timelines(prof, tmp_path):
    prof.export_memory_timeline(tmp_path / "m.json")
    times, sizes = json.loads((tmp_path / "m.json").read_text())
    assert times == sorted(times)
    assert len(times) == len(sizes)
    assert {len(row) for row in sizes} == {len(CATEGORIES) + 1}
    assert max(row[1 + CATEGORIES.index("GRADIENT")] for row in sizes) >= 8 * 4 * 4
    assert max(row[1 + CATEGORIES.index("ACTIVATION")] for row in sizes) >= 16 * 4 * 4
    prof.export_memory_timeline(tmp_path / "m.raw.json.gz")
    with gzip.open(tmp_path / "m.raw.json.gz", "rt") as file:
        raw = json.load(file)
    assert {action for _, action, _, _ in raw} <= {1, 2}
    assert sum(n if a == 1 else -n for _, a, n, _ in raw) >= 0
    prof.export_memory_timeline(tmp_path / "m.html")
    assert "<canvas" in (tmp_path / "m.html").read_text(encoding="utf-8")


def test_traces_for_tensorboard(tmp_path):
    for use_gzip in (False, True):
        with profile(on_trace_ready=tensorboard_trace_handler(str(tmp_path / "runs"), "worker", use_gzip)):
            ct.ones(3) * 2
    names = sorted(p.name for p in (tmp_path / "runs").iterdir())
    assert all(re.fullmatch(r"worker\.\d+\.pt\.trace\.json(\.gz)?", name) for name in names)
    assert sum(name.endswith(".gz") for name in names) == 1


def test_the_older_name():
    with legacy.profile(record_shapes=True, use_device="opencl") as found, legacy.record_function("part"):
        ct.ones(3) * 2
    assert "part" in str(found)
    assert found.self_cpu_time_total == found.function_events.self_cpu_time_total
    assert found.total_average().count == len(found.function_events)
    assert found.key_averages()[0].key == "part"
    with legacy.profile(enabled=False) as nothing:
        pass
    assert nothing.function_events is None
    with pytest.raises(AssertedError, match="not enabled"):
        nothing.table()
    with legacy.profile() as outer, pytest.raises(CLTensorError, match="not reentrant"), outer:
        pass
    for refused in (legacy.emit_nvtx, legacy.emit_itt):
        with refused(enabled=False):
            pass
        with pytest.raises(UnsupportedError, match=r"cltensor\.profiler"), refused():
            pass
