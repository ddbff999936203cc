"""cltensor.multiprocessing: Python's names, tensors through queues, processes and their failures."""

import multiprocessing
import os
import pickle
import signal
import time

import pytest

import cltensor as ct
from cltensor import multiprocessing as mp

pytestmark = [pytest.mark.device, pytest.mark.limit(120),
              pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")]


def doubled(i, given, found):
    found.put((i, given * 2 + i))


def failing(i, number):
    if i == 1:
        raise ValueError(f"number {number}" * 9000)
    time.sleep(60)


def killed(i):
    if i == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def exits(i):
    os._exit(7)


def sleeps(i, seconds):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if i == 0:
        time.sleep(0.2)
        raise SystemExit(3)
    time.sleep(seconds)


def test_names_are_pythons():
    assert set(multiprocessing.__all__) <= set(mp.__all__)
    assert mp.Process is multiprocessing.Process
    assert mp.cpu_count() == multiprocessing.cpu_count()


def _results(method):
    found = mp.get_context(method).SimpleQueue()
    x = ct.tensor([1.0, 2.0], dtype=ct.bfloat16, requires_grad=True).detach()
    assert mp.start_processes(doubled, (x, found), nprocs=2, start_method=method) is None
    got = dict(found.get() for _ in range(2))
    assert {i: y.tolist() for i, y in got.items()} == {0: [2.0, 4.0], 1: [3.0, 5.0]}
    assert got[0].dtype is ct.bfloat16
    assert got[0].device is ct.get_default_device()


def test_tensors_go_to_forked_processes_and_back():
    _results("fork")


@pytest.mark.slow
def test_tensors_go_to_spawned_processes_and_back():
    _results("spawn")


def test_an_error_is_raised_here_and_ends_the_others():
    start = time.monotonic()
    with pytest.raises(mp.ProcessRaisedException, match=r"process 1 raised an error") as caught:
        mp.start_processes(failing, (5,), nprocs=3, start_method="fork")
    assert "ValueError: number 5" in str(caught.value)
    assert caught.value.error_index == 1
    assert time.monotonic() - start < 50
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.error_index, again.pid) == (1, caught.value.error_pid)


def test_a_signal_and_a_status():
    with pytest.raises(mp.ProcessExitedException, match="signal SIGKILL") as caught:
        mp.start_processes(killed, nprocs=2, start_method="fork")
    assert (caught.value.exit_code, caught.value.signal_name, caught.value.error_index) == (-9, "SIGKILL", 0)
    assert pickle.loads(pickle.dumps(caught.value)).signal_name == "SIGKILL"
    with pytest.raises(mp.ProcessExitedException, match="status 7"):
        mp.start_processes(exits, start_method="fork")


def test_a_context_is_joined_later():
    context = mp.start_processes(time.sleep, nprocs=1, join=False, start_method="fork")  # sleeps 0 seconds
    assert len(context.pids()) == 1
    while not context.join(timeout=0.01):
        pass
    assert context.join()
    context = mp.start_processes(sleeps, (60,), nprocs=2, join=False, start_method="fork")
    assert context.join(timeout=0) is False
    with pytest.raises(mp.ProcessExitedException, match="status 3"):
        _join(context)
    assert not any(p.is_alive() for p in context.processes)


def _join(context):
    while not context.join(grace_period=0.1):
        pass


def test_spawn_warns_of_another_method():
    with pytest.warns(FutureWarning, match="start_processes"):
        assert mp.spawn(time.sleep, start_method="fork") is None
    with pytest.warns(FutureWarning):
        assert isinstance(mp.spawn(time.sleep, join=False, start_method="fork"), mp.SpawnContext)


def test_strategies():
    before = mp.get_sharing_strategy()
    assert before in mp.get_all_sharing_strategies()
    mp.set_sharing_strategy("file_system")
    assert mp.get_sharing_strategy() == "file_system"
    mp.set_sharing_strategy(before)
    with pytest.raises(ValueError, match="none of 'file_system'"):
        mp.set_sharing_strategy("telepathy")


def test_bad_arguments():
    with pytest.raises(ValueError, match="start_method 'grow' is none of"):
        mp.start_processes(exits, start_method="grow")
    with pytest.raises(ValueError, match="nprocs"):
        mp.start_processes(exits, nprocs=-1)
