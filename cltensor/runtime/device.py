"""device: an OpenCL device, its context, its current queue and allocator, its programs.

Naming a device looks for devices; its context is opened by the first use.  `submit`, `allocate` and `lock` are plain
attributes from then on, because every launch reads them.  They change once streams are used: read them anew each time.
"""

import atexit
import ctypes
import gc
import os
import re
import threading

from ..base.context import context
from ..base.errors import ArgumentTypeError, DeviceError
from . import cure, inline, loader, platforms, profile
from .channel import Channel, InlineChannel
from .host_buffers import HOST_ONLY, HostMemory
from .memory import DeviceMemory
from .program import Programs
from .transfer import Transfers

_NAME = re.compile(r"(opencl|gpu|cpu)(?::(\d+))?")
_OPENED = frozenset({"context", "submit", "inline", "arena", "allocate", "lock", "memory", "programs", "channels", "streaming",
                     "default_stream", "profiling", "timestamps", "read", "write"})
_EACH_CHANNELS_OWN = object()  # stands for an arena, and is none that anything was set to
_devices = {}
_lock = threading.RLock()
_default = None
_forked = False
_host_only = False
_facts = {}  # index -> (Entry, profile) of the devices known, where this process leaves OpenCL alone


class device:
    """An OpenCL device: device("opencl:0"), device("opencl", 0), device(0), device("gpu"), device("cpu").

    There is one object for each device, so devices compare by identity.  "opencl" alone is the default device.  Raises
    DeviceError for a device that is not there, naming those that are.  As a context manager it is the default device
    inside the block.

    Attributes: type ("opencl"), index, name, platform_name, profile (DeviceProfile); and once used: context, queue,
    submit (enqueues a Launch), lock (held around setting a kernel's arguments and submitting it; a signal's handler or a
    finaliser may run meanwhile and launch something, which is why the same thread can take it again).
    """

    type = "opencl"
    silent = False  # whether nothing launched on it runs; see compile_only.py
    host = False  # whether it stands for a device in a process that leaves OpenCL alone; see HostDevice

    def __new__(cls, device="opencl", index=None):
        if isinstance(device, cls) and index is None:
            return get(device.index) if _host_only and not device.host else device
        return get(_resolve(device, index))

    def __getattr__(self, attribute):
        if attribute == "profile":
            self.profile = profile.query(self.entry)
            return self.profile
        if attribute in _OPENED:
            self._open()
            return self.__dict__[attribute]
        raise AttributeError(f"device has no attribute {attribute!r}")

    def _open(self):
        """Make the context, the default queue and what hangs on them, once."""
        refuse_after_fork()
        with _lock:
            if "lock" in self.__dict__:
                return
            self.context = self._new_context()
            self.programs = Programs(self.entry, self.context, self.profile.quirks)
            self.inline = inline.open_queue(self.programs)
            self.memory = DeviceMemory(self.context, self.profile, f"{self} ({self.name})", self.synchronize)
            self.channels, self.profiling, self.timestamps = [], False, False
            self.default_stream = None  # made by stream.py
            self.streaming = False  # whether threads may have current streams of their own
            transfers = Transfers(self)
            self.read, self.write = transfers.read, transfers.write
            self.new_channel()
            self.refresh()
            self.lock = threading.RLock()  # last: its presence says that the rest is there

    def _new_context(self):
        cl = loader.pyopencl()
        try:
            return cl.Context([self.entry.device, *([self.entry.inline] if self.entry.inline else [])])
        except cl.Error as e:
            raise DeviceError(f"{self} ({self.name}, {self.platform_name}) is listed but cannot be opened: {e}. Choose "
                              f"another device with CLTENSOR_DEVICE. {platforms.listing()}") from None

    def new_channel(self):
        """A new in-order queue with a pool of its own."""
        channel = (InlineChannel(self._new_queue, self.memory, self.inline) if self.inline
                   else Channel(self._new_queue, self.memory))
        self.channels.append(channel)
        if "submit" in self.__dict__:
            self.refresh()
        return channel

    def _new_queue(self):
        cl = loader.pyopencl()
        flags = cl.command_queue_properties.PROFILING_ENABLE if self.profiling else 0
        return cl.CommandQueue(self.context, self.entry.device, flags)

    @property
    def queue(self):
        """The pyopencl CommandQueue of the current stream, for work of one's own."""
        return self.channel.lend()

    def drop_channel(self, channel):
        """Forget a channel; its commands still run, its buffers stay valid."""
        self.channels.remove(channel)
        self.memory.drop_pool(channel.pool)
        self.refresh()

    @property
    def channel(self):
        """The channel that this thread's work goes to."""
        stream = context.streams.get(self)
        return self.channels[0] if stream is None else stream._channel

    def stream_in_use(self):
        """From now on ask, at each launch and allocation, which stream is the thread's own."""
        if not self.streaming:
            self.streaming = True
            self.refresh()

    def refresh(self):
        """Renew `submit`, `allocate` and `arena` after channels, pools or limits have changed."""
        for channel in self.channels:
            channel.allocate = self.memory.allocator(channel.pool)
        first = self.channels[0]
        if self.streaming:
            self.submit, self.allocate, self.arena = self._submit, self._allocate, first.arena and _EACH_CHANNELS_OWN
        else:
            self.submit, self.allocate, self.arena = first.submit, first.allocate, first.arena

    def _submit(self, launch):
        self.channel.submit(launch)

    def _allocate(self, nbytes):
        return self.channel.allocate(nbytes)

    def enable_profiling(self):
        """Let every queue of the device record timestamps from now on (about 0.4 us a launch on PoCL)."""
        if self.profiling:
            return
        with _lock:
            self.synchronize()
            self.profiling = True
            for channel in self.channels:
                channel.renew(self._new_queue, self.memory)
            self.refresh()
            self.timestamps = self._has_timestamps()

    def _has_timestamps(self):
        """Whether the driver gives markers a time; a few do so for kernels only."""
        cl = loader.pyopencl()
        marker = self.channel.mark()
        marker.wait()
        try:
            return marker.profile.end > 0
        except cl.Error:
            return False

    def kernel(self, source, name):
        """A new pyopencl Kernel `name` of the program `source` (text, or an object with .text).  Raises BuildError."""
        return self.programs.kernel(source, name)

    def program(self, source):
        """The built program of `source`, from memory, disk or the compiler.  Raises BuildError."""
        return self.programs.get(source)

    def copy(self, dst, dst_offset, src, src_offset, nbytes):
        """Enqueue a copy of nbytes between two buffers of this device; offsets in bytes."""
        if nbytes:
            with self.lock:
                self.channel.copy(dst, dst_offset, src, src_offset, nbytes)

    def fill(self, buffer, byte_offset, nbytes, pattern):
        """Enqueue filling nbytes with the repeated `pattern` (1, 2, 4 or 8 bytes); it divides offset and nbytes."""
        if nbytes:
            with self.lock:
                self.channel.fill(buffer, byte_offset, nbytes, pattern)

    def check_reachable(self):
        """Raise DeviceError where this is the device of a parent process, which OpenCL cannot reach from here."""
        if not self.host:
            refuse_after_fork()

    def synchronize(self):
        """Wait until everything enqueued on this device, on any stream, is done."""
        refuse_after_fork()
        for channel in list(self.__dict__.get("channels", ())):
            channel.queue.finish()

    @property
    def name(self):
        return self.entry.name

    @property
    def platform_name(self):
        return self.entry.platform_name

    def __enter__(self):
        _entered.stack.append(context.device)
        set_default_device(self)
        return self

    def __exit__(self, *exception):
        set_default_device(_entered.stack.pop())

    def __str__(self):
        return f"opencl:{self.index}"

    def __repr__(self):
        return f"device(type='opencl', index={self.index})"

    def __reduce__(self):
        return device, (str(self),)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


class HostDevice(HostMemory, device):
    """Stands for the device of this index in a process that leaves OpenCL alone: memory is the host's, ops run through NumPy."""

    def __new__(cls, index, entry, facts):
        made = object.__new__(cls)
        made.index, made.entry, made.profile = index, entry, facts
        return made

    def __getattr__(self, attribute):
        if attribute in _OPENED:
            self.refuse()
        raise AttributeError(f"device has no attribute {attribute!r}")

    queue = property(HostMemory.refuse)


class _Entered(threading.local):
    """What was each thread's default device before the blocks that it is in."""

    def __init__(self):
        self.stack = []


_entered = _Entered()


def get(index):
    """The device with this index.  Raises DeviceError when there is none."""
    found = _devices.get(index)
    if found is not None:
        return found
    if _host_only:
        return _devices.setdefault(index, HostDevice(index, *_facts.get(index, profile.HOST)))
    entries = platforms.entries()
    if not 0 <= index < len(entries):
        raise DeviceError(f"there is no device opencl:{index}. {_listing()}")
    with _lock:
        if index not in _devices:
            made = object.__new__(device)
            made.index, made.entry = index, entries[index]
            _devices[index] = made
        return _devices[index]


def opened():
    """The devices that have been used in this process."""
    return [d for d in list(_devices.values()) if "lock" in d.__dict__]


def _entries():
    """The Entries of the devices there are, by index."""
    return [entry for entry, _ in (_facts or {0: profile.HOST}).values()] if _host_only else platforms.entries()


def _listing():
    return platforms.listing(_entries())


def count():
    """The number of usable OpenCL devices; 0 when there is none."""
    try:
        return len(_entries())
    except DeviceError:
        return 0


def default_device():
    """The device tensors are made on when none is named: CLTENSOR_DEVICE, else the best GPU, else the CPU."""
    global _default
    if context.device is not None:
        return context.device
    if _default is None:
        _default = get(0 if _host_only else platforms.chosen_index())
    return _default


def set_default_device(d):
    """Make d (a device, a name or an index) this thread's default; None goes back to the automatic choice."""
    context.device = None if d is None else device(d)


def _resolve(name, index):
    """The index meant by device(name, index)."""
    if index is not None and (isinstance(index, bool) or not hasattr(index, "__index__")):
        raise ArgumentTypeError(f"device: the index must be an int, got {index!r}")
    if hasattr(name, "__index__") and not isinstance(name, bool) and index is None:
        return name.__index__()
    if not isinstance(name, str):
        raise ArgumentTypeError(f"device: expected a name, an index or a device, got {name!r}")
    match = _NAME.fullmatch(name.strip().lower())
    if not match:
        raise DeviceError(f"{name!r} names no device: every device here is of type 'opencl'. Write 'opencl' for the "
                          f"default one, 'opencl:0' for the first, 'gpu' or 'cpu'. {_listing()}")
    kind, number = match.groups()
    if number is not None and index is not None:
        raise DeviceError(f"device({name!r}, {index}) gives the index twice; write device({kind!r}, {index})")
    wanted = int(number) if number is not None else index.__index__() if index is not None else None
    if kind == "opencl":
        return default_device().index if wanted is None else wanted
    return _nth_of_kind(kind, wanted or 0)


def _nth_of_kind(kind, n):
    indices = [i for i, e in enumerate(_entries()) if e.kind == kind]
    if not indices:
        advice = {"gpu": "A GPU needs its vendor's driver with OpenCL support; ",
                "cpu": f"One comes with {cure.cpu_driver()}; "}.get(kind, "")
        other = "cpu" if kind == "gpu" else "gpu"
        raise DeviceError(f"device({kind!r}): no OpenCL {kind.upper()} was found. {advice}device({other!r}) can be used "
                          f"instead. {_listing()}")
    if not 0 <= n < len(indices):
        raise DeviceError(f"there is no device {kind}:{n}. {_listing()}")
    return indices[n]


def refuse_after_fork():
    """Raise DeviceError in a process forked from one that had loaded OpenCL, where any use could hang."""
    if _forked:
        raise DeviceError(f"a tensor, stream or device of the parent process was used, but {HOST_ONLY}. Tensors that are sent to "
                          "a process, and those a DataLoader's dataset holds, may be used there")


def facts():
    """What a process that leaves OpenCL alone has to know: (index of the default device, {index: (Entry, profile)}).

    Looks for devices; where there are none, tensors cannot be made in this process either, and others need no facts.
    """
    try:
        default_device().profile  # noqa: B018  (looked up, so that it is known)
    except DeviceError:
        return 0, {}
    return default_device().index, _known([e.bare() for e in _entries()])


def _known(entries):
    """{index: (Entry, profile)} of these Entries, for HostDevices; where no profile has been asked for yet, a host's."""
    profiles = {d.index: d.__dict__["profile"] for d in list(_devices.values()) if "profile" in d.__dict__}
    return {i: (e, profiles.get(i, profile.HOST[1])) for i, e in enumerate(entries)}


def leave_opencl_alone(known):
    """From now on every device of this process is a HostDevice, if it is not already.  known: the parent's facts()."""
    global _default, _host_only, _facts
    if _host_only:
        return
    _host_only = True
    chosen, _facts = known
    _devices.clear()
    context.device, _default = None, get(chosen)


def on_host(d):
    """The HostDevice that stands for device d, in a process that leaves OpenCL alone."""
    return get(d.index)


def _after_fork_in_child():
    """Close every door to libraries whose threads did not come along, and never release what is the parent's."""
    global _forked, _lock
    _lock = threading.RLock()
    if _host_only or not loader.loaded():
        return
    _forked = True
    gc.freeze()  # what the parent left in circles is not to be collected here
    for d in _devices.values():
        for attribute in [k for k in d.__dict__ if k not in ("index", "entry", "profile")]:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(d.__dict__.pop(attribute)))
    chosen = context.device or _default
    leave_opencl_alone((0 if chosen is None else chosen.index, _known(platforms.known())))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _finish():
    """At exit: let PoCL run what was enqueued, since it loads kernels when their turn comes and their files are about to go."""
    if not _forked:
        for d in _devices.values():
            if d.entry.is_pocl:
                d.synchronize()


atexit.register(_finish)
