"""The command: find the questions of a case's kernels, search within the time limit, store what is faster; copy databases."""

import time
from datetime import datetime, timezone
from pathlib import Path

from ...base import child, config, dtypes
from ...base.errors import CLTensorError
from ...dispatch.registry import REGISTRY
from ...runtime.device import default_device
from ...tune import database, lookup
from ...tune.key import Key
from ...tune.search import Search
from ..bench.cases import FAMILIES
from ..bench.plan import SIZES, described, left_out, numbers, plan, shown
from ..output import as_json, duration, plural, wrapped, write_file
from ..parser import UsageError, add_json, command
from ..values import dtype, new_file, seconds
from . import calls

#: the families of cltensor bench whose kernels have constants to tune
TUNABLE = [name for name, family in FAMILIES.items() if not family.fixed]
TRIAL = "cltensor.cli.tune.trial:run"
PATIENCE = 20  # seconds per candidate, including compilation
FIRST = 120  # seconds per benchmark case, which may compile many kernels


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    about = "\n".join(described(TUNABLE))
    made = command(commands, "tune", run, "measure what suits this device, and keep it for later runs",
                   usage="%(prog)s [FAMILY ...] [OPTION ...]",
                   epilog="examples:\n  cltensor tune matmul --sizes 512 64x784x512 --seconds 120\n"
                   "  cltensor tune --export mine.json\n\n"
                   f"families with constants to tune, and the forms of their sizes:\n{about}\n\n"
                   "The database is a JSON file beside the kernel cache.\nCLTENSOR_TUNE=0 ignores it.")
    made.add_argument("families", nargs="*", metavar="FAMILY", help="see below; all for every one")
    made.add_argument("--sizes", nargs="+", type=numbers, metavar="SIZE", help=SIZES)
    made.add_argument("--dtype", type=dtype, default=dtypes.float32, metavar="D", help="default float32")
    made.add_argument("--seconds", type=seconds, default=120, metavar="N",
                      help="stop after so long (default 120); a candidate under way may take some seconds more")
    made.add_argument("--again", action="store_true", help="tune anew what was tuned to the end before")
    made.add_argument("--export", type=new_file, metavar="FILE", help="write this device's database to FILE")
    made.add_argument("--import", metavar="FILE", dest="given",
                      help="merge the database in FILE, of any device; without a FAMILY nothing is tuned")
    add_json(made)


def run(options):
    """Import, tune, export: whichever is requested."""
    if not (options.families or options.export or options.given):
        raise UsageError("name a FAMILY to tune, --export or --import; see cltensor tune --help", "cltensor tune", options.json)
    check(options.families)
    facts = {}
    if options.given:
        facts["imported"] = import_from(Path(options.given), options.export)
    if options.families:
        facts.update(tune(options))
    if options.export:
        facts["exported"] = export_to(options.export)
    print(as_json(facts) if options.json else "\n".join(line for text in ending(facts) for line in wrapped(text)))
    return 0


def check(names):
    """Raise UsageError, saying what can be tuned, unless all names are of families with constants to tune."""
    for name in names:
        if name != "all" and name not in TUNABLE:
            what = "has no constants to tune" if name in FAMILIES else "is no family"
            raise UsageError(f"{name!r} {what}; these families have: {', '.join(TUNABLE)}, or all of them", "cltensor tune")


# --- copying ---------------------------------------------------------------------------------------------------------


def import_from(path, exported=None):
    """Merge the database at `path` into that of its device.

    Raises CLTensorError where it is another device's, and the same file is to be exported to: it would be lost.
    """
    found = database.parse(path.read_text(encoding="utf-8"), path)
    if exported and exported.resolve() == path.resolve() and found.device != this_device():
        raise CLTensorError(f"tune: {path} is the database of {found.device.name}, and --export would put that of "
                            f"{this_device().name} in its place; export to another file")
    kept = database.update(found)
    lookup.forget()
    return {"device": found.device._asdict(), "results": len(found.values()), "database": str(kept)}


def export_to(path):
    """Copy the default device's database to `path`.  Raises CLTensorError if there is none."""
    own = database.path_of(this_device())
    if not own.exists():
        raise CLTensorError(f"tune: there is no database of {default_device().name} yet; run cltensor tune FAMILY first")
    write_file(path, database.load(own).as_json())
    return str(path)


def this_device():
    """The default device's name in databases."""
    return database.Device.of(default_device().profile)


# --- tuning ----------------------------------------------------------------------------------------------------------


def tune(options):
    """Tune the requested cases; store each result as soon as it is found."""
    if not config.tuning():
        raise CLTensorError("tune: CLTENSOR_TUNE=0 ignores databases, so nothing would come of it; unset it")
    chosen = plan(options.families, options.sizes, "tune")
    end = time.monotonic() + options.seconds
    device = default_device()
    note = note_nothing if options.json else note_lines
    note(f"Tuning for {device.name} ({device.platform_name}, driver {device.profile.driver}), {device.profile.style} style",
         *(f"NOTE: {case!r} is left out; its sizes are {forms}"
           for case, forms in left_out(options.families, options.sizes).items()))
    questions, failed = find(chosen, options.dtype, end)
    results, known = [], database.load(database.path_of(this_device()))
    open_ones = [q for q in questions if options.again or not settled(known, q)]
    for i, (call, question) in enumerate(open_ones):
        left = end - time.monotonic()
        if left <= 0:
            break
        results.append(answer(call, question, known, time.monotonic() + left / (len(open_ones) - i)))
        note(*row(results[-1]))
    return {"device": this_device()._asdict(), "database": str(database.path_of(this_device())), "results": results,
            "known": len(questions) - len(open_ones), "left": len(open_ones) - len(results), "failed": failed}


def find(chosen, dtype, end):
    """([(call, question)], one for each key; [failed case with the reason]) of a plan's cases."""
    items = [{"family": family, "case": case.name, "size": size, "dtype": dtype.name} for family, case, size in chosen
             if family in TUNABLE]
    found, failed = {}, []
    for item, result in child.run_each("cltensor.cli.tune.calls:find", items, FIRST):
        if "error" in result:
            failed.append({**item, "error": result["error"]})
        for call in result.get("calls", ()):
            for question in call["questions"]:
                found.setdefault(Key(question["kernel"], question["shape"]), (call, question))
        if time.monotonic() > end:
            break
    return list(found.values()), failed


def settled(known, of):
    """Whether a finished search has answered the question."""
    entry = known.entry(Key(of[1]["kernel"], of[1]["shape"]))
    return entry is not None and entry.get("finished", False)


def answer(call, question, known, end):
    """Search for one key until `end`, store the result, and return it as a dict."""
    key = Key(question["kernel"], question["shape"])
    if REGISTRY[call["op"]].ref is None:
        return {**key._asdict(), "call": calls.shown(call), "error": "its op has no reference to check against"}

    before = known.entry(key)

    def measure(candidates, careful):
        items = [{"kernel": key.kernel, "shape": key.shape, "call": call, "defaults": question["defaults"], "values": values,
                  "careful": careful} for values in candidates]
        return ((item["values"], result) for item, result in child.run_each(TRIAL, items, PATIENCE))

    found = Search(question["space"], question["defaults"], measure, lambda values: known.is_denied(key.kernel, values),
                   lambda: time.monotonic() > end, before and before["values"]).run()
    store(key, call, found, known)
    return {**key._asdict(), "call": calls.shown(call), "values": found.values, "defaults": question["defaults"],
            "default_seconds": found.default_seconds, "seconds": found.seconds, "tried": found.tried,
            "denied": [{"values": v, "reason": r} for v, r in found.denied], "finished": found.finished, "error": found.error}


def store(key, call, found, known):
    """Add an Outcome to the database on disk, and to `known`."""
    news = database.Database(this_device())
    for values, reason in found.denied:
        news.deny(key.kernel, values, reason)
    if found.values:
        news.record(key, {"values": found.values, "seconds": _short(found.seconds),
                          "default_seconds": _short(found.default_seconds), "call": calls.shown(call),
                          "tried": found.tried, "finished": found.finished,
                          "when": datetime.now(timezone.utc).isoformat(timespec="seconds")})
    database.update(news)
    known.merge(news)
    lookup.forget()


def _short(number):
    return float(f"{number:.4g}")


# --- text ------------------------------------------------------------------------------------------------------------


def note_lines(*texts):
    """Print texts, wrapped."""
    print("\n".join(line for text in texts for line in wrapped(text, "    ")), flush=True)


def note_nothing(*texts):
    """Print nothing."""


def row(result):
    """A result as one or two texts."""
    head = f"{result['call']}: {result['kernel']}"
    if result["error"]:
        return [f"{head}: not tuned: {result['error']}"]
    gain = result["default_seconds"] / result["seconds"]
    changed = {n: v for n, v in result["values"].items() if v != result["defaults"][n]}
    what = f"x {gain:.2f} with " + " ".join(f"{n}={v}" for n, v in changed.items()) if changed else "the defaults are best"
    bad = f", {len(result['denied'])} denied" if result["denied"] else ""
    more = "" if result["finished"] else "; the time was over before the end"
    return [head, f"    {duration(result['default_seconds'])}: {what} ({result['tried']} tried{bad}{more})"]


def ending(facts):
    """A summary, as lines."""
    if "imported" in facts:
        got = facts["imported"]
        yield f"Imported {plural(got['results'], 'result')} for {got['device']['name']} into {got['database']}"
    if "results" in facts:
        for item in facts["failed"]:
            yield f"NOTE: {item['case']} {shown(item['size'])} failed: {item['error']}"
        if not (facts["results"] or facts["known"] or facts["left"] or facts["failed"]):
            yield "At these sizes no kernel asks for constants; there is nothing to tune"
        if facts["known"]:
            yield f"{plural(facts['known'], 'kernel')} tuned before; --again tunes them anew"
        if facts["left"]:
            yield f"The time was over before {plural(facts['left'], 'kernel')}; run it again to go on, or with more --seconds"
        yield f"{plural(len(facts['results']), 'result')} kept in {facts['database']}"
    if "exported" in facts:
        yield f"Exported to {facts['exported']}"
