"""Stand-ins for pyopencl's objects, for tests of platforms that this machine does not have."""

from types import SimpleNamespace

CPU, GPU, ACCELERATOR = 2, 4, 8


class FakeError(Exception):
    """pyopencl.Error."""


class FakeDevice(SimpleNamespace):
    """A device with the facts profiles and ranks are made from."""

    def __init__(self, name, type=CPU, **facts):
        super().__init__(name=name, type=type, **{
            "version": "OpenCL 3.0", "driver_version": "1.0", "vendor": "Vendor", "vendor_id": 1, "available": True,
            "compiler_available": True, "max_compute_units": 4, "max_clock_frequency": 1000,
            "global_mem_size": 2**30, "max_mem_alloc_size": 2**28, "local_mem_size": 32768,
            "max_work_group_size": 1024, "native_vector_width_float": 8, "mem_base_addr_align": 1024,
            "extensions": "cl_khr_fp64 cl_khr_int64_base_atomics", "endian_little": True, "int_ptr": 0, **facts})


class FakePlatform(SimpleNamespace):
    """A platform that lists its devices, or raises the error given in their place."""

    def __init__(self, name, devices, version="OpenCL 3.0"):
        super().__init__(name=name, devices=devices, version=version)

    def get_devices(self):
        if isinstance(self.devices, Exception):
            raise self.devices
        return self.devices


def fake_pyopencl(platforms, file="/nowhere/pyopencl/__init__.py"):
    """A module with get_platforms; `platforms` may be an exception to raise."""

    def get_platforms():
        if isinstance(platforms, Exception):
            raise platforms
        return platforms

    return SimpleNamespace(get_platforms=get_platforms, Error=FakeError, __file__=file)
