"""Program: an exported program that is loaded and runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from ..base import dtypes
from ..base.context import context
from ..base.errors import ArgumentError, ArgumentTypeError, DeviceError, DTypeError, ShapeError
from ..dispatch.spec import spec
from ..dispatch.storage import Storage
from ..dispatch.tensor_base import TensorBase
from ..runtime.device import device as Device
from ..tensor import Tensor
from ..tensor.api.creation import from_array
from .expressions import number
from .instance import Instance
from .structure import built, matched

_MOST = 8  # choices of sizes that are kept ready


class Numbers(MutableMapping):
    """The numbers of a program by their paths, such as "optimizer.param_groups.0.lr"; setting one takes effect at the next call.

    Raises KeyError for a path that there is not, ArgumentTypeError for what is no number.

        program.numbers["optimizer.param_groups.0.lr"] *= 0.1
    """

    def __init__(self, described: list[dict[str, Any]]):
        self._names = {n["path"]: n["name"] for n in described}
        self._kinds = {n["name"]: float if n["type"] == "float" else int for n in described}
        self.values_ = {n["name"]: self._kinds[n["name"]](n["value"]) for n in described}

    def __getitem__(self, path: str) -> int | float:
        return self.values_[self._names[path]]

    def __setitem__(self, path: str, value: float):
        kind = self._kinds[self._names[path]]
        if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)) or (
                kind is int and value != int(value)):
            raise ArgumentTypeError(f"Program.numbers: {path} is a{'n int' if kind is int else ' float'}, got {value!r:.60}")
        if kind is int and not -(1 << 63) <= value < 1 << 63:
            raise ArgumentError(f"Program.numbers: {path} takes 64 bits with a sign, got {value!r:.60}")
        self.values_[self._names[path]] = kind(value)

    def __delitem__(self, path: str):
        raise ArgumentTypeError("Program.numbers: a number of a program cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))


class Program:
    """A program read by `load`: call it as the function that was exported.

    Tensors of the shapes and dtypes of `inputs`, on any device, or NumPy arrays; what it returns is nested as the function's result
    was.  Results have no history: gradients that a program computes are part of it.

    name: what was exported; device: where it runs; device_class: "cpu" or "gpu", the kernels that run; inputs, outputs: their
    names, dtypes and shapes, with the names of dynamic dimensions; numbers: see Numbers.

    Raises ArgumentError, ShapeError and DTypeError for arguments that are not as they were, or are of sizes out of range.
    Source: docs/program-format.md.

        program = ct.export.load("model.ctp")
        scores = program(x)
    """

    def __init__(self, data: dict[str, Any], plans: list[dict[str, Any]], device: Device, memories: list[Storage],
                 constants: dict[str, np.ndarray], max_bytes: int):
        self.name, self.device, self.device_class = data.get("name", ""), device, plans[0]["class"]
        self.numbers = Numbers(data["numbers"])
        self._data, self._plans, self._memories, self._constants, self._limit = data, plans, memories, constants, max_bytes
        self._instances, self._lock, self._shared = {}, threading.RLock(), {}
        self._state = {s["name"]: Tensor._make(memories[s["memory"]], _spec(s, device), s["offset"]) for s in data["state"]}
        self._written = [memories[m] for m in sorted({s["memory"] for s in data["state"] if s["written"]})]
        self._lasting = [m for m in memories if m not in self._written]
        self._versions = None

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """[{"name", "dtype", "shape"}] of the tensors that a call takes."""
        return [_signature(x) for x in self._data["inputs"]]

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """[{"name", "dtype", "shape"}] of the tensors that a call gives."""
        return [_signature(x) for x in self._data["outputs"]]

    def state_dict(self, under: str = "") -> dict[str, Any]:
        """The tensors that the program holds by name, sharing its memory, and its numbers.

        under: the name of a variable: what lies in it alone, by the names of its own `state_dict`.

            model.load_state_dict(program.state_dict("model"))
        """
        if under:
            return {name[len(under) + 1:]: t for name, t in self._state.items() if name.startswith(f"{under}.")}
        return {**self._state, **self.numbers}

    def load_state_dict(self, state_dict: Mapping[str, Any], under: str = "", strict: bool = True):
        """Copy tensors into the program's, and set its numbers, by name.  under: see state_dict.

        Raises ArgumentError for names that are missing or unknown, unless strict is False, ShapeError for another shape; then
        nothing is changed.
        """
        given = {f"{under}.{name}" if under else name: value for name, value in state_dict.items()}
        wanted = {**self._state, **({} if under else self.numbers)}
        wanted = {name: x for name, x in wanted.items() if not under or name.startswith(f"{under}.")}
        missing, unknown = [n for n in wanted if n not in given], [n for n in given if n not in wanted]
        if strict and (missing or unknown):
            raise ArgumentError(f"Program.load_state_dict: missing are {missing[:5]}, unknown are {unknown[:5]}; pass "
                                "strict=False to load what fits")
        tensors = {n: _tensor(given[n], self.device) for n in wanted if n in given and n in self._state}
        for name, t in tensors.items():
            if t.shape != self._state[name].shape:
                raise ShapeError(f"Program.load_state_dict: {name} has shape {list(self._state[name].shape)}, got {list(t.shape)}")
        with self._lock:
            for name, t in tensors.items():
                self._state[name].copy_(t)
            for name in wanted:
                if name in given and name in self.numbers:
                    self.numbers[name] = given[name]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found: dict[int, Any] = {}
        positional, keywords = self._data["structure"]["inputs"]["tuple"]
        matched(positional, args, found)
        matched(keywords, kwargs, found, "the keywords")
        return built(self._data["structure"]["outputs"], self.run([found[i] for i in range(len(self._data["inputs"]))]))

    def run(self, inputs: Sequence[Any]) -> list[Tensor]:
        """The outputs as a list, for the inputs as a list, both in the order of `inputs` and `outputs`: a call without its nesting.

        Raises what a call raises.
        """
        if len(inputs) != len(self._data["inputs"]):
            raise ArgumentError(f"Program.run: it takes {len(self._data['inputs'])} inputs, got {len(inputs)}")
        tensors = [self._input(i, x) for i, x in enumerate(inputs)]
        if context.recorder is not None:
            context.recorder.fail("an exported program runs, whose launches are no ops")
        with self._lock:
            return self._run(tensors, self._instance(self._sizes(tensors)))

    def _input(self, i, given):
        """An argument as a dense tensor on the device."""
        x = self._data["inputs"][i]
        if not isinstance(given, (TensorBase, np.ndarray)):
            raise ArgumentTypeError(f"{self.name}: {x['name']} must be a tensor or an array, got {type(given).__name__}")
        t = _tensor(given, self.device)
        if t.dtype.name != x["dtype"]:
            raise DTypeError(f"{self.name}: {x['name']} must have dtype {x['dtype']}, got {t.dtype.name}")
        if len(t.shape) != len(x["shape"]):
            raise ShapeError(f"{self.name}: {x['name']} must have shape {_shown(x['shape'])}, got {list(t.shape)}")
        if t._spec.contiguous and not t._offset:
            return t
        if x.get("written"):
            raise ArgumentError(f"{self.name}: it writes to {x['name']}, which must be contiguous and begin its memory")
        return t.detach().clone().contiguous()

    def _sizes(self, tensors):
        """{dimension: size}.  Raises ShapeError where shapes are not those of the program."""
        sizes = {}
        for d in self._data["dimensions"]:
            found = {int(tensors[i].shape[k]) for i, k in d["of"]}
            if len(found) > 1 or not d["min"] <= (n := found.pop()) <= d["max"]:
                raise ShapeError(f"{self.name}: the size {d['name']} must be one, from {d['min']} to {d['max']}, got "
                                 f"{[list(t.shape) for t in tensors]}")
            sizes[d["name"]] = n
        for x, t in zip(self._data["inputs"], tensors, strict=True):
            wanted = tuple(number(n, sizes) for n in x["shape"])
            if wanted != tuple(t.shape):
                raise ShapeError(f"{self.name}: {x['name']} must have shape {_shown(x['shape'])}, got {list(t.shape)}")
        return sizes

    def _instance(self, sizes):
        key = tuple(sizes.values())
        found = self._instances.pop(key, None)
        if found is None:
            plan = next((p for p in self._plans if "where" not in p or number(p["where"], sizes)), None)
            if plan is None:
                raise ShapeError(f"{self.name}: the file has no plan for the sizes {sizes}")
            taken = sum(m.extent for m in self._memories)
            found = Instance(self._data, plan, self.device, [m.buffer for m in self._memories], self._constant, sizes,
                             self._limit - taken)
            found.prepared = None
            while len(self._instances) >= _MOST:
                del self._instances[next(iter(self._instances))]
        self._instances[key] = found
        return found

    def _constant(self, name, own):
        """(the buffer, the bytes) of a tensor of the file; own: not to be shared."""
        data = self._constants[name]
        if own or name not in self._shared:
            buffer = self.device.allocate(max(data.nbytes, 1))
            if data.nbytes:
                self.device.write(buffer, 0, data)
            if own:
                return buffer, data.nbytes
            self._shared[name] = buffer
        return self._shared[name], data.nbytes

    def _run(self, tensors, instance):
        storages = {k: tensors[b["input"]]._storage if b["kind"] == "input" else Storage(self.device, instance.nbytes[k])
                    for k, b in instance.anew.items()}
        versions = [s.version for s in self._lasting]
        if instance.prepared != versions:
            instance.prepare()
            instance.prepared = versions
        values = {**self.numbers.values_, **instance.sizes}
        instance.call({k: s.buffer for k, s in storages.items()}, values)
        self.numbers.values_.update((name, kind(values[name])) for name, kind in self.numbers._kinds.items())
        for s in self._written:
            s.version += 1
        for x, t in zip(self._data["inputs"], tensors, strict=True):
            t._storage.version += bool(x.get("written"))
        results = []
        for o, dtype, shape, strides, offset in instance.tensors:
            k = o["buffer"]
            b = instance.plan["buffers"][k]
            storage = storages[k] if k in storages else self._memories[b["memory"]]
            results.append(Tensor._make(storage, spec(shape, strides, dtype, self.device), offset))
        return results

    def __repr__(self) -> str:
        taken = ", ".join(f"{x['name']}: {x['dtype']}{_shown(x['shape'])}" for x in self._data["inputs"])
        given = ", ".join(f"{x['dtype']}{_shown(x['shape'])}" for x in self._data["outputs"])
        return f"Program({self.name}({taken}) -> {given}, on {self.device}, {self.device_class} class)"


def runnable(plan: dict[str, Any], device: Device) -> str | None:
    """Why a plan cannot run on a device, in words; None if it can."""
    needs, p = plan["needs"], device.profile
    if needs["fp64"] and not p.fp64:
        return "it computes in double precision"
    if needs["fp16"] and not p.fp16:
        return "it computes in half precision"
    if needs["int64_atomics"] and not p.int64_atomics:
        return "it needs atomic operations on 64 bits"
    if needs["work_group"] > p.max_work_group:
        return f"its work-groups have {needs['work_group']} work-items, the device allows {p.max_work_group}"
    if needs["local_memory"] > p.local_memory:
        return f"its work-groups take {needs['local_memory']} bytes of local memory, the device has {p.local_memory}"
    return None


def chosen(data: dict[str, Any], device: Device, device_class: str | None) -> list[dict[str, Any]]:
    """The plans of the class to run on a device.  Raises DeviceError where there is none."""
    order = [device_class] if device_class else [device.profile.style, *({"cpu", "gpu"} - {device.profile.style})]
    reasons = []
    for name in order:
        plans = [p for p in data["plans"] if p["class"] == name]
        why = next(filter(None, (runnable(p, device) for p in plans)), None)
        if plans and why is None:
            return plans
        if plans:
            reasons.append(f"the {name} class does not run, since {why}")
    there = ", ".join(dict.fromkeys(p["class"] for p in data["plans"]))
    raise DeviceError(f"export.load: the file has kernels for {there}, none for {device} ({device.name})"
                      f"{''.join(f'; {r}' for r in reasons)}; export it with device_classes=(\"cpu\", \"gpu\")")


def _spec(s, device):
    return spec(tuple(s["shape"]), tuple(s["strides"]), dtypes.BY_NAME[s["dtype"]], device)


def _tensor(given, device):
    if isinstance(given, np.ndarray):
        return from_array(given, dtypes.from_numpy_dtype(given.dtype), device)
    return given if given.device is device else given.to(device)


def _signature(x):
    return {"name": x["name"], "dtype": x["dtype"], "shape": list(x["shape"])}


def _shown(shape):
    return f"[{', '.join(map(str, shape))}]"
