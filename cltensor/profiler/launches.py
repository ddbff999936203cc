"""Launches: the commands that a Recording has seen, each with what it belongs to and the work that it does."""

from dataclasses import dataclass

from ..dispatch.tensor_base import touched
from ..graph import work
from ..ops.kinds.kernel import Kernel
from ..runtime.loader import pyopencl


@dataclass
class Launch:
    """A kernel that ran, or a copy or fill; times in nanoseconds of the host's clock.

    op: what it is part of: an op, an update, the ops of a node of a captured program, or what else ran; frame: the Frame, or None.
    enqueued, returned: when the call that enqueued it ran.  begin, end: when it ran on the device; None where unknown.
    nbytes: of a copy or fill, or those that its op touches; flops: of its op, or None.  The first launch of an op has them.
    """

    name: str
    op: str
    device: object
    frame: object
    thread: int
    enqueued: int
    returned: int
    begin: int | None
    end: int | None
    is_kernel: bool
    grid: tuple = ()
    nbytes: int = 0
    flops: int | None = None
    replayed: bool = False

    @property
    def duration(self):
        """Nanoseconds on the device."""
        return 0 if self.begin is None else self.end - self.begin


def launches(recording):
    """The Launches of a Recording, in the order in which they began."""
    replayed, names, seen, found = _replayed(recording), {}, set(), []
    for watch in recording.watches:
        for what, size, frame, thread, enqueued, returned, begin, end in watch.commands:
            if recording.paused(enqueued):
                continue
            is_kernel = not isinstance(what, str)
            made = Launch(what, _outer(frame), watch.device, frame, thread, enqueued, returned, begin, end, is_kernel)
            found.append(made)
            if not made.is_kernel:
                made.nbytes = size
                continue
            made.grid = tuple(size)
            nodes = replayed.get(what.int_ptr)
            made.replayed = nodes is not None
            if nodes:
                made.op = nodes[0].op.name + (f" x{len(nodes)}" if len(nodes) > 1 else "")
            function = names.get(what.int_ptr)
            if function is None:
                function = names[what.int_ptr] = what.get_info(pyopencl().kernel_info.FUNCTION_NAME)
            made.name = f"{function} ({made.op})"
            of = (id(frame), *map(id, nodes or ()))
            if of not in seen:
                seen.add(of)
                made.flops, made.nbytes = of_nodes(nodes) if nodes else of_frame(frame)
    return sorted(found, key=lambda x: x.enqueued if x.begin is None else x.begin)


def _outer(frame):
    """What a command belongs to: the nearest op or update, or what else ran."""
    return "outside of ops" if frame is None else frame.name


def _replayed(recording):
    """{handle of a kernel of a captured program: the nodes that it is launched for}."""
    return {launch.step.kernel.int_ptr: launch.nodes for replay in recording.replays.values() for launch in replay.every
            if hasattr(launch, "step")}


def of_nodes(nodes):
    """(FLOPs or None, bytes) of nodes that are launched together."""
    flops = [work.flops(node) for node in nodes]
    return None if None in flops else sum(flops), sum(map(work.bytes_moved, nodes))


def of_frame(frame):
    """(FLOPs or None, bytes touched) of an op or update: what it reads, distinct operands once, and what it writes."""
    if frame is None or frame.op is None or not frame.outs:
        return None, 0
    outs = [s for s in frame.outs if s is not None]
    if frame.kind == "update":
        flops = sum(frame.op.flops((), (s,), ()) for s in outs)
        return flops, sum(map(touched, frame.inputs)) + len(frame.op.exprs) * sum(map(touched, outs))
    given = [s for s in frame.inputs if s is not None]
    flops = frame.op.flops(frame.inputs if isinstance(frame.op, Kernel) else given, outs, frame.attrs) if outs else None
    return flops, sum(map(touched, dict.fromkeys(given))) + sum(map(touched, outs))
