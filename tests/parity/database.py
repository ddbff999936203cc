"""PyTorch's database of operators, and the functions here that answer to its entries.

An entry is named as PyTorch names it, its variant after a dot: "add", "nn.functional.conv2d", "div.floor_rounding".
"""

import fnmatch
import functools
import inspect
import types
import warnings

import torch

import cltensor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch's test modules warn of packages they can do without
    from torch.testing._internal import common_utils
    from torch.testing._internal.common_methods_invocations import op_db
    from torch.testing._internal.opinfo import core

# For each sample the database searches the stack for a unittest, and seeds devices that do not exist, which keep a traceback:
# together three quarters of an entry's time.
common_utils.extract_test_fn = core.extract_test_fn = lambda: None
for _library in (torch.cuda, torch.xpu, torch.mtia):
    if not _library.is_available():
        _library.manual_seed_all = lambda seed: None

#: entries named after no public Python name of their function
_PRIVATE_NAMES = {
    "_segment_reduce": cltensor.segment_reduce,
    "slice": lambda x, dim=0, start=None, end=None, step=1: x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)],
}


class Missing(Exception):
    """A function or method that does not exist here."""


def name_of(op):
    """The entry's full name."""
    return op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")


@functools.cache
def entries():
    """Every entry by full name, in the database's order; a name that comes twice gets a number."""
    found = {}
    for op in op_db:
        name, n = name_of(op), 2
        while name in found:
            name, n = f"{name_of(op)}.{n}", n + 1
        found[name] = op
    return found


def matching(patterns):
    """Names of the entries that match any of the glob patterns, in order; a plain name also picks its variants."""
    return [name for name in entries()
            if any(fnmatch.fnmatchcase(name, p) or name.startswith(f"{p}.") for p in patterns)]


def family(name):
    """The part of the surface an entry belongs to, for counting."""
    if name.startswith("_") and not name.startswith("__"):
        return "private"
    head = name.rpartition(".")[0] if name.startswith(("nn.", "linalg.", "fft.", "special.", "masked.", "signal.", "torch.ops",
                                                       "sparse.")) else ""
    for known in ("nn.functional", "linalg", "fft", "special", "masked", "signal", "torch.ops", "sparse"):
        if head.startswith(known):
            return known
    return "cltensor"


# --- the same function here ------------------------------------------------------------------------------------------


def _resolve(path):
    found = cltensor
    for part in path.split("."):
        if not hasattr(found, part):
            return None
        found = getattr(found, part)
    return found


def implementation(op):
    """The counterpart here of PyTorch's op.op.  Raises Missing."""
    if op.name in _PRIVATE_NAMES:
        return _PRIVATE_NAMES[op.name]
    if inspect.isfunction(op.op) and op.op.__module__.startswith("torch.testing"):
        return rebound(op.op)
    method = op.name.startswith("__") or isinstance(_resolve(op.name), cltensor.dtype)
    found = _resolve(f"Tensor.{op.name}" if method else op.name)
    if found is None:
        raise Missing(f"cltensor.{op.name} does not exist")
    return found


def variant(op, torch_variant):
    """The method here that answers to a method or in-place variant of op.  Raises Missing."""
    name = getattr(torch_variant, "__name__", "<lambda>")
    if getattr(torch.Tensor, name, None) is torch_variant:
        if not hasattr(cltensor.Tensor, name):
            raise Missing(f"cltensor.Tensor.{name} does not exist")
        return getattr(cltensor.Tensor, name)
    if isinstance(torch_variant, functools.partial):
        found = _resolve(f"nn.functional.{torch_variant.func.__name__}")
        if found is None:
            raise Missing(f"cltensor.nn.functional.{torch_variant.func.__name__} does not exist")
        return functools.partial(found, *torch_variant.args, **torch_variant.keywords)
    if inspect.isfunction(torch_variant) and torch_variant.__module__.startswith("torch.testing"):
        return rebound(torch_variant)
    raise Missing(f"no counterpart of {torch_variant!r}")


def rebound(fn):
    """A Python function of PyTorch's tests with `torch` meaning cltensor in its body."""
    if not inspect.isfunction(fn):
        return fn
    names = {**fn.__globals__, "torch": cltensor, "wrapper_set_seed": _unseeded}
    made = types.FunctionType(fn.__code__, names, fn.__name__, fn.__defaults__, fn.__closure__)
    made.__kwdefaults__ = fn.__kwdefaults__
    return made


def _unseeded(fn, *args, **kwargs):
    return fn(*args, **kwargs)


def is_missing(error):
    """Whether an exception says that the namespace or Tensor lacks a name."""
    text = str(error)
    return isinstance(error, AttributeError) and ("module 'cltensor" in text or "'Tensor' " in text) and "attribute" in text
