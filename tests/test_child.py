"""Items run in a child process: one that crashes, hangs or fails spoils no other."""

import sys

import pytest

from cltensor.base import child
from cltensor.base.child import ChildError, run_each

FINE = ["{'n': 1}", "{'n': 2}"]


def results(*items, limit=60):
    return [result for _, result in run_each("builtins:eval", items, limit)]


def test_results_come_in_order():
    assert list(run_each("builtins:eval", FINE, 60)) == [(FINE[0], {"n": 1}), (FINE[1], {"n": 2})]


def test_exception_is_a_result():
    assert results("1/0", *FINE) == [{"error": "ZeroDivisionError: division by zero"}, {"n": 1}, {"n": 2}]


def test_crash_spoils_one_item():
    first, crash, last = results(FINE[0], "__import__('os').abort()", FINE[1])
    assert (first, last) == ({"n": 1}, {"n": 2})
    assert "SIGABRT" in crash["error"] or "ended with status" in crash["error"]


def test_last_words_are_shown():
    dying = "[__import__('os').write(2, b'assertion failed\\n'), __import__('os')._exit(3)]"
    assert results(dying) == [{"error": "the process ended with status 3: assertion failed"}]


def test_hanging_item_is_given_up():
    late, fine = results("__import__('time').sleep(60)", FINE[0], limit=1)
    assert late == {"error": "no answer within 1 s"}
    assert fine == {"n": 1}


def test_what_drivers_print_does_not_disturb():
    assert results("print('noise') or __import__('os').write(1, b'more') and {'n': 5}") == [{"n": 5}]


def test_child_that_does_not_start():
    with pytest.raises(ChildError, match=r"did not start: .*ModuleNotFoundError"):
        list(run_each("cltensor.nowhere:f", FINE, 60))


def test_abandoned_child_ends():
    assert next(run_each("builtins:eval", [FINE[0], "__import__('time').sleep(60)"], 60)) == (FINE[0], {"n": 1})


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")
def test_stopped_child_is_given_up():
    stopped, fine = results("__import__('os').kill(__import__('os').getpid(), 19)", FINE[0], limit=1)
    assert stopped == {"error": "no answer within 1 s"}
    assert fine == {"n": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_killed_child_spoils_one_item():
    killed, fine = results("__import__('os').kill(__import__('os').getpid(), 9)", FINE[0])
    assert "SIGKILL" in killed["error"]
    assert fine == {"n": 1}
    assert "within its answer" in child._read('{"half":')["error"]


def test_child_that_closes_its_output_and_stays_is_given_up(monkeypatch):
    monkeypatch.setattr(child, "FAREWELL", 0.2)
    staying = "[__import__('os').closerange(0, 30), __import__('time').sleep(60)]"
    assert "SIGKILL" in results(staying)[0]["error"]
