"""From the facts to a verdict: problems, each with the one command that cures it, and notes."""

import os
from dataclasses import dataclass

from ...base import config
from ...runtime.loader import INSTALL
from ..parser import suggestion


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and the command or step that cures it."""

    what: str
    cure: str


def problems(facts):
    """The Findings that keep something from working."""
    return _of_settings() or [*_of_devices(facts), *_of_checks(facts["devices"]), *_of_cache(facts["cache"])]


def notes(facts):
    """The Findings worth knowing that need no cure for cltensor to work."""
    found = [Finding(f"{name} is set, but there is no such setting{suggestion(name, config.SETTINGS)}", f"unset {name}")
             for name in sorted(os.environ) if name.startswith("CLTENSOR_") and name not in config.SETTINGS]
    for library, reason in facts["unloadable"].items():
        found.append(Finding(f"the loader is pointed to {library}, which does not load: {reason}",
                             "install that driver, or delete its .icd file"))
    for p in facts["search"]["platforms"]:
        if p["error"] or not p["devices"]:
            found.append(Finding(f"platform {p['name']} has no device{': ' + p['error'] if p['error'] else ''}",
                                 "none needed, unless you expect a device there"))
    return found


def _of_settings():
    found = []
    for name, read in (("CLTENSOR_PROFILE", config.launch_style), ("CLTENSOR_CACHE_LIMIT", config.cache_limit)):
        try:
            read()
        except ValueError as e:
            found.append(Finding(str(e), f"unset {name}"))
    return found


def _of_devices(facts):
    if facts["crash"]:
        return [Finding(f"looking for devices failed: {facts['crash']}",
                        "OCL_ICD_VENDORS=FILE.icd cltensor doctor, for each file of the vendor folders in turn; remove "
                        "the one that fails")]
    if facts["search"]["error"] and not facts["search"]["loader"]:
        return [Finding(" ".join(facts["search"]["error"].split()), INSTALL)]
    if not facts["devices"]:
        return [_no_device()]
    if facts["default"].get("error"):
        return [Finding(" ".join(facts["default"]["error"].split()), "unset CLTENSOR_DEVICE")]
    return []


def _no_device():
    for name in ("OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"):
        if name in os.environ:
            return Finding(f"no OpenCL device was found where {name} points: {os.environ[name]}", f"unset {name}")
    return Finding("no OpenCL device was found. For a GPU, install its vendor's driver with OpenCL support; for "
                   "the CPU, PoCL is enough", INSTALL)


def _of_checks(devices):
    found = []
    for d in devices:
        failed = {name: r["error"] for name, r in d["checks"].items() if "error" in r}
        if failed:
            name, error = next(iter(failed.items()))
            text = f"{d['device']} ({d['name']}, {d['platform']}) fails {', '.join(failed)}; {name}: {error}"
            found.append(Finding(" ".join(text.split()), _another(d, devices)))
    return found


def _another(broken, devices):
    for d in devices:
        if not any("error" in r for r in d["checks"].values()):
            return f"export CLTENSOR_DEVICE={d['device']}"
    if broken["platform"] == "Portable Computing Language":
        return "cltensor cache clear && cltensor doctor"
    return f"update the driver of {broken['platform']}, or use the CPU: {INSTALL}"


def _of_cache(cache):
    if cache is None or not cache["enabled"]:
        return []
    found = []
    if not cache["writable"]:
        found.append(Finding(f"the kernel cache {cache['folder']} cannot be written, so every run compiles its kernels",
                             "export CLTENSOR_CACHE_DIR=FOLDER, one that can be written"))
    if cache["damaged"]:
        found.append(Finding(f"{len(cache['damaged'])} of {cache['entries']} entries of the kernel cache are damaged",
                             "cltensor cache clear"))
    return found
