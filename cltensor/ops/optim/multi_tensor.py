"""Multi-tensor launches: one kernel applies an elementwise op in place to many tuples of tensors.

The kernel is generated from the op's own expressions.  A driver accepts at least 1024 bytes of arguments; this limits the number
of tuples per launch.
"""

from typing import NamedTuple

import numpy as np

from ...base.dtypes import float32
from ...codegen import expr, types
from ...codegen.emit import emit
from ...codegen.templates import render
from ...runtime.launch import Launch, number_setter
from ..kinds.elementwise import GRAIN

ARGUMENT_BYTES = 1024  # CL_DEVICE_MAX_PARAMETER_SIZE is never less
FEW = 8  # tuples of the small kernel; more take the largest one, so that an op has at most two kernels per dtype
MOST = 32
_ALIGN = 64  # elements: shares start at cache lines


class Roles(NamedTuple):
    """What a launch does with an op's inputs and outputs.

    writes  positions of the inputs that the first outputs are written to; a further output, a truth value, raises a flag
    shared  positions of inputs that are one number in memory for all tuples
    skips   whether a number in memory may tell the launch to do nothing
    """

    writes: tuple
    shared: tuple = ()
    skips: bool = False

    def each(self, op):
        """Positions of the inputs that every tuple has its own of."""
        return [i for i in range(len(op.inputs)) if i not in self.shared]

    def raises(self, op):
        """Whether some output is a flag."""
        return len(op.exprs) > len(self.writes)


def capacity(op, dtype, roles, shifted=0):
    """The largest number of tuples in one launch of op; shifted: how many operands have an offset."""
    number = np.dtype(types.NUMPY_OF[types.compute_type(dtype)]).itemsize
    more = 8 * (1 + len(roles.shared) + roles.raises(op) + roles.skips)
    return min(MOST, (ARGUMENT_BYTES - more - number * len(op.attr_names)) // (8 * (len(roles.each(op)) + shifted + 1)))


def even_parts(items, most):
    """items (a list) split into the fewest lists of at most `most`, all of about the same length."""
    count = -(-len(items) // most)
    return [items[i * len(items) // count : (i + 1) * len(items) // count] for i in range(count)]


class MultiTensor(Launch):
    """A kernel object for tuples of these sizes, all of one dtype.  Buffers stay set until they are set again.

    A driver inspects every buffer argument but does not keep it alive.  The arguments of unused tuples are never accessed; they
    are set to `idle`, a buffer that this object keeps alive.

    dtype: of the computation, and of all operands if `kinds`, one for each, is not given.  shifted: positions of the operands that
    start at an offset.  places: the position of each operand among a tuple's arguments.
    """

    __slots__ = ("convert", "first_value", "idle", "places", "share", "source", "tuples", "values", "width")

    def __init__(self, op, dtype, sizes, roles, device, idle, shifted=(), kinds=None):
        self.tuples = tuples = _tuples(op, dtype, len(sizes), roles, shifted)
        self.source = source_for(op, dtype, len(sizes), roles, shifted, device.profile.style, kinds)
        self.kernel = device.kernel(self.source, "multi_tensor")
        each = roles.each(op)
        self.places = [i + sum(each[k] in shifted for k in range(i)) for i in range(len(each))]
        self.width = len(each) + len(shifted) + 1
        self.first_value = self.width * tuples
        self.convert = getattr(np, types.NUMPY_OF[types.compute_type(dtype)])
        self.values = (None,) * len(op.attr_names)
        self._launched(sizes, device.profile)
        set_number = number_setter(self.kernel)
        for t in range(tuples):
            set_number(self.width * t + self.width - 1, np.int64(sizes[t] if t < len(sizes) else 0))
        set_number(self.first_value + len(self.values), np.int64(self.share))
        self.idle = idle
        for i, at in enumerate(self.places):
            for t in range(len(sizes), tuples):
                self.kernel.set_arg(self.width * t + at, idle)
            if each[i] in shifted:
                for t in range(tuples):
                    self.shift(t, i, 0)
        self.estimate(len(each) * sum(sizes) * dtype.itemsize)

    def shift(self, number, operand, offset):
        """Set the offset, in elements, of an operand of a tuple; only of shifted ones."""
        number_setter(self.kernel)(self.width * number + self.places[operand] + 1, np.int64(offset))

    def _launched(self, sizes, profile):
        """Set the number of elements per work-group and the launch sizes."""
        total, lx = sum(sizes), 1 if profile.style == "cpu" else min(profile.max_work_group, 128)
        groups = min(profile.groups, total // GRAIN) if profile.style == "cpu" else min(-(-total // (4 * lx)), 4096)
        share = -(-total // max(groups, 1))
        self.share = share = -(-share // _ALIGN) * _ALIGN
        known = {f"n_{t}": sizes[t] if t < len(sizes) else 0 for t in range(self.tuples)}
        self.global_size, self.local_size = self.source.interface.sizes({**known, "share": share, "lx": lx})

    def bind_buffers(self, operand, buffers):
        """Set one operand of every tuple.  The device lock must be held once the object is shared."""
        set_arg, width, at = self.kernel.set_arg, self.width, self.places[operand]
        for buffer in buffers:
            set_arg(at, buffer)
            at += width

    @property
    def first_number(self):
        """The position of the first number in memory among the arguments."""
        return self.first_value + len(self.values) + 1

    def bind_numbers(self, buffers):
        """Set the numbers in memory: shared ones, the flag, the one that skips.  The device lock must be held."""
        for at, buffer in enumerate(buffers, self.first_number):
            self.kernel.set_arg(at, buffer)

    def bind(self, values):
        """Set the Python numbers.  The device lock must be held."""
        if values != self.values:
            set_number = number_setter(self.kernel)
            for i, (new, old) in enumerate(zip(values, self.values, strict=True)):
                if new != old:
                    set_number(self.first_value + i, self.convert(new))
            self.values = values


def _tuples(op, dtype, count, roles, shifted):
    """The number of tuples of the kernel that takes `count`."""
    return FEW if count <= FEW else capacity(op, dtype, roles, len(shifted))


def source_for(op, dtype, count, roles, shifted, style, kinds=None):
    """The rendered kernel for `count` tuples, cached."""
    tuples = _tuples(op, dtype, count, roles, shifted)
    key = ("multi_tensor", style, dtype, tuples, roles, shifted, kinds)
    source = op.sources.get(key)
    if source is None:
        source = op.sources[key] = _render(op, dtype, tuples, roles, shifted, style, kinds)
    return source


def _render(op, dtype, tuples, roles, shifted, style, kinds):
    c = types.compute_type(dtype)
    names = {n: f"x{i}" for i, n in enumerate(op.inputs)}
    names.update({n: f"s{i}" for i, n in enumerate(op.attr_names)})
    made = emit(op.exprs, dict.fromkeys(names, c), c, names)
    read = {n for e in op.exprs for n in expr.inputs(e)}
    operands = [(f"x{i}", kind, c if op.inputs[i] in read else "", i in roles.writes)
                for i, kind in zip(roles.each(op), kinds or [dtype] * len(op.inputs), strict=False)]
    results = [(f"x{i}", r) for i, r in zip(roles.writes, made.results, strict=False)]
    return render("multi_tensor", style=style, dtype=dtype, tensors=tuples, operands=tuple(operands),
                  shifted=tuple(f"x{i}" for i in shifted),
                  scalars=tuple((names[n], c) for n in op.attr_names), body=tuple(made.statements), results=tuple(results),
                  shared=tuple((f"x{i}", float32, "float") for i in roles.shared),
                  raises=tuple(made.results[len(roles.writes):]), skips=roles.skips)
