"""The command: gather the facts, judge them, print them."""

import os
import platform
import sys

from ...base import child, config
from ...base.errors import CLTensorError
from ...dispatch.registry import REGISTRY
from ...runtime import pocl, trial
from ...tune import database
from ...version import __version__
from .. import cache
from ..output import as_json
from ..parser import add_json, command
from ..values import seconds
from . import probe, report, verdict

PACKAGES = ("pyopencl", "numpy", "mako")
NOTHING = {"search": {"loader": None, "vendor_folders": {}, "platforms": [], "environment": {}, "error": None},
           "unloadable": {}, "devices": [], "default": {"error": None}}


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    made = command(commands, "doctor", run, "look for devices, try kernels on each, and say how to cure what is wrong",
                   epilog="exit status: 0 all is well, 1 there are problems")
    add_json(made)
    made.add_argument("--timeout", type=seconds, default=120, metavar="S",
                      help="seconds each kernel check may take, compilation included (default 120)")


def run(options):
    """Gather, judge, print; the exit status is 0 only if there are no problems."""
    facts = gather(options.timeout)
    facts["problems"], facts["notes"] = verdict.problems(facts), verdict.notes(facts)
    print(as_json(facts) if options.json else "\n".join(report.lines(facts)))
    return 1 if facts["problems"] else 0


def gather(limit):
    """All facts as a dict; a failure to gather one is itself a fact."""
    facts = {
        "cltensor": __version__, "python": platform.python_version(), "executable": sys.executable,
        "system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count(),
        "packages": {name: probe.version_of(name) for name in PACKAGES}, "crash": None, **NOTHING,
        "settings": {name: config.setting(name) for name in config.SETTINGS}, "cache": _cache(),
        "folder": _folder(),
        "host_ops": sorted(op.name for op in REGISTRY.values() if op.host),
    }
    facts.update(_look(None, limit, CLTENSOR_TRIAL="0"))
    checked = {d["place"]: check(d, limit) for d in facts["devices"]}
    if checked:
        failures = {place: {style: trial.failed(r) for style, r in styles.items()} for place, styles in checked.items()
                    if not any("start" in r for r in styles.values())}
        facts.update(_look({"failures": failures}, limit))
    for d in facts["devices"]:
        d["tuned"] = _tuned(d)
        d["checks"] = _of_style(checked[d["place"]], d["profile"]["style"])
        d["failed_styles"] = sorted(style for style, r in checked[d["place"]].items() if trial.failed(r))
    return facts


def _look(item, limit, **settings):
    """The result of probe.look in a child process, or the reason it failed."""
    try:
        [(_, found)] = child.run_each("cltensor.cli.doctor.probe:look", [item], limit, **settings)
    except CLTensorError as e:
        found = {"error": str(e)}
    return {"crash": found["error"]} if "error" in found else found


def check(described, limit):
    """{launch style: {check: its result}} of a device; each check may take `limit` seconds.

    A CPU driver that fails in its own style is also checked in the other one.
    """
    place, style = described["place"], described["profile"]["style"]
    results = {style: _checked(place, style, limit)}
    if described["kind"] == "cpu" and trial.failed(results[style]) and not config.launch_style():
        other = "gpu" if style == "cpu" else "cpu"
        results[other] = _checked(place, other, limit)
    return results


def _checked(place, style, limit):
    try:
        found = trial.checked(place, style, limit)
    except CLTensorError as e:
        return {"start": {"error": str(e)}}
    return {**found, "launch": trial.measured(place, style, "launch", limit)}


def _of_style(checked, style):
    """The results in this launch style; if it was not tried, those of the style that was."""
    return checked.get(style) or next(iter(checked.values()))


def _tuned(described):
    """The number of results in a device's tuning database; None if there is no database, or no place for one (as for _cache)."""
    try:
        path = database.path_of(database.Device(described["platform"], described["name"], described["driver"]))
    except CLTensorError:
        return None
    return len(database.load(path).values()) if path.exists() else None


def _cache():
    """The cache's facts, or None if its settings are invalid (the verdict reports that)."""
    try:
        return cache.describe()
    except CLTensorError:
        return None


def _folder():
    """Why PoCL cannot write kernels and load them, with the cure, or None; also where settings are invalid, as for _cache."""
    try:
        pocl.provide()
    except CLTensorError:
        return None
    except OSError as e:
        return f"there is no folder for its files: {e}; export TMPDIR=FOLDER, one that can be written"
    return pocl.fault()
