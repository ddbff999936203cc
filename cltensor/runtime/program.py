"""Building programs: from memory, from the disk cache, or with the device's compiler."""

import contextlib
import hashlib
import os
import re
import sys
import threading
import time
import warnings
from dataclasses import dataclass

from ..base import config
from ..base.context import observers
from ..base.errors import BuildError
from . import declarations, pocl
from .cache import kernel_cache
from .loader import pyopencl

OPTIONS = ("-cl-std=CL1.2", "-w")  # -w: some compilers print their number of warnings on standard error
# Without it NVIDIA's division is up to 2.5 ulp off, enough to make floor(x / x) zero.
ROUNDED = "-cl-fp32-correctly-rounded-divide-sqrt"
_CAN_ROUND = 1 << 7  # CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT of cl_device_fp_config
_FORMAT = "1"  # part of every key: raise it when the meaning of an entry changes
_KERNEL = re.compile(r"__kernel\b.*?\bvoid\s+(\w+)\s*\(", re.S)
# "file:3:2: error: ...", and PoCL's "error: file:3:2: ..."
_ERROR_LINE = re.compile(r":(\d+):(?:\d+:)?\s*(?:fatal )?error|error:[^\n:]*:(\d+):\d+:", re.I)


@dataclass
class BuildStats:
    """How many programs this process compiled, how many it loaded from disk, and the seconds both took."""

    compiled: int = 0
    loaded: int = 0
    seconds: float = 0.0


#: This process's builds on all devices; read it through build_stats().
builds = BuildStats()
_stats_lock = threading.Lock()


def build_stats():
    """Return how many programs this process compiled, or loaded from the disk cache, and the seconds that took.

    Never raises.  Source: calls of clBuildProgram, OpenCL 1.2, section 5.6.2.

        >>> before = ct.opencl.build_stats()
        >>> x = ct.ones(3) + 1
        >>> after = ct.opencl.build_stats()
        >>> after.compiled + after.loaded >= before.compiled + before.loaded
        True
    """
    return BuildStats(builds.compiled, builds.loaded, builds.seconds)


class Programs:
    """The built programs of one device, by source text."""

    def __init__(self, entry, context, quirks):
        self.entry, self.context, self.quirks = entry, context, quirks
        self.options = (*OPTIONS, ROUNDED) if entry.device.single_fp_config & _CAN_ROUND else OPTIONS
        self.cache = kernel_cache() if "no-binaries" not in quirks else None
        self._built, self._locks = {}, {}
        self.pairing = None  # function binary -> {device: binary}, where programs serve an inline device too; see inline.py

    def get(self, source):
        """The built program of `source` (a str, or an object with .text and .template).  Raises BuildError."""
        text = source if isinstance(source, str) else source.text
        found = self._built.get(text)
        if found is None:
            with self._locks.setdefault(text, threading.RLock()):  # a lock per text: other programs build in parallel
                found = self._built.get(text)
                if found is None:
                    found = self._built[text] = self._build(text, _title(source, text))
        return found

    def find(self, source):
        """The built program of `source` from memory or the disk cache; None if it would have to be compiled, or is just then."""
        text = source if isinstance(source, str) else source.text
        found, lock = self._built.get(text), self._locks.setdefault(text, threading.RLock())
        if found is None and self.cache is not None and lock.acquire(blocking=False):
            try:
                found = self._built.get(text) or self._loaded(text, _title(source, text))
            finally:
                lock.release()
        return found

    def prepare(self, source, build):
        """Make sure that a program is in the disk cache; build: a function that compiles a source into it."""
        text = source if isinstance(source, str) else source.text
        if self.cache is None or text in self._built:
            return
        with self._locks.setdefault(text, threading.RLock()):
            if text not in self._built and self.cache.get(self.key(text)) is None:
                build(source)

    def is_kept(self, source):
        """Whether a program is in memory or in the disk cache."""
        text = source if isinstance(source, str) else source.text
        return text in self._built or (self.cache is not None and self.cache.get(self.key(text)) is not None)

    def kernel(self, source, name):
        """A new Kernel object.  Raises BuildError, also for a name the source does not have."""
        program = self.get(source)
        cl = pyopencl()
        try:
            return cl.Kernel(program, name)
        except cl.Error as e:
            text = source if isinstance(source, str) else source.text
            raise BuildError(f"no kernel {name!r} in {_title(source, text)}: {e}") from None

    def key(self, text):
        """The disk cache key: a hash of everything a binary depends on."""
        added = os.environ.get("PYOPENCL_BUILD_OPTIONS", "")  # pyopencl adds these to ours
        parts = (_FORMAT, text, *self.options, added, *self.entry.identity)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _loaded(self, text, title):
        """The program of `text` from the disk cache, kept in memory; None if it is not there."""
        start = time.perf_counter()
        found = None if self.entry.is_pocl and pocl.fault() else self._load(self.key(text))
        if found is not None:
            self._built[text] = found
            _report(title, self.entry.name, "disk", time.perf_counter() - start)
        return found

    def _build(self, text, title):
        start = time.perf_counter()
        reason = pocl.fault() if self.entry.is_pocl else None
        if reason:
            raise BuildError(f"kernel {title} cannot be built for {self.entry.name} ({self.entry.platform_name}): {reason}")
        key = self.key(text) if self.cache else None
        program = self._load(key) if key else None
        origin = "disk"
        if program is None:
            program, origin = self._compile(text, title, key), "compiler"
        _report(title, self.entry.name, origin, time.perf_counter() - start)
        return program

    def _load(self, key):
        """The program of a cached binary; None if there is none or the driver rejects it."""
        binary = self.cache.get(key)
        if binary is None:
            return None
        cl = pyopencl()
        try:
            return self.of_binary(binary)
        except (cl.Error, ValueError):
            self.cache.discard(key)
            return None

    def of_binary(self, binary):
        """The built program of a binary."""
        pairs = self.pairing(binary) if self.pairing else {self.entry.device: binary}
        return self._finish(pyopencl().Program(self.context, list(pairs), list(pairs.values())), devices=list(pairs))

    def _compile(self, text, title, key):
        cl = pyopencl()
        short = self._with_declarations(text)
        program = short or cl.Program(self.context, text)
        try:
            if not short:
                self._finish(program)
            if "eager-binaries" not in self.quirks:
                self._keep(program, key)
                return program
            binary = program.get_info(cl.program_info.BINARIES)[0]
        except cl.Error as e:
            raise BuildError(_failure(title, text, self.entry, _log(cl, program, self.entry, e))) from None
        self.cache.put(key, binary)
        return self.of_binary(binary)

    def _with_declarations(self, text):
        """The program compiled with our short declarations; None without "long-headers", or if it needs more than they declare."""
        if "long-headers" not in self.quirks:
            return None
        cl = pyopencl()
        try:
            return self._finish(cl.Program(self.context, declarations.prelude(text) + text), [declarations.OPTION])
        except cl.Error:
            return None

    def _keep(self, program, key):
        """Write the program's binary to the disk cache, if the driver gives one."""
        cl = pyopencl()
        if key is None:
            return
        with contextlib.suppress(cl.Error):
            program.all_kernels()  # some drivers generate code only when a kernel is created
            binary = program.get_info(cl.program_info.BINARIES)[0]
            if binary:
                self.cache.put(key, binary)

    def _finish(self, program, options=(), devices=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pyopencl warns of any non-empty compiler log; Intel's is never empty
            _ = program.int_ptr  # creates the program now, which bypasses pyopencl's own cache and its files of failed sources
            return program.build([*self.options, *options], devices=devices or [self.entry.device], cache_dir=False)


def _title(source, text):
    """The names of the source's kernels and of their template, for messages."""
    names = ", ".join(_KERNEL.findall(text)) or "a program without kernels"
    template = getattr(source, "template", None)
    return f"{names} (template {template})" if template else names


def _report(title, device, origin, seconds):
    with _stats_lock:
        builds.seconds += seconds
        if origin == "disk":
            builds.loaded += 1
        else:
            builds.compiled += 1
    if config.debug():
        print(f"cltensor: built {title} for {device} in {seconds * 1e3:.1f} ms from {origin}", file=sys.stderr)
    for observer in list(observers.built):
        observer(title, origin, seconds)


def _log(cl, program, entry, error):
    try:
        log = program.get_build_info(entry.device, cl.program_build_info.LOG).strip()
    except cl.Error:
        log = ""
    return log or str(error)


def _failure(title, text, entry, log):
    message = f"kernel {title} does not compile on {entry.name} ({entry.platform_name}):\n{log}"
    found = _ERROR_LINE.search(log)
    if not found:
        return message
    line = int(found.group(1) or found.group(2))
    lines = text.splitlines()
    around = range(max(line - 4, 0), min(line + 3, len(lines)))
    shown = "\n".join(f"{'>' if i + 1 == line else ' '} {i + 1:4}  {lines[i]}" for i in around)
    return f"{message}\nsource:\n{shown}"
