"""The child that runs programs: it prints a line of JSON before and after each, so that its parent knows which one crashed.

    python -m fuzzing.worker SEED FIRST COUNT [threads]        programs FIRST, FIRST + 1, ... of a seed
    python -m fuzzing.worker single                            one program, pickled on stdin
"""

import faulthandler
import json
import os
import pickle
import signal
import sys

import torch

import cltensor

from . import comparison, execution, generator, shrinking, threads
from .oracle import Oracle, defined
from .program import Leaf

#: signatures of mismatches that were shrunk before, one a line: each is shrunk once
KNOWN = "FUZZ_KNOWN"
#: values written out in a literal
_MOST_VALUES = 64


def main(arguments):
    """Do what the arguments say."""
    faulthandler.register(signal.SIGUSR1)
    torch.set_num_threads(1)
    say = _speaker()
    if arguments[0] == "single":
        program = pickle.load(sys.stdin.buffer)
        found, _ = comparison.compare(program, cltensor)
        say(mismatch=_described(program, found) if found else None)
        return
    seed, first, count = arguments[0], int(arguments[1]), int(arguments[2])
    if "threads" in arguments:
        threads.run(seed, first, count, say)
    else:
        one_by_one(seed, first, count, say)


def _speaker():
    """A function that writes its keywords as a line; whatever else prints goes to stderr."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return lambda **message: print(json.dumps(message), file=out, flush=True)


def one_by_one(seed, first, count, say):
    """Programs one after another; mismatches of a kind that is not known yet are shrunk."""
    known = set(os.environ.get(KNOWN, "").split("\n"))
    for number in range(first, first + count):
        say(begin=number)
        program = generator.program(seed, number, Oracle())
        say(program=program.text)
        found, comparisons = comparison.compare(program, cltensor)
        if found:
            fresh = found.signature(program) not in known or "backward" in found.signature(program)
            described = shrunk(program, found, say) if fresh else _described(program, found)
            say(mismatch=described)
            known.add(described["signature"])
        say(end=number, statements=len(program.statements), comparisons=comparisons)


def shrunk(program, found, say=lambda **message: None):
    """A mismatch with the smallest program that shows it; prints a line at each step, so that it does not count as hung."""

    def check(smaller):
        say(trying=len(smaller.statements))
        return comparison.compare(smaller, cltensor)[0] if defined(smaller) else None

    if check(program) is None:
        return {**_described(program, found), "note": "it does not show when the program is run again"}
    small, found = shrinking.Shrinker(check, literal)(program, found)
    described = _described(small, found)
    if "backward" in described["signature"]:  # any op may have caused it
        others = sorted({s.family for s in small.statements[:found.position]} - {"leaf"})
        described["signature"] += f" of {', '.join(others)}"
    return described


def _described(program, found):
    return {"seed": program.seed, "signature": found.signature(program), "kind": found.kind, "message": found.message,
            "snippet": program.snippet("cltensor"), "torch": program.snippet("torch"), "reads": program.reads}


def literal(program, position):
    """A Leaf of the value that one statement defines, or None."""
    name = next(iter(program.statements[position].defines), None)
    seen = execution.run(program.upto(position), torch)[-1].live.get(name)
    if seen is None or seen.values.size > _MOST_VALUES or not seen.dtype.startswith(("float", "bfloat", "int", "uint", "bool")):
        return None
    if not seen.dtype[-1].isdigit() and seen.dtype != "bool":
        return None
    return Leaf(name, seen.shape, seen.dtype, tuple(seen.values.reshape(-1).tolist()), seen.requires_grad)


if __name__ == "__main__":
    main(sys.argv[1:])
