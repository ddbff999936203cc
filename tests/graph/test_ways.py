"""The way that a replay takes, found on the calls of a program whose times are made up."""

import pytest

from cltensor.graph.ways import AGAIN, CALLS, GROWTH, LONG, ROUNDS, Ways

OF_A_WAY = sum(CALLS * GROWTH ** n for n in range(ROUNDS))  # calls by a way that stays in question


def taken(cost, count):
    """(what each of `count` calls took, the Ways), where a call by a way takes what `cost(way, call)` says."""
    names = list("abc")
    ways, now, found = Ways(names), [0.0], []
    for call in range(count):
        ways.settle(lambda: now[0])
        found.append(ways.now())
        now[0] += cost(found[-1], call)
    return found, ways


def test_each_way_is_tried_and_the_fastest_taken():
    found, ways = taken(lambda way, call: {"a": 3e-4, "b": 1e-4, "c": 2e-4}[way], 6 * CALLS)
    assert found[: 3 * CALLS] == ["a"] * CALLS + ["b"] * CALLS + ["c"] * CALLS
    assert set(found[3 * CALLS:]) == {"b"}
    assert ways.chosen == "b"


def test_what_is_close_is_tried_again():
    """A way that was disturbed once is not lost if it was close, and the best of its times counts."""
    cost = {"a": 1.0e-4, "b": 0.95e-4, "c": 9e-4}
    found, ways = taken(lambda way, call: cost[way] * (1.2 if way == "b" and call < 2 * CALLS else 1), CALLS + 2 * OF_A_WAY + 1)
    assert found.count("c") == CALLS
    assert ways.chosen == "b"
    assert found[-1] == "b"


def test_the_trial_ends():
    found, ways = taken(lambda way, call: 1e-4, 3 * OF_A_WAY + 1)
    assert ways.chosen is not None
    assert found[-1] == ways.chosen


def test_many_calls_in_a_row_decide():
    """The first calls after a pause cost more by threads, which have to wake; calls that follow one another do not."""
    last = []

    def cost(way, call):
        last.append(way)
        return 2e-4 if way != "a" else 1e-4 + (1e-3 if last[-2:] != ["a", "a"] else 0)

    assert taken(cost, 3 * OF_A_WAY + 1)[1].chosen == "a"


def test_the_trial_is_repeated():
    """What was slow while something else ran gets a second chance, twice."""
    found, ways = taken(lambda way, call: 5e-4 if way == "a" and call < 100 else {"a": 1e-4, "b": 2e-4, "c": 2e-4}[way],
                        2 * OF_A_WAY + AGAIN[0] + 4 * OF_A_WAY)
    assert set(found[2 * OF_A_WAY + CALLS: AGAIN[0]]) < {"b", "c"}
    assert ways.chosen == "a"
    assert len(ways.again) == len(AGAIN) - 2


def test_long_calls_are_not_tried_out():
    found, ways = taken(lambda way, call: 2 * LONG, 2 * CALLS)
    assert set(found) == {"a"}
    assert ways.chosen == "a"


def test_one_way_is_no_choice():
    ways = Ways(["a"])
    assert not ways.due
    ways.settle(pytest.fail)
    assert ways.now() == "a"


def test_calls_without_settling_go_on():
    """A call from a handler in between may not wait: it takes the way on trial."""
    ways = Ways("ab")
    ways.settle()
    assert [ways.now() for _ in range(3 * CALLS)] == ["a"] * 3 * CALLS
