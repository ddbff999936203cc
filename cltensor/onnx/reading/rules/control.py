"""Control flow: conditions and counts are read on the host, and Python goes the way that they say.

In a program that is captured or defined, an If whose branches give tensors of the same shapes, and a Loop that collects nothing,
are parts of it.
"""

import itertools

import numpy as np

from .... import control_flow
from ....base.errors import DTypeError, ShapeError
from ....compiler import is_compiling
from ....graph.static.symbols import Symbol
from ..element_types import is_tensor, tensor_of
from ..operators import operator
from ..public import axis_of, ct, integer, number


@operator("If", either="cond")
def choose(cond, *, then_branch, else_branch):
    if not isinstance(cond, np.ndarray) and _is_recorded(cond):
        found = _recorded_choice(cond, then_branch, else_branch)
        if found is not None:
            return found
    return (then_branch if _true(cond) else else_branch)()


@operator("Loop", host="m", either="cond")
def loop(m=None, cond=None, *v_initial, body, n_outputs=1):
    limit, carried = None if m is None else integer(m), tuple(v_initial)
    going, collected = np.array(True) if cond is None else cond, None
    for i in itertools.count():
        if n_outputs == len(carried) and not isinstance(going, np.ndarray) and _is_recorded(going):
            found = _recorded_loop(i, limit, going, carried, body)
            if found is not None:
                return found
        if not _true(going) or (limit is not None and i >= limit):
            break
        going, *found = body(np.array(i, np.int64), np.array(True), *carried)
        carried, scanned = tuple(found[: len(carried)]), found[len(carried) :]
        collected = [[] for _ in scanned] if collected is None else collected
        for kept, value in zip(collected, scanned, strict=True):
            kept.append(value)
    if collected is None:
        collected = [[] for _ in range(n_outputs - len(carried))]
    return (*carried, *(_stacked(kept, 0) for kept in collected))


def _is_recorded(value):
    """Whether a program is being captured or defined, in which a value cannot be read."""
    return is_compiling() or isinstance(value, Symbol)


def _tensors(values):
    """Results as tensors.  Raises ShapeError for sequences and other values that a program cannot choose between."""
    made = tuple(tensor_of(v) if isinstance(v, np.ndarray) else v for v in values)
    if not all(map(is_tensor, made)):
        raise ShapeError("what is no tensor cannot be chosen by a program")
    return made


def _recorded_choice(cond, then_branch, else_branch):
    """The results of an If as a part of a program; None where its branches give other shapes or dtypes."""
    outer = {**then_branch.outer(), **else_branch.outer()}

    def way(branch):
        return lambda *given: _tensors(branch.seeing(dict(zip(outer, given, strict=True)))())

    try:
        return control_flow.cond(cond.reshape(()), way(then_branch), way(else_branch), tuple(outer.values()))
    except (ShapeError, DTypeError):
        return None


def _recorded_loop(i, limit, going, carried, body):
    """The results of the rest of a Loop as a part of a program; None where its values change their shapes or dtypes."""
    outer, count = body.outer() if isinstance(going, Symbol) else {}, len(carried)

    def goes_on(i, going, *rest):
        return going if limit is None else going & (i < limit)

    def following(i, going, *rest):
        seen = body.seeing(dict(zip(outer, rest[count:], strict=True)))
        going, *found = _tensors(seen(i, going, *rest[:count]))
        return (i + 1, going.reshape(()), *found, *rest[count:])

    try:
        first = ct.full((), i, dtype=ct.int64, device=going.device)
        given = (first, going.reshape(()), *_tensors(carried), *outer.values())
        return tuple(control_flow.while_loop(goes_on, following, given)[2 : 2 + count])
    except (ShapeError, DTypeError):
        return None


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
