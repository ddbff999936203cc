"""The tuning database of one device: a JSON file that people can read, send and merge.

    {"format": "cltensor tuning 1",
     "device": {"platform": ..., "name": ..., "driver": ...},
     "results": {"matmul_blocked cpu float32": {"M512 N512 K512 batch1 runs=kn": {
         "values": {"MR": 6, ...}, "seconds": 0.0014, "default_seconds": 0.0016, "call": "matmul (512, 512) (512, 512)",
         "tried": 31, "finished": true, "when": "2026-11-25T04:22:05+00:00"}}},
     "denied": {"matmul_blocked cpu float32": {"MR=8 NV=3 ...": "no answer within 20 s"}}}

Of two results for one key the later one counts.  Values denied for one shape are never used or tried for any shape.
"""

import contextlib
import hashlib
import json
import os
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..base import config
from ..base.errors import SerializationError
from ..runtime import lock, trusted
from .key import Key, text

FORMAT = "cltensor tuning 1"
LARGEST = 1 << 26  # bytes of a file; one of ten thousand results has 4 MB


class Device(NamedTuple):
    """The identity of a device; a new driver makes a new device."""

    platform: str
    name: str
    driver: str

    @classmethod
    def of(cls, profile):
        """The Device with this DeviceProfile."""
        return cls(profile.platform, profile.name, profile.driver)


@dataclass
class Database:
    """device: Device;  results: {kernel: {shape: entry}};  denied: {kernel: {values as text: reason}}."""

    device: Device
    results: dict = field(default_factory=dict)
    denied: dict = field(default_factory=dict)

    def entry(self, key):
        """The entry of a Key, or None."""
        return self.results.get(key.kernel, {}).get(key.shape)

    def record(self, key, entry):
        """Store an entry (a dict, see the head of this file) for a Key."""
        self.results.setdefault(key.kernel, {})[key.shape] = entry

    def deny(self, kernel, values, reason):
        """Never use or try these values for `kernel` again."""
        self.denied.setdefault(kernel, {})[text(values)] = reason

    def is_denied(self, kernel, values):
        """Whether these values crashed, hung or were wrong before."""
        return text(values) in self.denied.get(kernel, {})

    def values(self):
        """{Key: values} of every result that is not denied."""
        return {Key(kernel, shape): entry["values"] for kernel, shapes in self.results.items()
                for shape, entry in shapes.items() if not self.is_denied(kernel, entry["values"])}

    def merge(self, other):
        """Merge another Database of the same device into this one; of two results keep the later."""
        for kernel, shapes in other.results.items():
            for shape, entry in shapes.items():
                own = self.entry(Key(kernel, shape))
                if own is None or own["when"] <= entry["when"]:
                    self.record(Key(kernel, shape), entry)
        for kernel, reasons in other.denied.items():
            self.denied.setdefault(kernel, {}).update(reasons)

    def as_json(self):
        """The file's text."""
        head = f'"format": {json.dumps(FORMAT)},\n  "device": {json.dumps(self.device._asdict())}'
        return f'{{\n  {head},\n  "results": {_nested(self.results)},\n  "denied": {_nested(self.denied)}\n}}\n'


def _nested(sections):
    """{kernel: {name: data}} as JSON with a line for each name."""
    kernels = [f"    {json.dumps(kernel)}: {{\n" + ",\n".join(
        f"      {json.dumps(name)}: {json.dumps(data)}" for name, data in sorted(inside.items())) + "\n    }"
        for kernel, inside in sorted(sections.items())]
    return "{\n" + ",\n".join(kernels) + "\n  }" if kernels else "{}"


def parse(data, origin):
    """The Database in a file's text.  Raises SerializationError when it is none; origin: the source, for the message."""
    try:
        read = json.loads(data)
        if read["format"] != FORMAT:
            raise ValueError(f"its format is {read['format']!r}, not {FORMAT!r}")
        found = Database(Device(**read["device"]), read["results"], read["denied"])
        _check(found)
        return found
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as e:
        raise SerializationError(f"{origin} is no tuning database: {_first_line(e)}; `cltensor tune` makes one, "
                                 "`cltensor tune --export` copies it") from None


def _first_line(error):
    what = str(error).partition("\n")[0]
    return f"{what} is missing" if isinstance(error, KeyError) else what


def _check(found):
    """Raise unless every part has the type it should have."""
    if not all(isinstance(part, str) for part in found.device):
        raise TypeError("its device is not given by names")
    for shapes in found.results.values():
        for shape, entry in shapes.items():
            if not (isinstance(entry["values"], dict) and isinstance(entry["when"], str)):
                raise TypeError(f"the entry {shape!r} is not one")
    for reasons in found.denied.values():
        if not all(isinstance(reason, str) for reason in reasons.values()):
            raise TypeError("its deny list is not one")


def folder():
    """The folder of the databases, beside the kernel cache."""
    return config.cache_dir() / "tuning"


def path_of(device):
    """The file of a Device (pathlib.Path); it may not exist yet."""
    words = re.sub(r"[^a-z0-9.]+", "-", " ".join((device.name, device.platform, device.driver)).lower()).strip("-.")
    return folder() / f"{words[:80]}-{hashlib.sha256(repr(tuple(device)).encode()).hexdigest()[:8]}.json"


def load(path):
    """The Database at `path`, empty if there is no file.  Moves a damaged file aside with a warning."""
    path = Path(path)
    data = trusted.load(path, LARGEST)
    if data is not None:
        try:
            return parse(data.decode(), path)
        except (UnicodeDecodeError, SerializationError) as e:
            _set_aside(path, e)
    return Database(Device("", "", ""))


def _set_aside(path, error):
    aside = path.with_name(path.name + ".damaged")
    kept = "it is ignored"
    with contextlib.suppress(OSError):
        os.replace(path, aside)
        kept = f"it was moved to {aside.name}"
    warnings.warn(f"tuning database not used: {error}; {kept}", RuntimeWarning, stacklevel=4)


def update(changes):
    """Merge a Database into its device's file, one process at a time.  Returns the path.  Raises OSError if that fails."""
    path = path_of(changes.device)
    path = trusted.folder(path.parent) / path.name
    with lock.held(path.with_suffix(".lock")):
        merged = load(path)
        merged.device = changes.device
        merged.merge(changes)
        trusted.write(path, merged.as_json().encode())
    return path
