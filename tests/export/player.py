"""The player, compiled from cpp/ and called through its C functions."""

import ctypes
import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyopencl
import pytest

ROOT = Path(__file__).resolve().parents[2]
CPP = ROOT / "cpp"
_SOURCES = ("apps/player_c.cpp", "apps/cltensor-run.cpp")
_STRICT = ("-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
_PROBE = "#define CL_TARGET_OPENCL_VERSION 120\n#include <CL/cl.h>\n#include <nlohmann/json.hpp>\n"


@functools.cache
def missing():
    """Why the player cannot be compiled here, in one line; None if it can."""
    if not shutil.which("g++"):
        return "there is no g++"
    probe = subprocess.run(["g++", "-std=c++17", "-fsyntax-only", "-x", "c++", "-"], input=_PROBE, text=True, capture_output=True,
                           check=False)
    return None if probe.returncode == 0 else ("g++ finds no CL/cl.h or nlohmann/json.hpp: install opencl-c-headers and "
                                               "nlohmann-json3-dev (Debian), or name their folder in CPATH")


needs_compiler = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def built(folder, *options):
    """The shared library of the player, kept in a folder as long as its sources stay."""
    files = sorted([*(CPP / "include" / "cltensor").glob("player*"), *(CPP / "include" / "cltensor" / "player").glob("*"),
                    *(CPP / s for s in _SOURCES)])
    key = hashlib.sha256(b"".join(f.read_bytes() for f in files if f.is_file()) + repr(options).encode()).hexdigest()[:20]
    made = Path(folder) / f"player-{key}.so"
    if not made.exists():
        own = sorted((Path(pyopencl.__file__).parent / ".libs").glob("libOpenCL*"))
        draft = made.with_suffix(f".{os.getpid()}")
        loader = str(own[0]) if own else "-lOpenCL"
        command = ["g++", *_STRICT, *options, f"-I{CPP / 'include'}", *(str(CPP / s) for s in _SOURCES), loader, "-o", str(draft)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        draft.replace(made)
    return made


class _Array(ctypes.Structure):
    _fields_ = (("dtype", ctypes.c_char_p), ("rank", ctypes.c_int), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("data", ctypes.c_void_p), ("bytes", ctypes.c_uint64))


def _array(a):
    """(the C array of a NumPy array, what it points to)."""
    a = np.asarray(a, order="C")
    shape = (ctypes.c_int64 * max(a.ndim, 1))(*a.shape)
    return _Array(str(a.dtype).encode(), a.ndim, shape, a.ctypes.data, a.nbytes), (a, shape)


class PlayerError(Exception):
    """What the player said."""


class Player:
    """A program in the player."""

    def __init__(self, library, path, device="", device_class="", max_bytes=0):
        self.c = _bound(str(library))
        self.program = self.c.ct_program_load(os.fsencode(path), device.encode(), device_class.encode(), max_bytes)
        self._checked(self.program)

    def __call__(self, *inputs):
        pairs = [_array(x) for x in inputs]
        self._done(self.c.ct_program_bind(self.program, (_Array * max(len(pairs), 1))(*(a for a, _ in pairs)), len(pairs)))
        self._done(self.c.ct_program_enqueue(self.program))
        return [self._given(self.c.ct_program_output, k) for k in range(self.c.ct_program_output_count(self.program))]

    def state(self):
        """{name: array} of what the program holds."""
        names = [self.c.ct_program_state_name(self.program, k) for k in range(self.c.ct_program_state_count(self.program))]
        return {name.decode(): self._given(self.c.ct_program_state, name) for name in names}

    def set_state(self, name, array):
        """Set a tensor."""
        c, kept = _array(array)
        self._done(self.c.ct_program_set_state(self.program, name.encode(), ctypes.byref(c)))
        del kept

    def number(self, path):
        """A number."""
        found = ctypes.c_double()
        self._done(self.c.ct_program_number(self.program, path.encode(), ctypes.byref(found)))
        return found.value

    def set_number(self, path, value):
        """Set a number."""
        self._done(self.c.ct_program_set_number(self.program, path.encode(), value))

    def save_state(self, path):
        """Write the state."""
        self._done(self.c.ct_program_save_state(self.program, os.fsencode(path)))

    def signatures(self):
        """(name, dtype, shape) of inputs and outputs."""
        found, a = [], _Array()
        for count, get in ((self.c.ct_program_input_count, self.c.ct_program_input),
                           (self.c.ct_program_output_count, self.c.ct_program_output_signature)):
            for k in range(count(self.program)):
                name = get(self.program, k, ctypes.byref(a))
                found.append((name.decode(), a.dtype.decode(), a.shape[: a.rank]))
        return found

    def close(self):
        """Free it."""
        self.c.ct_program_free(self.program)

    def _given(self, function, key):
        a = _Array()
        self._done(function(self.program, key, ctypes.byref(a)))
        data = ctypes.string_at(a.data, a.bytes) if a.bytes else b""
        return np.frombuffer(data, a.dtype.decode()).reshape(a.shape[: a.rank]).copy()

    def _done(self, status):
        self._checked(status == 0)

    def _checked(self, good):
        if not good:
            raise PlayerError(self.c.ct_last_error().decode())


@functools.cache
def _bound(path):
    c = ctypes.CDLL(path)
    program, text, array = ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(_Array)
    for name, result, *arguments in (
            ("last_error", text), ("program_load", program, text, text, text, ctypes.c_uint64), ("program_free", None, program),
            ("program_input_count", ctypes.c_int, program), ("program_output_count", ctypes.c_int, program),
            ("program_input", text, program, ctypes.c_int, array), ("program_output_signature", text, program, ctypes.c_int, array),
            ("program_bind", ctypes.c_int, program, array, ctypes.c_int), ("program_enqueue", ctypes.c_int, program),
            ("program_output", ctypes.c_int, program, ctypes.c_int, array), ("program_state_count", ctypes.c_int, program),
            ("program_state_name", text, program, ctypes.c_int), ("program_state", ctypes.c_int, program, text, array),
            ("program_set_state", ctypes.c_int, program, text, array), ("program_save_state", ctypes.c_int, program, text),
            ("program_number", ctypes.c_int, program, text, ctypes.POINTER(ctypes.c_double)),
            ("program_set_number", ctypes.c_int, program, text, ctypes.c_double)):
        function = getattr(c, f"ct_{name}")
        function.restype, function.argtypes = result, arguments
    return c
