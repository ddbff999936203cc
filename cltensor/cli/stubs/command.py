"""cltensor stubs: write the .pyi files beside the modules, or check that they are up to date."""

import ast
import importlib
import inspect
import sys
from pathlib import Path
from types import FunctionType, ModuleType

from ...base import dtypes
from ...base.errors import ArgumentError
from ...tensor import Tensor
from ..output import plural
from ..parser import command
from . import writer
from .annotations import result_name

PACKAGE = __name__.partition(".")[0]
#: public modules that get a stub; first those that others import names from
MODULES = ("tensor.core.tensor", "tensor", "linalg", "special", "sparse", "fft", "signal", "signal.windows", "autograd", "func",
           "opencl", "io", "serialization", "nn.init", "nn.utils", "nn.functional", "nn", "optim.lr_scheduler",
           "optim.swa_utils", "optim", "amp.autocast_mode", "amp", "utils.data", "utils", "quantize", "")
#: public modules that type checkers read as they are
WITHOUT_STUBS = ("array_api", "autograd.forward_ad", "autograd.functional", "autograd.graph", "compiler", "distributions",
                 "distributions.constraints", "distributions.transforms", "distributions.utils", "graph", "multiprocessing",
                 "nn.parameter", "nn.utils.rnn", "onnx", "overrides", "random", "testing", "train", "utils.benchmark",
                 "utils.checkpoint", "utils.dlpack", "utils.plot", "utils.tensorboard", "version")
_TYPES = (f"from {PACKAGE}.base.dtypes import dtype as _dtype", f"from {PACKAGE}.runtime.device import device as _device",
          f"from {PACKAGE}.tensor.core import tensor as _results")
#: modules whose functions return tensors by default
_OF_TENSORS = {"", "linalg", "special", "fft", "signal.windows", "nn.functional"}


def add_to(commands):
    """Add the command to argparse's sub-commands."""
    parser = command(commands, "stubs", run, "write type stubs (.pyi) of everything public")
    parser.add_argument("folder", nargs="?", help="where to write them (the package itself unless given)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is missing or out of date")


def run(options):
    """Write or check the stubs."""
    root = Path(options.folder) if options.folder else Path(inspect.getfile(_module(""))).parent
    if not root.is_dir():
        raise ArgumentError(f"stubs: {root} is no folder; make it first")
    made = {root / path: text for path, text in texts().items()}
    old = [path for path, text in made.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if options.check:
        print("\n".join(f"out of date: {path}; run `cltensor stubs`" for path in old)
              or f"{plural(len(made), 'stub')} up to date")
        return 1 if old else 0
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
    print(f"Wrote {plural(len(old), 'stub')} of {len(made)} in {root}; the others are up to date.")
    return 0


def texts():
    """{path relative to the package: text} of every stub."""
    for name in (*MODULES, *WITHOUT_STUBS):  # a package lists the modules in it once they are imported
        _module(name)
    return {_path(name): _text(name) for name in MODULES}


def _module(name):
    return importlib.import_module(f"{PACKAGE}.{name}".rstrip("."))


def _path(name):
    parts = name.split(".") if name else []
    return Path(*parts, "__init__.pyi") if hasattr(_module(name), "__path__") else Path(*parts).with_suffix(".pyi")


def _text(name):
    module = _module(name)
    if module.__name__ == Tensor.__module__:
        return _tensor()
    if name == "tensor":
        return _of_tensor_package(module)
    own, imports = [], []
    for public in _public(module):
        line = _import(module, public, getattr(module, public))
        (own if line is None else imports).append(public if line is None else line)
    needed = [f"from {Tensor.__module__} import Number, Tensor", f"from {PACKAGE}.base.shapes import Size",
              f"from {PACKAGE}.tensor.random.sampling import Generator"]
    known = {line.rpartition(" as ")[2] for line in imports}
    needed = [line for line in needed if not set(line.rpartition("import ")[2].split(", ")) & (known | set(own))]
    if "Tensor" in known:
        needed.append(f"from {Tensor.__module__} import Number")
    declared = writer.declarations(module, own, "Tensor" if name in _OF_TENSORS else None)
    lines = {*needed, *_TYPES, *imports}
    lines |= _of_annotations(writer.stub(lines, declared), [getattr(module, public) for public in own])
    return writer.stub(lines, declared)


def _of_annotations(text, values):
    """The imports of classes that annotations name and the stub does not import yet."""
    tree = ast.parse(text)
    known = {alias.asname or alias.name for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))
             for alias in node.names}
    known |= {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    missing = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - known
    homes = dict.fromkeys(getattr(owner, "__module__", None) for value in values for owner in getattr(value, "__mro__", (value,)))
    seen = [vars(sys.modules[home]) for home in homes if home in sys.modules and home != "builtins"]
    found = {name: names[name] for name in missing for names in seen if isinstance(names.get(name), type)}
    return {f"from {_home(made)} import {made.__name__} as {name}" for name, made in found.items()}


def _public(module):
    """The public names of a module, sorted."""
    names = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    if module.__name__ == PACKAGE:
        names = [*names, "__version__"]
    return sorted(n for n in set(names) if n.isidentifier() and not _is_foreign(getattr(module, n)))


def _is_foreign(value):
    """Whether a name is a module that is not public; which of them Python lists depends on what was imported before."""
    return isinstance(value, ModuleType) and value.__name__ not in {f"{PACKAGE}.{name}" for name in (*MODULES, *WITHOUT_STUBS)}


def _import(module, name, value):
    """The line that imports a name from where it is defined; None if this stub defines it."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}" if not value.__name__.startswith(f"{module.__name__}.") else \
            f"from {module.__name__} import {value.__name__.rpartition('.')[2]} as {name}"
    if isinstance(value, dtypes.dtype) or not isinstance(value, type):
        return None
    home = _home(value)
    return None if home == module.__name__ else f"from {home} import {value.__name__} as {name}"


def _home(made):
    """The module from which a stub should import a class: the public one if its file belongs to one of MODULES."""
    if made is Tensor:
        return Tensor.__module__
    for name in sorted(MODULES, key=len, reverse=True):
        full = f"{PACKAGE}.{name}".rstrip(".")
        if name and name not in ("tensor", "utils") and (made.__module__ + ".").startswith(full + "."):
            public = importlib.import_module(full)
            if getattr(public, made.__name__, None) is made:
                return full
    return made.__module__


def _tensor():
    """The stub of Tensor, with the named tuples that its methods return."""
    named = _named_tuples()
    body = [writer.HEAD, *_TYPES, f"from {PACKAGE}.base.shapes import Size", f"from {PACKAGE}.dispatch.storage import Storage",
            f"from {PACKAGE}.tensor.random.sampling import Generator", "",
            "Number = builtins.bool | builtins.int | builtins.float | builtins.complex", ""]
    body += [writer.named_tuple(made, result_name(made)) for _, made in sorted(named.items())]
    return "\n".join([*body, "", writer.cls(Tensor, "Tensor", {}, "Tensor"), ""])


def _named_tuples():
    """{name of the class: class} of the named tuples in the return annotations of functions and methods."""
    found = {}
    functions = [*vars(Tensor).values(), *vars(_module("")).values(),
                 *vars(_module("linalg")).values()]
    for fn in functions:
        if isinstance(fn, FunctionType):
            made = inspect.signature(fn).return_annotation
            if isinstance(made, type) and issubclass(made, tuple) and hasattr(made, "_fields"):
                found[made.__name__] = made
    return found


def _of_tensor_package(module):
    lines = [f"from {value.__module__} import {value.__name__} as {name}" for name in module.__all__
             if isinstance(value := getattr(module, name), type)]
    return "\n".join([writer.HEAD, *sorted(lines), "", "default_generator: Generator", "",
                      "def namespace() -> dict[str, Any]: ...", ""])
