"""The processor's name in PoCL's record of a device: found, judged and replaced; here in records made up for the purpose."""

import ctypes
import struct
import sys
from types import SimpleNamespace

import pytest

from cltensor.base.errors import ArgumentError
from cltensor.runtime import pocl_cpu, processor

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read as a file on Linux only")
OFFSET = 640
ZEN5 = pocl_cpu.NAMES[0][1] | {"avx512vbmi", "sse4a"}
ZEN3 = pocl_cpu.NAMES[1][1] | {"sse4a"}


class Record:
    """A device's record: the word at OFFSET points to the name."""

    def __init__(self, name, word=None):
        self.text = ctypes.create_string_buffer(name)
        self.memory = ctypes.create_string_buffer(1024)
        struct.pack_into("<Q", self.memory, OFFSET, ctypes.addressof(self.text) if word is None else word)

    def device(self, version):
        return SimpleNamespace(int_ptr=ctypes.addressof(self.memory), version=f"OpenCL 3.0 PoCL HSTR: pthread-{version}")

    @property
    def name(self):
        return ctypes.string_at(struct.unpack_from("<Q", self.memory, OFFSET)[0]).decode()


@pytest.fixture
def wheel(monkeypatch):
    """Take every record for one of the wheel's, on a processor with the flags given: wheel(flags)."""
    monkeypatch.delenv("CLTENSOR_POCL_CPU", raising=False)
    monkeypatch.setattr(pocl_cpu, "build_id", lambda path: next(iter(pocl_cpu.LAYOUTS)))
    return lambda flags: monkeypatch.setattr(processor, "flags", lambda: frozenset(flags))


@pytest.mark.parametrize(("found", "flags", "given"), [
    ("generic", ZEN5, "skylake-avx512"), ("znver3", ZEN5, "skylake-avx512"), ("znver3", ZEN3, "haswell"),
    ("generic", ZEN3, "haswell"),
    ("alderlake", ZEN3, "haswell"), ("icelake-client", ZEN5, "skylake-avx512"), ("haswell", ZEN3, "haswell"),
    ("sandybridge", pocl_cpu.NAMES[2][1], "sandybridge"), ("generic", {"sse2"}, "x86-64"), ("generic", set(), "x86-64"),
])
def test_processor_gets_the_name_of_its_library(wheel, found, flags, given):
    wheel(flags)
    record = Record(found.encode())
    device = record.device(f"x86_64-unknown-linux-gnu-{found}")
    assert pocl_cpu.name(device) == pocl_cpu.Naming(found, given)
    assert record.name == given
    assert pocl_cpu.name(device) == pocl_cpu.Naming(found, given)  # once more: as after a second search


def test_processor_with_a_part_of_avx512_keeps_its_name(wheel):
    wheel(pocl_cpu.NAMES[1][1] | {"avx512f", "avx512cd"})
    record = Record(b"knl")
    naming = pocl_cpu.name(record.device("x86_64-unknown-linux-gnu-knl"))
    assert (naming.given, naming.agrees, record.name) == ("knl", False, "knl")


@pytest.mark.parametrize(("name", "version"), [
    (b"znver3", "x86_64-unknown-linux-gnu-znver2"), (b"", "x86_64-unknown-linux-gnu-"), (b"\xff\xfe", "x-gnu-generic"),
    (b"x" * 200, "x-gnu-" + 200 * "x"),
])
def test_what_is_not_the_reported_name_is_left_alone(wheel, name, version):
    wheel(ZEN3)
    record = Record(name)
    before = bytes(record.memory)
    assert pocl_cpu.name(record.device(version)) is None
    assert bytes(record.memory) == before


@pytest.mark.parametrize("word", [0, 8, 1 << 62, (1 << 64) - 8])
def test_wrong_address_is_no_crash(wheel, word):
    wheel(ZEN3)
    record = Record(b"", word)
    assert pocl_cpu.name(record.device("x86_64-unknown-linux-gnu-generic")) is None
    assert pocl_cpu.name(SimpleNamespace(int_ptr=word, version="x86_64-unknown-linux-gnu-generic")) is None


def test_other_libraries_are_left_alone(monkeypatch):
    monkeypatch.delenv("CLTENSOR_POCL_CPU", raising=False)
    record = Record(b"generic")
    assert pocl_cpu.name(record.device("x86_64-unknown-linux-gnu-generic")) is None
    assert record.name == "generic"


@pytest.mark.parametrize(("value", "given"), [("0", "generic"), ("off", "generic"), ("icelake-server", "icelake-server")])
def test_setting(wheel, monkeypatch, value, given):
    wheel(ZEN5)
    monkeypatch.setenv("CLTENSOR_POCL_CPU", value)
    record = Record(b"generic")
    assert pocl_cpu.name(record.device("x86_64-unknown-linux-gnu-generic")).given == given
    assert record.name == given


@pytest.mark.parametrize("value", ["Sky Lake", "a;b", "x" * 64, "-march"])
def test_setting_that_is_no_name(monkeypatch, value):
    monkeypatch.setenv("CLTENSOR_POCL_CPU", value)
    with pytest.raises(ArgumentError, match=r"CLTENSOR_POCL_CPU is .*; it must be a processor's name"):
        pocl_cpu.setting()


def test_library_of_an_address():
    libc = ctypes.CDLL("libc.so.6")
    path = pocl_cpu.library_at(ctypes.cast(libc.malloc, ctypes.c_void_p).value)
    assert path is not None
    assert len(pocl_cpu.build_id(path) or "0" * 40) == 40
    assert pocl_cpu.library_at(0) is None


def test_files_that_are_no_libraries_have_no_build_id(tmp_path):
    (tmp_path / "text").write_text("no library")
    assert pocl_cpu.build_id(tmp_path / "text") is None
    assert pocl_cpu.build_id(tmp_path / "nothing") is None
    assert pocl_cpu.build_id(None) is None


@pytest.mark.device
def test_device_of_the_wheel_is_named(device):
    """Where PoCL's wheel is under test, the name given is that of a library of built-ins."""
    naming = device.entry.naming
    if naming is None:
        pytest.skip("the device is not one of PoCL's wheel")
    assert naming.given in dict(pocl_cpu.NAMES) or naming.given == naming.found
    assert naming.given in device.entry.identity
