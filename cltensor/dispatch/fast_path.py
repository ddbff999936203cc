"""The fast path: a plan of one launch and one output as a function, the shortest way from tensors to a launch.

It serves tensors with offset 0 in their storage.  Everything else takes the general path in run_elementwise.py and
run_planned.py.  So does a launch by a signal handler or finaliser that interrupts setting the arguments of the same kernel
object (see plan.py).
"""

import functools

from .storage import Storage


def fast_call(plan, operands, extent, cls):
    """A function of the operands that enqueues the plan and returns the output; None if the plan needs the general path.

    operands: Specs, and types for numbers; extent: the output's size in bytes; cls: the output's class.  The function returns
    None when an input has an offset, the kernel object still has one set, or its arena belongs to another channel.
    """
    if plan.device.host or len(plan.steps) != 1 or len(plan.outputs) != 1 or len(plan.scratch) > plan.fits:
        return None
    step, arena = plan.steps[0], bool(plan.scratch)
    places = {slot: at for at, slot in step.tensors}
    number = next((i for i, o in enumerate(operands) if isinstance(o, type)), None)
    n_tensors = sum(not isinstance(o, type) for o in operands)
    expected = n_tensors + 1 + len(plan.scratch)
    if any(step.shifts.values()) or not len(places) == len(step.tensors) == expected:
        return None
    if len(step.values) != len(operands) - n_tensors or (arena and plan.device.arena is None):
        return None
    if number is not None and (len(operands) != 2 or len(step.values) != 1 or arena):
        return None
    make = _maker(n_tensors, number, arena)
    return make(plan.device, step, [places[i] for i in range(n_tensors + 1)], plan.outputs[0], extent, cls, Storage)


# Every line runs at every call: so each tensor has its own variable, and names are short.
_TEXT = """
def make(device, step, places, spec, extent, cls, Storage):
    new, lock, set_arg = object.__new__, device.lock, step.kernel.set_arg
    {at}last = places
    {number_at}

    def call({parameters}):
        if {any_offset}:
            return None
        storage = new(Storage)
        storage.device, storage.extent, storage.version, storage.inference = device, extent, 0, False
        buffer = storage.buffer = device.allocate(extent)
        {between}
        with lock:
            if not step.reusable{other_arena}:
                return None
            step.reusable = False
            {set_inputs}
            set_arg(last, buffer)
            device.submit(step)
            step.reusable = True
        t = new(cls)
        t._storage, t._spec, t._offset = storage, spec, 0
        return t

    return call
"""
_SET_NUMBER = """if n is not held[0]:
                set_arg(at, convert(n))
                held[0] = n"""
# A plan of several launches may be half enqueued with data in the arena.
_BETWEEN = """if lock._is_owned():
            return None"""


@functools.cache
def _maker(n_tensors, number, arena):
    """The function that makes fast calls of n_tensors tensors.  number: the position of a number among them, or None."""
    tensors = [f"t{i}" for i in range(n_tensors)]
    parameters = [*tensors]
    sets = [f"set_arg(at{i}, t{i}._storage.buffer)" for i in range(n_tensors)]
    if number is not None:
        parameters.insert(number, "n")
        sets.append(_SET_NUMBER)
    text = _TEXT.format(at="".join(f"at{i}, " for i in range(n_tensors)), parameters=", ".join(parameters),
                        any_offset=" or ".join(f"{t}._offset" for t in tensors), set_inputs="\n            ".join(sets),
                        number_at="" if number is None else "(at, _, convert), held = step.values[0], step.held",
                        between=_BETWEEN if arena else "",
                        other_arena=" or step.arena is not device.arena" if arena else "")
    names = {}
    exec(compile(text, f"<fast path of {n_tensors} tensors>", "exec"), names)
    return names["make"]
