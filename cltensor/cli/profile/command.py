"""The command: a program is run under the profiler, then comes the report."""

import argparse
import sys

from ..parser import UsageError, command
from ..values import count, new_file


def add_to(commands):
    """Add the command."""
    made = command(commands, "profile", run, "run a program and say where its time goes and what to do about it",
                   usage="%(prog)s [OPTION ...] PROGRAM [ARGUMENT ...]",
                   epilog="Options come before the program; what follows it is the program's own.\n"
                   "Errors of the program are shown as Python shows them, and its exit status is kept.\n\n"
                   "examples:\n  cltensor profile --html page.html train.py --epochs 1\n  cltensor profile -m package.train")
    made.add_argument("--html", type=new_file, metavar="PATH", help="write a page with a timeline, the ops and memory over time")
    made.add_argument("--trace", type=new_file, metavar="PATH",
                      help="write a trace for ui.perfetto.dev; compressed if it ends in .gz")
    made.add_argument("--top", type=count, default=12, metavar="N", help="ops to list (12)")
    made.add_argument("--memory", action="store_true", help="say what takes memory on the device, too")
    made.add_argument("-m", dest="module", action="store_true", help="the program is a module's name, as for python -m")
    made.add_argument("program", help="the program: a file, or with -m a module")
    made.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")


def run(options):
    """Run the program and print the report.  Returns the program's exit status."""
    from ...profiler import machine, profile
    from .program import Program
    from .report import report

    program = Program(options.program, options.arguments, options.module)
    if not program.exists():
        raise UsageError(f"profile: there is no {'module' if options.module else 'file'} {options.program!r}")
    page = options.html is not None
    prof = profile(with_flops=True, profile_memory=options.memory or page, with_modules=page)
    with prof:
        status = program.run()
    sys.stdout.flush()
    best = machine(prof.busiest_device) if prof.summary().launches else None
    for line in report(options, prof, best):
        print(line)
    if options.html:
        prof.export_html(str(options.html), best)
    if options.trace:
        prof.export_chrome_trace(str(options.trace))
    return status
