"""Single launch: a run of launches of a replay as one launch of a megakernel.

A processor's threads sleep between launches and take longer to wake than most launches take to run.  Within one launch they
stay awake, wait only where a launch reads what another has written, and find their share of the data in their cache.
"""

import contextlib
import math
import platform
import weakref

import numpy as np

from ..base import config
from ..codegen.megakernel import HEADER, STATE, Case, megakernel, walkable
from ..runtime.background import background
from ..runtime.cure import X86
from ..runtime.launch import Launch, number_setter
from .call import LaunchNumber, Number
from .ir import Block, Origin
from .ways import Ways

PLAIN = 3  # replays before the programs are asked for
KERNELS = 40  # different ones in one program, which bounds the time to compile it
WORDS = 640  # of arguments for PoCL's devices, which keep no count; others are given what they promise
_ROUND = 8  # counts of buffers and numbers are multiples of this, so that similar programs share a text
_LANES = 8  # shares of a launch, at most: who looks for work looks at each
_CLAIMS = 4  # parts of a share
_SPARE = 4  # work-groups to a worker: a thread may be given several, and the first then does all their work
_GRAIN = 512  # elements worth a claim
_FIXED = 6  # arguments of the kernel before its buffers
_OF_NUMBERS = 5  # position of the argument with the numbers


class SingleLaunches:
    """What a replay enqueues instead of its launches, once the programs are there: another process compiles them.

    made: SingleLaunches, and launches that could not be combined; None until they are there, and where none can be.
    ways: the Ways to enqueue them: in threads, in the calling thread where the device has a queue for that, or one by one.
    """

    def __init__(self, replay):
        self.replay, self.left, self.parts, self.made = weakref.ref(replay), PLAIN, None, None
        self.ways = None

    def instead(self):
        """The launches to enqueue; None: those of the replay.  The device lock must be held."""
        if self.left is not None:
            self._count()
        if self.parts is not None:
            parts, self.parts, device = self.parts, None, self.replay().device
            with contextlib.suppress(Exception):  # the launches one by one do the same
                self._make(parts, device)
        if self.made is None or config.sync() or self.replay().device.profiling:
            return None
        return self.ways.now()

    def settle(self):
        """Before the launches of a call, while the ways to enqueue them are tried out.  The device lock must not be held."""
        if self.ways is not None and self.ways.due:
            device = self.replay().device
            device.channel.queue.finish()
            with device.lock:
                self.ways.settle()

    def _make(self, parts, device):
        made = [SingleLaunch(p, device, p.workers) if isinstance(p, Run) else p for p in parts]
        ways = [made]
        if device.inline:
            ways.append([SingleLaunch(p, device, 1, True) if isinstance(p, Run) else p for p in parts])
        self.made, self.ways = made, Ways([*ways, self.replay().launches])

    def _count(self):
        """Ask for the programs after the first few replays."""
        self.left -= 1
        if not self.left:
            self.left = None
            if config.single_launch() and supported(self.replay().device) and len(self.replay().launches) > 1:
                background.add(self.prepare, self.replay().device)

    def prepare(self, build):
        """Make the Runs and their programs.  build: a function that makes a text's program ready, or returns False."""
        replay = self.replay()
        if replay is None:
            return
        parts = [part for p in plan(replay.launches, replay.device) for part in _built(p, build)]
        if any(isinstance(p, Run) for p in parts):
            self.parts = parts


def _built(part, build):
    """[part], or the launches of a Run whose program cannot be built."""
    return [part] if not isinstance(part, Run) or build(part.arranged().text) else part.launches


def supported(device):
    """Whether a device is a processor with kernels of the cpu style, and with a disk cache for programs that another process makes.

    x86 only: others show a thread's writes to the rest in any order, and OpenCL 1.2 promises nothing between work-groups.
    """
    p, cache = device.profile, device.programs.cache
    return (p.kind == p.style == "cpu" and platform.machine().lower() in X86 and cache is not None and cache.usable
            and "one-thread" not in p.quirks)


def plan(launches, device):
    """The launches in order, with Runs of several in place of those that can become one."""
    made, run = [], None
    for launch in launches:
        call = launch.call() if hasattr(launch, "call") else None
        if call is None or not walkable(call.text, call.name):
            run = None
            made.append(launch)
        elif run is not None and run.takes(call):
            run.add(launch, call)
        else:
            run = Run(device)
            run.add(launch, call)
            made.append(run)
    return [part for x in made for part in ([x] if not isinstance(x, Run) or len(x.calls) > 1 else x.launches)]


class Run:
    """Neighbouring launches that become one, of the megakernel in `text`."""

    def __init__(self, device):
        self.device = device
        promised = WORDS if device.entry.is_pocl else device.entry.device.max_parameter_size // 8
        self.most = min(WORDS, promised) - _FIXED - 2 * _ROUND
        self.launches, self.calls = [], []
        self.cases, self.places, self.numbers = {}, {}, []  # cases: {Case: None}; places: {id: Block or buffer}

    def takes(self, call):
        """Whether one more Call leaves it within bounds."""
        places, numbers = {**self.places, **_places(call)}, len(self.numbers) + len(_changing(call))
        words = len(places) + numbers + sum(map(_moves, places.values()))
        return words <= self.most and len({*self.cases, _case(call)}) <= KERNELS

    def add(self, launch, call):
        """Take a launch in."""
        self.launches.append(launch)
        self.calls.append(call)
        self.cases[_case(call)] = None
        self.places.update(_places(call))
        self.numbers += [call.arguments[i] for i in _changing(call)]

    def arranged(self):
        """Put Blocks that move first, other Blocks next, fixed buffers last; kernels by their texts.  Returns itself."""
        order = sorted(self.places, key=lambda k: (not _moves(self.places[k]), not isinstance(self.places[k], Block)))
        self.places = {k: self.places[k] for k in order}
        self.cases = dict.fromkeys(sorted(self.cases, key=lambda c: (c.text, c.name, sorted(c.changing))))
        return self

    @property
    def moving(self):
        """The Blocks whose tensors may lie at other offsets of their memory."""
        return [b for b in self.places.values() if _moves(b)]

    @property
    def counts(self):
        """How many buffers and numbers the kernel takes."""
        return _rounded(len(self.places)), _rounded(len(self.moving) + len(self.numbers))

    @property
    def text(self):
        """The source text of the megakernel."""
        return megakernel(list(self.cases), *self.counts, len(self.moving))

    @property
    def workers(self):
        """How many work-groups find something to do at the same time."""
        units = self.device.profile.compute_units
        return min(units, max(math.prod(c.finer(units * _CLAIMS, _GRAIN)) for c in self.calls))

    def table(self, workers):
        """The megakernel's table for so many workers, and the largest number of lanes in it."""
        case, place = {c: i for i, c in enumerate(self.cases)}, {k: i for i, k in enumerate(self.places)}
        heads, words, number, most = [], [], len(self.moving), 1
        for call, needed in zip(self.calls, dependencies(self.calls), strict=True):
            grid = call.finer(workers * _CLAIMS, _GRAIN) if workers > 1 else call.grid
            groups = math.prod(grid)
            lanes = max(1, min(workers, groups, _LANES))
            claim = max(1, groups // (lanes * _CLAIMS)) if workers > 1 else max(1, groups)
            heads.append((case[_case(call)], groups, *(*grid, 1)[:2], needed, lanes, claim, HEADER * len(self.calls) + len(words)))
            for a in call.arguments:
                if isinstance(a, (Number, LaunchNumber)):
                    words.append(number)
                    number += 1
                else:
                    words.append(_bits(a) if isinstance(a, np.generic) else place[id(a)])
            most = max(most, lanes)
        return np.array([w for h in heads for w in h] + words, np.int64), most


def dependencies(calls):
    """For each Call how many of those before it must be done: up to the last that wrote what it reads or touched what it writes."""
    wrote, touched, found = {}, {}, []
    for i, call in enumerate(calls):
        reads, writes = {id(p) for p in call.reads}, {id(p) for p in call.writes}
        found.append(max([0, *(wrote.get(p, 0) for p in reads), *(touched.get(p, 0) for p in writes)]))
        wrote.update(dict.fromkeys(writes, i + 1))
        touched.update(dict.fromkeys(reads | writes, i + 1))
    return found


class SingleLaunch(Launch):
    """The launch of a Run.  inline: run it in the calling thread."""

    __slots__ = ("bits", "blocks", "fixed", "length", "moving", "numbers", "set_bytes")

    def __init__(self, run, device, workers, inline=False):
        super().__init__(device.kernel(run.text, "megakernel"), (_SPARE * workers if workers > 1 else 1,), (1,))
        table, lanes = run.table(workers)
        stride = STATE * (1 + lanes)
        state = np.zeros(STATE + stride * len(run.calls), np.int32)
        self.fixed = [p for p in run.places.values() if not isinstance(p, Block)]
        self.fixed += [_written(device, table), _written(device, state)]
        self.length, self.moving = len(run.calls), run.moving
        self.blocks = [(i, p) for i, p in enumerate(run.places.values(), _FIXED) if isinstance(p, Block)]
        buffers, numbers = run.counts
        self._set(run, [*self.fixed[-2:], *map(np.int32, (workers, len(run.calls), stride))], buffers)
        self.bits = np.zeros(numbers, np.int64)
        of_type = {t: self.bits.view(t) for t in (np.int32, np.float32, np.int64, np.float64)}
        self.numbers = []
        for i, number in enumerate(run.numbers, len(self.moving)):
            t = np.dtype(number.type).type
            self.numbers.append((of_type.get(t, self.bits), i * (8 // t().itemsize) if t in of_type else i, number))
        self.inline, self.set_bytes = inline, number_setter(self.kernel)
        self.set_bytes(_OF_NUMBERS, self.bits)

    def _set(self, run, first, buffers):
        """Set the arguments that stay: unused buffers are never touched."""
        places = [p for p in run.places.values() if not isinstance(p, Block)]
        blocks = [first[0]] * (len(run.places) - len(places))
        unused = [first[0]] * (buffers - len(run.places))
        for at, value in enumerate(first):
            self.kernel.set_arg(at, value)
        for at, buffer in enumerate([*blocks, *places, *unused], _FIXED):
            self.kernel.set_arg(at, buffer)

    def enqueue(self, buffers, moved, numbers, device):
        """Set what differs, and launch.  The device lock must be held."""
        kernel, bits = self.kernel, self.bits
        for at, block in self.blocks:
            kernel.set_arg(at, buffers[block])
        if self.moving or self.numbers:
            for i, block in enumerate(self.moving):
                bits[i] = moved.get(block, 0)
            for to, i, number in self.numbers:
                to[i] = number.now(numbers, device)
            self.set_bytes(_OF_NUMBERS, bits)
        device.submit(self)


def _written(device, array):
    buffer = device.allocate(array.nbytes)
    device.write(buffer, 0, array)
    return buffer


def _case(call):
    return Case(call.text, call.name, frozenset(_changing(call)))


def _changing(call):
    """The positions of the arguments that differ at each replay and are numbers."""
    return [i for i, a in enumerate(call.arguments) if isinstance(a, (Number, LaunchNumber))]


def _places(call):
    """{id: Block or buffer} of the arguments."""
    return {id(a): a for a in call.arguments if not isinstance(a, (Number, LaunchNumber, np.generic))}


def _moves(place):
    return isinstance(place, Block) and place.origin is Origin.ARGUMENT


def _bits(number):
    """The word of a number."""
    if isinstance(number, np.floating):
        return int(number.view(f"i{number.itemsize}"))
    return int(np.int64(number)) if not isinstance(number, np.uint64) else int(number.view(np.int64))


def _rounded(count):
    return max(1, -(-count // _ROUND)) * _ROUND
