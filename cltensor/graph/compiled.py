"""compile: functions and modules that are captured at their first call and replayed afterwards."""

import contextlib
import functools
import threading
import warnings
from dataclasses import InitVar, dataclass

from ..base.calls import at_home
from ..base.errors import BuildError
from ..base.observed_sizes import Observations
from ..runtime.device import default_device
from .awaiting import Awaited, may_wait
from .captured import Captured, capture, tensors_of
from .dynamic import Dynamic
from .explanation import Explanation, programs_of
from .graphs import Graphs
from .guards import Environment, described, modes, ordinary
from .recorder import Failure
from .splitting import Split
from .structure import flatten
from .unchanged import unchanged

#: programs kept for one function; the least recently used makes room
MOST = 8
_COMPARED = (3, 30, 300)  # the times that the guards of a program hold after which its identities are noted, anew
_REMEMBERED = 64  # guards under which a function is known to run eagerly
_PATIENCE = 3  # values of one number from a read that a piece is captured for


class Compiled:
    """A function that is captured for each set of guards that it meets, and replayed when it meets them again.

    What cannot be captured whole is split, see splitting.py.  warns: whether to warn of more captures than are kept.
    """

    def __init__(self, fn, fullgraph=False, wait=False, dynamic=False, warns=True):
        self.fn, self.fullgraph, self.wait, self.name = fn, fullgraph, wait, getattr(fn, "__name__", type(fn).__name__)
        self.dynamic = Dynamic(dynamic)
        self.programs = []  # _Program, the one used last at the end
        self.eager = {}  # guards for which the function is not captured whole -> the reason
        self.split, self.warns = None, warns
        self.refusals = {}  # guards -> how often a capture has failed, since one last held
        self.captures, self._lock = 0, threading.RLock()
        functools.update_wrapper(self, fn, updated=())

    def __call__(self, *args, **kwargs):
        if not ordinary():
            return self.fn(*args, **kwargs)
        leaves, template = flatten((args, kwargs))
        tensors = tensors_of(leaves)
        device = tensors[0].device if tensors else default_device()
        if device.host or device.type == "meta" or device.lock._is_owned():
            return self.fn(*args, **kwargs)
        key = template, described(leaves), modes(device)
        if self.eager and key in self.eager:
            return (self.split or self.fn)(*args, **kwargs)
        with self._lock:
            found = self._found(key, tensors) or self._for_other_sizes(key, leaves, tensors, device)
            if found is None and not self._settled():
                return self._capture(key, args, kwargs, device, leaves)
            if found is not None and self._ready(found):
                return found.captured(tensors)
        return ((found is None and self.split) or self.fn)(*args, **kwargs)

    def explain(self):
        """An Explanation: for each program its graph, kernels, what was fused, launches and bytes moved; print it."""
        with self._lock:
            found = [] if self.split is None else [(lines, c.explain()) for lines, c in self.split.compiled()]
            splits = self.split.explained() if self.split else ()
            reasons = [f"{r}{self._unsplit()}" for r in self.eager.values()]
            return Explanation(self.name, self.captures, self._programs(), tuple(dict.fromkeys(reasons)), self.dynamic.texts(),
                               splits, tuple(found))

    @property
    def graph(self):
        """The Graphs of what was captured, whole or in pieces."""
        return Graphs(self.name, self.explain().programs)

    def _programs(self):
        return tuple(p for i, kept in enumerate(self.programs) for p in programs_of(kept.captured, self._title(i), kept.lacks))

    def _title(self, i):
        """What a program is called."""
        return f"program {i}"

    def reset(self):
        """Forget everything that was captured."""
        with self._lock:
            self.programs.clear()
            self.dynamic.clear()
            self.eager.clear()
            self.refusals.clear()
            self.captures, self.split = 0, None

    def __reduce__(self):
        """A function of a module is found by its name; of another one the copy starts anew."""
        named = hasattr(self, "__qualname__") and at_home(self)
        return self.__qualname__ if named else (type(self), (self.fn, self.fullgraph, self.wait, self.dynamic.setting))

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    def _found(self, key, tensors):
        """The _Program whose guards hold, or None."""
        for i, program in enumerate(self.programs):
            if program.key == key and program.holds(tensors):
                if self.refusals:
                    self.refusals.pop(key, None)
                if i + 1 < len(self.programs):
                    self.programs.append(self.programs.pop(i))
                return program
        return None

    def _ready(self, program):
        """Whether a program can be replayed.  The first call that finds all its kernels there makes the Replays."""
        if program.captured.replay is None and not (program.awaited and program.awaited.left):
            try:
                program.captured.start()
            except BuildError as error:
                if self.fullgraph:
                    raise
                self.programs = [p for p in self.programs if p is not program]
                self.eager[program.key] = reason = f"a kernel does not build: {error}"
                warnings.warn(f"compile: {self.name} runs eagerly, since {reason}", UserWarning, stacklevel=3)
        return program.captured.replay is not None

    def _for_other_sizes(self, key, leaves, tensors, device):
        """The _Program made from what was captured for other sizes, or None."""
        family = self.dynamic.family(key, leaves)
        found = family and family.at(tensors)
        if not found:
            return None
        base, captured, lacks = found
        return self._kept(_Program(key, base.environment, base.state, base.gradients, captured, tensors), device, lacks)

    def _capture(self, key, args, kwargs, device, leaves):
        """Run the function once and keep what it did, if that can be repeated."""
        environment = Environment(self.fn, leaves)
        before, gradients, drawn = environment.state(), environment.gradients(), environment.drawn()
        family = self.dynamic.family(key, leaves)
        with Observations() if family else contextlib.nullcontext() as observations:
            result, captured = capture(self.fn, args, kwargs, device, self.fullgraph)
        if isinstance(captured, Captured) and environment.state() != before:
            captured = Failure("it changes variables of Python, or objects in them")
        if isinstance(captured, Captured) and environment.drawn() != drawn:
            captured = Failure("it draws from an iterator, or from random numbers of Python's or NumPy's")
        self.captures += 1
        if not isinstance(captured, Captured):
            self._refuse(key, captured)
            return result
        if self.captures == MOST + 1 and self.warns:
            warnings.warn(f"compile: {self.name} was captured {MOST} times and again, since {self._change(key)}; each capture "
                          "costs as much as an eager call", UserWarning, stacklevel=3)
        self.refusals.pop(key, None)
        program = self._kept(_Program(key, environment, before, gradients, captured, tensors_of(leaves)), device)
        if family:
            family.add(program, tensors_of(leaves), observations)
        if program.awaited is None and (self.wait or not may_wait(device)):
            self._ready(program)
        return result

    def _kept(self, program, device, lacks=None):
        """Keep a program in place of the one used least recently, and have the kernels compiled that it lacks."""
        del self.programs[: max(0, len(self.programs) + 1 - MOST)]
        if not self.wait and may_wait(device):
            lacks = program.captured.lacks() if lacks is None else lacks
            program.awaited = Awaited(program.captured, lacks, device) if lacks else None
        self.programs.append(program)
        return program

    def _settled(self):
        """Whether nothing new is captured."""
        return bool(self.split) and len(self.eager) > MOST

    def _refuse(self, key, reason):
        """Split or run eagerly after two refusals in a row: the first may be due to state that a first call makes."""
        self.refusals[key] = self.refusals.get(key, 0) + 1
        if self.refusals[key] > 1:
            if len(self.eager) >= _REMEMBERED:
                self.eager.clear()
            self.eager[key] = reason
            if getattr(reason, "twice", False):
                return
            if self.split is None:
                self.split = Split(self.fn, functools.partial(Piece, wait=self.wait, dynamic=self.dynamic.setting), self._inner)
            self.split.mark(reason)

    def _inner(self, fn):
        """What a function that the split one calls becomes."""
        return Compiled(fn, wait=self.wait, dynamic=self.dynamic.setting, warns=False)

    def _unsplit(self):
        """Why the function is not split, in words that follow the reason for which it would be."""
        why = None if self.split is None else self.split.failure
        return f"; it cannot be split, since {why}" if why else ""

    def _change(self, key):
        """What differs from the guards of the program used last, in words."""
        if not self.programs:
            return "nothing could be kept"
        last = self.programs[-1]
        if last.key == key:
            return "a module, a variable or a .grad that it uses changes from call to call"
        if last.key[1] != key[1]:
            i = next((i for i, (a, b) in enumerate(zip(last.key[1], key[1], strict=False)) if a != b), 0)
            return f"argument {i} changes: {last.key[1][i][:2]} before, {key[1][i][:2]} now"
        return "the structure of its arguments, a mode or the device changes"


class Piece(Compiled):
    """A piece of a function that is split: where it cannot be captured, the function is split further.

    whole: the Split; part: the Part.
    """

    def __init__(self, fn, whole, part, wait=False, dynamic=False):
        super().__init__(fn, wait=wait, dynamic=dynamic, warns=False)
        self.whole, self.part, self.tired = whole, part, False
        self.met = {name: set() for name in part.takes}  # variable -> what was met of it

    def _title(self, i):
        return f"program {i} of line {self.part.run[0].lineno}"

    def _settled(self):
        return self.tired

    def _refuse(self, key, reason):
        self.refusals[key] = self.refusals.get(key, 0) + 1
        if self.whole.mark(reason, self.part) or self.refusals[key] > 1:
            self.eager[key] = reason

    def _capture(self, key, args, kwargs, device, leaves):
        for name, value in zip(self.part.takes, args, strict=True):
            self.met[name].add(described(flatten(value)[0]))
        restless = [name for name, met in self.met.items() if len(met) > (_PATIENCE if _loose(met) else MOST)]
        if restless:
            self.whole.mark_names(self.part, restless, f"{', '.join(restless)} changes from call to call")
        self.tired = bool(restless) or self.captures > 2 * MOST
        result = super()._capture(key, args, kwargs, device, leaves)
        if self.programs and self.programs[-1].captured.does_little:
            self.eager[key] = "it is no more than one op"
            self.programs.pop()
            if not self.programs:
                self.whole.leave(self.part)
        return result


def _loose(met):
    """Whether guards are of numbers with a fraction, or of objects that are made anew."""
    return all(len(leaves) == 1 and (not isinstance(leaves[0], tuple) or leaves[0][0] is float) for leaves in met)


@dataclass
class _Program:
    """A Captured and the guards under which it holds.  awaited: the kernels that it lacked; None if there were none."""

    key: tuple
    environment: Environment
    state: list
    gradients: list
    captured: Captured
    tensors: InitVar[tuple]
    awaited: Awaited | None = None
    same: object = None  # a function that says whether nothing has changed, see unchanged.py
    asked: int = 0  # how often the guards were

    def __post_init__(self, tensors):
        """Note which arguments, `tensors`, lie in memory that the function also sees otherwise."""
        held = [storage for program in self.captured.programs for storage, _ in program.held]
        self._outside = frozenset(map(id, (*self.environment.storages(), *held)))  # which the program keeps alive
        self._shared = self._shared_by(tensors)
        self.captured.members = self.environment.members

    def _shared_by(self, tensors):
        return [storage if storage in self._outside else None for storage in (id(t._storage) for t in tensors)]

    @property
    def lacks(self):
        """The number of kernels that it waits for."""
        return 0 if self.awaited is None else self.awaited.left

    def holds(self, tensors):
        """Whether all that the function sees is as it was, and memory where it was."""
        if self._shared_by(tensors) != self._shared:
            return False
        if self.same is not None and self.same() and self.captured.lies(tensors):
            return True
        return (self.environment.state() == self.state and self.environment.gradients() == self.gradients
                and self.captured.fits(tensors) and self._held())

    def _held(self):
        """True.  Where the guards have held and are asked again and again, compare identities first from now on."""
        self.asked += 1
        if self.asked in _COMPARED:
            self.same = unchanged([*self.environment.terms(), *self.captured.terms()])
        return True
