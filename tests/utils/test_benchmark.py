"""utils.benchmark: what a Timer runs and how often, what a Measurement says, what a table shows.  No test depends on how fast
anything is: the clocks are played."""

import itertools
import re

import pytest

import cltensor as ct
from cltensor.utils import benchmark
from cltensor.utils.benchmark import Compare, Measurement, TaskSpec, Timer

SPEC = TaskSpec("x + x", "pass", label="add", sub_label="small", description="plain")


class Clock:
    """A clock that only moves where a statement calls `work`, and a little when it is read."""

    def __init__(self, steps=(1e-3,)):
        self.now, self.steps = 0.0, itertools.cycle(steps)

    def __call__(self):
        self.now += 1e-7
        return self.now

    def work(self):
        """Take as long as the next step says."""
        self.now += next(self.steps)

    def timer(self, stmt="work()", **words):
        """A Timer by this clock."""
        return Timer(stmt, timer=self, globals={"work": self.work}, **words)


def measured(times, runs=1, **words):
    return Measurement(runs, list(times), TaskSpec("s", "pass", **words))


def test_units_and_digits():
    assert [benchmark.select_unit(t)[0] for t in (5e-10, 3e-9, 3e-6, 3e-3, 3.0)] == ["ns", "ns", "us", "ms", "s"]
    assert [benchmark.trim_sigfig(x, 2) for x in (123.456, 0.001234, 0.0, float("inf"))] == [120.0, 0.0012, 0.0, float("inf")]


def test_statistics():
    m = measured([4.0, 2.0, 8.0, 6.0, 10.0], runs=2)
    assert (m.median, m.mean, m.iqr) == (3.0, 3.0, 2.0)
    assert m.times == [2.0, 1.0, 4.0, 3.0, 5.0]
    assert m.has_warnings
    assert m.meets_confidence(0.7)
    assert m.significant_figures == 1
    assert measured([1.0] * 9).significant_figures == 5
    assert measured([1.0]).significant_figures == 5
    assert measured([1.0, 2.0]).significant_figures == 1
    with pytest.raises(ValueError, match="there are no times"):
        measured([])


def test_words():
    assert (SPEC.title, SPEC.as_row_name) == ("add: small", "small")
    assert TaskSpec("x", "pass").title == "stmt: x"
    m = Measurement(3, [3e-6, 6e-6, 9e-6], SPEC)
    assert (m.label, m.sub_label, m.description, m.env, m.num_threads, m.stmt, m.setup, m.title, m.as_row_name) == (
        "add", "small", "plain", None, 1, "x + x", "pass", "add: small", "small")
    text = repr(m)
    assert "Median: 2.00 us" in text
    assert "3 measurements, 3 runs per measurement, 1 thread" in text
    assert "WARNING: the interquartile range is 50.0%" in text


def test_merge():
    merged = Measurement.merge([measured([2.0], runs=2, label="a"), measured([3.0], label="a"), measured([5.0], label="b")])
    assert [(m.label, m.times) for m in merged] == [("a", [1.0, 3.0]), ("b", [5.0])]


def test_a_timer_runs_the_statement():
    ran = []
    m = Timer("ran.append(n)", setup="n = 7", timer=Clock(), globals={"ran": ran}).timeit(10)
    assert (m.number_per_run, len(m.raw_times)) == (10, 1)
    assert ran == [7] * 12
    assert Clock().timer().timeit(5).median == pytest.approx(1e-3, rel=1e-3)


def test_blocks_grow_until_the_clock_does_not_matter():
    called = []
    m = Clock((1e-5,)).timer().blocked_autorange(lambda *given: called.append(given), min_run_time=0.05)
    assert m.number_per_run == 100
    assert len(m.raw_times) == 50
    assert called == [(100, pytest.approx(1e-3, rel=1e-3))] * 50


def test_an_adaptive_timer_stops_when_times_agree_or_time_is_up():
    steady = Clock((0.06,)).timer().adaptive_autorange(min_run_time=0.2)
    assert len(steady.raw_times) == 4
    wild = Clock((0.06, 0.2, 0.11, 0.09, 0.3)).timer().adaptive_autorange(threshold=1e-9, max_run_time=2.0)
    assert 2.0 <= sum(wild.raw_times) < 2.4


@pytest.mark.device
def test_the_clock_waits_for_devices(monkeypatch):
    waited = []
    monkeypatch.setattr(type(ct.get_default_device()), "synchronize", lambda self: waited.append(self))
    ct.ones(1)
    benchmark.timer()
    assert ct.get_default_device() in waited


@pytest.mark.device
def test_the_package_is_there_without_setup():
    m = Timer("cltensor.ones(3) + x", globals={"x": ct.ones(3)}).timeit(2)
    assert m.median > 0


@pytest.mark.parametrize(("options", "text"), [
    ({"language": "c++"}, "is not measured"), ({"global_setup": "#include"}, "belongs to C"), ({"num_threads": 0}, "at least 1")])
def test_refusals(options, text):
    with pytest.raises(ValueError, match=text):
        Timer("pass", **options)
    with pytest.raises(ValueError, match="number must be"):
        Timer("pass").timeit(0)


def table(**settings):
    compare = Compare([measured([2e-6], label="add", sub_label="small", description="plain"),
                       measured([4e-6], label="add", sub_label="small", description="fused")])
    compare.extend_results([measured([1e-5, 2e-5, 3e-5, 9e-5], label="add", sub_label="big", description="plain", num_threads=2,
                                     env="new")])
    for name, arguments in settings.items():
        getattr(compare, name)(**arguments)
    return str(compare)


def test_a_table():
    assert table().splitlines() == [
        "[------------- add --------------]",
        "                |  plain  |  fused",
        "1 threads: -----------------------",
        "      small     |    2.0  |    4.0",
        "2 threads: -----------------------",
        "      new: big  |   25.0  |       ",
        "",
        "Times are in microseconds (us)."]


def test_a_table_with_fewer_digits_warnings_and_colours():
    text = table(trim_significant_figures={}, highlight_warnings={})
    assert re.search(r"\(! \d+%\) 30\b", text)
    assert "something else may have been running" in text
    assert "\033[92m" in table(colorize={"rowwise": True})
    assert "\033[31m" in table(colorize={})


def test_a_table_is_printed(capsys):
    Compare([measured([1.0])]).print()
    assert "Times are in seconds (s)." in capsys.readouterr().out
