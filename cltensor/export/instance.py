"""Instance: a plan for one choice of sizes on a device: buffers, kernel objects with what stays set, and steps that run."""

import math

import numpy as np

from ..base import dtypes
from ..base.errors import ArgumentError, DimensionError, OutOfMemoryError, SerializationError
from ..dispatch import faults
from ..runtime.launch import Launch, number_setter
from ..runtime.memory import readable
from .expressions import expression, number
from .parameters import check, parameters

_TYPES = {"i32": np.int32, "u32": np.uint32, "i64": np.int64, "u64": np.uint64,
          "f16": np.float16, "f32": np.float32, "f64": np.float64}
_FIXED = ("memory", "constant")


class Instance:
    """A plan whose sizes are known.

    memories: the buffers of the program's memories; constants: a function of a tensor's name that gives its buffer; sizes:
    {dimension: size}; limit: bytes that it may take.
    """

    def __init__(self, program, plan, device, memories, constants, sizes, limit):
        self.program, self.plan, self.device, self.sizes = program, plan, device, sizes
        self._parameters, self.nbytes = {}, [self._bytes(b) for b in plan["buffers"]]
        self._check_memory(limit)
        self.buffers, self.anew = [], {}  # anew: {buffer: its kind and place} of what differs at each call
        for k, b in enumerate(plan["buffers"]):
            self.buffers.append(self._buffer(k, b, memories, constants))
        self.tensors = [(o, dtypes.BY_NAME[o["dtype"]], *self._laid_out(o)) for o in program["outputs"]]
        self.once = [self._step(s) for s in plan["once"]]
        self.steps = [self._step(s) for s in plan["steps"]]

    def parameters(self, text, name):
        """The kinds of a kernel's parameters."""
        if (text, name) not in self._parameters:
            self._parameters[text, name] = parameters(text, name)
        return self._parameters[text, name]

    def _size(self, n):
        found = number(n, self.sizes)
        if type(found) is not int or not 0 <= found < 1 << 62:
            raise SerializationError(f"a size, {n!r:.80}, is {found}")
        return found

    def _bytes(self, b):
        kind = b["kind"]
        if kind == "input":
            x = self.program["inputs"][b["input"]]
            return math.prod(map(self._size, x["shape"])) * dtypes.BY_NAME[x["dtype"]].itemsize
        if kind == "memory":
            return self.program["memories"][b["memory"]]["bytes"]
        return 32 if kind == "notes" else None if "tensor" in b else self._size(b["bytes"])

    def _check_memory(self, limit):
        wanted = sum(n for n, b in zip(self.nbytes, self.plan["buffers"], strict=True) if n and b["kind"] != "notes")
        if wanted > limit:
            raise OutOfMemoryError(f"the program takes {readable(wanted)} of memory, allowed are {readable(limit)}; allow more "
                                   "with max_bytes=, or give it smaller inputs")

    def _buffer(self, k, b, memories, constants):
        kind = b["kind"]
        if kind in ("input", "output"):
            self.anew[k] = b
            return None
        if kind == "memory":
            return memories[b["memory"]]
        if kind == "notes":
            return faults.buffer(self.device)
        if "tensor" in b:
            buffer, self.nbytes[k] = constants(b["tensor"], kind == "kept")
            return buffer
        return self.device.allocate(max(self.nbytes[k], 1))

    def _laid_out(self, o):
        """(shape, strides, offset) of an output.  Raises SerializationError where it does not lie in its buffer."""
        shape, strides, offset = [self._size(n) for n in o["shape"]], [self._size(n) for n in o["strides"]], self._size(o["offset"])
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if 0 not in shape:
            self._check_range(o["buffer"], 0, (last + 1) * dtypes.BY_NAME[o["dtype"]].itemsize, f"output {o['name']!r:.80}")
        return tuple(shape), tuple(strides), offset

    def _check_range(self, buffer, first, last, what):
        if last > self.nbytes[buffer] or first > last:
            raise SerializationError(f"{what} takes bytes {first} to {last} of a buffer of {self.nbytes[buffer]}")

    # --- steps -------------------------------------------------------------------------------------------------------------

    def _step(self, step):
        if "kernel" in step:
            return _Kernel(step, self)
        if "set" in step:
            return _Assignment(step["set"])
        if "check" in step:
            return _Check(step["check"], step["message"])
        if "copy" in step:
            source, at, to, to_at, count = step["copy"]
            at, to_at, count = map(self._size, (at, to_at, count))
            self._check_range(source, at, at + count, "a copy")
            self._check_range(to, to_at, to_at + count, "a copy")
            return _Copy(source, at, to, to_at, count)
        loops = "while" in step
        buffer, at = step["while" if loops else "if"]
        at = self._size(at)
        self._check_range(buffer, at, at + 1, "what decides")
        parts = [[self._step(s) for s in step[name]] for name in (("test", "do") if loops else ("then", "else"))]
        return _Control(loops, buffer, at, parts)

    def prepare(self):
        """Run what comes before the first call."""
        run(self.once, self.buffers, {}, self.device)

    def call(self, buffers, values):
        """Run the program.  buffers: {number: buffer} of inputs and outputs; values: the program's numbers, which change."""
        found = list(self.buffers)
        for k, buffer in buffers.items():
            found[k] = buffer
        run(self.steps, found, values, self.device)


def run(steps, buffers, values, device):
    """Run steps in order."""
    for step in steps:
        step.run(buffers, values, device)


class _Kernel:
    """A launch."""

    def __init__(self, step, instance):
        device, size = instance.device, instance._size
        grid, local = tuple(map(size, step["global"])), tuple(map(size, step["local"]))
        name = step["kernel"]
        if 0 in local or math.prod(local) > device.profile.max_work_group or any(g % n for g, n in zip(grid, local, strict=True)):
            raise SerializationError(f"kernel {name!r} has the grid {grid} of work-groups of {local}, which {device} cannot run")
        self.empty, text = 0 in grid, instance.program["sources"][step["source"]]
        check(step["arguments"], instance.parameters(text, name), name)
        self.launch = Launch(device.kernel(text, name), grid, local)
        kernel, put = self.launch.kernel, number_setter(self.launch.kernel)
        self.put, self.anew, self.numbers, self.ticket, at, total = put, [], [], None, 0, 0
        try:
            for kind, *rest in step["arguments"]:
                if kind in ("tensor", "buffer"):
                    k = rest[0]
                    if k in instance.anew:
                        self.anew.append((at, k))
                    else:
                        kernel.set_arg(at, instance.buffers[k])
                    total += instance.nbytes[k]
                    if kind == "tensor":
                        offset, itemsize, extent = map(size, rest[1:])
                        if extent:
                            instance._check_range(k, offset * itemsize, (offset + extent) * itemsize, f"an operand of {name!r}")
                        at += 1
                        put(at, np.int64(offset))
                elif kind == "ticket":
                    self.ticket = at
                    put(at, np.int64(0))
                elif type(rest[0]) is str and _names(rest[0], instance.sizes):
                    self.numbers.append((at, rest[0], _TYPES[kind]))
                    put(at, _TYPES[kind](0))
                else:
                    put(at, _as(_TYPES[kind], number(rest[0], instance.sizes)))
                at += 1
        except Exception as error:
            if isinstance(error, SerializationError):
                raise
            raise SerializationError(f"argument {at} of kernel {name!r} does not fit its parameter: {error!s:.200}") from error
        self.launch.estimate(total)
        self.op = _Noting(step.get("notes")) if self.ticket is not None else None

    def run(self, buffers, values, device):
        """Set what differs, and launch."""
        if self.empty:
            return
        kernel = self.launch.kernel
        with device.lock:
            for at, k in self.anew:
                kernel.set_arg(at, buffers[k])
            for at, text, kind in self.numbers:
                self.put(at, _as(kind, number(text, values)))
            if self.op is not None:
                self.put(self.ticket, np.int64(faults.announced([self.op], device)))
            device.submit(self.launch)


class _Noting:
    """Stands for the op of a launch that may leave a note."""

    def __init__(self, text):
        text = str(text or "a kernel met a value that it cannot work with: {value}").replace("{float}", "{value:.7g}")
        index = "{size}" in text
        self.reports_faults = True if index else (ArgumentError, _only_value(text))
        self.error = DimensionError if index else ArgumentError


class _Assignment:
    """Assignments in the host."""

    def __init__(self, pairs):
        self.pairs = [(name, value) for name, value in pairs]

    def run(self, buffers, values, device):
        """Assign."""
        for name, value in self.pairs:
            values[name] = number(value, values)


class _Check:
    """An error where a number is 0."""

    def __init__(self, value, message):
        self.value, self.message = value, message

    def run(self, buffers, values, device):
        """Raise ArgumentError where the number is 0."""
        if not number(self.value, values):
            raise ArgumentError(self.message)


class _Copy:
    """A copy between buffers."""

    def __init__(self, source, at, to, to_at, count):
        self.source, self.at, self.to, self.to_at, self.count = source, at, to, to_at, count

    def run(self, buffers, values, device):
        """Copy."""
        device.copy(buffers[self.to], self.to_at, buffers[self.source], self.at, self.count)


class _Control:
    """A choice, or a loop."""

    def __init__(self, loops, buffer, at, parts):
        self.loops, self.buffer, self.at, self.parts = loops, buffer, at, parts

    def run(self, buffers, values, device):
        """Run what the byte says."""
        if not self.loops:
            run(self.parts[not self._read(buffers, device)], buffers, values, device)
            return
        test, body = self.parts
        run(test, buffers, values, device)
        while self._read(buffers, device):
            run(body, buffers, values, device)
            run(test, buffers, values, device)

    def _read(self, buffers, device):
        found = np.empty(1, np.uint8)
        device.read(buffers[self.buffer], self.at, found)
        faults.check(device)
        return bool(found[0])


def _names(text, sizes):
    """Whether an expression depends on more than sizes."""
    return any(n not in sizes for n in expression(text).names)


def _as(kind, value):
    """A number converted to a NumPy type, integers modulo its range."""
    if issubclass(kind, np.integer):
        bits = np.iinfo(kind).bits
        return np.uint64(int(value) & ((1 << bits) - 1)).astype(kind)
    with np.errstate(over="ignore"):
        return kind(value)


def _only_value(text):
    """A text for str.format with nothing but {value} in it."""
    for mark in ("{value:.7g}", "{value}"):
        if mark in text:
            before, after = text.split(mark, 1)
            return before.replace("{", "{{").replace("}", "}}") + mark + after.replace("{", "{{").replace("}", "}}")
    return text.replace("{", "{{").replace("}", "}}")
