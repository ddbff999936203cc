"""Control flow in a replay: what decides is read from the device, then the launches of a region run."""

import numpy as np

from ..dispatch import faults


class ControlLaunch:
    """The regions of a node as Replays.  `enqueue` is called without the device's lock, since it waits for the device."""

    def __init__(self, node, fixed, device, replay):
        self.serial, places = node.serial, node.places
        self.regions, spare = [], []
        for region in node.regions:  # they share memory, since they run one after another
            self.regions.append(_RegionReplay(region, [use.block for use in places], fixed, device, replay, spare))
            spare = max(spare, self.regions[-1].replay.own, key=lambda own: sum(n for _, n in own))
        self.decides = places[node.attrs[0]]
        self.nbytes = sum(r.replay.nbytes for r in self.regions)

    @staticmethod
    def _read(use, buffers, moved, fixed, device):
        """Whether the bool that a Use shows is true."""
        value = np.empty(1, np.bool_)
        buffer = fixed[use.block] if use.block in fixed else buffers[use.block]
        device.read(buffer, use.offset + moved.get(use.block, 0), value)
        faults.check(device)
        return bool(value[0])


class Choice(ControlLaunch):
    """cond: the first region runs where what decides is true, else the second one."""

    def enqueue(self, buffers, moved, numbers, device):
        """Run one region."""
        self.regions[not self._read(self.decides, buffers, moved, self.regions[0].outer, device)].enqueue(buffers, moved, numbers)


class Loop(ControlLaunch):
    """while_loop: the second region runs as long as the first one has written true."""

    def enqueue(self, buffers, moved, numbers, device):
        """Run both regions in turn."""
        condition, body = self.regions
        while True:
            condition.enqueue(buffers, moved, numbers)
            if not self._read(self.decides, buffers, moved, condition.outer, device):
                return
            body.enqueue(buffers, moved, numbers)


class _RegionReplay:
    """A region's Replay.  outer: {Block of the program around: buffer} of what stays where it is."""

    def __init__(self, region, places, fixed, device, replay, spare):
        self.outer = fixed
        given = {block: places[at] for block, at in region.parameters.items()}
        known = {b: fixed[o] for b, o in given.items() if o in fixed}
        self.replay = replay(region.graph, region.actions, device, known, spare)
        self.anew = [(b, o) for b, o in given.items() if o not in fixed]

    def enqueue(self, buffers, moved, numbers):
        """Enqueue its launches, with the buffers of the program around."""
        self.replay.enqueue({b: buffers[o] for b, o in self.anew}, {b: moved[o] for b, o in self.anew if o in moved}, numbers)


def control_launch(node, fixed, device, replay):
    """The ControlLaunch of a node.  replay: makes the Replay of a graph, its Actions, a device and {Block: buffer}."""
    return {"cond": Choice, "while_loop": Loop}[node.op.name](node, fixed, device, replay)
