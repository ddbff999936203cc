"""The facts that need OpenCL, gathered in a child process, as a driver may crash while it is listed."""

import dataclasses
from importlib import metadata
from pathlib import Path

from ...base import config
from ...base.errors import CLTensorError, DeviceError
from ...runtime import device, platforms, search, trial, verdict


def look(item):
    """All facts at once; item: {"failures": {place: a Verdict's failures}} of devices already checked, else None.

    Returns a dict: search (see describe_search), unloadable ({library: reason} of the vendor folders), devices (a list
    of name, kind, platform, driver, version, profile), default ({device, reason} or {error}).
    """
    found = {"search": search.describe_search(), "unloadable": {}, "devices": [], "default": {"error": None}}
    if found["search"]["loader"] is None:
        return found
    for folder, files in found["search"]["vendor_folders"].items():
        found["unloadable"].update(search.unloadable(Path(folder), files or {}))
    try:
        if item:
            _keep(item["failures"])
        found["devices"] = [describe(i) for i in range(len(platforms.entries()))]
        found["default"] = default()
    except CLTensorError as e:
        found["default"] = {"error": str(e)}
    return found


def _keep(failures):
    """Store the checks' verdicts on CPU drivers, as a trial would; a forced launch style gives no verdict."""
    if config.launch_style():
        return
    for entry in platforms.every_entry():
        if entry.place in failures and trial.needed(entry):
            known = verdict.known(entry)
            verdict.keep(entry, verdict.Verdict(failures[entry.place], known and known.step))


def describe(index):
    """The facts of one device."""
    d = device.get(index)
    naming = d.entry.naming
    facts = {"device": str(d), "place": d.entry.place, "naming": naming and dataclasses.asdict(naming), "name": d.name,
             "kind": d.entry.kind, "platform": d.platform_name,
             "driver": d.entry.driver, "version": d.entry.version}
    profile = dataclasses.asdict(d.profile)
    profile["quirks"] = sorted(profile["quirks"])
    return dict(facts, profile=profile)


def default():
    """{"device": name, "reason": why}, or {"error": text}."""
    try:
        chosen = device.default_device()
    except DeviceError as e:
        return {"error": str(e)}
    asked = config.setting("CLTENSOR_DEVICE")
    if asked:
        return {"device": str(chosen), "reason": f"CLTENSOR_DEVICE is {asked!r}"}
    return {"device": str(chosen), "reason": _rule(chosen.entry, platforms.entries())}


def _rule(chosen, entries):
    if len(entries) == 1:
        return "the only device"
    alike = sum(e.kind == chosen.kind for e in entries)
    if chosen.kind == "cpu":
        return "no GPU was found" + ("; the first of the CPU drivers" if alike > 1 else "")
    return f"the most capable {chosen.kind.upper() if chosen.kind == 'gpu' else chosen.kind}" if alike > 1 else \
        f"the only {chosen.kind.upper() if chosen.kind == 'gpu' else chosen.kind}"


def version_of(package):
    """A package's version, or None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
