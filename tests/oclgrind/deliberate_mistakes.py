"""Not collected with the suite: kernels with mistakes, which the Oclgrind gate must find.  See test_gate.py."""

import pytest

from cltensor.runtime.device import default_device
from cltensor.runtime.platforms import pyopencl

pytestmark = pytest.mark.oclgrind

FILL = "__kernel void fill(__global float *x, long n) { x[get_global_id(0)] = 1.0f; }"
# The compiler shares one division between the two, and freezes its operands to do so.
ROWS = """__kernel void rows(__global float *x, long n) {
    size_t i = get_global_id(0), row = i / (size_t)n, column = i % (size_t)n;
    x[row * (size_t)n + column] = row > column ? 1.0f : 2.0f;
}"""
COPY = """__kernel void copy(__global float *x, long n) {
    size_t i = get_global_id(0);
    if (x[3 - i] > 1.0f) x[i] = 1.0f;
}"""


def run(source, name, items):
    """Run a kernel with `items` work-items on a new buffer for four floats."""
    device = default_device()
    kernel, buffer = device.kernel(source, name), device.allocate(4 * 4)
    kernel.set_scalar_arg_dtypes([None, "int64"])
    kernel.set_args(buffer, 2)
    pyopencl().enqueue_nd_range_kernel(device.queue, kernel, (items,), (1,))
    device.synchronize()


def test_right():
    run(FILL, "fill", 4)
    run(ROWS, "rows", 4)


def test_overrun():
    run(FILL, "fill", 5)


def test_overrun_with_quotient_and_remainder():
    run(ROWS, "rows", 5)


def test_uninitialised_read():
    run(COPY, "copy", 4)
