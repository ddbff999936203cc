"""Damage, exchange and remove files: a read gives what was written, or nothing, and never waits.

    run(minutes, seed) -> {part: number of cases}; raises Fault with the steps that led to it

Four parts: the cache folder (entries, tuning databases, small files), models (of all formats that load reads), models in the ONNX
format, and whole processes that compute with a damaged cache folder, also under a limit on the size of files.
"""

import contextlib
import faulthandler
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

import cltensor
from cltensor.base.errors import CLTensorError, SerializationError
from cltensor.runtime import trusted
from cltensor.runtime.cache import KernelCache
from cltensor.tune import database
from cltensor.tune.key import Key

#: as torch.save wrote it before 1.6: {"w": a view of two floats of four}
LEGACY = bytes.fromhex(
    "80028a0a6cfc9c46f9206aa850192e80024de9032e80027d710028581000000070726f746f636f6c5f76657273696f6e71014de903580d0000006c69"
    "74746c655f656e6469616e710288580a000000747970655f73697a657371037d710428580500000073686f727471054b025803000000696e7471064b"
    "0458040000006c6f6e6771074b0475752e80027d7100580100000077710163746f7263682e5f7574696c730a5f72656275696c645f74656e736f725f"
    "76320a71022828580700000073746f72616765710363746f7263680a466c6f617453746f726167650a7104580e000000393434333630373636313432"
    "30387105580300000063707571064b044e747107514b014b028571084b018571098963636f6c6c656374696f6e730a4f726465726564446963740a71"
    "0a2952710b74710c52710d732e80025d7100580e00000039343433363037363631343230387101612e0400000000000000000000000000803f000000"
    "4000004040")
ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 300  # seconds without an end, after which the stacks are printed and the process ends
DEVICE = database.Device("a platform", "A CPU", "1.0")
KEY = Key("matmul cpu float32", "M512")


class Fault(AssertionError):
    """A read gave something that nobody wrote, an error was not allowed, or a file of another owner was deleted."""


# --- damage ----------------------------------------------------------------------------------------------------------


def truncate(path, rng):
    with open(path, "r+b") as file:
        file.truncate(rng.randrange(path.stat().st_size + 1))


def flip(path, rng):
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 3)):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def extend(path, rng):
    with open(path, "ab") as file:
        file.write(rng.randbytes(rng.randint(1, 100)))


def noise(path, rng):
    path.write_bytes(rng.randbytes(rng.choice([0, 1, 8, 47, 48, 500])))


def remove(path, rng):
    _gone(path)


def fifo(path, rng):
    _gone(path)
    os.mkfifo(path)


def folder(path, rng):
    _gone(path)
    path.mkdir()
    if rng.random() < 0.5:
        (path / "inside").write_text("something")


def plain_file(path, rng):
    _gone(path)
    path.write_text("a file where a folder should be")


def zeros_without_end(path, rng):
    _gone(path)
    path.symlink_to("/dev/zero")


def dangling_link(path, rng):
    _gone(path)
    path.symlink_to("nowhere")


def circle(path, rng):
    _gone(path)
    path.symlink_to(path.name)


def link_to_another(path, rng):
    others = [p for p in path.parent.parent.rglob("*") if p.is_file() and not p.is_symlink() and p != path]
    _gone(path)
    path.symlink_to(rng.choice(others) if others else "/etc/hostname")


def another(path, rng):
    """Put another file's content, which is whole and sealed, in the place of this one's."""
    others = [p for p in path.parent.parent.rglob("*") if p.is_file() and not p.is_symlink() and p != path]
    if others:
        path.write_bytes(rng.choice(others).read_bytes())


def open_to_all(path, rng):
    path.chmod(rng.choice([0o777, 0o666, 0o770, 0o707]))


def give_away(path, rng):
    os.chown(path, 12345, 12345)


OF_FILES = {f.__name__: f for f in (truncate, flip, extend, noise, remove, folder, another)}
#: damages that write to what is there; a FIFO or /dev/zero, by an earlier damage, would have them wait or read for ever
WRITING = {f.__name__ for f in (truncate, flip, extend, noise, another)}
OF_FOLDERS = {f.__name__: f for f in (remove, plain_file)}
if hasattr(os, "mkfifo"):
    LINKS = (fifo, zeros_without_end, dangling_link, circle, link_to_another, open_to_all)
    OF_FILES.update({f.__name__: f for f in LINKS})
    OF_FOLDERS.update({f.__name__: f for f in (fifo, dangling_link, circle, open_to_all)})
if hasattr(os, "geteuid") and os.geteuid() == 0:
    OF_FILES["give_away"] = OF_FOLDERS["give_away"] = give_away


def _gone(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# --- the cache folder ------------------------------------------------------------------------------------------------


class CacheFolder:
    """A cache folder with every kind of file, and files of the user that must stay."""

    def __init__(self, place, rng):
        self.place, self.rng = place, rng
        self.payloads = {rng.randbytes(32).hex(): rng.randbytes(rng.choice([0, 10, 5000])) for _ in range(4)}
        self.mine = [place / "kernels" / "src" / "my.cl", place / "kernels" / "ab" / "notes", place / "notes"]
        self.small = place / "small" / "one.json"
        self.fill()
        for path in self.mine:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text("the user's")

    def cache(self, limit=1 << 20):
        return KernelCache(self.place / "kernels", limit)

    def fill(self):
        for key, payload in self.payloads.items():
            self.cache().put(key, payload)
        found = database.Database(DEVICE)
        found.record(KEY, {"values": {"MR": 4}, "when": "2026-01-01"})
        with contextlib.suppress(OSError):
            database.update(found)
        trusted.store(self.small, b"small")

    def targets(self):
        """(path, damages that apply to it) of every file and folder."""
        for path in [*(self.cache().path(key) for key in self.payloads), database.path_of(DEVICE), self.small,
                     database.path_of(DEVICE).with_suffix(".lock")]:
            yield path, OF_FILES
        shard = self.cache().path(next(iter(self.payloads))).parent
        for path in [shard, self.place / "kernels", self.place / "tuning", self.place]:
            yield path, OF_FOLDERS

    def damage(self, path, name, steps):
        """Do one damage, by its name, if its target exists."""
        if os.path.lexists(path) and (path.is_file() or name not in WRITING):
            steps.append(f"{name} {path.relative_to(self.place)}")
            with contextlib.suppress(OSError):
                {**OF_FILES, **OF_FOLDERS}[name](path, self.rng)

    def check(self):
        """Raise Fault unless every read gives what was written, or nothing."""
        cache = self.cache()
        for key, payload in self.payloads.items():
            _expect(cache.get(key), payload, f"entry {key[:8]}")
        known = database.load(database.path_of(DEVICE))
        _expect(known.entry(KEY) and known.entry(KEY)["values"], {"MR": 4}, "tuning database", alike=dict)
        _expect(trusted.load(self.small), b"small", "small file", alike=bytes)

    def mend(self):
        """Write everything again; raise Fault if a folder of this user alone is incomplete afterwards."""
        self.fill()
        usable = self._usable()
        cache = self.cache()
        for key, payload in self.payloads.items():
            if usable and cache.get(key) != payload:
                raise Fault(f"entry {key[:8]} was not made again")

    def _usable(self):
        with contextlib.suppress(OSError):
            for key in self.payloads:
                trusted.check(self.cache().path(key).parent)
            return (self.place / "kernels").is_dir()
        return False

    def clear(self):
        """Empty the cache; raise Fault if that removed a file that is not its own."""
        kept = [p for p in self.mine if p.is_file()]
        self.cache(1).evict()
        self.cache().clear()
        if not all(p.is_file() for p in kept):
            raise Fault("a file of the user's was deleted")


def _expect(found, written, what, alike=None):
    """Raise Fault unless found is None or what was written; alike: the type where no seal tells damage from a change."""
    if found is not None and found != written and not (alike and isinstance(found, alike)):
        raise Fault(f"{what}: read {found!r:.100}, written {written!r:.100}")


def damaged_cache(place, rng, steps):
    """Damage a cache folder a few times and use it; append a line for each step to the list `steps`."""
    with _quiet(), _settings(CLTENSOR_CACHE_DIR=str(place), CLTENSOR_CACHE_LIMIT="1"):
        kept = CacheFolder(place, rng)
        for _ in range(rng.randint(1, 3)):
            path, damages = rng.choice(list(kept.targets()))
            kept.damage(path, rng.choice(sorted(damages)), steps)
        kept.check()
        kept.mend()
        kept.clear()


# --- models ----------------------------------------------------------------------------------------------------------


def object_to_save():
    """Tensors and plain values of many kinds."""
    t = cltensor.arange(6.0)
    return {"a": cltensor.ones(3), "b": [1, (2.5, {"c": cltensor.zeros(2, 2)})], "n": None, "views": [t, t[1:3], t.view(2, 3).mT],
            "p": cltensor.nn.Parameter(cltensor.ones(2)), "h": cltensor.ones(2, dtype=cltensor.bfloat16), 3: cltensor.float16}


def safetensors_file(path):
    cltensor.save(object_to_save(), path)


def torch_file(path):
    cltensor.save(object_to_save(), path, format="torch")


def legacy_file(path):
    path.write_bytes(LEGACY)


def npy_file(path):
    with open(path, "wb") as file:
        np.save(file, np.ones((2, 3)))


def npz_file(path):
    with open(path, "wb") as file:
        random.choice([np.savez, np.savez_compressed])(file, a=np.arange(300.0), b=np.float32(1))


def index_file(path):
    cltensor.save({"a": cltensor.ones(3), "b": cltensor.ones(4)}, path.with_suffix(".index.json"), max_shard_size=12)
    path.with_suffix(".index.json").rename(path)


FORMATS = (safetensors_file, torch_file, legacy_file, npy_file, npz_file, index_file)
#: what is put in the place of a byte: JSON, and instructions of pickles
PIECES = (b'"', b"[", b"}", b"-1", b"1e999", b"\\", b"null", b"9" * 30, b"R", b"Q", b"b", b"\x81", b"(", b"t", b"u", b"h\x00",
          b"h\x07", b"\x8a\x09" + b"\xff" * 8 + b"\x7f", b"cbuiltins\neval\n", b"]", b"2", b"0", b"K\xff", b"J\xff\xff\xff\xff",
          b"\xff\xff\xff\x7f")


def changed(data, rng):
    """Bytes with a piece in the place of one or more."""
    at = rng.randrange(len(data))
    return data[:at] + rng.choice(PIECES) + data[at + rng.choice([0, 1, 1, 1, 2, 8]) :]


def damaged_model(place, rng, steps):
    """Damage a saved model and load it: an error that names the file, or an object."""
    path = place / "model"
    write = rng.choice(FORMATS)
    write(path)
    name = rng.choice(["truncate", "flip", "extend", "noise", "change", "change", "change inside"])
    steps.append(f"{name} a {write.__name__}")
    if name == "change":
        path.write_bytes(changed(path.read_bytes(), rng))
    elif name == "change inside" and zipfile.is_zipfile(path):
        _change_inside(path, rng)
    else:
        OF_FILES["flip" if name == "change inside" else name](path, rng)
    for given, mmap in ((path, False), (path, True), (io.BytesIO(path.read_bytes()), False)):
        with contextlib.suppress(SerializationError):
            cltensor.load(given, mmap=mmap)


def _change_inside(path, rng):
    """Change a member of a zip archive and pack it again, so that its checksum is right."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice([max(members, key=lambda n: n.endswith("data.pkl")), rng.choice(list(members))])
    for _ in range(rng.randint(1, 3)):
        members[name] = changed(members[name] or b"0", rng)
    with zipfile.ZipFile(path, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


#: pieces of protobufs: numbers that are too large or never end, tags, lengths
PROTOBUF = (b"\xff" * 9 + b"\x01", b"\xff" * 4 + b"\x0f", b"\x80" * 12, b"\x00", b"\x12", b"\x0a\x7f", b"\x08\x10", b"../w",
            b"Reshape")
_LARGEST_ONNX = 1 << 30  # bytes that reading a file of some kilobytes may take


def onnx_model():
    """The bytes of a model with a convolution, shapes computed in the graph, an If with two graphs, and a function."""
    from onnx import helper, numpy_helper

    def value(name, shape=None, kind=1):
        return helper.make_tensor_value_info(name, kind, shape)

    ways = [helper.make_graph([helper.make_node(op, ["h"], [op])], op, [], [value(op)]) for op in ("Relu", "Neg")]
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Shape", ["c"], ["s"]),
             helper.make_node("Slice", ["s", "zero", "one"], ["n"]), helper.make_node("Concat", ["n", "rest"], ["to"], axis=0),
             helper.make_node("Reshape", ["c", "to"], ["h"]),
             helper.make_node("If", ["yes"], ["i"], then_branch=ways[0], else_branch=ways[1]),
             helper.make_node("twice", ["i"], ["y"], domain="own")]
    twice = helper.make_function("own", "twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
                                 [helper.make_opsetid("", 18)])
    held = {"w": np.ones((2, 3, 3, 3), np.float32), "b": np.ones(2, np.float32), "zero": np.array([0]), "one": np.array([1]),
            "rest": np.array([-1]), "yes": np.array(True)}
    graph = helper.make_graph(nodes, "g", [value("x", ["N", 3, 4, 4])], [value("y")],
                              [numpy_helper.from_array(a, n) for n, a in held.items()])
    return helper.make_model(graph, functions=[twice],
                             opset_imports=[helper.make_opsetid(d, 18) for d in ("", "own")]).SerializeToString()


def damaged_onnx(place, rng, steps):
    """Damage an ONNX model some times and read it: an error of this library, or a model, without much memory."""
    whole = onnx_model()
    for _ in range(50):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at, way = rng.randrange(len(data)), rng.choice(["flip", "change", "repeat", "cut"])
            if way == "flip":
                data[at] ^= 1 << rng.randrange(8)
            elif way == "change":
                data[at : at + rng.choice([0, 1, 4])] = rng.choice(PROTOBUF)
            elif way == "repeat":
                data[at:at] = data[rng.randrange(len(data)) :][: rng.randint(1, 60)]
            else:
                del data[at : at + rng.choice([1, 5, 1000])]
                data = data or bytearray(b"\0")
        steps[:] = [f"an ONNX model of {bytes(data).hex()}"]
        before = peak()
        for read in (cltensor.onnx.load, cltensor.onnx.info):
            with contextlib.suppress(CLTensorError):
                read(bytes(data))
        if peak() - before > _LARGEST_ONNX:
            raise Fault(f"reading took {peak() - before} bytes")


def peak():
    """The most memory that the process has had, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


# --- whole processes -------------------------------------------------------------------------------------------------

PROGRAM = """
import resource, sys, warnings
import cltensor as ct
limit = int(sys.argv[1])
warnings.simplefilter("always")
with warnings.catch_warnings(record=True) as seen:
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        found = (ct.tensor([1.0, 2.0, 3.0]) * 2 + 1).sum().item()
        print("right" if found == 15 else f"wrong {found}")
    except ct.BuildError as e:
        print("refused" if "ulimit -f" in str(e) else f"unclear: {e}")
print(len({str(w.message) for w in seen}))
"""


def damaged_process(place, rng, steps, limit=None):
    """Run a program with a cache folder that an earlier run filled, damaged in between."""
    settings = {"CLTENSOR_CACHE_DIR": str(place / "cache"), "CLTENSOR_AHEAD": "0", "CLTENSOR_TRIAL": "0"}
    _run(settings, 0)
    paths = [p for p in (place / "cache").rglob("*") if p.is_file()]
    for path in rng.sample(paths, rng.randint(0, len(paths))):
        name = rng.choice(sorted(OF_FILES))
        steps.append(f"{name} {path.relative_to(place)}")
        with contextlib.suppress(OSError):
            OF_FILES[name](path, rng)
    limit = rng.choice([0, 0, 1000, 100_000, 300_000]) if limit is None else limit
    steps.append(f"run with files of at most {limit or 'any'} bytes")
    said, warned = _run(settings, limit)
    if said != "right" and not (said == "refused" and limit):
        raise Fault(f"the program said {said}")
    if warned > 2:
        raise Fault(f"{warned} different warnings")


def _run(settings, limit):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(limit)], cwd=ROOT, env={**os.environ, **settings}, timeout=PATIENCE,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Fault(f"a program ended with status {done.returncode}: {done.stderr[-500:]}")
    *_, said, warned = done.stdout.splitlines()
    return said, int(warned)


# --- for a while -----------------------------------------------------------------------------------------------------


PARTS = {damaged_cache: "damaged caches", damaged_model: "damaged models", damaged_onnx: "damaged ONNX models, 50 each",
         damaged_process: "processes with damaged caches"}


def run(minutes, seed):
    """Damage files for so many minutes; return {part: number of cases}.  Raises Fault with the seed and the steps."""
    rng, counts = random.Random(str(seed)), Counter()
    cltensor.ones(1).item()  # not counted: the first use loads and compiles
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end or not counts:
        part = rng.choices(list(PARTS), [85, 9, 5, 1])[0]
        once(part, rng.randrange(1 << 32), counts)
    return dict(counts)


def once(part, seed, counts=None):
    """One case of a part, in a folder of its own."""
    steps = []
    place = Path(tempfile.mkdtemp(prefix="fuzz-files-"))
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    try:
        part(place, random.Random(seed), steps)
    except (Exception, subprocess.TimeoutExpired) as e:
        raise Fault(f"{part.__name__}, seed {seed}: {'; '.join(steps)}: {type(e).__name__}: {e}") from e
    finally:
        _gone(place)  # it may be a FIFO by now, which rmtree would wait for
        faulthandler.cancel_dump_traceback_later()
    if counts is not None:
        counts[PARTS[part]] += 1
        counts["files damaged"] += len(steps)


@contextlib.contextmanager
def _quiet():
    """Warnings are not shown, and those given before are forgotten."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, trusted._warned = trusted._warned, set()
        try:
            yield
        finally:
            trusted._warned = before


@contextlib.contextmanager
def _settings(**wanted):
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


if __name__ == "__main__":
    try:
        print(run(float(sys.argv[1]), sys.argv[2]))
    except CLTensorError as e:
        sys.exit(str(e))
