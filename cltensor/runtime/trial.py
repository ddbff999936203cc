"""Testing CPU drivers before use: run each family of kernels in child processes, which may crash or hang.

A trial takes some seconds, once per driver, processor and version of cltensor.  Its compiled kernels stay in the cache.
"""

import contextlib
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..base import child, config
from ..base.errors import CLTensorError
from . import lock, pocl, verdict
from .verdict import Verdict

LIMIT = 240  # seconds a check may take, compilation included
CHILDREN = 2  # processes at a time; a compiler uses one core
FASTER = 0.9  # a driver overtakes a better-ranked one only if it needs less than this part of its time


def needed(entry):
    """Whether to test an Entry: a CPU driver, unless CLTENSOR_TRIAL is 0 or PoCL cannot write kernels to disk now."""
    return entry.kind == "cpu" and not entry.is_checker and config.trial() and not (entry.is_pocl and pocl.fault())


def of(entry):
    """The Verdict on an Entry, from the cache or a trial.  A trial that finds something wrong warns."""
    return verdict.known(entry) or _first(entry)


def _first(entry):
    """The Verdict of a trial, or of another process's if one is running it."""
    with _alone():
        found = verdict.known(entry)
        if found is None:
            _say(f"trying out {entry.title}, once; this takes some seconds")
            found = examine(entry)
            verdict.keep(entry, found)
            if found.reason:
                warnings.warn(advice(entry, found), RuntimeWarning, stacklevel=2)
    return found


@contextlib.contextmanager
def _alone():
    """Keep other processes from running a trial meanwhile, if the cache folder allows a lock."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder = config.cache_dir()
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock.held(folder / "trial.lock", patience=2 * LIMIT))
        yield


def examine(entry):
    """A fresh Verdict: run the checks in the driver's best style up to the first failure; if one fails, in the other style too.

    If no child process can be started, the driver passes.
    """
    failures = {}
    try:
        for style in entry.styles:
            failures[style] = failed(checked(entry.place, style, stop=True))
            if not failures[style]:
                break
    except (OSError, CLTensorError):
        return Verdict({entry.styles[0]: {}})
    return Verdict(failures)


def failed(results):
    """{check: error} of the failed checks."""
    return {name: r["error"] for name, r in results.items() if "error" in r}


def checked(place, style, limit=LIMIT, stop=False):
    """{check: result} of a device in a launch style; a failed check's result has "error".

    limit: seconds a check may take; stop: whether to stop after a failed check.  Raises ChildError if the checks could not
    be started, and CLTensorError if the device was not found.
    """
    names = _listed(place, style, limit)
    with ThreadPoolExecutor(CHILDREN) as pool:
        parts = pool.map(lambda i: _results(place, style, names[i::CHILDREN], limit, stop), range(CHILDREN))
        found = {name: result for part in parts for name, result in part.items()}
    return {name: found[name] for name in names if name in found}


def _listed(place, style, limit):
    [(_, found)] = child.run_each("cltensor.selftest.checks:names", [{"place": place}], limit, **_settings(style))
    if "error" in found:
        raise CLTensorError(found["error"])
    return found["names"]


def _results(place, style, names, limit, stop=False):
    items, results = [{"place": place, "check": name} for name in names], {}
    for item, result in child.run_each("cltensor.selftest.checks:run", items, limit, **_settings(style)):
        results[item["check"]] = result
        if stop and "error" in result:
            break
    return results


def _settings(style):
    return {"CLTENSOR_TRIAL": "0", "CLTENSOR_PROFILE": style or ""}


def measured(place, style, name, limit=LIMIT):
    """The result of a measurement, "launch" or "training", in a launch style."""
    try:
        return _results(place, style, [name], limit)[name]
    except CLTensorError as e:
        return {"error": str(e)}


def ordered(entries):
    """CPU Entries, best first: the working ones by their time for a training step, then the others.

    A driver overtakes one of better rank only if it is clearly faster.  If only one works, nothing is measured.
    """
    working = [e for e in entries if of(e).style]
    if len(working) > 1:
        for e in working:
            _measure(e)
    return by_verdict(entries)


def _measure(entry):
    found = of(entry)
    if found.step is None:
        _say(f"measuring {entry.title} once")
        step = measured(entry.place, config.launch_style() or found.style, "training").get("step", float("inf"))
        verdict.keep(entry, replace(found, step=step))


def by_verdict(entries):
    """Entries ordered by the verdicts known so far; those without one keep their place."""
    result = []
    for e in entries:
        place = len(result)
        while place and _overtakes(e, result[place - 1]):
            place -= 1
        result.insert(place, e)
    return result


def _overtakes(entry, other):
    one, two = verdict.known(entry), verdict.known(other)
    if one is None or two is None or not one.style:
        return False
    if not two.style:
        return True
    return one.step is not None and two.step is not None and one.step < FASTER * two.step


def advice(entry, found):
    """One line that tells the user what a Verdict with a failure means."""
    if found.style:
        return (f"{entry.title} computes wrongly in the {entry.styles[0]} launch style ({found.reason}); the {found.style} style, "
                "which is right there, is used. cltensor doctor says more")
    return (f"{entry.title} is passed over, since its kernels do not build or compute wrongly: {found.reason}. cltensor doctor "
            "says more")


def _say(text):
    print(f"cltensor: {text}", file=sys.stderr, flush=True)
