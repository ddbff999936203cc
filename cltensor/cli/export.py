"""cltensor export: what is in files of exported programs, whether they run here, and running them on .npy files."""

import argparse
import time

import numpy as np

from ..base.errors import ArgumentError
from ..io.atomic import replacing
from ..runtime.device import default_device, device
from ..runtime.memory import readable
from .output import as_json, duration, fields, plural, table
from .parser import UsageError, add_json, command
from .values import count, new_file


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    group = commands.add_parser("export", help="look into exported programs, check and run them",
                                description="Files that cltensor.export.save wrote: what they hold, whether they run here.")
    actions = group.add_subparsers(dest="action", metavar="ACTION", required=True)
    told = command(actions, "info", show, "show what a file holds: inputs, outputs, tensors, numbers, kernels")
    checked = command(actions, "check", build, "read a file whole, and build its kernels for a device")
    runs = command(actions, "run", run, "run a program on arrays")
    for parser in (told, checked, runs):
        parser.add_argument("file", metavar="FILE")
        add_json(parser)
    for parser in (checked, runs):
        parser.add_argument("--device", type=str, help="where it runs, such as opencl:0 (default: the default device)")
    runs.add_argument("--input", action="append", default=[], metavar="[NAME=]FILE.npy",
                      help="an input; without names in their order.  Inputs left out are zeros")
    runs.add_argument("--output", action="append", default=[], metavar="[NAME=]FILE.npy", help="where to write an output")
    runs.add_argument("--set", action="append", default=[], type=_setting, metavar="NUMBER=VALUE",
                      help="a number of the program, such as a learning rate")
    runs.add_argument("--repeat", type=count, default=1, metavar="N", help="run it N times, and print the times")
    runs.add_argument("--class", dest="device_class", choices=("cpu", "gpu"), help="the device class whose kernels run")


def show(options):
    """Print what a file holds."""
    from ..export import info

    facts = info(options.file)
    print(as_json(facts) if options.json else "\n".join(as_text(facts)))
    return 0


def build(options):
    """Check a file."""
    from ..export import check

    where = _device(options)
    facts = {"file": options.file, "device": str(where), **check(options.file, where)}
    lines = [f"{options.file} is whole; {plural(facts['kernels'], 'kernel')} built for {where} ({where.name})",
             *fields(facts["classes"].items())]
    print(as_json(facts) if options.json else "\n".join(lines))
    return 0


def run(options):
    """Run a program, write its outputs, and print the times."""
    from ..export import load

    program = load(options.file, _device(options), device_class=options.device_class)
    outputs = [(name, _writable(path)) for name, path in _named(options.output, [o["name"] for o in program.outputs], "output")]
    for name, value in options.set:
        if name not in program.numbers:
            raise UsageError(f"the program has no number {name!r}; there are: {', '.join(program.numbers) or 'none'}")
        program.numbers[name] = value
    arguments = _arguments(program, options.input)
    times = []
    for _ in range(options.repeat):
        start = time.perf_counter()
        results = program.run(arguments)
        program.device.synchronize()
        times.append(time.perf_counter() - start)
    arrays = {o["name"]: r.numpy() for o, r in zip(program.outputs, results, strict=True)}
    for name, path in outputs:
        with replacing(path) as file:
            np.save(file, arrays[name])
    facts = {"device": str(program.device), "class": program.device_class, "runs": len(times), "first": times[0],
             "median": float(np.median(times)), "least": min(times), "outputs": {
                 name: {"dtype": str(a.dtype), "shape": list(a.shape)} for name, a in arrays.items()}}
    print(as_json(facts) if options.json else "\n".join(_told(facts, arrays)))
    return 0


def as_text(facts):
    """The facts of `info` as lines."""
    yield f"{facts['name']}, format {facts['version']}, made by {facts['made_by']}, {readable(facts['bytes'])}"
    for title in ("inputs", "outputs"):
        yield ""
        yield f"{title}:"
        yield from fields((x["name"], f"{x['dtype']} {_shape(x['shape'])}") for x in facts[title])
    if facts["dimensions"]:
        yield ""
        yield from fields((d["name"], f"from {d['min']} to {d['max']}") for d in facts["dimensions"])
    if facts["numbers"]:
        yield ""
        yield "numbers:"
        yield from fields(facts["numbers"].items())
    if facts["state"]:
        yield ""
        yield from table(("tensor", "dtype", "shape", "kind"), [
            (s["name"], s["dtype"], _shape(s["shape"]), s["kind"] + (", written" if s["written"] else "")) for s in facts["state"]])
    yield ""
    yield from table(("class", "sizes", "launches", "once", "work-group", "needs"), [
        (p["class"], p.get("where", "all"), p["launches"], p["once"], p["needs"]["work_group"],
         ", ".join(n for n in ("fp64", "fp16", "int64_atomics") if p["needs"][n]) or "-") for p in facts["classes"]],
        right=(2, 3, 4))


def _device(options):
    return default_device() if options.device is None else device(options.device)


def _arguments(program, given):
    """The inputs as arrays: those given, zeros for others."""
    found = dict.fromkeys(x["name"] for x in program.inputs)
    for name, path in _named(given, list(found), "input"):
        found[name] = np.load(path, allow_pickle=False)
    for x in program.inputs:
        if found[x["name"]] is None:
            if any(type(n) is str for n in x["shape"]):
                raise ArgumentError(f"export run: input {x['name']} has no fixed shape; give it with --input {x['name']}=FILE.npy")
            found[x["name"]] = np.zeros(x["shape"], x["dtype"])
    return list(found.values())


def _named(given, names, what):
    """(name, path) of each "path" or "name=path"."""
    for k, text in enumerate(given):
        name, sign, path = text.partition("=")
        if not sign:
            if k >= len(names):
                raise UsageError(f"there are {len(names)} {what}s, more are given")
            name, path = names[k], text
        if name not in names:
            raise UsageError(f"the program has no {what} {name!r}; there are: {', '.join(names) or 'none'}")
        yield name, path


def _writable(path):
    """The Path of an array to write, with NumPy's ending; refused before anything runs."""
    try:
        return new_file(path if path.endswith(".npy") else f"{path}.npy")
    except argparse.ArgumentTypeError as e:
        raise UsageError(f"export run: --output: {e}") from None


def _setting(text):
    name, _, value = text.partition("=")
    try:
        return name, int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NUMBER=VALUE") from None


def _told(facts, arrays):
    yield f"{facts['class']} class on {facts['device']}: {plural(facts['runs'], 'run')}"
    yield from fields((name, duration(facts[name])) for name in ("first", "median", "least"))
    for name, a in arrays.items():
        values = np.array2string(a.reshape(-1)[:6], precision=6, threshold=6) if a.size else "[]"
        yield from fields([(name, f"{a.dtype} {_shape(a.shape)} {values}{' ...' if a.size > 6 else ''}")])


def _shape(sizes):
    return f"[{', '.join(map(str, sizes))}]"
