"""The arena: temporary buffers of a plan that are not needed at the same time share one."""

_TEXT = 300  # characters of a size; a buffer takes no more members whose sizes differ beyond that


def touched(step):
    """The numbers of the buffers that a step names."""
    if "kernel" in step:
        yield from (a[1] for a in step["arguments"] if a[0] in ("tensor", "buffer"))
    elif "copy" in step:
        yield step["copy"][0]
        yield step["copy"][2]
    for name in ("if", "while"):
        if name in step:
            yield step[name][0]
    for name in ("then", "else", "test", "do"):
        for inner in step.get(name, ()):
            yield from touched(inner)


def shared(plan):
    """The plan with as few temporary buffers as needed."""
    buffers, slots = plan["buffers"], []  # slots: of each new buffer, its sizes in order and the step until which it is needed
    place = {}
    for steps in (plan["once"], plan["steps"]):
        first, last = {}, {}
        for at, step in enumerate(steps):
            for k in touched(step):
                if buffers[k]["kind"] == "temporary":
                    first.setdefault(k, at)
                    last[k] = at
        busy = {}  # slot: the step until which it is needed
        for k in sorted(first, key=first.get):
            free = [s for s in range(len(slots)) if busy.get(s, -1) < first[k]]
            slot = _fit(slots, free, buffers[k]["bytes"])
            if slot is None:
                slot = len(slots)
                slots.append([])
            if buffers[k]["bytes"] not in slots[slot]:
                slots[slot].append(buffers[k]["bytes"])
            busy[slot] = last[k]
            place[k] = slot
    kept = [k for k, b in enumerate(buffers) if b["kind"] != "temporary"]
    number = {k: i for i, k in enumerate(kept)}
    number.update((k, len(kept) + slot) for k, slot in place.items())
    return {**plan, "buffers": [*(buffers[k] for k in kept), *({"kind": "temporary", "bytes": largest(sizes)} for sizes in slots)],
            **{name: [renumbered(step, number) for step in plan[name]] for name in ("once", "steps")}}


def largest(sizes):
    """The size of a buffer for all of these."""
    whole = [n for n in sizes if type(n) is int]
    texts = [n for n in sizes if type(n) is str]
    parts = [*texts, *([max(whole)] if whole else [])]
    return parts[0] if len(parts) == 1 else f"max({', '.join(map(str, parts))})"


def _fit(slots, free, size):
    """The free slot that a size fits best; None where it should have one of its own."""
    if type(size) is int:
        sized = [(abs(max(slots[s]) - size), s) for s in free if all(type(n) is int for n in slots[s])]
        return min(sized, default=(0, None))[1]
    same = [s for s in free if size in slots[s]]
    return next((s for s in (*same, *free) if size in slots[s] or len(str(largest(slots[s]))) + len(size) < _TEXT), None)


def renumbered(step, number):
    """A step with other numbers of buffers."""
    if "kernel" in step:
        arguments = [[a[0], number[a[1]], *a[2:]] if a[0] in ("tensor", "buffer") else a for a in step["arguments"]]
        return {**step, "arguments": arguments}
    if "copy" in step:
        source, at, to, *rest = step["copy"]
        return {**step, "copy": [number[source], at, number[to], *rest]}
    made = dict(step)
    for name in ("if", "while"):
        if name in step:
            made[name] = [number[step[name][0]], *step[name][1:]]
    for name in ("then", "else", "test", "do"):
        if name in step:
            made[name] = [renumbered(inner, number) for inner in step[name]]
    return made
