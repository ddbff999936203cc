"""Discovery, order and choice of devices, on platforms made up for the purpose."""

import pytest

from cltensor.base.errors import DeviceError
from cltensor.runtime import platforms

from .fakes import ACCELERATOR, CPU, GPU, FakeDevice, FakeError, FakePlatform, fake_pyopencl

POCL, OCLGRIND = "Portable Computing Language", "Oclgrind"


@pytest.fixture
def machine(monkeypatch):
    """Give this process other platforms.  machine(platform, ...) returns the names of the devices found, in order."""
    monkeypatch.delenv("CLTENSOR_DEVICE", raising=False)

    def have(*found):
        monkeypatch.setattr(platforms, "pyopencl", lambda: fake_pyopencl(list(found)))
        monkeypatch.setattr(platforms, "_found", None)
        return [e.name for e in platforms.discover()]

    return have


def pocl(*devices):
    return FakePlatform(POCL, devices or [FakeDevice("pthread")], "OpenCL 3.0 PoCL 5.0")


def test_pocls_second_view_of_the_processor_goes_with_the_first(machine):
    basic, threads = FakeDevice("basic-Cpu"), FakeDevice("pthread-Cpu")
    assert machine(pocl(basic, threads)) == ["pthread-Cpu"]
    assert [e.inline for e in platforms.discover()] == [basic]
    assert machine(pocl(basic)) == ["basic-Cpu"]
    assert machine(pocl(threads)) == ["pthread-Cpu"]
    assert [e.inline for e in platforms.discover()] == [None]
    assert machine(FakePlatform("Other", [basic, threads])) == ["basic-Cpu", "pthread-Cpu"]


def test_gpus_come_before_accelerators_before_cpus(machine):
    found = machine(pocl(), FakePlatform("A", [FakeDevice("board", ACCELERATOR)]),
                    FakePlatform("B", [FakeDevice("gpu", GPU)]))
    assert found == ["gpu", "board", "pthread"]


def test_faster_gpu_comes_first_then_larger_memory(machine):
    small = FakeDevice("small", GPU, max_compute_units=8, global_mem_size=1)
    large = FakeDevice("large", GPU, max_compute_units=8, global_mem_size=2)
    fast = FakeDevice("fast", GPU, max_compute_units=8, max_clock_frequency=2000)
    assert machine(FakePlatform("P", [small, large, fast])) == ["fast", "large", "small"]


def test_pocl_comes_before_other_cpus(machine):
    assert machine(FakePlatform("Intel(R) OpenCL", [FakeDevice("xeon")]), pocl()) == ["pthread", "xeon"]


def test_gpu_that_does_not_report_its_clock_still_ranks_by_units(machine):
    few = FakeDevice("few", GPU, max_compute_units=2, max_clock_frequency=0)
    many = FakeDevice("many", GPU, max_compute_units=20, max_clock_frequency=0)
    assert machine(FakePlatform("P", [few, many])) == ["many", "few"]


def test_broken_and_empty_platforms_are_passed_over(machine):
    broken, empty = FakePlatform("Clover", FakeError("DEVICE_NOT_FOUND")), FakePlatform("Empty", [])
    assert machine(broken, empty, pocl()) == ["pthread"]


def test_unavailable_devices_are_passed_over(machine):
    assert machine(pocl(FakeDevice("off", available=False), FakeDevice("mute", compiler_available=False),
                        FakeDevice("on"))) == ["on"]


def test_platform_listed_twice_counts_once(machine):
    assert machine(pocl(), pocl()) == ["pthread"]


def test_two_equal_devices_of_one_platform_both_count(machine):
    assert machine(FakePlatform("P", [FakeDevice("card", GPU), FakeDevice("card", GPU)])) == ["card", "card"]


def test_order_does_not_depend_on_the_loader(machine):
    a, b = pocl(), FakePlatform("P", [FakeDevice("gpu", GPU)])
    assert machine(a, b) == machine(b, a)


def test_oclgrind_is_hidden_unless_named(machine, monkeypatch):
    checker = FakePlatform(OCLGRIND, [FakeDevice("Oclgrind Simulator", CPU | GPU | ACCELERATOR | 1)])
    assert machine(checker, pocl()) == ["pthread"]
    monkeypatch.setenv("CLTENSOR_DEVICE", "oclgrind")
    assert machine(checker, pocl()) == ["pthread", "Oclgrind Simulator"]
    assert platforms.chosen_index() == 1


def test_machine_with_oclgrind_alone_has_no_device(machine):
    assert machine(FakePlatform(OCLGRIND, [FakeDevice("Oclgrind Simulator")])) == []


@pytest.mark.parametrize(("asked", "name"), [
    ("opencl:1", "Iris Xe"), ("gpu", "Radeon"), ("GPU", "Radeon"), ("cpu", "pthread-EPYC"), ("iris", "Iris Xe"),
    ("Portable", "pthread-EPYC"), ("pocl", "pthread-EPYC"), ("intel", "Iris Xe"), ("EPYC", "pthread-EPYC"),
    (" radeon ", "Radeon"),
])
def test_setting_names_the_device(machine, monkeypatch, asked, name):
    machine(pocl(FakeDevice("pthread-EPYC")), FakePlatform("AMD", [FakeDevice("Radeon", GPU, max_compute_units=60)]),
            FakePlatform("Intel(R) OpenCL Graphics", [FakeDevice("Iris Xe", GPU)]))
    monkeypatch.setenv("CLTENSOR_DEVICE", asked)
    assert platforms.entries()[platforms.chosen_index()].name == name


def test_platform_name_goes_before_device_name(machine, monkeypatch):
    machine(pocl(FakeDevice("cpu-Intel Xeon")), FakePlatform("Intel(R) OpenCL", [FakeDevice("Xeon")]))
    monkeypatch.setenv("CLTENSOR_DEVICE", "intel")
    assert platforms.chosen_index() == 1


def test_without_a_setting_the_first_is_chosen(machine):
    machine(pocl())
    assert platforms.chosen_index() == 0


@pytest.mark.parametrize("asked", ["opencl:1", "radeon", "gpu"])
def test_setting_that_names_nothing_lists_what_there_is(machine, monkeypatch, asked):
    machine(pocl())
    monkeypatch.setenv("CLTENSOR_DEVICE", asked)
    with pytest.raises(DeviceError, match=rf"CLTENSOR_DEVICE is '{asked}'.*one device: opencl:0 is pthread \(CPU"):
        platforms.chosen_index()
