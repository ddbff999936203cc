"""Run a pickle of a PyTorch file: by the machine that only makes data, or by Python's own where the caller allows code."""

import io
import pickle

import numpy as np

from ...base.errors import CLTensorError, SerializationError
from .allowed import Allowed, constant
from .machine import Machine, Maker

_PLAIN_MODULES = ("numpy", "_codecs", "builtins", "__builtin__", "collections")


def unpickled(stream, options, storages):
    """The object of the pickle that a Stream is at; the Stream is behind it then."""
    allowed = Allowed(options.placement)
    machine = allowed.machine = Machine(stream, allowed.find, storages, allowed.built, options.encoding, options.errors)
    return machine.run() if options.weights_only else _with_code(stream, options, storages, allowed)


def plain(stream):
    """The object of a pickle that may hold numbers, text and containers only."""
    return Machine(stream, _refused, _refused, _refused, "latin1").run()


def of_arrays(stream):
    """The object of a pickle that may hold numbers, text, containers and NumPy's arrays, as other programs and Python 2 write
    it."""
    allowed = Allowed(None)

    def find(module, name):
        return allowed.find(module, name) if module.partition(".")[0] in _PLAIN_MODULES else _refused()

    def built(made, state):
        if isinstance(made, np.ndarray) and isinstance(state, tuple) and isinstance(state[-1], str):
            state = (*state[:-1], state[-1].encode("latin1"))  # the text of Python 2 was bytes
        return allowed.built(made, state)

    allowed.machine = Machine(stream, find, _refused, built, "latin1")
    return allowed.machine.run()


def _refused(*args):
    raise SerializationError("it has a name or a reference where plain numbers are expected")


def names_in(stream):
    """The globals that a pickle names, found without making anything of them: a list of (module, name)."""
    found = {}
    _Skipping(stream, lambda module, name: found.setdefault((module, name)), lambda pid: None, None, "latin1").run()
    return list(found)


def skip(stream, persistent):
    """Go behind a pickle without making anything of it; tell a function of its persistent ids."""
    _Skipping(stream, constant, persistent, None, "latin1").run()


class _Skipping(Machine):
    """Follows a pickle, and makes nothing but plain values and tuples of them."""

    def _call(self):
        del self.stack[-2:]
        self._push(None)

    _new = _call

    def _new_named(self):
        self.stack.pop()
        self._call()

    def _build(self):
        self.stack.pop()

    def _extend(self, values):
        """Ignore the values."""

    def _set(self, target, values):
        """Ignore the pairs."""

    def _additems(self):
        self._marked()

    def _frozenset(self):
        self._marked()
        self._push(None)


# --- with code -------------------------------------------------------------------------------------------------------


def _with_code(stream, options, storages, allowed):
    """The object of a pickle that may import and call anything."""
    reader = _Reader(stream)

    class Unpickler((options.pickle_module or pickle).Unpickler):
        """Python's, with PyTorch's names and this package's for them."""

        def find_class(self, module, name):
            found = _ours(allowed, module, name)
            return super().find_class(module, name) if found is None else found

        def persistent_load(self, pid):
            if isinstance(pid, tuple) and pid and pid[0] == "module":  # a class, with its source, in older files
                return pid[1]
            return storages(pid)

    try:
        return Unpickler(reader, encoding=options.encoding, errors=options.errors).load()
    except (CLTensorError, KeyboardInterrupt, SystemExit):
        raise
    except Exception as error:
        raise SerializationError(f"its pickle cannot be run: {type(error).__name__}: {error}") from error


def _ours(allowed, module, name):
    """What stands for one of PyTorch's names here; None for all other names.  Raises PickleError for PyTorch's own code."""
    if module.partition(".")[0] != "torch":
        return None
    found = allowed.find(module, name)
    return _Callable(found) if isinstance(found, Maker) else found


class _Callable(Maker):
    """A Maker that Python's unpickler can call."""

    __slots__ = ()

    def __init__(self, maker):
        super().__init__(maker.name, maker.function, maker.instance)

    def __call__(self, *args):
        return self.function(*args)


class _Reader(io.RawIOBase):
    """A Stream as a file, without reading ahead."""

    def __init__(self, stream):
        self.stream = stream

    def read(self, n=-1):
        return self.stream.take(min(n, self.stream.left) if n >= 0 else self.stream.left)

    def readline(self, size=-1):
        return self.stream.line(1 << 30) + b"\n"

    def readinto(self, out):
        data = self.read(len(out))
        out[: len(data)] = data
        return len(data)
