"""The command: gather the facts, judge them, print them."""

import os
import platform
import sys

from ...base import config
from ...base.errors import CLTensorError
from ...ops.registry import REGISTRY
from ...tune import database
from ...version import __version__
from .. import cache, child
from ..output import as_json
from ..parser import add_json, command, seconds
from . import probe, report, smoke, verdict

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
    """Gather, judge, print; the exit status is 0 only without problems."""
    facts = gather(options.timeout)
    facts["problems"], facts["notes"] = verdict.problems(facts), verdict.notes(facts)
    print(as_json(facts) if options.json else "\n".join(report.lines(facts)))
    return 1 if facts["problems"] else 0


def gather(limit):
    """All facts as a dict; whatever fails while they are gathered is itself one of them."""
    facts = {
        "cltensor": __version__, "python": platform.python_version(), "executable": sys.executable,
        "system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count(),
        "packages": {name: probe.version_of(name) for name in PACKAGES}, "crash": None, **NOTHING,
        "settings": {name: config.setting(name) for name in config.SETTINGS}, "cache": _cache(),
        "host_ops": sorted(op.name for op in REGISTRY.values() if op.host),
    }
    try:
        [(_, found)] = child.run_each("cltensor.cli.doctor.probe:look", [None], limit)
    except CLTensorError as e:
        found = {"error": str(e)}
    if "error" in found:
        facts["crash"] = found["error"]
    else:
        facts.update(found)
    for d in facts["devices"]:
        d["tuned"] = _tuned(d)
        d["checks"] = check(d, limit)
    return facts


def check(described, limit):
    """{check: its result} on one device, each bounded by `limit` seconds."""
    index = int(described["device"].partition(":")[2])
    items = [{"device": index, "check": name} for name in smoke.names(described["profile"])]
    results = {}
    try:
        for item, result in child.run_each("cltensor.cli.doctor.smoke:run", items, limit):
            results[item["check"]] = result
    except CLTensorError as e:
        results["start"] = {"error": str(e)}
    return results


def _tuned(described):
    """How many results the tuning database of a device holds; None when there is no database."""
    path = database.path_of(database.Device(described["platform"], described["name"], described["driver"]))
    return len(database.load(path).values()) if path.exists() else None


def _cache():
    """The cache's facts, or None when its settings make no sense (the verdict says so)."""
    try:
        return cache.describe()
    except CLTensorError:
        return None
