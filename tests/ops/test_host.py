"""Every op in host memory, as workers and forked children run it: against the references, and against the device."""

import numpy as np
import pytest

import cltensor as ct
from cltensor.base import dtypes
from cltensor.base.context import context
from cltensor.runtime import device as devices
from cltensor.runtime import profile
from ops import samples

DTYPES = (dtypes.float32, dtypes.float64, dtypes.bfloat16, dtypes.int64, dtypes.uint8, dtypes.bool_, dtypes.complex64,
          dtypes.complex32)


@pytest.fixture
def host(monkeypatch):
    """A HostDevice as the default device."""
    made = devices.HostDevice(0, *profile.HOST)
    monkeypatch.setattr(devices, "_default", made)
    monkeypatch.setattr(context, "device", None)  # an earlier test may have chosen one for this thread
    return made


@pytest.mark.parametrize("op", [pytest.param(op, id=op.name) for op in samples.referenced("elementwise", "reduction", "other")])
def test_values(op, host):
    tried = [dtype for dtype in samples.tried(op) if dtype in DTYPES]
    assert tried
    for dtype in tried:
        for arrays, attributes in samples.samples(op, dtype):
            samples.check(op, samples.tensors(arrays, dtype), arrays, attributes, dtype, f"{dtype.name} {attributes}")


DISTRIBUTIONS = {"uniform_": (-1, 2), "normal_": (1, 2), "exponential_": (2,), "log_normal_": (1, 0.5), "cauchy_": (0, 1),
                 "geometric_": (0.3,), "bernoulli_": (0.4,), "random_": (0, 50)}


@pytest.mark.device
@pytest.mark.parametrize("dtype", [ct.float32, ct.float16], ids=lambda d: d.name)
def test_random_numbers_are_the_device_s(dtype, device):
    def drawn(where):
        generator = ct.Generator().manual_seed(7)
        found = [getattr(ct.empty(100, dtype=dtype, device=where), name)(*bounds, generator=generator).tolist()
                 for name, bounds in DISTRIBUTIONS.items()]
        return [*found, ct.bernoulli(ct.linspace(0, 1, 50, device=where), generator=generator).tolist()]

    host = devices.HostDevice(device.index, device.entry, device.profile)
    eps = dtypes.finfo(dtype).eps
    for name, there, here in zip([*DISTRIBUTIONS, "bernoulli"], drawn(device), drawn(host), strict=True):
        np.testing.assert_allclose(here, there, rtol=16 * eps, atol=eps / 4, err_msg=name)


def test_writing_and_gradients(host):
    x = ct.arange(12.0).reshape(3, 4)
    x[:, 1:3] += 10
    x[ct.tensor([0, -1]), 0] = -1.0
    x.T[x.T > 15] = 0
    assert x.tolist() == [[-1, 11, 12, 3], [4, 15, 0, 7], [-1, 0, 0, 11]]
    w = ct.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (w @ w).relu().sum().backward()
    assert w.grad.tolist() == [[7, 11], [9, 13]]
    assert ct.tensor(1.0, dtype=ct.bfloat16).shape == ()


def test_what_numpy_has_no_form_of(host):
    with pytest.raises(RuntimeError, match=r"avg_pool.*num_workers=0"):
        ct.nn.functional.avg_pool1d(ct.ones(1, 1, 4), 2)
    with pytest.raises(RuntimeError, match="leaves OpenCL alone"):
        host.synchronize()
    with pytest.raises(RuntimeError, match="leaves OpenCL alone"):
        _ = host.queue
