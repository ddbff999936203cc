"""Lowering: a captured graph as a plan of the file, for the profile of a device class."""

import math
import re
from dataclasses import asdict

from ..dispatch import faults
from ..graph.passes import optimized
from ..graph.replay import Replay
from .items import Assigned, Chosen, Itemizing, Ref
from .retarget import Retargeting
from .steady_items import lasting, written
from .steps import launches
from .target import Place, target

_SHOWN = ("name", "platform", "style", "compute_units", "vector_width", "local_memory", "work_group")


class Lowering:
    """Makes one plan.

    graph: as captured; actions: its Actions; blocks: [those of inputs, the storages of memories, those of outputs], which every
    plan of the program has in this order; numbers: HostNumbers.  sources: {text: number}, which grows.  tensors: {name: bytes} of
    the file, which grows.
    """

    def __init__(self, graph, actions, blocks, numbers, sources, tensors):
        self.graph, self.actions, self.blocks, self.numbers = graph, actions, blocks, numbers
        self.sources, self.tensors = sources, tensors

    def plan(self, name, profile):
        """The plan of a device class for a profile; temporary buffers share no memory yet, see arena.py."""
        device = target(profile)
        moved = Retargeting(device)
        graph = optimized(moved.graph(self.graph))
        _, memories, _ = self.blocks
        replay = Replay(graph, self.actions, device, members=set(memories), shares=False)
        items, once = Itemizing(self.numbers.number_of, self.numbers.steps_of).items(replay)
        self._number(moved, replay, device, items, once)
        steps = [s for item in items for s in self._steps(item)]
        prepared = [s for item in self.once for s in self._steps(item)]
        return {"class": name, "needs": self._needs(profile, [*steps, *prepared]),
                "profile": {k: v for k, v in asdict(profile).items() if k in _SHOWN},
                "buffers": self.buffers, "once": prepared, "steps": steps}

    # --- buffers -----------------------------------------------------------------------------------------------------------

    def _number(self, moved, replay, device, items, once):
        """Give every place a number, and each buffer its entry."""
        inputs, memories, outputs = self.blocks
        self.buffers, self.at = [], {}
        for i, block in enumerate(inputs):
            self._add({"kind": "input", "input": i}, moved.block(block))
        for m, storage in enumerate(memories):
            self._add({"kind": "memory", "memory": m}, storage.buffer)
        for block in outputs:
            self._add({"kind": "output", "bytes": block.nbytes}, moved.block(block))
        self._add({"kind": "notes"}, faults.buffer(device))
        changed = {id(p) for item in (*items, *once) for p in written(item)}
        lasts = {s.buffer for s in memories if id(s.buffer) not in changed}
        places = _places([*once, *items])
        lasts |= {p for p in places if isinstance(p, Place) and p.data is not None and id(p) not in changed}
        for item in once:
            lasts.update(p for p in item.writes if isinstance(p, Place))
        steady, rest = lasting(items, lasts)
        self.once, items[:] = [*once, *steady], rest
        kept = {p for item in self.once for p in item.writes}
        kept &= _places(items)
        for place in places:
            if id(place) in self.at or not isinstance(place, Place):
                continue
            if place.data is not None:
                self._constant(place, id(place) in changed)
            elif place in kept:
                self._add({"kind": "kept", "bytes": place.nbytes}, place)
        for place in _places([*self.once, *items]):
            if isinstance(place, Place) and id(place) not in self.at:
                self._add({"kind": "temporary", "bytes": place.nbytes}, place)

    def _constant(self, place, written):
        data = place.data.tobytes()
        name = self.tensors.setdefault(data, f"constant.{len(self.tensors)}")
        self._add({"kind": "kept", "tensor": name} if written else {"kind": "constant", "tensor": name}, place)

    def _add(self, entry, place):
        self.at[id(place)] = len(self.buffers)
        self.buffers.append(entry)

    # --- steps -------------------------------------------------------------------------------------------------------------

    def _steps(self, item):
        if isinstance(item, Assigned):
            return item.steps
        if isinstance(item, Chosen):
            parts = [[s for inner in part for s in self._steps(inner)] for part in item.parts]
            names = ("while", "test", "do") if item.loops else ("if", "then", "else")
            return [dict(zip(names, ([self.at[id(item.place)], item.byte], *parts), strict=True))]
        step = {"kernel": item.kernel, "source": self.sources.setdefault(item.source, len(self.sources)), "op": item.op,
                "global": list(item.grid), "local": list(item.local),
                "arguments": [[self.at[id(p.place)] if isinstance(p, Ref) else p for p in a] for a in item.arguments]}
        return [step if item.notes is None else {**step, "notes": item.notes}]

    def _needs(self, profile, steps):
        texts = list(self.sources)
        found = list(launches(steps))
        used = "\n".join(texts[k] for k in sorted({s["source"] for s in found}))
        return {"fp64": bool(re.search(r"\bdouble\d*\b", used)), "fp16": "cl_khr_fp16" in used,
                "int64_atomics": "cl_khr_int64" in used, "local_memory": profile.local_memory if "__local" in used else 0,
                "work_group": max([1, *(math.prod(s["local"]) for s in found)])}


def _places(items):
    """The places of items, in order."""
    found = {}
    for item in items:
        if isinstance(item, Chosen):
            found[item.place] = None
            found.update(dict.fromkeys(_places([i for part in item.parts for i in part])))
        elif not isinstance(item, Assigned):
            found.update(dict.fromkeys(part.place for a in item.arguments for part in a if isinstance(part, Ref)))
    return found.keys()
