"""Inline: a queue of PoCL's device that runs everything in the calling thread, and programs that serve both its devices.

PoCL's binaries for the two devices differ at most in the device number, so one compilation serves both.
"""

from dataclasses import replace

import numpy as np

from . import declarations, loader, pocl

_ID = slice(8, 16)  # the device number in a PoCL binary, after the word "poclbin"
_THREADS, _CALLER = ("pthread-", "cpu-"), ("basic-", "cpu-minimal-")  # prefixes of PoCL's names, before version 4 and since
_PROBE = "__kernel void probe(__global int *x) { x[0] = 7; }"


def paired(found):
    """The Entries of one platform; PoCL's device that runs in the calling thread becomes `inline` of its threaded one."""
    caller = [e for e in found if e.is_pocl and e.name.startswith(_CALLER)]
    threads = [e for e in found if e.is_pocl and e not in caller and e.name.startswith(_THREADS)]
    if len(caller) != 1 or len(threads) != 1:
        return found
    return [replace(e, inline=caller[0].device) if e is threads[0] else e for e in found if e is not caller[0]]


def open_queue(programs):
    """A queue of the entry's inline device, or None on failure.  From now on `programs` builds for that device too."""
    cl, entry = loader.pyopencl(), programs.entry
    if entry.inline is None or pocl.fault():
        return None
    try:
        queue = cl.CommandQueue(programs.context, entry.inline)
        for number, binary in _probes(programs):
            if _works(programs, number, binary, queue):
                return queue
    except cl.Error:
        pass
    programs.pairing = None
    return None


def _probes(programs):
    """Yield (number of the inline device, binary for the main device): first from the disk cache, then freshly compiled."""
    cl, cache, entry = loader.pyopencl(), programs.cache, programs.entry
    size = _ID.stop - _ID.start
    key = programs.key(f"{_PROBE} {entry.inline.name}") if cache else None
    kept = cache.get(key) if cache else None
    if kept is not None:
        yield kept[:size], kept[size:]
    source, options = declarations.prelude(_PROBE) + _PROBE, [*programs.options, declarations.OPTION]
    made = [cl.Program(programs.context, source).build(options, devices=[d], cache_dir=False)
            for d in (entry.device, entry.inline)]
    binary, other = (max(m.get_info(cl.program_info.BINARIES), key=len) for m in made)
    if cache:
        cache.put(key, other[_ID] + binary)
    yield other[_ID], binary


def _works(programs, number, binary, queue):
    """Whether the main device's binary runs in `queue` under the inline device's number, done when the enqueue returns."""
    cl, entry = loader.pyopencl(), programs.entry
    programs.pairing = lambda b: {entry.device: b, entry.inline: b[: _ID.start] + number + b[_ID.stop :]}
    try:
        kernel = cl.Kernel(programs.of_binary(binary), "probe")
    except (cl.Error, ValueError):
        return False
    found = np.zeros(1, np.int32)
    buffer = cl.Buffer(programs.context, cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR, hostbuf=found)
    kernel.set_args(buffer)
    event = cl.enqueue_nd_range_kernel(queue, kernel, (1,), (1,))
    done = event.command_execution_status == cl.command_execution_status.COMPLETE
    cl.enqueue_copy(queue, found, buffer, is_blocking=True)
    return done and found[0] == 7
