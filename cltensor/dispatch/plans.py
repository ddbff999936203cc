"""An op's cache of plans, one per layout of its operands, and running a plan on tensors."""

_NONE = {}
_MAX_PLANS = 4096


def kept(plans, key, plan):
    """Store plan in the dictionary under key, and return it; a full dictionary is emptied first."""
    if len(plans) >= _MAX_PLANS:
        plans.clear()
    plans[key] = plan
    return plan


def launch(plan, tensors, outs, values):
    """Enqueue the plan for these tensors and outputs, with values for its numbers."""
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
