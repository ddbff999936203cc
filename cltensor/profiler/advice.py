"""Advice: what a profile says should be changed, each with the figures that it follows from."""

from __future__ import annotations

from dataclasses import dataclass

from .table import memory

_NOTABLE = 0.05  # of the wall clock, or of the device's time: less is not worth a change
_TINY = 20e-6  # seconds of a launch, which a launch itself costs
_MANY = 100  # launches
_GOOD = 0.5  # of what the device can do
_COPIES = ("copy", "transpose", "as_contiguous")


@dataclass(frozen=True)
class Advice:
    """A fact about a program, with figures, and what to do about it.  weight: its share of the time.

    Never raises.  Source: the rules in this module, over the figures of a Summary.

        >>> str(ct.profiler.Advice("It waits.", "Wait less.", 0.5))
        'It waits. Wait less.'
    """

    fact: str
    cure: str
    weight: float

    def __str__(self):
        return f"{self.fact} {self.cure}"


def advice(summary, machine=None):
    """A list of Advice, the weightiest first.  machine: a Machine, to tell what bounds the ops; see summary.py."""
    if not summary.wall or not summary.launches:
        return []
    found = [rule(summary) for rule in (_starved, _apart, _waiting, _loading, _compiling, _copying, _doubles, _tiny)]
    if machine is not None:
        found.append(_bound(summary, machine))
    return sorted((a for a in found if a is not None and a.weight >= _NOTABLE), key=lambda a: -a.weight)


def _percent(share):
    return f"{100 * share:.0f} %"


def _time(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} us"


def _starved(s):
    replayed = s.phases["captured"][1] > 0 or any(w.name.startswith("fused_") for w in s.works)
    cure = ("Use larger batches, so that each launch has more to do." if replayed else
            "Compile the step (cltensor.compile), which replays its launches without Python, or use larger batches.")
    return Advice(f"The device had nothing to do for {_time(s.starved)} ({_percent(s.starved / s.wall)} of the time) while the "
                  f"host ran Python, between {s.launches} launches of {_time(s.summed / max(s.launches, 1))} on average.", cure,
                  s.starved / s.wall)


def _apart(s):
    return Advice(f"The program did other things than tensors for {_time(s.apart)} ({_percent(s.apart / s.wall)} of the time), in "
                  "stretches of 20 ms or more: imports, files, drawing, work on arrays.",
                  "If that is more than it should be, a profiler of Python, such as python -m cProfile, tells what it was.",
                  s.apart / s.wall)


def _waiting(s):
    count, seconds = s.waits.get("wait for values", (0, 0.0))
    return Advice(f"The host read values {count} times (.item(), .numpy(), printing, `if tensor`) and waited {_time(seconds)} "
                  f"({_percent(seconds / s.wall)} of the time) for the device.",
                  "Read less often, for instance the loss every hundredth step, or collect tensors and read them together.",
                  min(seconds, s.idle - s.apart) / s.wall if count else 0.0)


def _loading(s):
    seconds = s.host["data"]
    return Advice(f"The program waited {_time(seconds)} ({_percent(seconds / s.wall)} of the time) for the DataLoader.",
                  "Give it workers (num_workers=2), or more of them, or do less to each sample.", seconds / s.wall)


def _compiling(s):
    count, seconds = s.compiled
    return Advice(f"Programs compiled during the run ({count} of them) took {_time(seconds)} ({_percent(seconds / s.wall)} of the "
                  "time).",
                  "They come from the disk cache in the next run; profile that, or warm up first.", seconds / s.wall)


def _share(s, works):
    return sum(w.seconds for w in works) / s.summed if s.summed else 0.0


def _weight(s, works):
    return _share(s, works) * s.busy / s.wall


def _copying(s):
    works = [w for w in s.works if w.name in _COPIES or w.name.startswith("copy device to device")]
    count, nbytes = sum(w.launches for w in works), memory(sum(w.nbytes for w in works))
    return Advice(f"Copies of layout and dtype took {_percent(_share(s, works))} of the device's time: {count} launches, {nbytes}.",
                  "Keep tensors in one layout and dtype: avoid .contiguous() and .to() in the loop, and transposes that are used "
                  "again.", _weight(s, works))


def _doubles(s):
    works = [w for w in s.works if w.float64]
    return Advice(f"float64 took {_percent(_share(s, works))} of the device's time, in {', '.join(w.name for w in works[:3])}.",
                  "If that is by accident, as with tensors made from NumPy arrays, convert with .float() where they are made.",
                  _weight(s, works))


def _tiny(s):
    works = [w for w in s.works if w.is_kernel and w.each < _TINY]
    count = sum(w.launches for w in works)
    weight = count / s.launches if s.launches >= _MANY and count >= s.launches / 2 and s.starved > _NOTABLE * s.wall else 0.0
    return Advice(f"{count} of {s.launches} launches are of ops that take less than {_time(_TINY)} on the device each: "
                  f"{', '.join(w.name for w in sorted(works, key=lambda w: -w.launches)[:3])}.",
                  "Work on larger tensors at a time, or compile, which fuses chains of such ops.", weight * s.starved / s.wall)


def _bound(s, machine):
    known = [w for w in s.works if w.is_kernel and (w.flops or w.nbytes)]
    if not known:
        return None
    of_memory = [w for w in known if machine.bound(w.flops, w.nbytes) == "memory"]
    share, total = _share(s, of_memory), _share(s, known)
    reached = machine.seconds(sum(w.flops for w in known), sum(w.nbytes for w in known)) / max(sum(w.seconds for w in known), 1e-12)
    if share > total / 2:
        cure = "Compile, which fuses such ops so that data is moved once, or use float16 or bfloat16, of half the bytes."
    else:
        cure = ("The device does what it can: what is left is fewer operations, or bfloat16 and float16 where it computes in them."
                if reached > _GOOD else
                "cltensor tune measures which tiles suit this device, and larger batches and channels fill them.")
    weight = max(share, total - share) if s.busy > s.wall / 2 else 0.0
    return Advice(f"Ops bound by memory take {_percent(share)} of the device's time, those bound by arithmetic "
                  f"{_percent(total - share)}; together they reach {_percent(reached)} of what the device can do "
                  f"({machine.bandwidth / 1e9:.1f} GB/s, {machine.flops / 1e9:.0f} GFLOP/s).", cure, weight)
