"""Small kernels for the tests of the runtime, and running one."""

import numpy as np

from cltensor.runtime.launch import Launch

ONE = (1,)


def add_source(amount):
    """A kernel `add` that adds `amount` (an int) to n ints; another text for each amount."""
    return ("__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void add(__global int* a, long n)\n"
            f"{{\n    for (long i = 0; i < n; i++)\n        a[i] += {amount};\n}}\n")


# Keeps a queue busy for a while: `rounds` is a few ns each.
SPIN = """
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void spin(__global uint* a, long rounds)
{
    uint x = a[0];
    for (long i = 0; i < rounds; i++)
        x = x * 1664525u + 1013904223u ^ (x >> 7);
    a[0] = x;
}
"""


def launch(device, kernel, *arguments):
    """Set the arguments and enqueue one work-item."""
    with device.lock:
        for i, argument in enumerate(arguments):
            kernel.set_arg(i, argument)
        device.submit(Launch(kernel, ONE, ONE))


def add(device, kernel, array):
    """What kernel `add` makes of an int32 array."""
    buffer = device.allocate(array.nbytes)
    device.write(buffer, 0, array)
    launch(device, kernel, buffer, np.int64(array.size))
    result = np.empty_like(array)
    device.read(buffer, 0, result)
    return result
