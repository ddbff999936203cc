"""Summaries, machines and advice: figures that are worked out by hand."""

import time

import pytest

import cltensor as ct
from cltensor.profiler import Machine, Summary, Work, machine
from cltensor.profiler.advice import advice
from cltensor.profiler.summary import _overlap, _union
from cltensor.runtime.device import default_device

PHASES = dict.fromkeys(("forward", "backward", "optimizer", "data", "captured"), (0.0, 0.0))


def summary(**given):
    """A second in which the device was busy for 900 ms, in one op."""
    facts = {"wall": 1.0, "busy": 0.9, "idle": 0.1, "summed": 0.9, "of_ops": 0.9, "launches": 10, "copies": 0,
             "host": {"ops": 0.5, "wait": 0.4, "data": 0.0, "python": 0.1}, "phases": PHASES,
             "works": (Work("matmul", 0.9, 10, 10, 900 * 10**9, 10**9),), "waits": {}, "compiled": (0, 0.0), "loaded": (0, 0.0),
             "starved": 0.0}
    return Summary(**{**facts, **given})


def only(s, m=None):
    (found,) = advice(s, m)
    return str(found)


def test_unions_and_gaps():
    assert _union([(2, 4), (3, 5), (7, 8)], 0, 10) == (4, [(0, 2), (5, 7), (8, 10)])
    assert _union([], 0, 10) == (0, [(0, 10)])
    assert _union([(0, 10)], 0, 10) == (10, [])
    assert _overlap([(0, 2), (5, 7), (8, 10)], [(1, 6)]) == 2
    assert _overlap([(0, 2), (5, 7), (8, 10)], []) == 0
    assert _overlap([], [(1, 6)]) == 0


def test_shares_of_a_summary():
    s = summary(of_ops=0.45)
    assert s.attributed == 0.5
    assert s.accounted == 1.0
    assert s.works[0].each == pytest.approx(0.09)
    assert summary(wall=0.0, summed=0.0).attributed == summary(wall=0.0).accounted == 1.0


def test_a_roofline():
    m = Machine(bandwidth=10e9, flops=100e9)
    assert m.seconds(100e9, 1e9) == 1.0
    assert m.seconds(1e9, 20e9) == 2.0
    assert (m.bound(100, 1), m.bound(1, 100)) == ("compute", "memory")
    assert m.share(50e9, 0, 1.0) == 0.5
    assert m.share(0, 0, 1.0) is None
    assert m.share(1, 1, 0.0) is None


def test_other_things_than_tensors():
    text = only(summary(busy=0.3, idle=0.7, apart=0.6))
    assert text.startswith("The program did other things than tensors for 600.0 ms (60 % of the time)")
    assert "cProfile" in text


@pytest.mark.device
def test_long_stretches_of_python_are_told_apart():
    x = ct.ones(1000)
    with ct.profiler.profile() as prof:
        time.sleep(0.05)
        y = x * 2
        y.sum().item()
        time.sleep(0.05)
        (x + y).sum().item()
    s = prof.summary()
    assert s.apart >= 0.09
    assert s.apart + s.starved <= s.idle


@pytest.mark.device
def test_a_machine_is_measured_once():
    found = machine()
    assert found.bandwidth > 1e8
    assert found.flops > 1e8
    assert machine(default_device()) is found


def test_nothing_stands_out():
    assert advice(summary()) == []
    assert advice(summary(wall=0.0)) == []


def test_gaps_between_launches():
    text = only(summary(busy=0.3, idle=0.7, starved=0.6))
    assert "nothing to do for 600.0 ms (60 % of the time) while the host ran Python, between 10 launches of 90.0 ms" in text
    assert "cltensor.compile" in text
    captured = {**PHASES, "captured": (0.1, 0.3)}
    assert "larger batches, so" in only(summary(busy=0.3, idle=0.7, starved=0.6, phases=captured))
    replayed = summary(busy=0.3, idle=0.7, starved=0.6, works=(Work("fused_add_relu", 0.3, 10, 10, 0, 0),))
    assert "cltensor.compile" not in only(replayed)
    assert "larger batches" in only(replayed)


def test_values_that_are_read():
    text = only(summary(idle=0.2, waits={"wait for values": (500, 0.4), "synchronize": (1, 0.1)}))
    assert "read values 500 times" in text
    assert "waited 400.0 ms (40 % of the time)" in text


def test_a_loader_that_is_slow():
    assert "waited 300.0 ms (30 % of the time) for the DataLoader. Give it workers" in only(
        summary(host={"ops": 0.5, "wait": 0.1, "data": 0.3, "python": 0.1}))


def test_kernels_that_were_compiled():
    assert "(7 of them) took 500.0 ms (50 % of the time)" in only(summary(compiled=(7, 0.5)))


def test_copies_doubles_and_tiny_ops():
    works = (Work("copy", 0.3, 50, 50, 0, 3 << 20), Work("add", 0.6, 50, 50, 10, 10))
    text = only(summary(works=works))
    assert "33 % of the device's time: 50 launches, 3.00 MB" in text
    text = only(summary(works=(Work("add", 0.9, 50, 50, 10, 10, float64=True),)))
    assert "float64 took 100 % of the device's time, in add." in text
    assert advice(summary(busy=0.01, works=(Work("add", 0.9, 50, 50, 10, 10, float64=True),))) == []
    works = (Work("add", 0.001, 900, 900, 10, 10), Work("matmul", 0.1, 100, 100, 10, 10))
    found = advice(summary(busy=0.1, idle=0.9, summed=0.101, launches=1000, starved=0.8, works=works))
    assert any("900 of 1000 launches" in a.fact for a in found)
    assert found == sorted(found, key=lambda a: -a.weight)


def test_what_bounds_ops():
    m = Machine(bandwidth=10e9, flops=1e12)
    text = only(summary(), m)
    assert "bound by memory take 0 %" in text
    assert "bound by arithmetic 100 %; together they reach 100 %" in text
    assert "fewer operations" in text
    assert "cltensor tune" in only(summary(), Machine(100e9, 1e13))
    text = only(summary(works=(Work("add", 0.9, 10, 10, 10, 9 * 10**9),)), m)
    assert "bound by memory take 100 %" in text
    assert "Compile" in text
    assert advice(summary(works=(Work("view", 0.9, 10, 10, 0, 0),)), m) == []


@pytest.mark.device
def test_float64_is_noticed():
    x = ct.ones(1000, dtype=ct.float64)
    with ct.profiler.profile() as prof:
        x * 2
    assert any(w.float64 for w in prof.summary().works)
