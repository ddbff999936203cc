"""What a process may have: read from the system's files, kept to by allocations on a device that is the host."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cltensor import opencl
from cltensor.base.errors import OutOfMemoryError
from cltensor.runtime import host_memory, memory

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
GIB = 1 << 30


@pytest.fixture
def system(tmp_path, monkeypatch):
    """system({file: text}) makes a machine of these files, without limits on the process."""
    monkeypatch.setattr(host_memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(host_memory, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(host_memory, "resource", None)

    def make(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return make


def group(folder, limit, used, cached=0):
    """Files of a control group of version 2."""
    return {f"cgroup/{folder}memory.max": f"{limit}\n", f"cgroup/{folder}memory.current": f"{used}\n",
            f"cgroup/{folder}memory.stat": f"anon 1\ninactive_file {cached}\n"}


def older_group(folder, limit, used, cached=0):
    """The same of version 1."""
    return {f"cgroup/memory/{folder}memory.limit_in_bytes": f"{limit}\n",
            f"cgroup/memory/{folder}memory.usage_in_bytes": f"{used}\n",
            f"cgroup/memory/{folder}memory.stat": f"inactive_file 1\ntotal_inactive_file {cached}\n"}


@pytest.mark.parametrize(("files", "expected"), [
    ({}, (float("inf"), "machine")),
    ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable:  4194304 kB\nSwapFree: 1048576 kB\n"}, (5 * GIB - 256 * MIB, "machine")),
    ({"proc/meminfo": "nonsense"}, (float("inf"), "machine")),
    ({"proc/self/cgroup": "0::/a/b\n", **group("a/b/", "max", 5), **group("a/", 4 * GIB, 3 * GIB, GIB)},
     (2 * GIB, "control group")),
    ({"proc/self/cgroup": "0::/a/b\n", **group("a/b/", GIB, 2 * GIB)}, (0, "control group")),
    ({"proc/self/cgroup": "0::/on/the/host\n", **group("", GIB, 0)}, (GIB, "control group")),  # inside a container
    ({"proc/self/cgroup": "0::/../../x\n", **group("", GIB, 0)}, (GIB, "control group")),
    ({"proc/self/cgroup": "4:cpu,memory:/a\n1:name=systemd:/a\n", **older_group("a/", 3 * GIB, GIB),
      **older_group("", 2**63 - 4096, 0)}, (2 * GIB, "control group")),
    ({"proc/self/cgroup": "4:memory:/docker/1234\n", **older_group("", GIB, GIB // 2, GIB // 4)},
     (GIB - GIB // 4, "control group")),
    ({"proc/self/cgroup": "0::/a\n", **group("a/", "what", 5)}, (float("inf"), "machine")),
    ({"proc/meminfo": "MemAvailable: 1048576 kB\n", "proc/self/cgroup": "0::/\n", **group("", 8 * GIB, 0)},
     (768 * MIB, "machine")),
])
def test_the_smallest_bound_counts(system, files, expected):
    system(files)
    assert host_memory.room() == expected


def test_limits_of_the_process(monkeypatch):
    values = {1: 100 * GIB, 2: -1}
    limits = SimpleNamespace(RLIMIT_AS=1, RLIMIT_DATA=2, RLIM_INFINITY=-1, getrlimit=lambda which: (values[which], -1))
    monkeypatch.setattr(host_memory, "resource", limits)
    left, bound = host_memory.address_room()
    assert bound == "ulimit -v"
    assert 0 < left <= 100 * GIB
    values.update({1: -1, 2: 0})
    assert host_memory.address_room() == (0, "ulimit -d")


@pytest.fixture
def on_host(device):
    if not device.memory.on_host:
        pytest.skip(f"{device.name} has memory of its own")
    yield device.memory
    opencl.empty_cache()


@pytest.fixture
def left(monkeypatch, on_host):
    """left(nbytes): the host has this much more, and notices at once."""
    def set_to(nbytes):
        opencl.empty_cache()
        monkeypatch.setattr(memory, "_STEP", 0)
        monkeypatch.setattr(on_host, "checked", 0)
        monkeypatch.setattr(on_host, "resident", host_memory.resident() + 8 * on_host.reserved())
        room = host_memory.Room(nbytes + 9 * on_host.reserved(), "control group")
        monkeypatch.setattr(memory.host_memory, "room", lambda: room)

    return set_to


def test_what_is_not_there_is_refused_and_the_program_goes_on(device, left):
    left(8 * MIB)
    kept = [device.allocate(MIB)]
    with pytest.raises(OutOfMemoryError, match="bounded by its control group; raise that"):
        kept.extend(device.allocate(MIB) for _ in range(200))
    assert 1 < len(kept) <= 8
    del kept
    assert device.allocate(MIB).size >= MIB


def test_a_machine_without_memory_says_so(device, left, monkeypatch):
    left(0)
    monkeypatch.setattr(memory.host_memory, "room", lambda: host_memory.Room(0, "machine"))
    with pytest.raises(OutOfMemoryError, match="The machine has 0 bytes left"):
        device.allocate(MIB)


def test_what_is_allowed_is_what_is_free(on_host, monkeypatch):
    monkeypatch.setattr(on_host, "allowed", host_memory.Room(on_host.reserved() + 5 * MIB, "ulimit -v"))
    assert opencl.mem_get_info()[0] == 5 * MIB


UNDER_A_LIMIT = """
import resource
import cltensor as ct
from cltensor.runtime import host_memory
total = (ct.ones(100, 100) @ ct.ones(100, 100)).sum().item()
used = host_memory._own(0)
def fill(kind):
    kept = []
    try:
        for _ in range(200):
            kept.append(kind(1 << 22))
    except ct.OutOfMemoryError as e:
        assert "ulimit -v unlimited" in str(e), e
        return len(kept)
device = ct.get_default_device()
resource.setrlimit(resource.RLIMIT_AS, (used + (400 << 20), resource.RLIM_INFINITY))
device.memory.allowed = host_memory.allowance()
for kind in (ct.ones, ct.empty):
    assert 5 < fill(kind) < 30
assert (ct.ones(100, 100) @ ct.ones(100, 100)).sum().item() == total
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit on the address space")
def test_a_process_under_ulimit_goes_on(on_host):
    done = subprocess.run([sys.executable, "-c", UNDER_A_LIMIT], cwd=ROOT, check=False, capture_output=True, text=True,
                          env=dict(os.environ), timeout=120)
    assert done.returncode == 0, done.stderr
