"""Count what the docstrings of public functions and layers lack; the count may only fall.

    python3 ci/docstrings.py            print the count, and fail where it is above the one in ci/docstrings.json
    python3 ci/docstrings.py --names    print what each one lacks
    python3 ci/docstrings.py --lower    write a count that has fallen to ci/docstrings.json

A docstring says shapes, dtypes, what is raised and where it comes from, and has an example.
"""

import enum
import inspect
import json
import re
import sys
from pathlib import Path

import public_names

MODULES = ("", "linalg", "special", "sparse", "fft", "amp", "autograd", "distributions", "func", "io", "serialization", "quantize",
           "opencl", "nn", "nn.functional", "nn.init", "optim", "optim.swa_utils", "utils.data", "random", "testing",
           "autograd.graph", "autograd.forward_ad", "compiler", "graph", "overrides", "utils.benchmark", "utils.dlpack",
           "utils", "utils.plot", "utils.tensorboard", "train", "hub", "vision.datasets", "vision.datasets.utils", "vision.io",
           "vision.utils", "profiler", "vision.transforms", "vision.transforms.functional", "vision.transforms.v2",
           "vision.tv_tensors", "vision.ops", "vision.models", "vision.models.detection", "vision.models.segmentation", "onnx",
           "export")
KEPT = Path(__file__).with_suffix(".json")
PARTS = {
    "shapes": re.compile(r"\([A-Z*N][\w*,/' ]*\)|shape|0-d|vector|matri|scalar|dimension|size", re.I),
    "dtypes": re.compile(r"dtype|float|\bints?\b|int\d|bool|uint8|16-bit", re.I),
    "raises": re.compile(r"\bRaises\b|never raises", re.I),
    "source": re.compile(r"\bSource\b|et al|standard|\b(19|20)\d\d\b"),
    "example": re.compile(r">>> |\n\n {4,}\S|\n {8,}\w+ = |::\n"),
}
#: names that neither take nor give tensors: their docstrings need not say shapes and dtypes
WITHOUT_TENSORS = re.compile(r"cltensor\.(opencl\.|compiler\.|profiler\.|Event$|Stream$)|cltensor\.autograd\.(no_grad|enable_grad|"
                             r"set_grad_enabled|inference_mode|is_grad_enabled|(set_)?detect_anomaly)$")


def public():
    """{full name: object} of the public functions and classes of MODULES, and of Tensor's methods."""
    found = {f"cltensor.{module}.{name}".replace("..", "."): value for module in MODULES
             for name, value in public_names.members(module).items()}
    tensor = public_names.module("").Tensor
    methods = {n: getattr(tensor, n) for n in dir(tensor) if not n.startswith("_")}
    return found | {f"cltensor.Tensor.{n}": v for n, v in methods.items() if callable(v)}


def lacking(value, name=""):
    """The parts that the docstring of a public name lacks; all where there is none."""
    kinds = value.__mro__[:-1] if isinstance(value, enum.EnumMeta) else (value,)  # what its enumerations share, a base says
    text = "\n".join(inspect.getdoc(kind) or "" for kind in kinds)
    needed = set(PARTS) - {"shapes", "dtypes"} if WITHOUT_TENSORS.match(name) else PARTS
    return [part for part, pattern in PARTS.items() if part in needed and not pattern.search(text)]


def main(arguments=None):
    """See above.  Returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if {"-h", "--help"} & {*given}:
        print(__doc__.strip())
        return 0
    lacks = {name: parts for name, value in sorted(public().items()) if (parts := lacking(value, name))}
    counts = {part: sum(part in parts for parts in lacks.values()) for part in PARTS}
    if "--names" in given:
        print("\n".join(f"{name}: {', '.join(parts)}" for name, parts in lacks.items()))
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    worse = {part: n for part, n in counts.items() if n > kept[part]}
    if "--lower" in given and not worse:
        KEPT.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    print(f"docstrings of {len(lacks)} of {len(public())} public names lack something: "
          + ", ".join(f"{n} {part}" for part, n in counts.items()))
    for part, n in worse.items():
        print(f"{n} lack {part}, {kept[part]} did: complete those you have added (python3 ci/docstrings.py --names)")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
