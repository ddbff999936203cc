"""How much of PyTorch's operator database passes.

    python -m tests.parity.report                      run everything, print counts by family
    python -m tests.parity.report NAME [NAME...]       run entries (globs: 'linalg.*'), show everything that differs
    options: --list FILE     one line an entry: status, name, first failure
             --rewrite       write unsupported.json anew, keeping reasons that were written by hand
             --jobs N        processes (2)
"""

import argparse
import collections
import multiprocessing
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from . import database, listed, runner

SECONDS = 300  # an entry that takes longer is stopped


def _stopped(*_):
    raise TimeoutError(f"took longer than {SECONDS} s")


def _run(name, most):
    signal.signal(signal.SIGALRM, _stopped)
    signal.alarm(SECONDS)
    began = time.perf_counter()
    try:
        report = runner.run(name, most)
    except Exception as error:
        report = runner.Report(name, [runner.Failure("harness", f"{type(error).__name__}: {error}")])
    finally:
        signal.alarm(0)
    return report, time.perf_counter() - began


def _pool(jobs):
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))


def run_all(names, jobs, most=1):
    """Yield (Report, seconds) of every entry; one whose kernels kill the process is a failure."""
    rest = list(names)
    while rest:
        with _pool(jobs) as pool:
            futures = [(n, pool.submit(_run, n, most)) for n in rest]
            done = 0
            try:
                for _, future in futures:
                    yield future.result()
                    done += 1
            except BrokenProcessPool:
                pass
        rest = rest[done:]
        if rest:
            yield _alone(rest.pop(0), most)


def _alone(name, most):
    with _pool(1) as pool:
        try:
            return pool.submit(_run, name, most).result()
        except BrokenProcessPool:
            return runner.Report(name, [runner.Failure("harness", "the process died")]), 0.0


def show(report):
    """Print everything about one entry."""
    print(f"{report.status:8}{report.name} ({report.calls} calls) {report.missing}")
    for f in report.failures:
        print(f"  {f.where}: {f.message}")
        print("    " + f.detail.replace("\n", "\n    "))


def summarise(reports):
    """Print counts by family and in all."""
    counts = collections.defaultdict(collections.Counter)
    for r in reports:
        counts[database.family(r.name)][r.status] += 1
        counts["all"][r.status] += 1
    print(f"{'family':16}{'pass':>6}{'fail':>6}{'missing':>9}{'of':>6}")
    for name in sorted(counts, key=lambda n: (n == "all", n)):
        c = counts[name]
        print(f"{name:16}{c['pass']:6}{c['fail']:6}{c['missing']:9}{sum(c.values()):6}")


def rewrite(reports):
    """Write unsupported.json from what was found; reasons of entries that are still listed stay."""
    before, found = listed.read(), {}
    ran = {r.name: r for r in reports}
    for name in database.entries():
        report = ran.get(name)
        if report is None and name in before:
            found[name] = before[name]
        elif report is not None and report.status != "pass":
            found[name] = _reason(before.get(name), report)
    listed.write(found)


def _reason(before, report):
    if before and not before.startswith(("differs: ", "no such function")):
        return before
    return f"no such function: {report.missing}" if report.missing else f"differs: {report.reason[:200]}"


def main():
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity.report", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--list")
    parser.add_argument("--rewrite", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--failures", type=int, default=5, help="how many failures of an entry to show")
    options = parser.parse_args()
    names = database.matching(options.names) if options.names else list(database.entries())
    if not names:
        parser.error(f"no entry matches {' '.join(options.names)}")
    began, reports, times = time.perf_counter(), [], []
    listing = open(options.list, "w", buffering=1) if options.list else None  # noqa: SIM115
    few = len(names) <= 4
    runs = (_run(n, options.failures) for n in names) if few else run_all(names, options.jobs, options.failures)
    for report, seconds in runs:
        reports.append(report)
        times.append((seconds, report.name))
        if options.names:
            show(report)
        if listing:
            listing.write(f"{report.status:8}{report.name}  {report.reason}\n")
    if options.rewrite:
        rewrite(reports)
    summarise(reports)
    print(f"{time.perf_counter() - began:.0f} s; slowest: " + ", ".join(f"{n} {s:.0f} s" for s, n in sorted(times)[-5:]))


if __name__ == "__main__":
    main()
