"""Programs: built once, kept in memory and on disk, rebuilt when the disk is wrong, clear when they do not build."""

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cltensor.base.errors import BuildError
from cltensor.runtime import declarations
from cltensor.runtime.cache import KernelCache
from cltensor.runtime.launch import Launch
from cltensor.runtime.pocl_cpu import Naming
from cltensor.runtime.program import Programs, build_stats

from .kernels import ONE, add, add_source

pytestmark = pytest.mark.device
NUMBERS = np.arange(5, dtype=np.int32)


@pytest.fixture
def programs(device, tmp_path):
    """programs() is a Programs with nothing in memory, on a disk cache of the test's own."""
    if "no-binaries" in device.profile.quirks:
        pytest.skip(f"{device.name} keeps no binaries")

    def make(limit=2**20):
        made = Programs(device.entry, device.context, device.profile.quirks)
        made.cache = KernelCache(tmp_path / "kernels", limit)
        return made

    return make


def counted(build, *arguments):
    """(programs compiled, programs loaded) by build(*arguments)."""
    before = build_stats()
    build(*arguments)
    after = build_stats()
    return after.compiled - before.compiled, after.loaded - before.loaded


def works(device, programs, amount):
    return (add(device, programs.kernel(add_source(amount), "add"), NUMBERS) == NUMBERS + amount).all()


def test_kernel_runs(device):
    assert (add(device, device.kernel(add_source(3), "add"), NUMBERS) == NUMBERS + 3).all()


def test_every_kernel_object_is_new_and_the_program_is_not(device):
    one, two = (device.kernel(add_source(3), "add") for _ in range(2))
    assert one is not two
    assert device.program(add_source(3)) is device.program(add_source(3))


def test_source_object_is_taken_by_its_text(device):
    assert device.program(SimpleNamespace(text=add_source(3), template="add")) is device.program(add_source(3))


def test_built_once_then_loaded_from_disk(device, programs):
    assert counted(programs().get, add_source(3)) == (1, 0)
    again = programs()
    assert counted(again.get, add_source(3)) == (0, 1)
    assert counted(again.get, add_source(3)) == (0, 0)
    assert works(device, again, 3)


@pytest.mark.parametrize("damage", [lambda b: b[:len(b) // 2], lambda b: b[:100] + b"?" + b[101:], lambda b: b""])
def test_damaged_entry_is_rebuilt(device, programs, damage):
    first = programs()
    first.get(add_source(3))
    path = first.cache.path(first.key(add_source(3)))
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    again = programs()
    assert counted(again.get, add_source(3)) == (1, 0)
    assert works(device, again, 3)
    assert programs().cache.get(first.key(add_source(3))) is not None


@pytest.mark.parametrize("binary", [b"", b"not a binary", bytes(1000)])
def test_binary_the_driver_rejects_is_rebuilt(device, programs, binary):
    first = programs()
    first.cache.put(first.key(add_source(3)), binary)
    assert counted(first.get, add_source(3)) == (1, 0)
    assert works(device, first, 3)
    assert counted(programs().get, add_source(3)) == (0, 1)


def test_unwritable_folder_only_warns(device, programs, tmp_path):
    (tmp_path / "kernels").write_text("a file where the folder should be")
    p = programs()
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        assert works(device, p, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert works(device, p, 4)


def test_limit_zero_keeps_nothing(programs, tmp_path):
    assert counted(programs(0).get, add_source(3)) == (1, 0)
    assert counted(programs(0).get, add_source(3)) == (1, 0)
    assert not (tmp_path / "kernels").exists()


def test_key_depends_on_text_options_and_driver(device, programs, monkeypatch):
    p = programs()
    keys = {p.key("a"), p.key("b")}
    for part in ("platform_name", "platform_version", "name", "version", "driver"):
        p.entry = replace(device.entry, **{part: "another"})
        keys.add(p.key("a"))
    p.entry = replace(device.entry, naming=Naming("another", "another"))
    keys.add(p.key("a"))
    monkeypatch.setenv("PYOPENCL_BUILD_OPTIONS", "-DANOTHER")
    keys.add(p.key("a"))
    assert len(keys) == 9
    assert all(len(k) == len(hashlib.sha256().hexdigest()) for k in keys)


def test_threads_build_a_program_once(device, programs):
    p, results = programs(), []
    threads = [threading.Thread(target=lambda: results.append(p.get(add_source(3)))) for _ in range(4)]
    assert counted(lambda: [[t.start() for t in threads], [t.join() for t in threads]]) == (1, 0)
    assert len(results) == 4
    assert len(set(map(id, results))) == 1


BUILD_AND_RUN = """
import sys, numpy as np
from cltensor.runtime.device import default_device
from cltensor.runtime.program import build_stats
sys.path.insert(0, "tests")
from runtime.kernels import add, add_source
numbers = np.arange(5, dtype=np.int32)
d = default_device()
assert (add(d, d.kernel(add_source(int(sys.argv[1])), "add"), numbers) == numbers + int(sys.argv[1])).all()
print(build_stats().compiled, build_stats().loaded)
"""


def start(cache, amount, **settings):
    return subprocess.Popen([sys.executable, "-c", BUILD_AND_RUN, str(amount)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env={**os.environ, "CLTENSOR_CACHE_DIR": str(cache), **settings})


def result(process):
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.split(), err


def test_processes_share_the_cache(programs, tmp_path):
    """Two at once compile or load, as it happens; a third compiles nothing."""
    amount = time.time_ns() % 1_000_000 + 10  # new to every cache there is
    both = [start(tmp_path, amount) for _ in range(2)]
    assert all(result(p)[0] in (["1", "0"], ["0", "1"]) for p in both)
    assert result(start(tmp_path, amount))[0] == ["0", "1"]
    assert [p.name for p in (tmp_path / "kernels").glob("*/.new-*")] == []


def test_debug_reports_every_build(programs, tmp_path):
    for origin in ("compiler", "disk"):
        _, err = result(start(tmp_path, 3, CLTENSOR_DEBUG="1"))
        line, = [x for x in err.splitlines() if x.startswith("cltensor: ")]
        assert line.startswith("cltensor: built add for ")
        assert line.endswith(f" ms from {origin}")


def test_error_shows_kernel_template_device_log_and_line(device, monkeypatch, tmp_path):
    source = SimpleNamespace(template="elementwise", text="""// a kernel
__kernel void broken(__global float* a)
{
    a[0] = undeclared_thing;
}
""")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(2):  # a failure is not remembered as a success
        with pytest.raises(BuildError) as e:
            device.kernel(source, "broken")
    assert list(tmp_path.iterdir()) == []
    text = str(e.value)
    assert "kernel broken (template elementwise) does not compile on " in text
    assert device.name in text
    assert "undeclared identifier 'undeclared_thing'" in text
    assert ">    4      a[0] = undeclared_thing;" in text
    assert "     2  __kernel void broken(__global float* a)" in text


def test_unknown_kernel_name(device):
    with pytest.raises(BuildError, match="no kernel 'subtract' in add"):
        device.kernel(add_source(3), "subtract")


def test_compiler_log_of_a_good_build_is_no_warning(device, programs):
    source = "__kernel void f(__global int* a)\n{\n    int unused;\n    a[0] = 1;\n}\n#warning look here\n"
    device.program(source)




def test_kernel_arguments_stay_set(device):
    kernel = device.kernel(add_source(3), "add")
    array = np.zeros(4, np.int32)
    buffer = device.allocate(array.nbytes)
    device.write(buffer, 0, array)
    kernel.set_args(buffer, np.int64(4))
    for _ in range(5):
        device.submit(Launch(kernel, ONE, ONE))
    device.read(buffer, 0, array)
    assert (array == 15).all()


def test_conversions_of_pairs_are_declared():
    assert all(f"#define {name}" in declarations.prelude(f"{name}(x)") for name in ("convert_float2", "convert_double2"))
