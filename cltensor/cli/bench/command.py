"""The command: choose cases, measure them, print a table with ratios."""

import argparse
import math
import os
import statistics
from pathlib import Path

import numpy as np

import cltensor

from ...base import dtypes
from ...base.context import Recorder
from ..output import as_json, digits, duration
from ..parser import UsageError, command, count, dtype, width
from .cases import FAMILIES
from .libraries import Ours, Torch, inputs, values
from .measure import times

TOLERANCE = {"float64": 1e-9, "float32": 1e-4, "float16": 2e-2, "bfloat16": 1e-1}


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    about = "\n".join(f"  {name:<13}{family.about}" for name, family in FAMILIES.items())
    made = command(commands, "bench", run, "measure speed, alone or beside PyTorch",
                   epilog=f"families:\n{about}\n\nratio is the peer's time over ours: more is better.",
                   formatter_class=lambda prog: width(prog, argparse.RawDescriptionHelpFormatter))
    made.add_argument("families", nargs="+", metavar="FAMILY", choices=[*FAMILIES, "all"],
                      help="see below; all for every one")
    made.add_argument("--vs", choices=["torch"], help="a peer to measure in turns with us, with as many threads")
    made.add_argument("--compile", action="store_true", help="measure the actions compiled as well, on both sides; ratio is then "
                      "the better time of the peer over ours compiled, or without --vs ours eager over ours compiled")
    made.add_argument("--sizes", nargs="+", type=numbers, metavar="SIZE", help="sizes such as 512 or 64x784x512")
    made.add_argument("--dtype", type=dtype, default=dtypes.float32, metavar="D", help="default float32")
    made.add_argument("--rounds", type=count, default=11, metavar="N",
                      help="the median is taken of N batches (default 11)")
    made.add_argument("--json", metavar="FILE", help="write the results here too; - prints nothing but JSON")


def numbers(text):
    """"64x784x512" as a tuple of positive ints, as argparse's `type`."""
    return tuple(count(part) for part in text.lower().split("x"))


def run(options):
    """Measure the requested cases."""
    chosen = list(plan(options.families, options.sizes))
    ours = Ours()
    peer = Torch(ours) if options.vs else None
    quiet = options.json == "-"
    if not quiet:
        print("\n".join(heading(ours, peer, options)), flush=True)
    results = []
    for family, case, size in chosen:
        results.append(measure(family, case, size, ours, None if FAMILIES[family].alone else peer, options))
        if not quiet:
            print((compiled_row if "compiled_seconds" in results[-1] else row)(results[-1]), flush=True)
    write(options.json, {"cltensor": ours.facts, "peer": peer and {"name": peer.name, **peer.facts},
                         "rounds": options.rounds, "load": busy(), "results": results})
    return 1 if any(r.get("difference") for r in results) else 0


def plan(families, sizes):
    """(family name, case, size) of every measurement.  Raises UsageError for sizes that do not fit."""
    for name in FAMILIES if "all" in families else dict.fromkeys(families):
        for case in FAMILIES[name].cases:
            for given in sizes or case.sizes:
                size = case.size(given)
                if size is None:
                    raise UsageError(f"bench {name}: a size of {case.name!r} is N or {case.form}, not {shown(given)}")
                yield name, case, size


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
    """The measuring conditions, and the table's head."""
    f = ours.facts
    lines = [f"cltensor {f['version']} on {f['device']}: {f['name']} ({f['platform']}, driver {f['driver']}), "
             f"{f['style']} style, {f['units']} units"]
    if peer:
        lines.append(f"{peer.name} {peer.facts['version']} on {peer.facts['device']}, {peer.facts['threads']} threads")
    lines.append(f"{options.dtype.name}, medians of {options.rounds} batches{', turn by turn' if peer else ''}")
    if busy():
        lines.append(f"NOTE: other programs keep this machine busy (load {busy():.1f} on {os.cpu_count()} cores); "
                     "the figures will be off")
    if options.compile:
        return [*lines, "", compiled_head(peer)]
    head = f"{'case':<22}{'size':<15}{'cltensor':>10}{'':>14}"
    return [*lines, "", f"{head}{peer.name:>10}{'ratio':>8}" if peer else head.rstrip()]


def busy():
    """The load average of the last minute if it is high enough to disturb a measurement, else None."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    return load if load > 0.5 * (os.cpu_count() or 1) else None


def compiled_head(peer):
    """The head of the table with --compile."""
    columns = ("eager", "compiled", *([peer.name, "compiled"] if peer else []))
    return f"{'case':<21}{'size':<8}{''.join(c.rjust(11) for c in columns)}{'ratio':>6}"


def compiled_row(r):
    """A result as a line of the table with --compile."""
    columns = [r[name] for name in ("seconds", "compiled_seconds", "peer_seconds", "peer_compiled_seconds") if name in r]
    line = f"{r['case']:<21}{shown(r['size']):<8}{''.join(duration(c).rjust(11) for c in columns)}{r['ratio']:>6.2f}"
    if r["runs_eagerly"]:
        line += f"  runs eagerly: {r['runs_eagerly'][0]}"
    return line + (f"  WRONG: differs by {r['difference']:.1g}" if r["difference"] else "")


def row(r):
    """A result as a line of the table."""
    rate = ""
    if "ops" in r:
        rate = f"{digits(r['seconds'] / max(r['ops'], 1) * 1e6)} us/op"
    elif "gflops" in r:
        rate = f"{digits(r['gflops'])} GFLOP/s"
    elif "gbytes" in r:
        rate = f"{digits(r['gbytes'])} GB/s"
    line = f"{r['case']:<22}{shown(r['size']):<15}{duration(r['seconds']):>10}{rate:>14}"
    if "ratio" in r:
        line += f"{duration(r['peer_seconds']):>10}{r['ratio']:>8.2f}"
        if r["difference"]:
            line += f"  WRONG: differs by {r['difference']:.1g}"
    return line


def shown(size):
    """(64, 784, 512) as "64x784x512"; a large power of two as 2^20."""
    if len(size) == 1 and size[0] > 4096 and math.log2(size[0]).is_integer():
        return f"2^{int(math.log2(size[0]))}"
    return "x".join(map(str, size))


def write(target, data):
    """Write the results as JSON to a file, or to stdout for "-"; None writes nothing."""
    if target == "-":
        print(as_json(data))
    elif target:
        Path(target).write_text(as_json(data) + "\n", encoding="utf-8")
