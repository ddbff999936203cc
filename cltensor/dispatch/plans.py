"""Plans: kept by an op for each layout of its operands, and run on tensors of that layout."""

_NONE = {}
_MAX_PLANS = 4096


def kept(plans, key, plan):
    """plan, kept in the dictionary under key; a full dictionary is emptied first."""
    if len(plans) >= _MAX_PLANS:
        plans.clear()
    plans[key] = plan
    return plan


def launch(plan, tensors, outs, values):
    """Enqueue the plan for tensors and their outputs, with values for its numbers."""
    if not plan.steps:
        return
    buffers, offsets = [], None
    for slot, t in enumerate((*tensors, *outs)):
        buffers.append(t._storage.buffer)
        if t._offset:
            if offsets is None:
                offsets = {}
            offsets[slot] = t._offset
    plan.run(buffers, offsets or _NONE, values)
