"""The sub-command recipe: all kernels of a call of an op, and a C program that runs them and checks the result."""

import ast
import inspect
import re

import numpy as np

from ...base import dtypes
from ..output import plural
from ..parser import UsageError, command, one_of
from ..values import count, dtype, new_folder
from . import c_program, calls, catalog, random_numbers

#: for functions with a short form: their sizes with defaults (None: to be given), and what these mean
_FORMS = {
    "conv2d": ({"n": 1, "c": None, "k": None, "size": None, "kernel": 3},
               lambda n, c, k, size, kernel: [(n, c, size, size), (k, c, kernel, kernel)]),
    "matmul": ({"m": None, "n": None, "k": None}, lambda m, n, k: [(m, k), (k, n)]),
    "softmax": ({"n": 1, "size": None}, lambda n, size: [(n, size)]),
}
_SIZES = {"n": "the batch, or columns of a product", "m": "rows of a product",
          "k": "output channels, or the inner size of a product", "c": "input channels",
          "size": "height and width, or the length of a row", "kernel": "height and width of filters"}
#: what attributes that ops must be given are unless they are given here
_USUAL = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "dim": -1, "scale": 1.0, "causal": False, "descending": False,
          "inverse": False, "stable": True}
_INPUT = re.compile(r"(?P<shape>scalar|\d+(x\d+)*)(:(?P<dtype>[a-z]\w*))?(:(?P<low>-?[\d.]+?)\.\.(?P<high>-?[\d.]+))?")


def add_to(actions):
    """Add the command to argparse's sub-commands."""
    made = command(actions, "recipe", recipe, "write all kernels of a call of an op, and a C program that runs and checks them",
                   epilog="examples:\n  cltensor kernels recipe conv2d --n 8 --c 64 --k 128 --size 56 -o conv\n"
                          "  cltensor kernels recipe amax --input 64x1000 --attr dim=1 -o amax")
    made.add_argument("op", metavar="OP", help="an op by its name or its public function's, such as conv2d, matmul, softmax, sum")
    made.add_argument("--input", action="append", default=[], metavar="SHAPE",
                      help="of each input in order, as 8x64x56x56[:DTYPE][:LOW..HIGH], filled with random numbers of that range; "
                           "@FILE.npy for these numbers; none for one left out")
    made.add_argument("--attr", action="append", default=[], metavar="NAME=VALUE", help="an attribute of the op, as in Python")
    made.add_argument("--dtype", type=dtype, default=dtypes.float32, metavar="D", help="of inputs without one (default float32)")
    made.add_argument("--style", choices=catalog.STYLES, default="gpu", help="launch style (default gpu)")
    for name, meaning in _SIZES.items():
        made.add_argument(f"--{name}", type=count, metavar="N",
                          help=f"{meaning} (short form of {', '.join(f for f, (sizes, _) in _FORMS.items() if name in sizes)})")
    made.add_argument("-o", "--output", type=new_folder, metavar="FOLDER", required=True, help="write the files to this folder")


def recipe(options):
    """Write the folder."""
    op = catalog.op(options.op)
    inputs = [_input(text, options.dtype) for text in options.input] or _of_sizes(options)
    inputs += [None] * (len(op.inputs) - len(inputs))
    attrs = _attributes(op, options.attr, options.op, inputs)
    made = calls.call(op, tuple(i and i[:2] for i in inputs), attrs, options.style)
    if not made.steps:
        raise UsageError(f"op {op.name!r} launches nothing for such inputs")
    program = program_of(options.op, made, [i and i[2] for i in inputs])
    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{program.name}.c").write_text(program.text, encoding="utf-8")
    for name, content in program.files.items():
        (folder / name).write_bytes(content)
    kernels, launches = plural(len({step.source for step in made.steps}), "kernel"), plural(len(made.steps), "launch", "launches")
    print(f"{folder / program.name}.c runs {kernels} in {launches}.  In {folder}:\n"
          f"  cc -O2 {program.name}.c -lOpenCL -lm -o {program.name} && ./{program.name}")
    if any(n.startswith("expected") for n in program.files):
        return 0
    print(f"  NumPy has no form of {op.name}: the program prints its first results instead of checking them")
    return 0


def program_of(name, call, given):
    """The Program of a Call; given, for each input: (low, high) of random numbers, an array, or None."""
    drawn = [s and _numbers(s, g, 7919 * (i + 1)) for i, (s, g) in enumerate(zip(call.inputs, given, strict=True))]
    parts = [d.numbers() if isinstance(d, random_numbers.Drawn) else d for d in drawn]
    arrays = [s and random_numbers.values(p, s.dtype).reshape(s.shape) for s, p in zip(call.inputs, parts, strict=True)]
    results = call.expected(arrays)
    expected = results and [_parts(r, s) for r, s in zip(results, call.outputs, strict=True)]
    stored = [random_numbers.stored(d, s.dtype) if isinstance(d, np.ndarray) else d
              for d, s in zip(drawn, call.inputs, strict=True)]
    return c_program.Program(re.sub(r"\W", "_", name), call, stored, expected)


def _numbers(s, given, seed):
    if isinstance(given, np.ndarray):
        return given.astype(np.complex128).view(np.float64).ravel() if s.dtype.is_complex else given.ravel()
    return random_numbers.drawn(s.dtype, s.numel, seed, *(given or ()))


def _parts(result, s):
    result = np.broadcast_to(np.asarray(result), s.shape)
    if s.dtype.is_complex:
        result = np.ascontiguousarray(result, np.complex128).view(np.float64)
    return random_numbers.stored(np.ascontiguousarray(result).ravel(), s.dtype)


def _input(text, default):
    """(shape, dtype, range or array or None) of an --input."""
    if text == "none":
        return None
    if text.startswith("@"):
        array = np.load(text[1:], allow_pickle=False)
        known = default if array.dtype.kind in "fc" else dtypes.BY_NAME[array.dtype.name]
        return array.shape, known, array
    found = _INPUT.fullmatch(text)
    if not found:
        raise UsageError(f"--input {text}: write sizes with x between, as 8x64, then :DTYPE and :LOW..HIGH where wanted; or "
                         f"@FILE.npy, or none")
    shape = () if found["shape"] == "scalar" else tuple(map(int, found["shape"].split("x")))
    limits = (float(found["low"]), float(found["high"])) if found["low"] else None
    known = {**dtypes.BY_NAME, **dtypes.ALIASES}
    return shape, one_of(known, found["dtype"], "there is no dtype") if found["dtype"] else default, limits


def _of_sizes(options):
    sizes, shapes = _FORMS.get(options.op, ({}, None))
    given = {n: v for n in _SIZES if (v := getattr(options, n)) is not None}
    if shapes is None:
        raise UsageError(f"kernels recipe {options.op}: give --input SHAPE for each input; short forms are for {', '.join(_FORMS)}")
    missing = [f"--{n}" for n, v in sizes.items() if v is None and n not in given]
    if missing or set(given) - set(sizes):
        raise UsageError(f"kernels recipe {options.op}: give {', '.join(f'--{n}' for n in sizes)}, or --input SHAPE for each input")
    return [(shape, options.dtype, None) for shape in shapes(**{**sizes, **given})]


def _attributes(op, texts, function, inputs):
    """The attributes that were given and the usual others; a number stands for all spatial dimensions."""
    attrs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--attr {text}: write NAME=VALUE")
        try:
            attrs[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            attrs[name] = value
    ndim = len(inputs[0][0]) if inputs and inputs[0] else 0
    required = [n for n, default in op.attrs.items() if default is inspect.Parameter.empty]
    for name, usual in _USUAL.items():
        if name in required:
            attrs.setdefault(name, usual)
    for name in ("stride", "padding", "dilation"):
        if op.name.startswith("conv") and isinstance(attrs.get(name), int):
            attrs[name] = (attrs[name],) * (ndim - 2)
    if op.kind != "reduction" and isinstance(attrs.get("dim"), int) and -ndim <= attrs["dim"] < 0:
        attrs["dim"] += ndim
    return {n: tuple(v) if isinstance(v, list) else v for n, v in attrs.items()}
