"""DataLoader workers: tensors in workers, transfers in both directions, and workers that die, stop or do not answer."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import deque, namedtuple
from pathlib import Path

import numpy as np
import pytest

import cltensor as ct
from cltensor.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info, processes, shared
from cltensor.utils.data.capture import reachable

pytestmark = [pytest.mark.device, pytest.mark.limit(60),
              pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")]
KINDS = ["thread", "fork", pytest.param("spawn", marks=pytest.mark.slow)]
ELSEWHERE = None  # a tensor that functions name, and no dataset holds
Point = namedtuple("Point", "x y")


@pytest.fixture(autouse=True)
def _elsewhere(device):
    global ELSEWHERE
    ELSEWHERE = ct.tensor([100.0])


class Images(Dataset):
    """Sample i: a tensor and a label, made of the dataset's tensors by ordinary operations."""

    def __init__(self, n=10):
        self.images = ct.arange(n * 6.0).reshape(n, 2, 3)
        self.mean = self.images.mean()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = (self.images[index] - self.mean).flip(-1).clamp(min=-20)
        return {"image": image, "label": ct.tensor(index), "point": Point(index, [float(index), str(index)])}


class Streamed(IterableDataset):
    """Tensors 0 to 10, divided among the workers."""

    def __iter__(self):
        info = get_worker_info()
        return (ct.full((2,), float(i)) for i in range(info.id, 11, info.num_workers))


class Made(Dataset):
    """Sample i: make(i)."""

    def __init__(self, make, n=8):
        self.make, self.n = make, n

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return self.make(index)


def same(found, wanted):
    """Whether two batches hold the same values, in the same nesting and on the same device."""
    if isinstance(wanted, ct.Tensor):
        assert found.dtype is wanted.dtype
        assert found.device is wanted.device
        assert found.tolist() == wanted.tolist()
    elif isinstance(wanted, np.ndarray):
        np.testing.assert_array_equal(found, wanted)
    elif isinstance(wanted, dict):
        assert list(found) == list(wanted)
        all(same(found[k], wanted[k]) is None for k in wanted)
    elif isinstance(wanted, (list, tuple)):
        assert type(found) is type(wanted)
        assert len(found) == len(wanted)
        all(same(f, w) is None for f, w in zip(found, wanted, strict=True))
    else:
        assert found == wanted


def seven(samples):
    return samples[0]["image"] * 7, [s["label"] for s in samples], "text", np.arange(3)


@pytest.mark.parametrize("kind", KINDS)
def test_tensors_in_workers(kind):
    data = Images()
    for collate in (None, seven):
        wanted = list(DataLoader(data, 4, collate_fn=collate))
        found = list(DataLoader(data, 4, num_workers=2, collate_fn=collate, multiprocessing_context=kind))
        same(found, wanted)


def test_streams_and_tensor_datasets_in_workers():
    assert [b[:, 0].tolist() for b in DataLoader(Streamed(), 3, num_workers=2)] == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9]]
    half = ct.arange(20.0).to(ct.bfloat16).reshape(10, 2)
    data = TensorDataset(half.T[:1].T, ct.arange(10), ct.arange(10) % 2 == 0)
    same(list(DataLoader(data, 4, num_workers=2)), list(DataLoader(data, 4)))
    same(list(DataLoader(data, None, num_workers=2)), list(DataLoader(data, None)))


def test_tensors_that_functions_name():
    assert [b.tolist() for b in DataLoader(Made(lambda i: ELSEWHERE + i, 2), num_workers=2)] == [[[100]], [[101]]]


def test_tensors_are_read_again_once_written_to():
    data = TensorDataset(ct.zeros(4))
    loader = DataLoader(data, 4, num_workers=1)
    assert next(iter(loader))[0].tolist() == [0] * 4
    data.tensors[0].add_(1)
    assert next(iter(loader))[0].tolist() == [1] * 4


def test_what_a_program_holds_is_found():
    a, b, c, d, e = (ct.zeros(i) for i in range(1, 6))

    class Local:
        shared = a

        def read(self, at=b):
            return [lambda: c, ELSEWHERE]

    held = Local()
    held.view, held.again = d[1:], {"deep": [(e, held)]}
    assert {id(t) for t in reachable([held.read])} >= {id(t) for t in (a, b, c, d, e, ELSEWHERE)}


def test_what_workers_cannot_do_says_what_to_do():
    pool = DataLoader(Made(lambda i: ct.nn.functional.max_pool1d(ct.ones(1, 1, 4), 2)), num_workers=1)
    with pytest.raises(RuntimeError, match=r"max_pool1d: this process leaves OpenCL alone.*num_workers=0"):
        list(pool)
    for work in (lambda t: t + 1, lambda t: t @ ct.ones(1), lambda t: t.tolist()):
        unseen = DataLoader(Made(lambda i, work=work: work(globals()["".join(["ELSE", "WHERE"])])), num_workers=1)
        with pytest.raises(RuntimeError, match="of the parent process was used"):
            list(unseen)
    with pytest.raises(RuntimeError, match="leaves OpenCL alone"):
        list(DataLoader(Made(lambda i: ct.opencl.synchronize()), num_workers=1))
    with pytest.raises(RuntimeError, match=r"send tensor.detach\(\)"):
        list(DataLoader(Made(lambda i: ct.ones(1, requires_grad=True) * 2), num_workers=1))
    with pytest.raises(IndexError, match="index 7 is out of bounds"):
        list(DataLoader(Made(lambda i: ct.ones(2)[ct.tensor([7])]), num_workers=1))


def test_seeds_differ_by_worker_and_repeat():
    def draws():
        data = Made(lambda i: (ct.rand(1).item(), np.random.rand(), get_worker_info().seed), 4)
        return list(DataLoader(data, None, num_workers=2, generator=3))

    first = draws()
    assert first == draws()
    assert first[0][0] != first[1][0]
    assert first[0][2] + 1 == first[1][2]


def test_order_of_arrival():
    slow = Made(lambda i: time.sleep(0.5) or i if i == 0 else i)
    assert [int(b) for b in DataLoader(slow, num_workers=2)] == list(range(8))
    arrived = [int(b) for b in DataLoader(slow, num_workers=2, in_order=False)]
    assert sorted(arrived) == list(range(8))
    assert arrived[0] != 0


def test_large_batches_and_long_orders():
    rows = DataLoader(Made(lambda i: (np.full(1 << 18, i, np.float32), "x" * 5000), 12), 3, num_workers=2, persistent_workers=True)
    for _ in range(2):
        for at, (x, text) in enumerate(rows):
            assert x[:, -1].tolist() == [3 * at, 3 * at + 1, 3 * at + 2]
            assert len(text[2]) == 5000
    ids = DataLoader(Made(int, 5000), 5000, num_workers=1, shuffle=True)
    assert sorted(next(iter(ids)).tolist()) == list(range(5000))


@pytest.mark.parametrize("refused", [(processes, "SharedFile"), (shared.SharedFile, "window")], ids=["file", "memory"])
def test_without_shared_memory_everything_goes_through_pipes(refused, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no room")

    monkeypatch.setattr(*refused, refuse)
    data = Made(lambda i: (np.full(1 << 15, i, np.float32), ct.full((3,), i), "x" * 9000))
    for at, (x, y, text) in enumerate(DataLoader(data, 4, num_workers=2)):
        assert x[:, -1].tolist() == y[:, 0].tolist() == [4 * at + i for i in range(4)]
        assert len(text[3]) == 9000


def test_nothing_is_left_in_shared_memory():
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("this system has no /dev/shm")
    before = set(folder.iterdir())
    for batch in DataLoader(Made(lambda i: np.ones(1 << 16)), 2, num_workers=2):
        assert set(folder.iterdir()) <= before, batch
        break
    assert set(folder.iterdir()) <= before


# --- workers that do not do as they are told ---------------------------------------------------------------------------------


def stubborn(worker):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def gone(pid):
    """Whether the process has ended, or does within a time that is long for a busy machine."""
    for _ in range(2000):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # nobody waits for it
        except ProcessLookupError:
            return True
        except FileNotFoundError:  # no /proc here, or just gone
            pass
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("persistent", [False, True])
def test_a_killed_worker_is_reported(persistent):
    loader = DataLoader(Made(lambda i: os.getpid(), 100), num_workers=2, persistent_workers=persistent)
    with pytest.raises(RuntimeError, match="exited unexpectedly with exit code -9"):
        deque((os.kill(int(pid), signal.SIGKILL) for pid in loader), maxlen=0)
    assert len({int(b) for b in loader}) == 2  # other workers take over


def test_a_stopped_worker_is_reported_in_time_and_killed():
    loader = DataLoader(Made(lambda i: os.getpid(), 100), num_workers=1, timeout=1)
    batches = iter(loader)
    pid = int(next(batches))
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(RuntimeError, match=rf"timed out after 1 seconds waiting for worker 0 \(pid {pid}"):
        list(batches)
    assert gone(pid)


def test_closing_ends_stopped_and_stubborn_workers():
    data = Made(lambda i: os.getpid() if i < 2 else time.sleep(60), 8)
    batches = iter(DataLoader(data, num_workers=2, worker_init_fn=stubborn, prefetch_factor=1))
    one, other = int(next(batches)), int(next(batches))
    os.kill(one, signal.SIGSTOP)
    batches.close()
    assert gone(one)
    assert gone(other)


PROGRAM = """
    import os, signal, sys, time
    import numpy as np
    from cltensor.utils.data import DataLoader, Dataset

    class Pids(Dataset):
        def __len__(self):
            return 8
        def __getitem__(self, index):
            if index > 1:
                time.sleep({seconds})
            return np.int64(os.getpid())

    def stubborn(worker):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    batches = iter(DataLoader(Pids(), num_workers=2, worker_init_fn=stubborn, prefetch_factor=1))
    one, other = int(next(batches)), int(next(batches))
    print(one, other, flush=True)
    {then}
"""


@pytest.mark.slow
@pytest.mark.parametrize(("then", "code"), [
    ("os.kill(one, signal.SIGSTOP)", 0),
    ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    ("signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)); signal.alarm(1); next(batches)", -2)])
def test_workers_end_with_the_program(then, code):
    program = textwrap.dedent(PROGRAM).format(then=then, seconds=4 if code == -9 else 60)
    with subprocess.Popen([sys.executable, "-W", "ignore::DeprecationWarning", "-c", program], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as ran:
        out = ran.stdout.readline()
        assert ran.wait(timeout=30) in (code, 1 if code == -2 else code)
        assert all(gone(int(pid)) for pid in out.split())
