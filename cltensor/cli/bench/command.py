"""The command: choose cases, measure them, print a table with ratios."""

import os
import statistics

import numpy as np

import cltensor

from ...base import config, dtypes
from ...base.context import Recorder
from ..error_text import in_one_line
from ..output import as_json, wrapped, write_file
from ..parser import command
from ..values import count, dtype, new_file_or_output
from .cases import FAMILIES
from .libraries import Ours, Torch, inputs, values
from .measure import times
from .plan import SIZES, described, left_out, numbers, plan
from .rows import Rows

TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    about = "\n".join(described())
    made = command(commands, "bench", run, "measure speed, alone or beside PyTorch",
                   usage="%(prog)s FAMILY [FAMILY ...] [OPTION ...]",
                   epilog="examples:\n  cltensor bench matmul --sizes 512 64x784x512\n"
                   "  cltensor bench train --vs torch --compile\n\n"
                   f"families, and the forms of their sizes:\n{about}\n\nratio is the peer's time over ours: more is better.\n"
                   "exit status: 0 all is well, 1 a case failed or differs from the peer")
    made.add_argument("families", nargs="+", metavar="FAMILY", choices=[*FAMILIES, "all"],
                      help="see below; all for every one")
    made.add_argument("--vs", choices=["torch"], help="a peer to measure in turns with us, with as many threads")
    made.add_argument("--compile", action="store_true", help="measure the actions compiled as well, on both sides; ratio is then "
                      "the better time of the peer over ours compiled, or without --vs ours eager over ours compiled")
    made.add_argument("--sizes", nargs="+", type=numbers, metavar="SIZE", help=SIZES)
    made.add_argument("--dtype", type=dtype, default=dtypes.float32, metavar="D", help="default float32")
    made.add_argument("--rounds", type=count, default=11, metavar="N",
                      help="the median is taken of N batches (default 11)")
    made.add_argument("--json", type=new_file_or_output, metavar="FILE",
                      help="write the results here too, once all are there; - prints nothing but JSON; "
                      "docs/command-line.md describes them")


def run(options):
    """Measure the requested cases."""
    chosen = plan(options.families, options.sizes)
    ours = Ours()
    peer = Torch(ours) if options.vs else None
    quiet = options.json == "-"
    rows = Rows(chosen, peer and peer.name, options.compile)
    say = _nothing if quiet else _say
    say([*heading(ours, peer, options), "", *rows.table.head()])
    results = []
    for family, case, size in chosen:
        results.append(attempted(family, case, size, ours, None if FAMILIES[family].alone else peer, options))
        say(rows.row(results[-1]))
    write(options.json, {"cltensor": ours.facts, "peer": peer and {"name": peer.name, **peer.facts},
                         "rounds": options.rounds, "load": busy(), "left_out": left_out(options.families, options.sizes),
                         "results": results})
    return 1 if any(r.get("difference") or "error" in r for r in results) else 0


def _say(lines):
    print("\n".join(lines), flush=True)


def _nothing(lines):
    pass


def attempted(family, case, size, ours, peer, options):
    """The row of measure(), or one with the error that a case ended with; the others are measured all the same."""
    try:
        return measure(family, case, size, ours, peer, options)
    except Exception as e:
        if config.debug():
            raise
        return {"family": family, "case": case.name, "size": list(size), "dtype": options.dtype.name, "error": in_one_line(e)}


def measure(family, case, size, ours, peer, options):
    """One row of the results, as a dict; times are in seconds."""
    arrays = inputs(case.inputs(*size), options.dtype, np.random.default_rng(0))
    sides = [ours, peer] if peer else [ours]
    actions = [prepared(case, side, arrays, options.dtype) for side in sides]
    found = {"family": family, "case": case.name, "size": list(size), "dtype": options.dtype.name}
    if peer:
        found["difference"] = None if case.draws else difference(*(action() for action in actions), options.dtype)
    enqueue, compile = FAMILIES[family].enqueue, options.compile and not FAMILIES[family].alone
    if compile:
        compiled = [side.compiled(prepared(case, side, arrays, options.dtype)) for side in sides]
        eager = prepared(case, ours, arrays, options.dtype)  # not called yet: an action may go on where its last call ended
        found["difference"] = found.get("difference") or difference(*map(seeded, (compiled[0], eager)), options.dtype)
        ours.settled(compiled[0])
        sides, actions = sides * 2, actions + compiled
    seen = times([(a, s.wait) for a, s in zip(actions, sides, strict=True)], options.rounds, enqueue)
    found.update(seconds=statistics.median(seen[0]), best=min(seen[0]))
    if compile:
        return {**found, **beside_compiled(compiled[0], [statistics.median(s) for s in seen])}
    if enqueue:
        found["ops"] = ops_in(actions[0])
    if peer:
        found.update(peer_seconds=statistics.median(seen[1]), peer_best=min(seen[1]))
        found["ratio"] = found["peer_seconds"] / found["seconds"]
    return {**found, **rates(case, size, options.dtype, found["seconds"])}


def prepared(case, side, arrays, dtype):
    """A case's action on one side, with the same random parameters each time."""
    side.xp.manual_seed(0)
    return case.setup(side.xp, *(side.tensor(a, dtype) for a in arrays))


def seeded(action):
    """The result of one of our actions with the same random numbers each time."""
    cltensor.manual_seed(0)
    return action()


def beside_compiled(compiled, medians):
    """What --compile adds to a row.  medians: seconds of ours and the peer's eager actions, then of those compiled."""
    eager, fast = medians[: len(medians) // 2], medians[len(medians) // 2:]
    peers = {} if len(eager) < 2 else {"peer_seconds": eager[1], "peer_compiled_seconds": fast[1]}
    told = compiled.explain()
    counts = {name: getattr(told, name) for name in ("launches", "launches_before", "bytes_moved", "bytes_moved_before", "flops")}
    return {"compiled_seconds": fast[0], **peers, "ratio": min(peers.values(), default=eager[0]) / fast[0], "explained": counts,
            "runs_eagerly": list(told.reasons)}


def difference(found, expected, dtype):
    """The largest difference relative to the largest value; None within the dtype's tolerance, or without results."""
    if found is None:
        return None
    found, expected = values(found), values(expected)
    error = float(np.max(np.abs(found - expected)) / max(np.max(np.abs(expected)), 1e-30))
    return None if error <= TOLERANCE.get(dtype.name, 0) else error


def rates(case, size, dtype, seconds):
    """{"gflops": ...} or {"gbytes": ...} per second, if the case states what an action needs."""
    if case.flops:
        return {"gflops": case.flops(*size) / seconds / 1e9}
    if case.nbytes:
        return {"gbytes": case.nbytes(dtype.itemsize, *size) / seconds / 1e9}
    return {}


class _Counter(Recorder):
    """A recorder that counts ops."""

    def __init__(self):
        self.ops = 0

    def op(self, *_):
        self.ops += 1


def ops_in(action):
    """The number of ops in one action, including its backward pass."""
    with _Counter() as counter:
        action()
    return counter.ops


def heading(ours, peer, options):
    """The measuring conditions."""
    f = ours.facts
    lines = wrapped(f"cltensor {f['version']} on {f['device']}: {f['name']} ({f['platform']}, driver {f['driver']}), "
                    f"{f['style']} style, {f['units']} units")
    if peer:
        lines += wrapped(f"{peer.name} {peer.facts['version']} on {peer.facts['device']}, {peer.facts['threads']} threads")
    lines += wrapped(f"{options.dtype.name}, medians of {options.rounds} batches{', turn by turn' if peer else ''}")
    if busy():
        lines += wrapped(f"NOTE: other programs keep this machine busy (load {busy():.1f} on {os.cpu_count()} cores); "
                         "the figures will be off")
    for case, forms in left_out(options.families, options.sizes).items():
        lines += wrapped(f"NOTE: {case!r} is left out; its sizes are {forms}")
    return lines


def busy():
    """The load average of the last minute if it is high enough to disturb a measurement, else None."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    return load if load > 0.5 * (os.cpu_count() or 1) else None


def write(target, data):
    """Write the results as JSON to a file, or to stdout for "-"; None writes nothing."""
    if target == "-":
        print(as_json(data))
    elif target:
        write_file(target, as_json(data) + "\n")
