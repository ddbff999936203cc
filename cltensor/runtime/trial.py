"""Trying out CPU drivers before they are used: each family of kernels, in child processes, which may crash or hang.

A trial takes some seconds, once for each driver, processor and version of cltensor; what it compiled stays in the cache.
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
CHILDREN = 2  # processes at a time; compilers use one core each
FASTER = 0.9  # of the time of the one before it in rank: what a driver must need at most to go before it


def needed(entry):
    """Whether an Entry is one to try out: a CPU driver, unless CLTENSOR_TRIAL is 0 or no kernel can be written to disk now."""
    return entry.kind == "cpu" and not entry.is_checker and config.trial() and not (entry.is_pocl and pocl.fault())


def of(entry):
    """The Verdict on an Entry, from the cache or a trial; a new one that found something wrong says so."""
    return verdict.known(entry) or _first(entry)


def _first(entry):
    """The Verdict of a trial; of another process's where one is at it."""
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
    """Keep other processes from a trial of their own meanwhile, where the cache folder allows it."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder = config.cache_dir()
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock.held(folder / "trial.lock", patience=2 * LIMIT))
        yield


def examine(entry):
    """A fresh Verdict: the checks in the style that suits it, where one fails in the other too; each up to the first that fails.

    Where no child process can be started, there is nothing to be said against the driver.
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
    """{check: error} of those that failed."""
    return {name: r["error"] for name, r in results.items() if "error" in r}


def checked(place, style, limit=LIMIT, stop=False):
    """{check: its result} of a device in a launch style; a result has "error" where the check failed.

    limit: seconds a check may take; stop: whether to leave out those that follow one that failed.  Raises ChildError where the
    checks could not be started, and CLTensorError where the device was not found.
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
    """CPU Entries, best first: those that work by the time of a training step, then those that do not.

    One goes before another of better rank only where it is clearly faster.  Nothing is measured where one alone works.
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
    """Entries in the order that the verdicts known so far give them; those without one keep their place."""
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
    """What a Verdict that found something wrong means for the user, in one line."""
    if found.style:
        return (f"{entry.title} computes wrongly in the {entry.styles[0]} launch style ({found.reason}); the {found.style} style, "
                "which is right there, is used. cltensor doctor says more")
    return (f"{entry.title} is passed over, since its kernels do not build or compute wrongly: {found.reason}. cltensor doctor "
            "says more")


def _say(text):
    print(f"cltensor: {text}", file=sys.stderr, flush=True)
