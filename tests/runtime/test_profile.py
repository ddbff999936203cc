"""Profiles: facts as the driver gives them, and the launch style that may be forced."""

import dataclasses

import pytest

from cltensor.base.errors import ArgumentError
from cltensor.runtime import profile
from cltensor.runtime.device import default_device
from cltensor.runtime.entry import describe
from cltensor.runtime.pocl_cpu import Naming

from .fakes import CPU, GPU, FakeDevice, FakePlatform


@pytest.fixture(autouse=True)
def _no_forced_style(monkeypatch):
    monkeypatch.delenv("CLTENSOR_PROFILE", raising=False)


def query(platform="Maker", type=CPU, **facts):
    return profile.query(describe(FakePlatform(platform, []), FakeDevice("Device", type, **facts)))


def test_cpu_style():
    p = query(max_compute_units=6)
    assert (p.style, p.kind, p.work_group, p.groups, p.vector_width) == ("cpu", "cpu", 1, 24, 8)


@pytest.mark.parametrize(("limit", "work_group"), [(1024, 256), (256, 256), (200, 128), (1, 1)])
def test_gpu_style(limit, work_group):
    p = query(type=GPU, max_work_group_size=limit, native_vector_width_float=1)
    assert (p.style, p.kind, p.work_group, p.vector_width) == ("gpu", "gpu", work_group, 4)
    assert p.max_work_group == limit


@pytest.mark.parametrize(("type", "style"), [(CPU, "gpu"), (GPU, "cpu")])
def test_style_can_be_forced(monkeypatch, type, style):
    monkeypatch.setenv("CLTENSOR_PROFILE", style)
    p = query(type=type)
    assert p.style == style
    assert p.kind != style


def test_wrong_style_is_refused(monkeypatch):
    monkeypatch.setenv("CLTENSOR_PROFILE", "tpu")
    with pytest.raises(ArgumentError, match="CLTENSOR_PROFILE is 'tpu'"):
        query()


@pytest.mark.parametrize(("platform", "native", "style"), [
    ("Intel(R) OpenCL", 16, "cpu"), ("rusticl", 1, "gpu"), ("Portable Computing Language", 1, "cpu"), ("Oclgrind", 1, "cpu")])
def test_a_processor_whose_compiler_makes_vectors_of_work_items_gets_many(platform, native, style):
    p = query(platform, native_vector_width_float=native)
    assert (p.style, p.kind) == (style, "cpu")
    assert (p.work_group > 1) == (style == "gpu")


@pytest.mark.parametrize(("native", "width"), [(4, 4), (8, 8), (16, 16), (32, 16)])
def test_vector_width_is_what_a_driver_reports_up_to_sixteen(native, width):
    assert query(native_vector_width_float=native).vector_width == width


AVX512 = frozenset({"sse2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})


def pocl(target, flags, **facts):
    facts = {"vendor_id": 0x10006, "version": f"OpenCL 3.0 PoCL HSTR: cpu-x86_64-pc-linux-gnu-{target}", **facts}
    device = FakeDevice("cpu", CPU, **facts)
    return profile.query(describe(FakePlatform("Portable Computing Language", []), device), frozenset(flags))


@pytest.mark.parametrize("native", [1, 8, 16])
@pytest.mark.parametrize("target", ["skylake-avx512", "icelake-client", "sapphirerapids", "znver4", "znver5"])
def test_vector_width_on_pocl_is_the_processors(target, native):
    assert pocl(target, AVX512, native_vector_width_float=native).vector_width == 16
    assert pocl(target, AVX512 - {"avx512vl"}, native_vector_width_float=native).vector_width == 8
    assert pocl(target, {"sse2"}, native_vector_width_float=native).vector_width == 4


@pytest.mark.parametrize("target", ["generic", "znver2", "znver3", "haswell", "x86-64", "x86-64-v3"])
def test_vector_width_is_not_above_that_of_the_code(target):
    assert pocl(target, AVX512, native_vector_width_float=16).vector_width == 8


@pytest.mark.parametrize(("given", "width"), [("skylake-avx512", 16), ("haswell", 8), ("generic", 8)])
def test_vector_width_follows_the_name_that_pocl_was_given(given, width):
    version = "OpenCL 3.0 PoCL HSTR: pthread-x86_64-unknown-linux-gnu-generic"
    entry = describe(FakePlatform("Portable Computing Language", []), FakeDevice("pthread", CPU, version=version))
    named = dataclasses.replace(entry, naming=Naming("generic", given))
    assert profile.query(named, AVX512).vector_width == width


@pytest.mark.parametrize("native", [4, 8])
def test_vector_width_on_pocl_is_what_it_reports_of_another_kind_of_processor(native):
    assert pocl("cortex-a76", {"fp", "asimd"}, native_vector_width_float=native).vector_width == native
    assert pocl("cortex-a76", set(), native_vector_width_float=native).vector_width == native


def test_extensions():
    p = query(extensions="cl_khr_fp16 cl_khr_int64_base_atomics cl_khr_int64_extended_atomics cl_khr_subgroups")
    assert (p.fp64, p.fp16, p.int64_atomics, p.subgroups) == (False, True, True, True)
    p = query(extensions="cl_khr_fp64 cl_khr_int64_base_atomics cl_khr_subgroups_extra")
    assert (p.fp64, p.fp16, p.int64_atomics, p.subgroups) == (True, False, False, False)


def test_alignment_is_in_bytes():
    assert query(mem_base_addr_align=1024).address_align == 128


def test_quirks():
    assert query().quirks == frozenset()
    assert {"eager-binaries", "long-headers"} == query("Portable Computing Language").quirks
    assert {"no-binaries", "one-thread"} == query("Oclgrind").quirks


def test_profile_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        query().style = "gpu"


@pytest.mark.device
def test_profile_of_the_device_under_test(monkeypatch):
    d = default_device()
    p = profile.query(d.entry)
    assert p.name == d.name
    assert p.compute_units >= 1
    assert p.local_memory >= 16 * 1024
    assert p.max_work_group >= p.work_group >= 1
    assert 0 < p.max_allocation <= p.global_memory
    assert d.profile is d.profile
