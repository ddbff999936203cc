"""load, info, check: exported programs read from files."""

from __future__ import annotations

from os import PathLike
from typing import IO, Any

import numpy as np

from ..base import dtypes
from ..base.errors import BuildError, DeviceError, OutOfMemoryError, SerializationError
from ..dispatch.storage import Storage
from ..io import source
from ..runtime.device import device as Device
from ..runtime.memory import readable
from ..tensor.core.values import pick_device
from .checking import Checked
from .container import VERSION, bytes_of, read
from .program import Program, chosen, runnable
from .steps import launches


def load(f: str | PathLike[str] | IO[bytes], device: Device | str | None = None, *, device_class: str | None = None,
         max_bytes: int | None = None) -> Program:
    """A Program that `save` wrote, ready to be called.  Nothing of the file runs but its OpenCL kernels.

    f: a path, or a binary file open for reading.  device: where it runs, by default the default device.  device_class: "cpu" or
    "gpu", by default the device's own launch style if the file has it, else the other one.  max_bytes: of memory that the program
    may take, its tensors included, by default all of the device's.
    Tensors of the file keep their shapes and dtypes. Kernels are compiled at the first call, or found in the cache. Run programs
    from people that you would run a library from: a kernel may read and write whatever its driver lets it.
    Raises SerializationError for a file that is cut short, changed, newer or no program, DeviceError where it has no kernels for
    the device, OutOfMemoryError for more memory than allowed, OSError where it cannot be opened.
    Source: docs/program-format.md.

        program = ct.export.load("model.ctp")
        scores = program(x)
    """
    where = pick_device(device)
    with source.opened(f) as given, _telling(given.name, "load"):
        data, entries, start = _read(given)
        plans = chosen(data, where, device_class)
        limit = where.profile.global_memory if max_bytes is None else max_bytes
        wanted = sum(m["bytes"] for m in data["memories"])
        if wanted > limit:
            raise OutOfMemoryError(f"export.load: the program's tensors take {readable(wanted)} of memory, allowed are "
                                   f"{readable(limit)}; allow more with max_bytes=")
        held = [entries[m["tensor"]] for m in data["memories"]]
        memories = [_stored(bytes_of(given, start, e), e.dtype, where) for e in held]
        names = {b["tensor"] for p in plans for b in p["buffers"] if "tensor" in b}
        constants = {name: bytes_of(given, start, entries[name]) for name in names}
    program = Program(data, plans, where, memories, constants, limit)
    if not data["dimensions"]:
        with _telling(given.name, "load"):
            program._instance({})
    return program


def info(f: str | PathLike[str] | IO[bytes]) -> dict[str, Any]:
    """What a file of `save` holds, as plain data; no device is needed.

    The dict has "name", "version", "made_by", "inputs", "outputs", "dimensions", "state" (name, dtype, shape and kind of each
    tensor), "numbers", "classes" (a list with class, needs, launches and bytes of temporary memory of each plan), "kernels",
    "bytes".

    Raises SerializationError for a file that is cut short, changed, newer or no program, OSError where it cannot be opened.
    Source: docs/program-format.md.

        ct.export.info("model.ctp")["inputs"]
    """
    with source.opened(f) as given, _telling(given.name, "info"):
        data, _, _ = _read(given)
        size = given.size
    shown = {key: [{k: x[k] for k in ("name", "dtype", "shape")} for x in data[key]] for key in ("inputs", "outputs")}
    return {"name": data.get("name", ""), "version": VERSION, "made_by": str(data.get("made_by", "")), **shown,
            "dimensions": [{k: d[k] for k in ("name", "min", "max")} for d in data["dimensions"]],
            "state": [{k: s[k] for k in ("name", "dtype", "shape", "kind", "written")} for s in data["state"]],
            "numbers": {n["path"]: n["value"] for n in data["numbers"]},
            "classes": [_plan_facts(p) for p in data["plans"]], "kernels": len(data["sources"]), "bytes": size}


def check(f: str | PathLike[str] | IO[bytes], device: Device | str | None = None) -> dict[str, Any]:
    """Read a file whole, and build its kernels for a device.

    Returns {"classes": {class: "runs" or the reason why not}, "kernels": how many were built}: a class may need float64, half
    precision, or work-groups of a size that the device has not.  device: by default the default device.
    Raises SerializationError for a file that is cut short, changed, newer or no program, BuildError for a kernel that does not
    compile, DeviceError where no class runs on the device, OSError where it cannot be opened.
    Source: docs/program-format.md.

        ct.export.check("model.ctp")
    """
    where = pick_device(device)
    with source.opened(f) as given, _telling(given.name, "check"):
        data, _, _ = _read(given)
        classes, built = {}, set()
        for plan in data["plans"]:
            why = runnable(plan, where)
            classes[plan["class"]] = f"does not run here: {why}" if why else "runs"
            if why is None:
                built |= _built(data, plan, where)
    if "runs" not in classes.values():
        chosen(data, where, None)
    return {"classes": classes, "kernels": len(built)}


def _read(given):
    data, entries, start = read(given)
    Checked(data, entries)
    return data, entries, start


class _telling:
    """Errors of a file with its name, in a call."""

    def __init__(self, name, call):
        self.name, self.call = name, f"export.{call}: "

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, SerializationError):
            raise type(error)(f"{self.call}{self.name}: {str(error).removeprefix(self.call)}") from error.__cause__
        if isinstance(error, MemoryError):
            raise SerializationError(f"{self.call}{self.name}: it takes more memory than there is") from None
        return False


def _stored(raw, dtype, device):
    """A Storage with a tensor's bytes."""
    if dtype is dtypes.bool_:
        raw = (raw != 0).astype(np.uint8)
    storage = Storage(device, raw.nbytes)
    if raw.nbytes:
        device.write(storage.buffer, 0, raw)
    return storage


def _built(data, plan, device):
    found = set()
    for step in launches([*plan["once"], *plan["steps"]]):
        key = step["source"], step["kernel"]
        if key not in found:
            try:
                device.kernel(data["sources"][step["source"]], step["kernel"])
            except DeviceError as error:
                raise BuildError(str(error)) from None
            found.add(key)
    return found


def _plan_facts(plan):
    kinds = [b["kind"] for b in plan["buffers"]]
    sizes = [b["bytes"] for b in plan["buffers"] if b["kind"] == "temporary"]
    return {"class": plan["class"], **({"where": plan["where"]} if "where" in plan else {}), "needs": plan["needs"],
            "launches": sum(1 for _ in launches(plan["steps"])), "once": sum(1 for _ in launches(plan["once"])),
            "temporary": sum(sizes) if all(type(n) is int for n in sizes) else sizes, "buffers": len(kinds)}
