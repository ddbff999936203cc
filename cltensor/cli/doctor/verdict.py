"""Turn the facts into a verdict: problems, each with the one command that fixes it, and notes."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from ...base import config
from ...runtime import cure
from ..parser import suggestion


@dataclass(frozen=True)
class Finding:
    """A problem, and the command or step that fixes it."""

    what: str
    cure: str


def problems(facts):
    """The Findings that prevent something from working."""
    return _of_settings() or [*_of_devices(facts), *_of_checks(facts), *_of_folder(facts), *_of_cache(facts["cache"])]


def notes(facts):
    """The Findings worth knowing that cltensor can work with."""
    found = [Finding(f"{name} is set, but there is no such setting{suggestion(name, config.SETTINGS)}", f"unset {name}")
             for name in sorted(os.environ) if name.startswith("CLTENSOR_") and name not in config.SETTINGS]
    for library, reason in facts["unloadable"].items():
        found.append(Finding(f"the loader is pointed to {library}, which does not load: {reason}", _without(library, facts)))
    for p in facts["search"]["platforms"]:
        if p["error"] or not p["devices"]:
            found.append(Finding(f"platform {p['name']} has no device{': ' + p['error'] if p['error'] else ''}",
                                 "none needed, unless you expect a device there"))
    return [*found, *_notes_of_checks(facts)]


def _without(library, facts):
    """The fix for a vendor's file that names a library which does not load."""
    chosen = _chosen_vendors()
    if chosen:
        return f"unset {chosen}"
    files = [shlex.quote(str(Path(folder, name))) for folder, known in facts["search"]["vendor_folders"].items()
             for name, named in (known or {}).items() if named == library]
    return f"rm {' '.join(files)}, or install that driver"


def _chosen_vendors():
    """The variable of the environment that points the loader elsewhere, or None."""
    return next((name for name in ("OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH") if name in os.environ), None)


def _of_settings():
    found = []
    for name, read in (("CLTENSOR_PROFILE", config.launch_style), ("CLTENSOR_CACHE_LIMIT", config.cache_limit),
                       ("CLTENSOR_CACHE_DIR", config.cache_dir)):
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
        return [Finding(" ".join(facts["search"]["error"].split()), cure.pyopencl())]
    if not facts["devices"]:
        return [_no_device(facts)]
    error = " ".join(facts["default"].get("error", "").split())
    if not error:
        return []
    if config.setting("CLTENSOR_DEVICE"):
        return [Finding(error, "unset CLTENSOR_DEVICE")]
    # failed checks report their own cause
    return [] if any(map(_fails, facts["devices"])) else [Finding(error, cure.cpu_driver(_platforms(facts)))]


def _no_device(facts):
    name = _chosen_vendors()
    if name:
        return Finding(f"no OpenCL device was found where {name} points: {os.environ[name]}", f"unset {name}")
    return Finding("no OpenCL device was found. For a GPU, install its vendor's driver with OpenCL support; for "
                   "the CPU, PoCL is enough", cure.cpu_driver(_platforms(facts)))


def _of_checks(facts):
    """Devices that fail, unless another one is the default instead."""
    return [Finding(_failing(d), _instead_of(d, facts)) for d in facts["devices"] if _fails(d) and not _passed_over(d, facts)]


def _notes_of_checks(facts):
    """Consequences of the checks: drivers skipped, and launch styles avoided."""
    found = [Finding(f"{_failing(d)}; it is passed over", "none needed, unless you want that driver: then update it")
             for d in facts["devices"] if _passed_over(d, facts)]
    for d in facts["devices"]:
        if d.get("failed_styles") and not _fails(d):
            text = (f"{d['device']} ({d['name']}, {d['platform']}) computes wrongly in the {d['failed_styles'][0]} launch style; "
                    f"the {d['profile']['style']} style is used there")
            found.append(Finding(text, "none needed; a newer driver may be faster"))
    return found


def _fails(d):
    return any("error" in r for r in d["checks"].values())


def _passed_over(d, facts):
    """Whether a device fails and another one, which passes, is the default."""
    default = facts["default"].get("device")
    return _fails(d) and any(o["device"] == default and not _fails(o) for o in facts["devices"])


def _failing(d):
    failed = {name: r["error"] for name, r in d["checks"].items() if "error" in r}
    name, error = next(iter(failed.items()))
    text = f"{d['device']} ({d['name']}, {d['platform']}) fails {', '.join(failed)}; {name}: {error}"
    return " ".join(text.split())


def _instead_of(broken, facts):
    """The fix for a device that fails: another that passes, or another driver."""
    for d in facts["devices"]:
        if not _fails(d):
            return f"export CLTENSOR_DEVICE={d['device']}"
    if broken["platform"] == cure.POCL and config.setting("CLTENSOR_POCL_CPU") not in (None, "0"):
        return "unset CLTENSOR_POCL_CPU"  # its compiler was given another processor's name
    if config.launch_style():
        return "unset CLTENSOR_PROFILE"  # the other launch style may compute right, and is tried out then
    if broken["kind"] == "cpu":
        return cure.cpu_driver(_platforms(facts))
    return f"update the driver of {broken['platform']}, or use the CPU: {cure.cpu_driver(_platforms(facts))}"


def _platforms(facts):
    return {p["name"] for p in facts["search"]["platforms"]}


def _of_folder(facts):
    what, _, cure = (facts.get("folder") or "").rpartition("; ")
    return [Finding(f"PoCL cannot write kernels and load them: {what}", cure)] if what else []


def _of_cache(cache):
    if cache is None or not cache["enabled"]:
        return []
    found = []
    if cache.get("refused"):
        found.append(Finding(f"the kernel cache is not used: {cache['refused']}", _closing(cache["refused"])))
    if not cache["writable"]:
        found.append(Finding(f"the kernel cache {cache['folder']} cannot be written, so every run compiles its kernels",
                             "export CLTENSOR_CACHE_DIR=FOLDER, one that can be written"))
    if cache["damaged"]:
        found.append(Finding(f"{len(cache['damaged'])} of {cache['entries']} entries of the kernel cache are damaged",
                             "cltensor cache clear"))
    return found


def _closing(refusal):
    """The command that fixes a refusal: the one it names, or another folder."""
    _, named, command = refusal.partition("`")
    return command.rstrip("`") if named else "export CLTENSOR_CACHE_DIR=FOLDER, one of your own"
