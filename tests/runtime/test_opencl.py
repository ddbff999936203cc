"""cltensor.opencl: the public face of devices."""

import pytest

from cltensor import opencl
from cltensor.base.errors import DeviceError
from cltensor.runtime import platforms
from cltensor.runtime.device import default_device, set_default_device


def test_is_available_never_raises(monkeypatch):
    def broken():
        raise OSError("libOpenCL is broken")

    monkeypatch.setattr(platforms, "entries", broken)
    assert opencl.is_available() is False


def test_no_device_counts_as_none(monkeypatch):
    def nothing():
        raise DeviceError("no OpenCL device was found.")

    monkeypatch.setattr(platforms, "entries", nothing)
    assert opencl.device_count() == 0
    assert not opencl.is_available()


def test_everything_public_exists():
    assert all(hasattr(opencl, name) for name in opencl.__all__)


@pytest.mark.device
def test_devices(device):
    assert opencl.is_available()
    assert opencl.device_count() >= 1
    assert opencl.current_device() == device.index
    assert opencl.get_device_name() == opencl.get_device_name(device.index) == opencl.get_device_name(str(device))


@pytest.mark.device
def test_properties(device):
    p = opencl.get_device_properties()
    assert p.name == device.name
    assert p.total_memory == device.profile.global_memory
    assert p.compute_units == p.multi_processor_count == device.profile.compute_units
    assert p.local_memory == device.profile.local_memory
    assert repr(p).startswith(f"DeviceProperties(name='{device.name}', type='{device.profile.kind}', compute_units=")
    with pytest.raises(AttributeError):
        _ = p.colour


@pytest.mark.device
def test_current_device(device):
    with opencl.device(device.index), opencl.device(None):
        assert opencl.current_device() == device.index
    opencl.set_device(str(device))
    assert default_device() is device
    set_default_device(None)
    assert default_device() is device


@pytest.mark.device
@pytest.mark.parametrize("call", [opencl.get_device_name, opencl.synchronize, opencl.memory_allocated,
                                  opencl.set_device, opencl.device, opencl.Stream, opencl.current_stream])
def test_device_that_is_not_there(call):
    with pytest.raises(DeviceError, match="there is no device opencl:99"):
        call(99)


@pytest.mark.device
def test_search_finds_the_device(device):
    report = opencl.describe_search()
    assert report["loader"]
    assert report["error"] is None
    assert device.name in [d["name"] for p in report["platforms"] for d in p["devices"]]
