"""Ready calls: a plan of one launch and one output as a closure, the shortest way from tensors to a launch.

They serve tensors that start at the beginning of their storage; anything else takes the general path in dispatch.  So does what
a signal's handler or a finaliser launches while the arguments of the same kernel object are being set (see plan.py).
"""

from .storage import Storage

_new = object.__new__


def ready_call(plan, operands, extent, cls):
    """A function of the operands that enqueues the plan and gives the output, or None where it cannot serve.

    operands: Specs, and types for numbers.  The function returns None when an input has an offset, the kernel object was
    left with one set, or what it needs of temporary memory is another channel's.
    """
    if plan.device.host or len(plan.steps) != 1 or len(plan.outputs) != 1 or len(plan.scratch) > plan.fits:
        return None
    step = plan.steps[0]
    places = {slot: at for at, slot in step.tensors}
    numbers = [i for i, o in enumerate(operands) if isinstance(o, type)]
    n_tensors = len(operands) - len(numbers)
    expected = n_tensors + 1 + len(plan.scratch)
    if any(step.shifts.values()) or not len(places) == len(step.tensors) == expected or len(step.values) != len(numbers):
        return None
    at = [places[i] for i in range(n_tensors + 1)]
    if plan.scratch and (numbers or plan.device.arena is None):
        return None
    if numbers:
        if len(operands) != 2 or len(numbers) != 1:
            return None
        return _of_tensor_and_number(plan.device, step, at, plan.outputs[0], extent, cls, numbers[0] == 0)
    maker = {1: _of_one, 2: _of_two}.get(n_tensors, _of_many)
    return maker(plan.device, step, at, plan.outputs[0], extent, cls, bool(plan.scratch))


def _of_tensor_and_number(device, step, places, spec, extent, cls, number_first):
    lock, set_arg = device.lock, step.kernel.set_arg
    first, last = places
    (at, _, convert), = step.values
    held = step.held

    def call(a, b):
        x, n = (b, a) if number_first else (a, b)
        if x._offset:
            return None
        storage = _new(Storage)
        storage.device, storage.extent, storage.version, storage.inference = device, extent, 0, False
        buffer = storage.buffer = device.allocate(extent)
        with lock:
            if not step.ready:
                return None
            step.ready = False
            set_arg(first, x._storage.buffer)
            if n is not held[0]:
                set_arg(at, convert(n))
                held[0] = n
            set_arg(last, buffer)
            device.submit(step)
            step.ready = True
        t = _new(cls)
        t._storage, t._spec, t._offset = storage, spec, 0
        return t

    return call


def _of_one(device, step, places, spec, extent, cls, arena):
    lock, set_arg = device.lock, step.kernel.set_arg
    first, last = places

    def call(a):
        if a._offset:
            return None
        storage = _new(Storage)
        storage.device, storage.extent, storage.version, storage.inference = device, extent, 0, False
        buffer = storage.buffer = device.allocate(extent)
        if arena and lock._is_owned():  # a plan of several launches, which has something in the arena, is being enqueued
            return None
        with lock:
            if not step.ready or (arena and step.arena is not device.arena):
                return None
            step.ready = False
            set_arg(first, a._storage.buffer)
            set_arg(last, buffer)
            device.submit(step)
            step.ready = True
        t = _new(cls)
        t._storage, t._spec, t._offset = storage, spec, 0
        return t

    return call


def _of_two(device, step, places, spec, extent, cls, arena):
    lock, set_arg = device.lock, step.kernel.set_arg
    first, second, last = places

    def call(a, b):
        if a._offset or b._offset:
            return None
        storage = _new(Storage)
        storage.device, storage.extent, storage.version, storage.inference = device, extent, 0, False
        buffer = storage.buffer = device.allocate(extent)
        if arena and lock._is_owned():  # a plan of several launches, which has something in the arena, is being enqueued
            return None
        with lock:
            if not step.ready or (arena and step.arena is not device.arena):
                return None
            step.ready = False
            set_arg(first, a._storage.buffer)
            set_arg(second, b._storage.buffer)
            set_arg(last, buffer)
            device.submit(step)
            step.ready = True
        t = _new(cls)
        t._storage, t._spec, t._offset = storage, spec, 0
        return t

    return call


def _of_many(device, step, places, spec, extent, cls, arena):
    lock, set_arg = device.lock, step.kernel.set_arg
    *inputs, last = places

    def call(*tensors):
        for t in tensors:
            if t._offset:
                return None
        storage = _new(Storage)
        storage.device, storage.extent, storage.version, storage.inference = device, extent, 0, False
        buffer = storage.buffer = device.allocate(extent)
        if arena and lock._is_owned():  # a plan of several launches, which has something in the arena, is being enqueued
            return None
        with lock:
            if not step.ready or (arena and step.arena is not device.arena):
                return None
            step.ready = False
            for at, t in zip(inputs, tensors):  # noqa: B905  (as many by construction, and this is the hot path)
                set_arg(at, t._storage.buffer)
            set_arg(last, buffer)
            device.submit(step)
            step.ready = True
        t = _new(cls)
        t._storage, t._spec, t._offset = storage, spec, 0
        return t

    return call
