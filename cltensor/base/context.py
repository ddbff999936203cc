"""The execution context: what a call depends on besides its arguments.  Each thread has its own."""

import threading


class Recorder:
    """Base of recorders: is told of what its thread does, from `with` on, and ignores it."""

    twice = False  # whether a backward pass was run that can be gone back through

    def __enter__(self):
        self._before, context.recorder = context.recorder, self
        return self

    def __exit__(self, *exc):
        context.recorder = self._before

    def op(self, op, inputs, attrs, outs):
        """An op ran; attrs: its attributes and numbers."""

    def fail(self, reason):
        """What the thread is about to do could not be repeated by a recorder."""

    def read(self, tensor):
        """A tensor's values are about to be read by the host."""

    def born(self, storage):
        """A storage was made; its memory holds nothing yet."""

    def wrote(self, buffer, offset, array):
        """The host wrote an array to a buffer."""

    def copied(self, target, source):
        """Bytes were copied between buffers, outside any op."""

    def grad_read(self, leaf):
        """The .grad of a leaf is read, which is not None."""

    def grad_changes(self, leaf):
        """The .grad of a leaf is about to be set, dropped or added to."""

    def goes_back(self, reached):
        """A backward pass is about to run; reached: the nodes and leaves that get a gradient."""

    def writes(self, outs, history):
        """An op is about to write to existing tensors; history: whether it changes theirs.  Returns whether to launch it."""
        return True

    def action(self, compute, undo=None, reads=(), fills=()):
        """compute(), a tuple of numbers that Python computes anew each time the program runs; undo() takes its effect back.

        reads, fills: tensors whose values it reads, and those that it fills.
        """
        return compute()


class Notes(list):
    """What an action leaves for the code after it, each time it computes: no part of what it depends on."""


class Observer:
    """Base of what a profiler is told by.  While it is the context's `profile`, all ops pass through it, as through `given`."""

    def around(self, fn, kind, name, **facts):
        """fn, told of as one piece of work.  kind: backward, node, optimizer, data, replay, update; facts: about it."""
        raise NotImplementedError

    def opened(self, device):
        """A device is used for the first time."""

    def elementwise(self, op, inputs, attrs, out, dtype, inplace):
        """Run an elementwise op; see run_elementwise."""
        raise NotImplementedError

    def planned(self, op, inputs, attrs, values):
        """Run a kernel op, a reduction or a scan; see run_planned."""
        raise NotImplementedError

    def view(self, op, x, attrs):
        """Run a view op; see run_view."""
        raise NotImplementedError

    def composite(self, op, inputs, values):
        """Run a composite op; see run_composite."""
        raise NotImplementedError


class Context(threading.local):
    """The settings that ops read, with a thread's initial values.

    grad        whether ops record their gradient
    inference   whether results can never enter a graph
    grad_layout whether a leaf's first gradient is copied to the leaf's strides (autograd/engine.py)
    tangents    whether the backward pass that runs is the first of the two that make a tangent (autograd/function.py)
    anomaly     whether to remember forward lines for errors: False, "trace", or "nan" to look for NaN as well
    made        a list that collects new nodes, while a checkpointed forward pass runs (recompute.py); or None
    saving      what packs the tensors that nodes save (dispatch/saved.py); or None
    mutation    what keeps saved tensors apart from writes to their memory (autograd/mutation.py); or None
    running     the backward pass that runs (autograd/engine.py); or None
    forward     whether tangents are carried (autograd/forward_ad.py): then no_grad does not keep ops from recording
    asking      whether classes with __torch_function__ are asked (base/overriding.py); None: modes neither
    modes       the TorchFunctionModes entered, the innermost last
    device      the thread's default device, if it has chosen one; or None
    streams     {device: current Stream}, for devices where that is not the default stream
    levels      the running vmaps, the outermost first
    rules       what ops do instead while a vmap runs (func/batching.py); None outside
    autocast    the Autocast that ops pass through (dispatch/autocast.py), or None
    given       what ops do instead: the first of `autocast` and `rules` that is there, see arrange; None outside both
    transform   what ops pass through: `profile`, or else `given`
    profile     the Observer of a profiler that is told of what runs, or None; the same in all threads but those unheard
    frame       what of this thread the profiler is told of just now, or None
    autocasts   {kind of device: (whether autocast is on, its dtype)}, once set; autocast_cache: whether casts are kept;
                autocast_casts: those that are
    autocast_depth  the number of autocast regions around
    recorder    a Recorder that is told of each op and of what else happens to memory; or None
    trial       (Key, values) of tunable constants on trial, or None
    questions   a list to which every Space appends its Questions, or None
    lasting     whether the operand that the op being planned packs stays as it is: what is made of it is kept (graph/steady.py)
    absent      a list of the sources of kernels that are not there, while nothing is compiled (runtime/absent.py); or None
    """

    device = None
    grad = True
    inference = False
    grad_layout = True
    tangents = False
    anomaly = False
    made = None
    rules = None
    autocast = None
    saving = None
    mutation = None
    running = None
    forward = False
    asking = True
    modes = ()
    transform = given = None
    profile = frame = None
    autocast_cache = True
    autocast_depth = 0
    recorder = None
    trial = None
    questions = None
    lasting = False
    absent = None

    def __init__(self):
        self.streams, self.levels, self.autocasts, self.autocast_casts = {}, [], {}, {}

    def arrange(self):
        """Set `given` and `transform`, after a change of `autocast`, `rules` or `profile`: one field tells an op of all."""
        self.given = self.rules if self.autocast is None else self.autocast
        if self.given is None and "profile" not in self.__dict__:
            self.__dict__.pop("transform", None)  # that of the class, which all threads see
        else:
            self.transform = self.given if self.profile is None else self.profile

    def unheard(self):
        """Keep what this thread does from profiles: it works for the package, not for the program."""
        self.profile = None
        self.arrange()

    @classmethod
    def observe(cls, profile):
        """Tell `profile` of what runs in all threads from now on; None: nobody."""
        cls.profile = cls.transform = profile
        context.arrange()


context = Context()


class Observers:
    """Functions that are called on events in any thread.

    recorded    functions of a Node, called for a node recorded after the process has compiled more programs
    built       functions of (kernels' names, "disk" or "compiler", seconds), called for a program that was built
    """

    def __init__(self):
        self.recorded, self.built = [], []


observers = Observers()
