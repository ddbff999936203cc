"""Control flow: conditions and counts are read on the host, and Python goes the way that they say."""

import itertools

import numpy as np

from ..element_types import tensor_of
from ..operators import operator
from ..public import axis_of, ct, integer, number


@operator("If", host="cond")
def choose(cond, *, then_branch, else_branch):
    return (then_branch if bool(number(cond)) else else_branch)()


@operator("Loop", host="m", either="cond")
def loop(m=None, cond=None, *v_initial, body, n_outputs=1):
    limit, carried = None if m is None else integer(m), tuple(v_initial)
    goes, collected = cond is None or _true(cond), None
    for i in itertools.count():
        if not goes or (limit is not None and i >= limit):
            break
        going, *found = body(np.array(i, np.int64), np.array(True), *carried)
        carried, scanned = tuple(found[: len(carried)]), found[len(carried) :]
        collected = [[] for _ in scanned] if collected is None else collected
        for kept, value in zip(collected, scanned, strict=True):
            kept.append(value)
        goes = _true(going)
    if collected is None:
        collected = [[] for _ in range(n_outputs - len(carried))]
    return (*carried, *(_stacked(kept, 0) for kept in collected))


def _true(value):
    return bool(number(value)) if isinstance(value, np.ndarray) else bool(value.item())


def _stacked(values, axis):
    if not values:
        return ct.zeros(0)
    values = [tensor_of(v) if isinstance(v, np.ndarray) else v for v in values]
    return ct.stack(values, axis)


@operator("Scan", since=8)
def scan_of_version_8(sequence_lens=None, *inputs, body, num_scan_inputs, directions=None):
    batches = [scan(*(x[i] for x in inputs), body=body, num_scan_inputs=num_scan_inputs, scan_input_directions=directions)
               for i in range(inputs[0].shape[0])]
    return tuple(ct.stack(found) for found in zip(*batches, strict=True))


@operator("Scan", since=9)
def scan(*inputs, body, num_scan_inputs, scan_input_axes=None, scan_input_directions=None, scan_output_axes=None,
         scan_output_directions=None):
    states, scanned = tuple(inputs[: len(inputs) - num_scan_inputs]), inputs[len(inputs) - num_scan_inputs :]
    axes = scan_input_axes or (0,) * num_scan_inputs
    backward = scan_input_directions or (0,) * num_scan_inputs
    steps = scanned[0].shape[axes[0]]
    collected = None
    for i in range(steps):
        slices = (x.select(axis_of(axis, x.ndim), steps - 1 - i if back else i)
                  for x, axis, back in zip(scanned, axes, backward, strict=True))
        found = body(*states, *slices)
        states, made = found[: len(states)], found[len(states) :]
        collected = [[] for _ in made] if collected is None else collected
        for kept, value in zip(collected, made, strict=True):
            kept.append(value)
    collected = collected or []
    axes, backward = scan_output_axes or (0,) * len(collected), scan_output_directions or (0,) * len(collected)
    return (*states, *(_stacked(kept[::-1] if back else kept, axis)
                       for kept, axis, back in zip(collected, axes, backward, strict=True)))
