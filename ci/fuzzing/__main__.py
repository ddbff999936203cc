"""ci/fuzz: random programs against PyTorch, threads, memory and damaged files, for as long as there is time.

    ci/fuzz --minutes 30                          both launch styles
    ci/fuzz --seed 7 --programs 500 --style gpu   the same programs in every run
    ci/fuzz --show 7:123                          print a program: its seed and number
"""

import argparse
import sys
import time

from . import files, memory
from .processes import Section, Tally

#: the parts of the time that go to programs, to threads and to files
SHARES = {"programs": 0.75, "threads": 0.1, "files": 0.15}


def main(arguments=None):
    """Run what was asked for; the exit status is 1 where anything went wrong."""
    given = _parse(arguments)
    if given.show:
        return _show(given.show)
    tally, started, extra = Tally(), time.monotonic(), {}
    styles = [given.style] if given.style else ["cpu", "gpu"]
    for style in styles:
        _programs(given, style, tally, len(styles))
    _memory(tally, styles[0])
    if given.programs is None:
        extra = _files(given, tally, styles[0])
    return _totals(tally, extra, time.monotonic() - started)


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="ci/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=None, help="how long in all (5 unless --programs is given)")
    parser.add_argument("--programs", type=int, default=None, help="how many programs in each style, whatever time they take")
    parser.add_argument("--seed", default=None, help="what the programs follow from; the time of day unless given, and printed")
    parser.add_argument("--first", type=int, default=0, help="the number of the first program")
    parser.add_argument("--style", choices=("cpu", "gpu"), help="one launch style only")
    parser.add_argument("--show", metavar="SEED:NUMBER", help="print a program and run nothing")
    given = parser.parse_args(arguments)
    given.seed = given.seed or str(int(time.time()))
    if given.minutes is None and given.programs is None:
        given.minutes = 5.0
    return given


def _programs(given, style, tally, styles):
    """The programs of one style, one after another and then eight at once."""
    print(f"== programs of seed {given.seed}, launch style {style}", flush=True)
    started, before = time.monotonic(), tally.programs
    seconds = 60 * given.minutes / styles if given.minutes else float("inf")
    for mode, share in (((), SHARES["programs"]), (("threads",), SHARES["threads"])):
        count = 1 << 30 if given.programs is None else max(8, given.programs // 20) if mode else given.programs
        Section(given.seed, style, tally, _report, mode).run(given.first, count, time.monotonic() + share * seconds)
    minutes = (time.monotonic() - started) / 60
    print(f"== {tally.programs - before} programs, {(tally.programs - before) / minutes:.0f} a minute", flush=True)


def _memory(tally, style):
    """Allocation up to a limit."""
    found = memory.check(style)
    if found and tally.add(found):
        _report(style, found)


def _files(given, tally, style):
    """Damaged files: {what: how many}."""
    counts, found = files.check(given.minutes * SHARES["files"], given.seed, style)
    if found and tally.add(found):
        _report(style, found)
    return counts


def _report(style, found):
    print(f"\n-- {found['kind']} in style {style}, program {found['seed']}: {found['signature']}\n{found['snippet']}")
    if found["torch"] and found["torch"].splitlines()[1:] != found["snippet"].splitlines()[1:]:
        print(f"# PyTorch runs\n{found['torch']}")
    print(f">> {found['message']}" + (f"\n>> {found['note']}" if "note" in found else ""), flush=True)


def _totals(tally, extra, seconds):
    print(f"\n== {seconds / 60:.1f} minutes: {tally.programs} programs, {tally.statements} statements, {tally.comparisons} "
          f"comparisons, {tally.wrong} mismatches of {len(tally.mismatches)} kinds",
          *(f"{count} {what}" for what, count in extra.items()), sep=", ")
    for signature, (found, count) in sorted(tally.mismatches.items(), key=lambda e: -e[1][1]):
        print(f"{count:6}  {signature}   {found['seed']}")
    return 1 if tally.mismatches else 0


def _show(which):
    from . import generator
    from .oracle import Oracle
    seed, number = which.rsplit(":", 1)
    print(generator.program(seed, int(number), Oracle()).snippet("cltensor"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
