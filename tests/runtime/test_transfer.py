"""Copies between host and device."""

import threading

import numpy as np
import pytest

from cltensor.runtime import transfer

from .kernels import SPIN, launch

pytestmark = pytest.mark.device


def read(device, buffer, n, offset=0, dtype=np.int32):
    result = np.empty(n, dtype)
    device.read(buffer, offset, result)
    return result


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "float16", "float32", "float64"])
def test_every_element_type_arrives(device, dtype):
    data = np.array([0, 1, 1, 0, 1], dtype)
    buffer = device.allocate(data.nbytes)
    device.write(buffer, 0, data)
    assert (read(device, buffer, 5, dtype=dtype) == data).all()


def test_offsets_are_in_bytes(device):
    buffer = device.allocate(40)
    device.write(buffer, 0, np.zeros(10, np.int32))
    device.write(buffer, 12, np.array([7, 8], np.int32))
    assert read(device, buffer, 10).tolist() == [0, 0, 0, 7, 8, 0, 0, 0, 0, 0]
    assert read(device, buffer, 2, 12).tolist() == [7, 8]


def test_nothing_to_copy(device):
    buffer = device.allocate(0)
    device.write(buffer, 0, np.empty(0, np.float32))
    device.read(buffer, 0, np.empty((3, 0), np.float32))
    device.copy(buffer, 0, buffer, 0, 0)
    device.fill(buffer, 0, 0, b"\0")


def test_scalar_arrays(device):
    buffer = device.allocate(4)
    device.write(buffer, 0, np.array(5, np.int32))
    result = np.array(0, np.int32)
    device.read(buffer, 0, result)
    assert result == 5


def test_strided_array_is_written_in_its_own_order(device):
    data = np.arange(12, dtype=np.int32).reshape(3, 4)
    buffer = device.allocate(48)
    device.write(buffer, 0, data.T)
    assert read(device, buffer, 12).tolist() == data.T.ravel().tolist()
    device.write(buffer, 0, data[::-1, ::2])
    assert read(device, buffer, 6).tolist() == data[::-1, ::2].ravel().tolist()


def test_reversed_array_above_the_size_that_is_copied(device):
    data = np.arange(transfer._COPIED // 4 + 100, dtype=np.int32)
    buffer = device.allocate(data.nbytes)
    device.write(buffer, 0, data[::-1])
    assert (read(device, buffer, data.size) == data[::-1]).all()


@pytest.mark.parametrize("n", [1, 1000, transfer._COPIED // 4 + 1])
def test_array_may_change_after_write(device, n):
    """Also while the queue is busy, so that the copy has not begun."""
    spin, data = device.kernel(SPIN, "spin"), np.full(n, 5, np.int32)
    busy, buffer = device.allocate(4), device.allocate(data.nbytes)
    device.fill(busy, 0, 4, bytes(4))
    device.synchronize()
    launch(device, spin, busy, np.int64(10**6))
    device.write(buffer, 0, data)
    data[:] = 6
    assert (read(device, buffer, n) == 5).all()


def test_writes_do_not_pile_up(device, monkeypatch):
    monkeypatch.setattr(transfer, "_PENDING", 10_000)
    transfers, buffer = transfer.Transfers(device), device.allocate(4000)
    for i in range(100):
        transfers.write(buffer, 0, np.full(1000, i, np.int32))
        assert transfers._bytes <= 10_000
    assert (read(device, buffer, 1000) == 99).all()


def test_copy(device):
    a, b = device.allocate(40), device.allocate(40)
    device.write(a, 0, np.arange(10, dtype=np.int32))
    device.fill(b, 0, 40, bytes(4))
    device.copy(b, 8, a, 20, 12)
    assert read(device, b, 10).tolist() == [0, 0, 5, 6, 7, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("pattern", [np.uint8(7), np.int16(-3), np.float32(1.5), np.int64(-(2**40)), np.float64(0.1)])
def test_fill(device, pattern):
    n, size = 10, pattern.nbytes
    buffer = device.allocate(n * size)
    device.write(buffer, 0, np.zeros(n, pattern.dtype))
    device.fill(buffer, 2 * size, 5 * size, pattern.tobytes())
    expected = np.zeros(n, pattern.dtype)
    expected[2:7] = pattern
    assert (read(device, buffer, n, dtype=pattern.dtype) == expected).all()


def test_threads_write_and_read_at_once(device):
    if "one-thread" in device.profile.quirks:
        pytest.skip(f"{device.name} is not safe from two threads")
    wrong = []

    def work(number):
        buffer = device.allocate(4000)
        for i in range(50):
            data = np.full(1000, 100 * number + i, np.int32)
            device.write(buffer, 0, data)
            if (read(device, buffer, 1000) != data).any():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []
