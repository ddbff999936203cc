"""device(...): every way to name a device, and what is said about a wrong one.  Opens nothing."""

import copy
import pickle

import pytest

from cltensor.base.errors import ArgumentTypeError, DeviceError
from cltensor.runtime import device as devices
from cltensor.runtime import platforms
from cltensor.runtime.device import count, default_device, device, get, set_default_device
from cltensor.runtime.entry import describe

from .fakes import CPU, GPU, FakeDevice, FakePlatform


@pytest.fixture(autouse=True)
def _machine(monkeypatch):
    """A machine with two GPUs and a CPU."""
    monkeypatch.delenv("CLTENSOR_DEVICE", raising=False)
    p = FakePlatform("Maker", [])
    found = [FakeDevice("Big", GPU), FakeDevice("Small", GPU), FakeDevice("Host", CPU)]
    monkeypatch.setattr(platforms, "_found", [describe(p, d) for d in found])
    monkeypatch.setattr(devices, "_devices", {})
    monkeypatch.setattr(devices, "_default", None)


@pytest.mark.parametrize(("arguments", "index"), [
    (("opencl",), 0), (("opencl:0",), 0), (("opencl:2",), 2), (("opencl", 1), 1), ((1,), 1), (("gpu",), 0),
    (("gpu:1",), 1), (("gpu", 1), 1), (("cpu",), 2), (("cpu:0",), 2), (("OpenCL:1",), 1), ((), 0),
])
def test_names(arguments, index):
    assert device(*arguments).index == index
    assert device(*arguments) is get(index)


def test_one_object_a_device():
    d = device("opencl:1")
    assert device(d) is d
    assert pickle.loads(pickle.dumps(d)) is d
    assert copy.copy(d) is d
    assert copy.deepcopy([d])[0] is d
    assert {d: 1}[device(1)] == 1
    assert d != device(0)


def test_what_it_shows():
    d = device("gpu")
    assert (d.type, d.index, str(d), repr(d)) == ("opencl", 0, "opencl:0", "device(type='opencl', index=0)")
    assert (d.name, d.platform_name) == ("Big", "Maker")
    assert f"{d}" == "opencl:0"


def test_opencl_alone_is_the_default_device():
    set_default_device("opencl:1")
    assert device("opencl") is default_device() is device(1)
    set_default_device(None)
    assert device("opencl") is device(0)


def test_setting_chooses_the_default(monkeypatch):
    monkeypatch.setenv("CLTENSOR_DEVICE", "small")
    assert default_device() is device(1)


def test_device_as_a_context_manager():
    with device(1):
        assert default_device() is device(1)
        with device(2):
            assert default_device() is device(2)
        assert default_device() is device(1)
    assert default_device() is device(0)


def test_count():
    assert count() == 3


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "opencl:", "opencl:-1", "opencl:x", "", "gpu:0:1"])
def test_unknown_name(name):
    with pytest.raises(DeviceError, match="names no device: every device here is of type 'opencl'") as e:
        device(name)
    assert repr(name) in str(e.value)
    assert "There are 3 devices: opencl:0 is Big (GPU, Maker); opencl:1 is Small" in str(e.value)


@pytest.mark.parametrize(("arguments", "message"), [
    (("opencl:3",), "there is no device opencl:3"), ((7,), "there is no device opencl:7"),
    ((-1,), "there is no device opencl:-1"), (("opencl", 5), "there is no device opencl:5"),
    (("gpu:2",), "there is no device gpu:2"), (("cpu", 1), "there is no device cpu:1"),
    (("opencl:0", 1), "gives the index twice"),
])
def test_device_that_is_not_there(arguments, message):
    with pytest.raises(DeviceError, match=message):
        device(*arguments)


@pytest.mark.parametrize("arguments", [(None,), (True,), (1.0,), (["opencl"],), ("opencl", "0"), ("opencl", True)])
def test_wrong_types(arguments):
    with pytest.raises(ArgumentTypeError, match="device: "):
        device(*arguments)


def test_gpu_where_there_is_none(monkeypatch):
    monkeypatch.setattr(platforms, "_found", platforms._found[2:])
    with pytest.raises(DeviceError, match=r"no OpenCL GPU was found.*vendor's driver.*device\('cpu'\) can be used"):
        device("gpu")


def test_cpu_where_there_is_none(monkeypatch):
    monkeypatch.setattr(platforms, "_found", platforms._found[:2])
    with pytest.raises(DeviceError, match=r"no OpenCL CPU was found. One comes with pip .*; device\('gpu'\) can be used"):
        device("cpu")


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="'colour'"):
        _ = device(0).colour


def test_naming_a_device_opens_nothing():
    assert not {"context", "queue", "lock"} & set(device(0).__dict__)
    assert devices.opened() == []
