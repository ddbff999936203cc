"""The multi-tensor kernel in both launch styles: every element of every tuple once, nothing beside them."""

import numpy as np
import pytest

from cltensor.base import dtypes
from cltensor.ops.optim.multi_tensor import ARGUMENT_BYTES, MultiTensor, Roles, capacity, even_parts
from cltensor.ops.optim.updates import adam_step, amsgrad_step, sgd_momentum_step
from ops.styled import _download, _upload, spec_of, styled

NUMBERS = {"lr": 0.5, "momentum": 0.75, "keep": 0.5, "take": 2.0, "weight_decay": 0.25, "nesterov": 0.0, "sign": -1.0}


def moved(p, g, b):
    """NumPy: a step with NUMBERS, whose results are exact."""
    b = 0.5 * b + 2 * (0.25 * p - g)
    return p - 0.5 * b, b


def integers(rng, n):
    return rng.integers(-8, 9, n).astype(np.float32)


@pytest.mark.oclgrind
@pytest.mark.parametrize("style", ["cpu", "gpu"])
@pytest.mark.parametrize("sizes", [[3, 1, 700], [5, 130, 1, 64, 2, 9, 300, 7, 11, 40]])
def test_every_element_once(sizes, style, rng):
    device = styled(style)
    rows = [[integers(rng, n) for _ in range(3)] for n in sizes]
    buffers = [[_upload(device, a) for a in row] for row in rows]
    launch = MultiTensor(sgd_momentum_step, dtypes.float32, sizes, Roles((0, 2)), device, buffers[0][0])
    for i, column in enumerate(zip(*buffers, strict=True)):
        launch.bind_buffers(i, column)
    with device.lock:
        launch.bind(tuple(NUMBERS[n] for n in sgd_momentum_step.attr_names))
        device.submit(launch)
    for (p, g, b), given in zip(rows, buffers, strict=True):
        found = [_download(device, x, spec_of(p, style)) for x in given]
        for mine, wanted in zip(found, (moved(p, g, b)[0], g, moved(p, g, b)[1]), strict=True):
            np.testing.assert_array_equal(mine, wanted)


@pytest.mark.device
def test_many_groups_share_one_run(rng):
    device, sizes = styled("cpu"), [3000, 9000, 1, 14001]
    rows = [[integers(rng, n) for _ in range(3)] for n in sizes]
    buffers = [[_upload(device, a) for a in row] for row in rows]
    launch = MultiTensor(sgd_momentum_step, dtypes.float32, sizes, Roles((0, 2)), device, buffers[0][0])
    assert launch.global_size[0] > 1
    for i, column in enumerate(zip(*buffers, strict=True)):
        launch.bind_buffers(i, column)
    with device.lock:
        launch.bind(tuple(NUMBERS[n] for n in sgd_momentum_step.attr_names))
        device.submit(launch)
    for row, given in zip(rows, buffers, strict=True):
        np.testing.assert_array_equal(_download(device, given[0], spec_of(row[0], "cpu")), moved(*row)[0])


@pytest.mark.parametrize("op", [sgd_momentum_step, adam_step, amsgrad_step])
@pytest.mark.parametrize("dtype", [dtypes.float16, dtypes.float32, dtypes.float64])
def test_arguments_fit_every_device(op, dtype):
    tuples = capacity(op, dtype, Roles((0, 2)))
    number = 8 if dtype is dtypes.float64 else 4
    assert 16 <= tuples <= 32
    assert tuples * 8 * (len(op.inputs) + 1) + number * len(op.attr_names) + 8 <= ARGUMENT_BYTES


@pytest.mark.parametrize(("items", "most", "lengths"), [(25, 24, [12, 13]), (24, 24, [24]), (53, 24, [17, 18, 18]), (1, 8, [1])])
def test_parts_are_even(items, most, lengths):
    parts = even_parts(list(range(items)), most)
    assert [len(part) for part in parts] == lengths
    assert [n for part in parts for n in part] == list(range(items))
