"""Machine: runs the instructions of a pickle, as far as they only make data.

Names of functions and classes are looked up in a table of what is allowed; nothing is imported, and nothing is called that is
not in the table.  There is no recursion, and what a pickle may make is counted: references are cheap to write, so a small file can
ask for much.

Source: the instructions' descriptions in the standard library's pickletools, protocols 0 to 5.
"""

import pickle
import struct
from collections import Counter

from ...base.errors import CLTensorError, PickleError, SerializationError

_MOST = 512 << 20  # bytes, estimated, of what a pickle makes besides tensors and the text it holds itself
_MOST_ALIKE = 100  # keys of one dict with the same hash; strings have random hashes, but numbers and tuples do not
_MOST_IN_KEY = 1000  # values in a tuple that is a key, which is hashed along all its paths
_LONGEST_INT = 4096  # bits of an int that is a key
_LIST, _DICT, _SET, _TUPLE, _REFERENCE = 56, 64, 216, 40, 8
_SMALL = 1 << 60  # ints below have hashes of their own
_DAMAGED = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, struct.error, RecursionError)


class Maker:
    """A function or class that a pickle may name: what it is called there, and what stands for it here."""

    __slots__ = ("function", "instance", "name")

    def __init__(self, name, function, instance=None):
        self.name, self.function, self.instance = name, function, instance

    def __repr__(self):
        return f"<{self.name} of a pickle>"


def shown(module, name):
    """The full name of a global."""
    return f"{module}.{name}"[:200]


class Machine:
    """Runs one pickle after another from a Stream, with one budget.

    find(module, name): what a global stands for, a Maker or a value; raises for one that is not allowed.
    persistent(id): what a persistent id stands for.  built(object, state): the object with its state.
    encoding, errors: how text of Python 2 is decoded; encoding "bytes" keeps it.
    """

    def __init__(self, stream, find, persistent, built, encoding="utf-8", errors="strict"):
        self.stream, self.find, self.persistent, self.built = stream, find, persistent, built
        self.encoding, self.errors = encoding, errors
        self.spent, self.keyed = 0, {}
        self.steps = {code: getattr(self, name) for code, name in _STEPS.items()}

    def spend(self, nbytes):
        """Count so many bytes of memory.  Raises SerializationError beyond what any pickle may take."""
        self.spent += nbytes
        if self.spent > _MOST:
            raise SerializationError(f"what it makes besides tensors takes more than {_MOST >> 20} MiB; keep large lists of "
                                     "numbers as tensors")

    def run(self):
        """The object that the next pickle describes."""
        self.stack, self.marks, self.memo = [], [], {}
        take, steps = self.stream.take, self.steps
        try:
            while True:
                code = take(1)
                if code == b".":
                    return self._last()
                step = steps.get(code)
                if step is None:
                    raise SerializationError(f"it holds the pickle instruction {code!r}, which no checkpoint needs")
                step()
        except CLTensorError:
            raise
        except _DAMAGED as error:
            raise SerializationError(f"the pickle in it is damaged at byte {self.stream.position}: {type(error).__name__}: "
                                     f"{error}") from error

    def _last(self):
        if self.marks or len(self.stack) != 1:
            raise SerializationError(f"the pickle in it ends with {len(self.stack)} values, of which there should be one")
        return self.stack.pop()

    # --- plain values ------------------------------------------------------------------------------------------------

    def _push(self, value):
        self.spend(_REFERENCE)
        self.stack.append(value)

    def _number(self, form):
        return struct.unpack(form, self.stream.take(struct.calcsize(form)))[0]

    def _none(self):
        self._push(None)

    def _true(self):
        self._push(True)

    def _false(self):
        self._push(False)

    def _byte(self):
        self._push(self._number("<B"))

    def _short(self):
        self._push(self._number("<H"))

    def _int(self):
        self.spend(32)
        self._push(self._number("<i"))

    def _float(self):
        self.spend(24)
        self._push(self._number(">d"))

    def _long1(self):
        self._push(int.from_bytes(self.stream.take(self._number("<B")), "little", signed=True))

    def _long4(self):
        self._push(int.from_bytes(self.stream.take(self._count("<i")), "little", signed=True))

    def _int_text(self):
        text = self.stream.line()
        self._push({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text))

    def _long_text(self):
        self._push(int(self.stream.line().rstrip(b"L")))

    def _float_text(self):
        self._push(float(self.stream.line()))

    def _count(self, form):
        """A length.  Raises for one that is longer than the rest of the file, before anything is made of it."""
        n = self._number(form)
        if not 0 <= n <= self.stream.left:
            raise SerializationError(f"the pickle in it announces {n} bytes at {self.stream.position}, {self.stream.left} are "
                                     "left; it is truncated or damaged: copy or download it again")
        return n

    def _text(self, form):
        self.spend(49)
        self._push(self.stream.take(self._count(form)).decode("utf-8", "surrogatepass"))

    def _text1(self):
        self._text("<B")

    def _text4(self):
        self._text("<I")

    def _text8(self):
        self._text("<Q")

    def _text_line(self):
        self._push(self.stream.line().decode("raw-unicode-escape"))

    def _bytes(self, form):
        self.spend(33)
        self._push(self.stream.take(self._count(form)))

    def _bytes1(self):
        self._bytes("<B")

    def _bytes4(self):
        self._bytes("<I")

    def _bytes8(self):
        self._bytes("<Q")

    def _bytearray8(self):
        self.spend(57)
        self._push(bytearray(self.stream.take(self._count("<Q"))))

    def _old(self, raw):
        """Text of Python 2."""
        self.spend(49)
        self._push(raw if self.encoding == "bytes" else raw.decode(self.encoding, self.errors))

    def _old1(self):
        self._old(self.stream.take(self._count("<B")))

    def _old4(self):
        self._old(self.stream.take(self._count("<i")))

    def _old_line(self):
        text = self.stream.line()
        if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in b"'\"":
            raise ValueError("a string is not quoted")
        self._old(text[1:-1].decode("unicode-escape").encode("latin1"))

    # --- the stack ---------------------------------------------------------------------------------------------------

    def _mark(self):
        self.spend(_REFERENCE)
        self.marks.append(self.stack)
        self.stack = []

    def _marked(self):
        """The values since the last mark."""
        if not self.marks:
            raise ValueError("there is no mark")
        found, self.stack = self.stack, self.marks.pop()
        return found

    def _pop(self):
        if self.stack:
            self.stack.pop()
        else:
            self._marked()

    def _pop_mark(self):
        self._marked()

    def _again(self):
        self._push(self.stack[-1])

    def _remember(self, at):
        self.spend(100)
        self.memo[at] = self.stack[-1]

    def _put1(self):
        self._remember(self._number("<B"))

    def _put4(self):
        self._remember(self._number("<I"))

    def _put_text(self):
        self._remember(int(self.stream.line()))

    def _memoize(self):
        self._remember(len(self.memo))

    def _get1(self):
        self._push(self.memo[self._number("<B")])

    def _get4(self):
        self._push(self.memo[self._number("<I")])

    def _get_text(self):
        self._push(self.memo[int(self.stream.line())])

    # --- containers --------------------------------------------------------------------------------------------------

    def _empty_list(self):
        self.spend(_LIST)
        self._push([])

    def _empty_dict(self):
        self.spend(_DICT)
        self._push({})

    def _empty_tuple(self):
        self._push(())

    def _empty_set(self):
        self.spend(_SET)
        self._push(set())

    def _tuple(self):
        self._push_tuple(self._marked())

    def _push_tuple(self, values):
        self.spend(_TUPLE + _REFERENCE * len(values))
        self._push(tuple(values))

    def _some(self, n):
        if len(self.stack) < n:
            raise ValueError(f"{n} values are wanted from a stack of {len(self.stack)}")
        values = self.stack[-n:]
        del self.stack[-n:]
        self._push_tuple(values)

    def _tuple1(self):
        self._some(1)

    def _tuple2(self):
        self._some(2)

    def _tuple3(self):
        self._some(3)

    def _list(self):
        values = self._marked()
        self.spend(_LIST + _REFERENCE * len(values))
        self._push(values)

    def _dict(self):
        self.spend(_DICT)
        self._set(found := {}, self._marked())
        self._push(found)

    def _frozenset(self):
        values = self._marked()
        self._push(self.set_of(values, frozenset))

    def set_of(self, values, kind=set):
        """A set of values, after their keys are checked."""
        self.spend(_SET + 4 * _REFERENCE * len(values))
        seen = []  # a container for `key` to count in
        for value in values:
            self.key(seen, value)
        return kind(values)

    def _append(self):
        value = self.stack.pop()
        self._extend([value])

    def _appends(self):
        self._extend(self._marked())

    def _extend(self, values):
        target = self.stack[-1]
        if type(target) is not list:
            raise TypeError(f"values are appended to {type(target).__name__}, which is no list")
        self.spend(_REFERENCE * len(values))
        target.extend(values)

    def _setitem(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._set(self.stack[-1], [key, value])

    def _setitems(self):
        values = self._marked()
        self._set(self.stack[-1], values)

    def _set(self, target, values):
        if not isinstance(target, dict) or len(values) % 2:
            raise TypeError(f"{len(values)} keys and values are put into {type(target).__name__}")
        self.spend(100 * (len(values) // 2))
        for key, value in zip(values[::2], values[1::2], strict=True):
            self.key(target, key)
            target[key] = value

    def _additems(self):
        values, target = self._marked(), self.stack[-1]
        if type(target) is not set:
            raise TypeError(f"values are added to {type(target).__name__}")
        self.spend(4 * _REFERENCE * len(values))
        for value in values:
            self.key(target, value)
            target.add(value)

    def key(self, container, key):
        """Check a key of a container: hashing it must be quick, and few others may have its hash."""
        kind = type(key)
        if kind in (str, bytes) or (kind is int and -_SMALL < key < _SMALL):
            return
        if isinstance(key, (int, tuple, frozenset)):
            _check_size(key)
        _, counts = self.keyed.setdefault(id(container), (container, Counter()))
        h = hash(key)
        counts[h] += 1
        if counts[h] > _MOST_ALIKE:
            raise SerializationError(f"a dict in it has more than {_MOST_ALIKE} keys with the same hash, chosen to take very long")

    # --- names -------------------------------------------------------------------------------------------------------

    def _global(self):
        module, name = self.stream.line(1000), self.stream.line(1000)
        self._push(self.find(module.decode(), name.decode()))

    def _stack_global(self):
        name, module = self.stack.pop(), self.stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise TypeError("a global's name is no text")
        self._push(self.find(module, name))

    def _persistent(self):
        self._push(self.persistent(self.stack.pop()))

    def _call(self):
        args, made = self.stack.pop(), self.stack.pop()
        if not isinstance(made, Maker) or not isinstance(args, tuple):
            raise PickleError(f"it calls {type(made).__name__}, which is no function that checkpoints may call")
        self._push(made.function(*args))

    def _new(self):
        args, made = self.stack.pop(), self.stack.pop()
        self._push(self._instance(made, args, {}))

    def _new_named(self):
        named, args, made = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self._push(self._instance(made, args, named))

    @staticmethod
    def _instance(made, args, named):
        if not isinstance(made, Maker) or made.instance is None or not isinstance(args, tuple) or not isinstance(named, dict):
            raise PickleError(f"it makes an object of {made.name if isinstance(made, Maker) else type(made).__name__}, which "
                              "checkpoints may not")
        return made.instance(*args, **named)

    def _build(self):
        state = self.stack.pop()
        self.stack[-1] = self.built(self.stack[-1], state)

    # --- protocol ----------------------------------------------------------------------------------------------------

    def _protocol(self):
        if (n := self._number("<B")) > pickle.HIGHEST_PROTOCOL:
            raise ValueError(f"there is no protocol {n}")

    def _frame(self):
        self._count("<Q")


_STEPS = {
    pickle.NONE: "_none", pickle.NEWTRUE: "_true", pickle.NEWFALSE: "_false", pickle.BININT1: "_byte", pickle.BININT2: "_short",
    pickle.BININT: "_int", pickle.BINFLOAT: "_float", pickle.LONG1: "_long1", pickle.LONG4: "_long4", pickle.INT: "_int_text",
    pickle.LONG: "_long_text", pickle.FLOAT: "_float_text", pickle.SHORT_BINUNICODE: "_text1", pickle.BINUNICODE: "_text4",
    pickle.BINUNICODE8: "_text8", pickle.UNICODE: "_text_line", pickle.SHORT_BINBYTES: "_bytes1", pickle.BINBYTES: "_bytes4",
    pickle.BINBYTES8: "_bytes8", pickle.BYTEARRAY8: "_bytearray8", pickle.SHORT_BINSTRING: "_old1", pickle.BINSTRING: "_old4",
    pickle.STRING: "_old_line", pickle.MARK: "_mark", pickle.POP: "_pop", pickle.POP_MARK: "_pop_mark", pickle.DUP: "_again",
    pickle.BINPUT: "_put1", pickle.LONG_BINPUT: "_put4", pickle.PUT: "_put_text", pickle.MEMOIZE: "_memoize",
    pickle.BINGET: "_get1", pickle.LONG_BINGET: "_get4", pickle.GET: "_get_text", pickle.EMPTY_LIST: "_empty_list",
    pickle.EMPTY_DICT: "_empty_dict", pickle.EMPTY_TUPLE: "_empty_tuple", pickle.EMPTY_SET: "_empty_set", pickle.TUPLE: "_tuple",
    pickle.TUPLE1: "_tuple1", pickle.TUPLE2: "_tuple2", pickle.TUPLE3: "_tuple3", pickle.LIST: "_list", pickle.DICT: "_dict",
    pickle.FROZENSET: "_frozenset", pickle.APPEND: "_append", pickle.APPENDS: "_appends", pickle.SETITEM: "_setitem",
    pickle.SETITEMS: "_setitems", pickle.ADDITEMS: "_additems", pickle.GLOBAL: "_global", pickle.STACK_GLOBAL: "_stack_global",
    pickle.BINPERSID: "_persistent", pickle.REDUCE: "_call", pickle.NEWOBJ: "_new", pickle.NEWOBJ_EX: "_new_named",
    pickle.BUILD: "_build", pickle.PROTO: "_protocol", pickle.FRAME: "_frame",
}


def _check_size(key):
    """Raise for a very long int, and for a tuple of such or of very many values, counted along all paths: a hash reads them all."""
    pending, n = [key], 0
    while pending:
        value = pending.pop()
        n += 1
        if n > _MOST_IN_KEY:
            raise SerializationError(f"a key in it is a tuple of more than {_MOST_IN_KEY} values, chosen to take very long")
        if isinstance(value, int) and value.bit_length() > _LONGEST_INT:
            raise SerializationError(f"a key in it is an int of {value.bit_length()} bits, chosen to take very long")
        if isinstance(value, (tuple, frozenset)):
            pending.extend(value if len(value) <= _MOST_IN_KEY else ())
            n += len(value) if len(value) > _MOST_IN_KEY else 0
