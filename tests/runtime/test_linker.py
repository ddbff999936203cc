"""PoCL without a C toolchain: its kernels are linked by cltensor's own linker, and compute the same."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cltensor.runtime import linker, toolchain

ROOT = Path(__file__).resolve().parents[2]

# Between them: calls into the C library, a table of addresses, constants of every width, two kernels, local memory.
PROGRAM = r"""
import sys
import numpy as np
from cltensor.runtime.device import default_device
from cltensor.runtime.loader import pyopencl

SOURCES = {
    "zeros": '''__kernel void run(__global int *a, long n) {
        int t[2048]; for (int j = 0; j < 2048; j++) t[j] = 0;
        for (long j = 0; j < n; j++) t[(j * 7) & 2047] += (int)j;
        int s = 0; for (int j = 0; j < 2048; j++) s += t[j] * j;
        a[get_global_id(0)] = s; }''',
    "table": '''__constant float T[4] = {1.5f, -2.0f, 3.0f, 8.0f};
        __kernel void run(__global int *a, long n) { size_t i = get_global_id(0); a[i] = (int)(10 * T[a[i] & 3]); }''',
    "printf": '''__kernel void run(__global int *a, long n) { size_t i = get_global_id(0);
        if (i == 3) printf("printed %d\\n", a[i]); a[i] += 1; }''',
    "math": '''__kernel void other(__global int *a) { a[0] = 9; }
        __kernel void run(__global int *a, long n) { size_t i = get_global_id(0); float x = a[i];
        a[i] = (int)(1000 * (exp(x * 0.1f) + sin(x) + pow(x, 0.3f) + fmod(x, 3.3f))); }''',
    "switch": '''int f(int v) { switch (v % 9) { case 0: return 3; case 1: return 17; case 2: return 99;
        case 3: return -4; case 4: return 1234; case 5: return 77; case 6: return 5; default: return 1; } }
        __kernel void run(__global int *a, long n) { size_t i = get_global_id(0); a[i] = f(a[i]) * f(a[i] + 3); }''',
    "local": '''__kernel void run(__global int *a, long n) { __local int t[4]; size_t l = get_local_id(0);
        t[l] = a[get_global_id(0)]; barrier(CLK_LOCAL_MEM_FENCE); a[get_global_id(0)] = t[3 - l]; }''',
}
cl, device = pyopencl(), default_device()
for name, source in SOURCES.items():
    kernel = device.kernel(source, "run")
    values = np.arange(8, dtype=np.int32)
    buffer = cl.Buffer(device.context, cl.mem_flags.COPY_HOST_PTR, hostbuf=values)
    kernel.set_args(buffer, np.int64(8))
    cl.enqueue_nd_range_kernel(device.queue, kernel, (8,), (4,))
    cl.enqueue_copy(device.queue, values, buffer)
    print(name, values.tolist(), flush=True)
"""


def run(**settings):
    """The program's output, with nothing taken from a cache.  Skips where there is no PoCL."""
    settings = {"CLTENSOR_DEVICE": "portable", "CLTENSOR_CACHE_LIMIT": "0", "PYTHONPATH": str(ROOT), **settings}
    inherited = {k: v for k, v in os.environ.items() if k != "POCL_CACHE_DIR"}  # the runtime has set it in this process
    found = subprocess.run([sys.executable, "-c", PROGRAM], env={**inherited, **settings}, check=False,
                           capture_output=True, text=True)
    if "names no device" in found.stderr:
        pytest.skip("PoCL is not installed")
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.mark.device
@pytest.mark.skipif(not toolchain.complete(), reason="no C toolchain to compare with")
def test_kernels_compute_the_same_without_a_toolchain(tmp_path):
    assert run(PATH=str(tmp_path)) == run()


@pytest.fixture
def kept(tmp_path):
    """A folder for PATH whose `ld` keeps a copy of each object file and of its linked library."""
    script = tmp_path / "ld"
    script.write_text(f"""#!{sys.executable}
import os, shutil, sys
sys.path.insert(0, {str(Path(linker.__file__).parent)!r})
import linker
status = linker.main(sys.argv[1:])
made = sys.argv[sys.argv.index("-o") + 1]
shutil.copy(made, {str(tmp_path)!r})
shutil.copy(next(a for a in sys.argv if a.endswith(".o")), os.path.join({str(tmp_path)!r}, os.path.basename(made) + ".o"))
sys.exit(status)
""")
    script.chmod(0o755)
    return tmp_path


@pytest.mark.device
@pytest.mark.skipif(not toolchain.complete(), reason="without a C toolchain the stand-in goes first")
def test_linking_is_repeatable_and_refuses_what_it_does_not_know(kept):
    run(PATH=f"{kept}{os.pathsep}{os.environ['PATH']}")
    objects = list(kept.glob("*.o"))
    assert len(objects) >= 6
    for path in objects:
        data = path.read_bytes()
        assert linker.link(data) == path.with_suffix("").read_bytes()
    unknown = next(found for found in (linker.read(path.read_bytes()) for path in objects) if found.relocations)
    unknown.relocations[0] = (*unknown.relocations[0][:2], 99, *unknown.relocations[0][3:])
    with pytest.raises(linker.LinkError, match="relocation type 99"):
        linker.Output(unknown).make()


@pytest.mark.device
def test_kernels_run_without_a_toolchain(tmp_path):
    lines = run(PATH=str(tmp_path)).splitlines()
    assert lines[:3] == ["zeros [980, 980, 980, 980, 980, 980, 980, 980]", "table [15, -20, 30, 80, 15, -20, 30, 80]",
                         "printed 3"]
    assert lines[-1] == "local [3, 2, 1, 0, 7, 6, 5, 4]"


def test_complete_needs_ld(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not toolchain.complete()


def test_stand_in_goes_first_and_is_written_once(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain, "complete", lambda: False)
    monkeypatch.setattr(toolchain.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(toolchain.sys, "platform", "linux")
    monkeypatch.setenv("PATH", "/elsewhere")
    toolchain.provide(tmp_path / "linker")
    assert os.environ["PATH"] == f"{tmp_path}/linker:/elsewhere"
    made = (tmp_path / "linker" / "ld").stat()
    toolchain.provide(tmp_path / "linker")
    assert (tmp_path / "linker" / "ld").stat().st_ino == made.st_ino
    assert os.access(tmp_path / "linker" / "ld", os.X_OK)


def test_other_machines_are_left_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(toolchain, "complete", lambda: False)
    before = os.environ["PATH"]
    toolchain.provide(tmp_path / "linker")
    assert os.environ["PATH"] == before
    assert not (tmp_path / "linker").exists()


def test_what_is_no_object_file_is_refused(tmp_path, capsys):
    (tmp_path / "a.o").write_bytes(b"\x7fELF" + bytes(100))
    assert linker.main(["-shared", "-o", str(tmp_path / "a.so"), str(tmp_path / "a.o"), "-lgcc"]) == 1
    assert "not an x86-64 object file" in capsys.readouterr().err
    assert not (tmp_path / "a.so").exists()
