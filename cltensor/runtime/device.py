"""device: an OpenCL device with its context, current queue, allocator and programs.

Naming a device searches for devices; the first use opens its context.  From then on `submit`, `allocate` and `lock` are plain
attributes, because every launch reads them.  Streams change them: read them again at each use.
"""

import atexit
import ctypes
import gc
import os
import re
import threading

from ..base.context import context
from ..base.errors import ArgumentTypeError, DeviceError
from . import cure, inline, loader, meta, platforms, profile
from .absent import AbsentKernel
from .channel import Channel, InlineChannel
from .host_buffers import HOST_ONLY, HostMemory
from .memory import DeviceMemory
from .meta import MetaMemory
from .program import Programs
from .transfer import Transfers

_NAME = re.compile(r"(opencl|gpu|cpu)(?::(\d+))?")
_META = re.compile(r"meta(?::\d+)?")
_OPENED = frozenset({"context", "submit", "inline", "arena", "allocate", "lock", "memory", "programs", "channels", "streaming",
                     "default_stream", "profiling", "timestamps", "watch", "read", "write"})
_EACH_CHANNELS_OWN = object()  # device.arena with streams: each channel has its own, and this equals none of them
_devices = {}
_lock = threading.RLock()
_default = None
_forked = False
_host_only = False
_facts = {}  # index -> (Entry, profile) of the known devices, in a process that leaves OpenCL alone


class device:
    """An OpenCL device: device("opencl:0"), device("opencl", 0), device(0), device("gpu"), device("cpu").

    device("meta") is no hardware: its tensors have shapes, strides and dtypes but neither memory nor values.
    Each device has one object, so compare devices by identity.  "opencl" alone is the default device.  Raises DeviceError
    for a missing device, naming those there are.  As a context manager it is the default device inside the block.

    Attributes: type ("opencl"), index, name, platform_name, profile (DeviceProfile); and once used: context, queue,
    submit (enqueues a Launch), lock (held while a kernel's arguments are set and it is submitted; reentrant, because a
    signal handler or finaliser may launch something in the same thread meanwhile).
    """

    type = "opencl"
    silent = False  # True: launches run nothing; see compile_only.py
    host = False  # True for a HostDevice, in a process that leaves OpenCL alone
    meta = False  # True for the meta device, whose tensors have no values

    def __new__(cls, device="opencl", index=None):
        if isinstance(device, _device) and index is None:
            return get(device.index) if _host_only and not (device.host or device.meta) else device
        if isinstance(device, str) and _META.fullmatch(device.strip().lower()):
            return _meta
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
        """Make the context, the default queue and everything that needs them, once."""
        refuse_after_fork()
        with _lock:
            if "lock" in self.__dict__:
                return
            self.context = self._new_context()
            self.programs = Programs(self.entry, self.context, self.profile.quirks)
            self.inline = inline.open_queue(self.programs)
            self.memory = DeviceMemory(self.context, self.profile, f"{self} ({self.name})", self.synchronize)
            self.channels, self.profiling, self.timestamps, self.watch = [], False, False, None
            self.default_stream = None  # made by stream.py
            self.streaming = False  # whether a thread may have a current stream other than the default one
            transfers = Transfers(self)
            self.read, self.write = transfers.read, transfers.write
            self.new_channel()
            self.refresh()
            self.lock = threading.RLock()  # last: its presence means that all else is set
        if context.profile is not None:
            context.profile.opened(self)

    def _new_context(self):
        cl = loader.pyopencl()
        try:
            return cl.Context([self.entry.device, *([self.entry.inline] if self.entry.inline else [])])
        except cl.Error as e:
            raise DeviceError(f"{self} ({self.name}, {self.platform_name}) is listed but cannot be opened: {e}. Choose "
                              f"another device with CLTENSOR_DEVICE. {platforms.listing()}") from None

    def new_channel(self):
        """A new Channel: an in-order queue with its own pool."""
        channel = (InlineChannel(self._new_queue, self.memory, self.inline) if self.inline
                   else Channel(self._new_queue, self.memory))
        self.channels.append(channel)
        if self.watch is not None:
            self.watch.add(channel)
        if "submit" in self.__dict__:
            self.refresh()
        return channel

    def _new_queue(self):
        if self.profiling:
            return self.timed_queue(self.entry.device)
        return loader.pyopencl().CommandQueue(self.context, self.entry.device)

    def timed_queue(self, device):
        """A queue of a pyopencl Device of this context, which records timestamps."""
        cl = loader.pyopencl()
        return cl.CommandQueue(self.context, device, cl.command_queue_properties.PROFILING_ENABLE)

    @property
    def queue(self):
        """The pyopencl CommandQueue of the current stream, for your own commands."""
        return self.lend(self.channel)

    def lend(self, channel):
        """The queue of one of its channels, for the caller to enqueue what no recorder sees."""
        if context.recorder is not None:
            context.recorder.fail("it asks for a stream's queue, and commands enqueued there cannot be captured")
        return channel.lend()

    def drop_channel(self, channel):
        """Remove a channel; its commands still run and its buffers stay valid."""
        self.channels.remove(channel)
        self.memory.drop_pool(channel.pool)
        self.refresh()

    @property
    def channel(self):
        """The channel that this thread's work goes to."""
        stream = context.streams.get(self)
        return self.channels[0] if stream is None else stream._channel

    def stream_in_use(self):
        """From now on, look up the thread's current stream at each launch and allocation."""
        if not self.streaming:
            self.streaming = True
            self.refresh()

    def refresh(self):
        """Set `submit`, `allocate` and `arena` again after channels, pools or limits have changed."""
        for channel in self.channels:
            channel.allocate = self.memory.allocator(channel.pool)
            if self.watch is not None:
                channel.allocate = self.watch.allocator(channel)
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
        """Make every queue of the device record timestamps from now on (about 0.4 us a launch on PoCL)."""
        if self.profiling:
            return
        with _lock:
            self.synchronize()
            self.profiling = True
            for channel in self.channels:
                channel.renew(self._new_queue, self.memory)
            self.refresh()
            self.timestamps = self.has_timestamps()

    def has_timestamps(self):
        """Whether the driver timestamps markers; a few timestamp only kernels."""
        cl = loader.pyopencl()
        marker = self.channel.mark()
        marker.wait()
        try:
            return marker.profile.end > 0
        except cl.Error:
            return False

    def kernel(self, source, name):
        """A new pyopencl Kernel `name` of the program `source` (text, or an object with .text).  Raises BuildError.

        Where `absent_kernels` are noted: an AbsentKernel instead of compiling.
        """
        if context.absent is not None and self.programs.find(source) is None:
            context.absent.append(source)
            return AbsentKernel
        return self.programs.kernel(source, name)

    def program(self, source):
        """The built program of `source`, from memory, disk or the compiler.  Raises BuildError."""
        return self.programs.get(source)

    def copy(self, dst, dst_offset, src, src_offset, nbytes):
        """Enqueue a copy of nbytes between two buffers of this device; offsets in bytes."""
        if nbytes:
            if context.recorder is not None:
                context.recorder.copied(dst, src)
            with self.lock:
                self.channel.copy(dst, dst_offset, src, src_offset, nbytes)

    def fill(self, buffer, byte_offset, nbytes, pattern):
        """Enqueue filling nbytes with the repeated `pattern` (1, 2, 4 or 8 bytes); it divides offset and nbytes."""
        if nbytes:
            with self.lock:
                self.channel.fill(buffer, byte_offset, nbytes, pattern)

    def check_reachable(self):
        """Raise DeviceError if this device belongs to a parent process: OpenCL cannot reach it from here."""
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
    """Stands for the device of this index in a process that leaves OpenCL alone: host memory, and ops that NumPy computes."""

    def __new__(cls, index, entry, facts):
        made = object.__new__(cls)
        made.index, made.entry, made.profile = index, entry, facts
        return made

    def __getattr__(self, attribute):
        if attribute in _OPENED:
            self.refuse()
        raise AttributeError(f"device has no attribute {attribute!r}")

    queue = property(HostMemory.refuse)


class MetaDevice(MetaMemory, device):
    """The device of tensors without values: ops work out shapes and dtypes, and run nothing."""

    type = "meta"
    index = None
    entry, profile = meta.ENTRY, meta.PROFILE

    def __new__(cls):
        return object.__new__(cls)

    def __getattr__(self, attribute):
        raise AttributeError(f"the meta device has no attribute {attribute!r}")

    queue = property(MetaMemory.refuse)

    def __str__(self):
        return "meta"

    def __repr__(self):
        return "device(type='meta')"


_device = device
_meta = MetaDevice()


class _Entered(threading.local):
    """Per thread: the default devices from before each `with device` block it is in."""

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
    """The Entries of all devices, by index."""
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
    """The device for tensors made without one: CLTENSOR_DEVICE, else the best GPU, else the CPU."""
    return real_default() if context.device is None else context.device


def real_default():
    """The default device; where that is the meta device, the one there would be without it: for values that are there."""
    global _default
    if context.device is not None and not context.device.meta:
        return context.device
    if _default is None:
        _default = get(0 if _host_only else platforms.chosen_index())
    return _default


def here_or_default(name):
    """The device of a name from another machine, or the default one where this machine has none of that name."""
    try:
        return device(name)
    except DeviceError:
        return default_device()


def set_default_device(device):
    """Make a device this thread's default, for tensors of any shape and dtype; None goes back to the automatic choice.

    device: itself, its name or its index.  Raises DeviceError where there is none of that name.  Source: torch.set_default_device.

        >>> ct.set_default_device(None)
    """
    context.device = None if device is None else _of(device)


def _of(d):
    return device(d)


def _resolve(name, index):
    """The index of the device that device(name, index) means."""
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
        return real_default().index if wanted is None else wanted
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
    """For a process that leaves OpenCL alone: (index of the default device, {index: (Entry, profile)}).

    Searches for devices.  Without any, this process makes no tensors either, so other processes need no facts.
    """
    try:
        real_default().profile  # noqa: B018  (the lookup stores it)
    except DeviceError:
        return 0, {}
    return real_default().index, _known([e.bare() for e in _entries()])


def _known(entries):
    """{index: (Entry, profile)} of these Entries, for HostDevices.  A profile not queried yet is replaced by the host's."""
    profiles = {d.index: d.__dict__["profile"] for d in list(_devices.values()) if "profile" in d.__dict__}
    return {i: (e, profiles.get(i, profile.HOST[1])) for i, e in enumerate(entries)}


def leave_opencl_alone(known):
    """Make every device of this process a HostDevice from now on.  known: the parent's facts()."""
    global _default, _host_only, _facts
    if _host_only:
        return
    _host_only = True
    chosen, _facts = known
    _devices.clear()
    context.device, _default = None, get(chosen)


def on_host(d):
    """The HostDevice for device d, in a process that leaves OpenCL alone."""
    return get(d.index)


def _after_fork_in_child():
    """Cut off OpenCL, whose threads do not survive the fork, and never release the parent's objects."""
    global _forked, _lock
    _lock = threading.RLock()
    if _host_only or not loader.loaded():
        return
    _forked = True
    gc.freeze()  # never collect the parent's reference cycles here
    for d in _devices.values():
        for attribute in [k for k in d.__dict__ if k not in ("index", "entry", "profile")]:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(d.__dict__.pop(attribute)))
    chosen = _default if context.device is None or context.device.meta else context.device
    leave_opencl_alone((0 if chosen is None else chosen.index, _known(platforms.known())))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _finish():
    """At exit: wait for PoCL.  It loads a kernel's file only when it runs the kernel, and the files are about to be removed."""
    if not _forked:
        for d in _devices.values():
            if d.entry.is_pocl:
                d.synchronize()


atexit.register(_finish)
