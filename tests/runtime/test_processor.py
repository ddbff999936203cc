"""The processor: flags by CPUID, by /proc/cpuinfo, and without either."""

import platform
import sys

import pytest

from cltensor.runtime import processor
from cltensor.runtime.processor import Processor, decoded, listed

AVX, AVX512 = 0x7, 0xE7  # what the system saves of the registers: XCR0

CPUINFO = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: A processor: its name
flags\t\t: fpu sse2 AVX avx2 avx512f
bugs\t\t:

processor\t: 1
flags\t\t: fpu
"""


def cpuid(leaf, subleaf):
    """A Zen 5 of a server, as far as the bits go that are looked at here."""
    return {(0, 0): (0xD, 0x68747541, 0x444D4163, 0x69746E65), (1, 0): (0x00B00F21, 0, 1 << 27 | 1 << 28 | 1 << 12 | 1, 1 << 26),
            (7, 0): (1, 1 << 5 | 1 << 16 | 1 << 30, 0, 1 << 24), (0x80000000, 0): (0x80000008, 0, 0, 0),
            (0x80000001, 0): (0, 0, 1 << 5, 1 << 29)}.get((leaf, subleaf), (0, 0, 0, 0))


def test_what_cpuid_says():
    found = decoded(cpuid, lambda: AVX512)
    assert (found.vendor, found.family, found.model) == ("AuthenticAMD", 26, 2)
    assert found.flags == {"pni", "fma", "avx", "sse2", "avx2", "avx512f", "avx512bw", "abm", "lm"}


@pytest.mark.parametrize(("saved", "flags"), [(AVX, {"pni", "fma", "avx", "sse2", "avx2", "abm", "lm"}),
                                              (0x3, {"pni", "sse2", "abm", "lm"})])
def test_registers_that_the_system_does_not_save_are_not_there(saved, flags):
    assert decoded(cpuid, lambda: saved).flags == flags


def test_leaves_that_an_old_processor_has_not_are_not_asked():
    def old(leaf, subleaf):
        assert (leaf, subleaf) in {(0, 0), (1, 0), (0x80000000, 0)}
        return {0: (1, 0x756E6547, 0x6C65746E, 0x49656E69), 1: (0x000006F6, 0, 0, 1 << 26)}.get(leaf, (0, 0, 0, 0))

    assert decoded(old, pytest.fail) == Processor("GenuineIntel", 6, 15, frozenset({"sse2"}))


def test_what_the_file_says():
    assert listed(CPUINFO) == Processor("AuthenticAMD", 25, 17, frozenset({"fpu", "sse2", "avx", "avx2", "avx512f"}))
    assert listed("processor\t: 0\nFeatures\t: fp asimd sve\nCPU implementer\t: 0x41\n").flags == {"fp", "asimd", "sve"}


@pytest.mark.parametrize("text", ["", "processor\t: 0\n", "flags\t\t:\n", "no colon at all"])
def test_a_file_without_flags_says_nothing(text):
    assert listed(text) is None


def test_where_code_may_not_be_made_the_file_is_read(monkeypatch):
    def refuse(*arguments):
        raise PermissionError("no executable memory")

    monkeypatch.setattr(processor.mmap, "mmap", refuse)
    monkeypatch.setattr(processor, "_by_file", lambda: listed(CPUINFO))
    processor.this.cache_clear()
    try:
        assert processor.vendor() == "AuthenticAMD"
        assert "avx512f" in processor.flags()
    finally:
        processor.this.cache_clear()


def test_nothing_is_known_of_another_system(monkeypatch):
    monkeypatch.setattr(processor.sys, "platform", "other")
    monkeypatch.setattr(processor, "_by_file", lambda: None)
    processor.this.cache_clear()
    try:
        assert processor.this() == Processor("", 0, 0, frozenset())
    finally:
        processor.this.cache_clear()


@pytest.mark.skipif(not sys.platform.startswith("linux") or platform.machine() != "x86_64", reason="x86-64 Linux has both")
def test_the_instruction_and_the_file_agree():
    said, written = processor._by_instruction(), processor._by_file()
    if said is None or written is None:
        pytest.skip("this system lets only one of them be read")
    if not said.is_like(written):
        pytest.skip("an emulated processor: the file describes the machine beneath")
    known = {flag for rows in processor._FLAGS.values() for bits in rows for flag in bits.values()}
    assert said.flags >= written.flags & known
    assert processor.this().flags == written.flags & known


def test_what_linux_hides_is_not_used():
    said = processor.Processor("AuthenticAMD", 26, 2, frozenset({"avx2", "rdseed"}))
    written = processor.Processor("AuthenticAMD", 26, 2, frozenset({"avx2", "svm"}))
    assert processor.agreed(said, written) == processor.Processor("AuthenticAMD", 26, 2, frozenset({"avx2"}))


def test_the_file_says_nothing_of_an_emulated_processor():
    said = processor.Processor("AuthenticAMD", 23, 1, frozenset({"avx2", "rdseed"}))
    assert processor.agreed(said, processor.Processor("GenuineIntel", 6, 143, frozenset({"avx2"}))) is said
