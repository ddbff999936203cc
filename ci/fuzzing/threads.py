"""Eight programs at once, each in a thread and on a stream of its own, every other one without gradients.

Each is compared with PyTorch's results, computed alone.
"""

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
            for k, (program, outcomes) in enumerate(zip(programs, _together(programs), strict=True)):
                _judge(k, program, outcomes, say)


def _mode(module, k):
    return module.no_grad() if k % 2 else module.enable_grad()


def _judge(k, program, outcomes, say):
    """Report one program's mismatch; mark those that also appear without threads."""
    with _mode(torch, k), _mode(cltensor, k):
        theirs = execution.run(program, torch)
        found, comparisons = comparison.judge(program, outcomes, theirs, cltensor)
        alone = found and comparison.judge(program, execution.run(program, cltensor), theirs, cltensor)[0]
    if found and alone is None:
        say(mismatch={"seed": program.seed, "signature": f"threads: {found.kind}", "kind": found.kind, "message": found.message,
                      "snippet": program.snippet("cltensor"), "torch": program.snippet("torch"), "reads": program.reads})
    say(end=program.seed, statements=len(program.statements), comparisons=comparisons)


def _together(programs):
    outcomes = [None] * len(programs)

    def one(k):
        with cltensor.opencl.stream(cltensor.opencl.Stream()), _mode(cltensor, k):
            outcomes[k] = execution.run(programs[k], cltensor)

    running = [threading.Thread(target=one, args=(k,)) for k in range(len(programs))]
    for t in running:
        t.start()
    for t in running:
        t.join()
    return outcomes
