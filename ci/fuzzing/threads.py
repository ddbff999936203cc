"""Eight programs at once, each in a thread and on a stream of its own, compared with what PyTorch made of them one by one."""

import threading

import torch

import cltensor

from . import comparison, execution, generator
from .oracle import Oracle

THREADS = 8


def run(seed, first, count, say):
    """Rounds of eight programs; count is that of the programs."""
    for start in range(first, first + count, THREADS):
        programs = [generator.program(seed, n, Oracle()) for n in range(start, start + THREADS)]
        say(begin=start)
        say(program="\n\n# beside it\n".join(p.text for p in programs))
        with execution.silent():
            for program, outcomes in zip(programs, _together(programs), strict=True):
                _judge(program, outcomes, say)


def _judge(program, outcomes, say):
    """Say what one program came to; what goes wrong alone as well is not the threads' fault."""
    found, comparisons = comparison.judge(program, outcomes, execution.run(program, torch), cltensor)
    if found and comparison.compare(program, cltensor)[0] is None:
        say(mismatch={"seed": program.seed, "signature": f"threads: {found.kind}", "kind": found.kind, "message": found.message,
                      "snippet": program.snippet("cltensor"), "torch": program.snippet("torch"), "reads": program.reads})
    say(end=program.seed, statements=len(program.statements), comparisons=comparisons)


def _together(programs):
    outcomes = [None] * len(programs)

    def one(k):
        with cltensor.opencl.stream(cltensor.opencl.Stream()):
            outcomes[k] = execution.run(programs[k], cltensor)

    running = [threading.Thread(target=one, args=(k,)) for k in range(len(programs))]
    for t in running:
        t.start()
    for t in running:
        t.join()
    return outcomes
