"""The two devices that PoCL shows of one processor become one Entry, under the names of every version."""

import pytest

from cltensor.runtime.entry import describe
from cltensor.runtime.inline import paired

from .fakes import FakeDevice, FakePlatform

POCL = FakePlatform("Portable Computing Language", [])


def entries(*names, platform=POCL):
    return [describe(platform, FakeDevice(f"{name}-Some Processor")) for name in names]


@pytest.mark.parametrize("names", [("basic", "pthread"), ("pthread", "basic"), ("cpu-minimal", "cpu"), ("cpu", "cpu-minimal"),
                                   ("cpu-minimal-haswell", "cpu-haswell")])
def test_the_device_without_threads_becomes_part_of_the_other(names):
    found = entries(*names)
    caller = next(e for e in found if e.name.startswith(("basic", "cpu-minimal")))
    kept, = paired(found)
    assert kept.name == next(e.name for e in found if e is not caller)
    assert kept.inline is caller.device


def test_other_devices_stay_as_they_are():
    found = entries("cpu-minimal", "cuda", "cpu")
    kept = paired(found)
    assert [e.name.partition("-")[0] for e in kept] == ["cuda", "cpu"]
    assert kept[0] is found[1]
    assert kept[0].inline is None


@pytest.mark.parametrize("names", [("basic",), ("pthread",), ("cpu", "pthread", "basic"), ("cuda",), ()])
def test_what_is_no_pair_stays(names):
    found = entries(*names)
    assert paired(found) is found


def test_devices_of_another_platform_are_no_pair():
    found = entries("basic", "pthread", platform=FakePlatform("Maker", []))
    assert paired(found) is found
