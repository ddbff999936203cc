"""Checking: whether a file's program is one, before anything is made of it."""

import math

from ..base import dtypes
from ..base.errors import SerializationError
from .expressions import expression

STEPS, DEPTH, BUFFERS = 1 << 18, 64, 1 << 18
_NUMBERS = ("i32", "u32", "i64", "u64", "f16", "f32", "f64")
_NEEDS = {"fp64": bool, "fp16": bool, "int64_atomics": bool, "work_group": int, "local_memory": int}


class Checked:
    """A program whose parts were looked at: names exist, numbers of parts are in range, expressions have names that are known.

    Raises SerializationError.
    """

    def __init__(self, program, entries):
        self.program, self.entries = program, entries
        try:
            self._all()
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
            if isinstance(error, SerializationError):
                raise
            raise SerializationError(f"it does not describe a program: {type(error).__name__}: {error!s:.200}") from error

    def _all(self):
        p = self.program
        _is(p, dict)
        for name in ("inputs", "outputs", "memories", "state", "numbers", "sources", "plans", "dimensions"):
            for entry in _is(p[name], list):
                _is(entry, str if name == "sources" else dict)
        _is(p.get("name", ""), str)
        _is(p["structure"], dict)
        self.dimensions = [_name(d["name"]) for d in p["dimensions"]]
        self.numbers = [_name(n["name"]) for n in p["numbers"]]
        if len({*self.dimensions, *self.numbers}) < len(self.dimensions) + len(self.numbers):
            raise SerializationError("two of its numbers have one name")
        for x in p["inputs"]:
            self._laid_out(x)
        for d in p["dimensions"]:
            _bounds(d)
            for i, k in _is(d["of"], list):
                _index(k, len(p["inputs"][_index(i, len(p["inputs"]))]["shape"]))
        for m in p["memories"]:
            if self._tensor(m["tensor"]) != _count(m["bytes"]):
                raise SerializationError(f"memory {m['tensor']!r:.80} is not as large as its tensor")
        for s in p["state"]:
            self._state(s)
        for n in p["numbers"]:
            _is(n["path"], str)
            if n["type"] not in ("int", "float"):
                raise SerializationError(f"number {n['name']!r:.80} has the type {n['type']!r:.20}")
            (_whole if n["type"] == "int" else _float)(n["value"])
        for plan in p["plans"]:
            self._plan(plan)
        if not p["plans"]:
            raise SerializationError("it has no plan for any device class")
        positional, keywords = p["structure"]["inputs"]["tuple"]
        _is(positional["tuple"], list)
        _is(keywords["dict"], list)
        self._structure(p["structure"]["inputs"], len(p["inputs"]), 0)
        self._structure(p["structure"]["outputs"], len(p["outputs"]), 0)

    def _laid_out(self, x):
        _is(x["name"], str)
        if x["dtype"] not in dtypes.BY_NAME:
            raise SerializationError(f"{x['name']!r:.80} has the dtype {x['dtype']!r:.20}")
        for n in _few(x["shape"]):
            self._size(n)

    def _tensor(self, name):
        """The bytes of a tensor of the file."""
        if _is(name, str) not in self.entries:
            raise SerializationError(f"it names a tensor {name!r:.80} that the file does not hold")
        e = self.entries[name]
        return e.end - e.begin

    def _state(self, s):
        memory = self.program["memories"][_index(s["memory"], len(self.program["memories"]))]
        _is(s["name"], str)
        shape, strides = ([_count(n) for n in _few(s[key])] for key in ("shape", "strides"))
        item = dtypes.BY_NAME[s["dtype"]].itemsize
        last = _count(s["offset"]) + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        if 0 not in shape and (last + 1) * item > memory["bytes"]:
            raise SerializationError(f"{s['name']!r:.80} does not lie in its memory")

    def _plan(self, plan):
        if plan["class"] not in ("cpu", "gpu"):
            raise SerializationError(f"there is no device class {plan['class']!r:.20}")
        if "where" in plan:
            self._size(plan["where"])
        for name, kind in _NEEDS.items():
            _is(plan["needs"][name], kind)
        buffers = _is(plan["buffers"], list)
        if len(buffers) > BUFFERS:
            raise SerializationError(f"it has more than {BUFFERS} buffers")
        for b in buffers:
            self._buffer(b)
        self._steps_left = STEPS
        for name in ("once", "steps"):
            self._steps(plan[name], buffers, 0, set(self.numbers) if name == "steps" else set())
        for o in self.program["outputs"]:
            self._laid_out(o)
            for n in (*_few(o["strides"]), o["offset"]):
                self._size(n)
            if len(o["strides"]) != len(o["shape"]):
                raise SerializationError(f"output {o['name']!r:.80} has as many strides as dimensions, or is damaged")
            _index(o["buffer"], len(buffers))

    def _buffer(self, b):
        kind = b["kind"]
        if kind in ("input", "memory"):
            _index(b[kind], len(self.program["inputs" if kind == "input" else "memories"]))
        elif kind == "constant" or (kind == "kept" and "tensor" in b):
            self._tensor(b["tensor"])
        elif kind in ("kept", "output", "temporary"):
            self._size(b["bytes"])
        elif kind != "notes":
            raise SerializationError(f"there is no kind {kind!r:.20} of buffers")

    def _steps(self, steps, buffers, depth, names):
        if depth > DEPTH:
            raise SerializationError(f"its steps are nested more than {DEPTH} deep")
        for step in _is(steps, list):
            self._steps_left -= 1
            if self._steps_left < 0:
                raise SerializationError(f"it has more than {STEPS} steps")
            self._step(_is(step, dict), buffers, depth, names)

    def _step(self, step, buffers, depth, names):
        if "kernel" in step:
            self._launch(step, buffers, names)
        elif "set" in step:
            for name, value in _is(step["set"], list):
                self._number(value, names)
                names.add(_name(name))
        elif "check" in step:
            _is(step["message"], str)
            self._number(step["check"], names)
        elif "copy" in step:
            source, at, to, to_at, count = step["copy"]
            for k in (source, to):
                _index(k, len(buffers))
            if buffers[to]["kind"] in ("constant", "notes"):
                raise SerializationError("it copies to a buffer that is never written to")
            for n in (at, to_at, count):
                self._size(n)
        elif "if" in step or "while" in step:
            key, *parts = ("if", "then", "else") if "if" in step else ("while", "test", "do")
            buffer, at = step[key]
            _index(buffer, len(buffers))
            self._size(at)
            for part in parts:
                self._steps(step[part], buffers, depth + 1, set(names))
        else:
            raise SerializationError(f"there is no step with {', '.join(map(repr, step)):.80}")

    def _launch(self, step, buffers, names):
        _index(step["source"], len(self.program["sources"]))
        _name(step["kernel"])
        if "notes" in step:
            _is(step["notes"], str)
        if not 1 <= len(_is(step["global"], list)) <= 3 or len(_is(step["local"], list)) != len(step["global"]):
            raise SerializationError(f"kernel {step['kernel']!r:.80} has a grid of no or too many dimensions")
        for n in (*step["global"], *step["local"]):
            self._size(n)
        for kind, *rest in _is(step["arguments"], list):
            if kind == "tensor":
                buffer, *sizes = rest
                _index(buffer, len(buffers))
                offset, itemsize, extent = sizes
                for n in (offset, itemsize, extent):
                    self._size(n)
            elif kind == "buffer":
                _index(*rest, len(buffers))
            elif kind in _NUMBERS:
                self._number(*rest, names)
            elif kind != "ticket" or rest:
                raise SerializationError(f"there is no kind {kind!r:.20} of arguments")

    def _size(self, n):
        if type(n) is not str:
            return _count(n)
        return self._known(n, self.dimensions)

    def _number(self, n, names):
        if type(n) is str:
            return self._known(n, {*self.dimensions, *names})
        return _whole(n) if type(n) is int else _float(n)

    def _known(self, text, names):
        unknown = [n for n in expression(text).names if n not in names]
        if unknown:
            raise SerializationError(f"{text[:80]!r} depends on {unknown[0]!r:.80}, which is no number of the program")

    def _structure(self, x, count, depth):
        if depth > DEPTH:
            raise SerializationError("its structure is nested too deep")
        if type(x) is int:
            _index(x, count)
        elif isinstance(x, dict):
            [(kind, content)] = x.items()
            if kind == "dict":
                for key, value in content:
                    if type(key) not in (str, int, float, bool, type(None)):
                        raise SerializationError("its structure has a key that is no text or number")
                    self._structure(value, count, depth + 1)
            elif kind in ("list", "tuple"):
                for value in _is(content, list):
                    self._structure(value, count, depth + 1)
            elif kind != "number" or type(content) not in (int, float):
                raise SerializationError(f"its structure has a {kind!r:.20}")
        elif type(x) not in (str, bool, type(None)):
            raise SerializationError(f"its structure has a {type(x).__name__}")


def _is(x, kind):
    if type(x) is not kind:
        raise SerializationError(f"there is {x!r:.40} where a {kind.__name__} should be")
    return x


def _few(x):
    if len(_is(x, list)) > 64:
        raise SerializationError("a tensor has more than 64 dimensions")
    return x


def _count(n):
    if type(n) is not int or not 0 <= n < 1 << 62:
        raise SerializationError(f"there is {n!r:.40} where a size should be")
    return n


def _index(n, count):
    if type(n) is not int or not 0 <= n < count:
        raise SerializationError(f"there is {n!r:.40} where one of {count} parts should be named")
    return n


def _whole(n):
    if type(n) is not int or not -(1 << 63) <= n < 1 << 63:
        raise SerializationError(f"there is {n!r:.40} where a number of 64 bits should be")


def _float(n):
    if (type(n) not in (int, float) and n not in ("inf", "-inf", "nan")) or (type(n) is float and not math.isfinite(n)):
        raise SerializationError(f"there is {n!r:.40} where a number should be")


def _name(n):
    if type(n) is not str or not n.isidentifier() or not n.isascii() or len(n) > 200:
        raise SerializationError(f"{n!r:.80} is no name")
    return n


def _bounds(d):
    if not 0 <= _count(d["min"]) <= _count(d["max"]):
        raise SerializationError(f"dimension {d['name']!r} has no sizes")
