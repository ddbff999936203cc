"""Try cltensor on one OpenCL driver after the other and print a table: doctor, the demo, every op once per dtype and style, speed.

The drivers of pip run here.  Those of Debian's releases run in roots (driver_roots.py): these are made on the first run, need
root, and stay in the folder .roots.  Speed is wall time, best of a few: where other programs kept the machine busy, see `load`.
"""

import argparse
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import driver_roots
from driver_roots import RootFailure

ROOT = driver_roots.ROOT
PIP = "pip"
LLVMPIPE = (("RUSTICL_ENABLE", "llvmpipe"),)


@dataclass(frozen=True)
class Driver:
    """A driver: its name in the table, its place (pip, or a release of Debian), its CLTENSOR_DEVICE, further settings."""

    name: str
    place: str
    device: str
    settings: tuple = ()


DRIVERS = (
    Driver("pocl-wheel", PIP, "portable"),
    Driver("intel", PIP, "intel"),
    Driver("pocl-bookworm", "bookworm", "portable"),
    Driver("pocl-trixie", "trixie", "portable"),
    Driver("pocl-sid", "sid", "portable"),
    Driver("rusticl-bookworm", "bookworm", "rusticl", LLVMPIPE),
    Driver("rusticl-trixie", "trixie", "rusticl", LLVMPIPE),
    Driver("rusticl-sid", "sid", "rusticl", LLVMPIPE),
)

# The values of every op that the registry declares, without the sweeps over layouts and special values.
OPS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "tests/ops/test_generated_values.py",
       "-k", "test_elementwise or test_reduction or test_sampled")


# -- columns: each function takes a Place and gives a part of the driver's row -------------------------------------------------


def doctor(place):
    """{"doctor": the number of checks that pass on the default device}."""
    said = place.run("-m", "cltensor", "doctor", limit=900)
    passed = re.search(r"the default\b.*?(\d+\s+of\s+\d+)\s+passed", said, re.S)
    return {"doctor": " ".join(passed[1].split()) if passed else last_line(said)}


def demo(place):
    """{"demo": the share of digits it reads correctly, or the error}."""
    said = place.run("examples/digits.py", "--epochs", "5", "--output", "/tmp/digits", limit=1200)
    right = re.search(r"Test accuracy (\d+\.\d+)%", said)
    return {"demo": f"{right[1]} %" if right and "loaded again, it predicts the same" in said else last_line(said)}


def ops(place):
    """{"ops cpu", "ops gpu": how many tests of ops pass in this launch style, or how many of them fail}."""
    return {f"ops {style}": counted(place.run(*OPS, limit=3600, CLTENSOR_PROFILE=style)) for style in ("cpu", "gpu")}


def speed(place):
    """The driver's version and the launch style it gets; GFLOP/s of multiply-add and matmul 1024; ms of training steps."""
    row = {}
    for family, options in (("machine", ()), ("matmul", ("--sizes", "1024")), ("train", ())):
        said = place.run("-m", "cltensor", "bench", family, *options, "--rounds", "5", "--json", "-", limit=1200)
        start = said.find("{")
        with suppress(ValueError):
            found = json.loads(said[start:said.rfind("}") + 1])
            row |= {"version": found["cltensor"]["driver"], "style": found["cltensor"]["style"], "load": round(found["load"], 1)}
            row |= figures(found["results"])
    return row or {"speed": last_line(said)}


CHECKS = {"doctor": doctor, "demo": demo, "ops": ops, "speed": speed}
COLUMNS = ("driver", "version", "style", "doctor", "demo", "ops cpu", "ops gpu", "multiply-add", "matmul 1024", "MLP", "CNN",
           "LSTM", "GPT", "load", "date")


def figures(results):
    """{column: figure} of the rows of `cltensor bench` that the table has."""
    found = {}
    for r in results:
        case, best = r["case"], r["best"]
        if r["family"] == "machine" and case == "multiply-add":
            found["multiply-add"] = f"{r['gflops'] * r['seconds'] / best:.0f} GFLOP/s"
        elif r["family"] == "matmul" and case == "a @ b":
            found["matmul 1024"] = f"{r['gflops'] * r['seconds'] / best:.0f} GFLOP/s"
        elif r["family"] == "train" and case.split()[0].rstrip(",") in COLUMNS:
            found[case.split()[0].rstrip(",")] = f"{best * 1e3:.3g} ms"
    return found


def counted(text):
    """pytest's last line in short: "1588", or "3 of 1588 fail"."""
    counts = {what.rstrip("s"): int(n) for n, what in re.findall(r"(\d+) (passed|failed|errors?)\b", last_line(text))}
    bad, total = counts.get("failed", 0) + counts.get("error", 0), sum(counts.values())
    return f"{bad} of {total} fail" if bad else str(total) if total else last_line(text)


def last_line(text):
    return (text.strip().splitlines() or ["no answer"])[-1][:60]


# -- places ---------------------------------------------------------------------------------------------------------------------


class Place:
    """Runs this Python, or a root's, with one driver in view.  home: a folder that keeps its kernels."""

    def __init__(self, driver, folder, address=None):
        self.driver, self.home = driver, folder / "home" / driver.name
        self.home.mkdir(parents=True, exist_ok=True)
        self.root = None
        if driver.place != PIP:
            self.root = driver_roots.make(driver.place, folder, address)
            self.site = driver_roots.packages(self.root, folder)

    def command(self, arguments, settings):
        """The command line and the environment for Python with these arguments."""
        chosen = {"CLTENSOR_DEVICE": self.driver.device, **dict(self.driver.settings), **settings, "PYTHONDONTWRITEBYTECODE": "1"}
        if self.root is None:
            path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
            return [sys.executable, *arguments], {**os.environ, **chosen, "CLTENSOR_CACHE_DIR": str(self.home), "PYTHONPATH": path}
        there = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/home", "PYTHONPATH": "/site:/clone", **chosen,
                 "CLTENSOR_CACHE_DIR": f"/home/{self.driver.name}"}
        inside = ["sh", "-c", 'cd /clone && exec python3 "$@"', "sh", *arguments]
        return driver_roots.entered(self.root, inside, there, {ROOT: "/clone", self.site: "/site"}), None

    def run(self, *arguments, limit, **settings):
        """The output of Python; after `limit` seconds end it and return a line that says so."""
        command, environment = self.command(arguments, settings)
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True) as process:
            try:
                said, _ = process.communicate(timeout=limit)
            except BaseException as stop:
                os.killpg(process.pid, signal.SIGKILL)
                if not isinstance(stop, subprocess.TimeoutExpired):
                    raise
                return f"{process.communicate()[0].rstrip()}\nnot done after {limit} s"
        return said if said.strip() and process.returncode >= 0 else f"{said}\nended by signal {-process.returncode}"


def tried(driver, checks, folder, address=None):
    """The row of a driver, a dict of columns; only `failure` if its root cannot be made."""
    row = {"driver": driver.name, "date": datetime.date.today().isoformat()}
    try:
        place = Place(driver, folder, address)
    except RootFailure as failure:
        return {**row, "failure": str(failure)}
    for name in checks:
        before = time.monotonic()
        say(f"{driver.name}: {name}")
        row |= CHECKS[name](place)
        say(f"{driver.name}: {name} took {time.monotonic() - before:.0f} s")
    return row


def table(rows):
    """The rows as a table that Markdown shows as one."""
    used = [c for c in COLUMNS if any(c in row for row in rows)]
    cells = [used, *([str(row.get(c, row.get("failure", "") if c == used[-1] else "")) for c in used] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(used))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)) + " |" for line in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def merged(old, new):
    """The rows of earlier runs, replaced by new ones of the same driver; in the order of DRIVERS."""
    found = {row["driver"]: row for row in old}
    for row in new:
        found[row["driver"]] = {**found.get(row["driver"], {}), **row}
    return sorted(found.values(), key=lambda row: [d.name for d in DRIVERS].index(row["driver"]))


def say(text):
    print(f"ci/drivers: {text}", file=sys.stderr, flush=True)


def chosen(words):
    """The Drivers that words name: a name, a part of one, or a place.  Raises RootFailure for a word that names none."""
    found = {word: [d for d in DRIVERS if word in d.name or word == d.place] for word in words}
    unknown = [word for word, drivers in found.items() if not drivers]
    if unknown:
        raise RootFailure(f"no driver is called {unknown[0]!r}; there are {', '.join(d.name for d in DRIVERS)}")
    return [d for d in DRIVERS if not words or any(d in drivers for drivers in found.values())]


def parsed(arguments):
    parser = argparse.ArgumentParser(prog="ci/drivers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME",
                        help=f"{', '.join(d.name for d in DRIVERS)}, a part of a name, or {PIP}")
    parser.add_argument("--checks", nargs="+", default=list(CHECKS), choices=list(CHECKS), metavar="CHECK", help=", ".join(CHECKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here too, after each driver; those in it stay")
    parser.add_argument("--roots", type=Path, default=ROOT / ".roots", metavar="FOLDER", help="where the roots are kept (.roots)")
    parser.add_argument("--mirror", metavar="URL", help="where to get Debian from; apt's own mirror when not given")
    return parser.parse_args(arguments)


def main(arguments=None):
    given = parsed(arguments)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        drivers = chosen(given.only)
        reason = driver_roots.refusal() if any(d.place != PIP for d in drivers) else None
        if reason:
            raise RootFailure(reason)
        rows = json.loads(given.json.read_text()) if given.json and given.json.exists() else []
        for driver in drivers:
            rows = merged(rows, [tried(driver, given.checks, given.roots.absolute(), given.mirror)])
            if given.json:
                given.json.write_text(json.dumps(rows, indent=1) + "\n")
    except RootFailure as failure:
        say(failure)
        return 2
    except KeyboardInterrupt:
        say("interrupted; what was made stays, and a half-made root is made afresh")
        return 130
    print(table([row for row in rows if row["driver"] in {d.name for d in drivers}]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
