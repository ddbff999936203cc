"""What PyTorch's public modules have that ours lack: names, parameters, their order and their defaults.

    python -m tests.parity.surface                 print every gap of the modules in MODULES that no exception covers
    python -m tests.parity.surface optim fft       of these modules
    python -m tests.parity.surface --write         write docs/missing.md from tests/parity/exceptions.py

A module is held to all of it once its name stands in MODULES; what cannot exist here stands in exceptions.py, with the reason.
"""

import importlib
import inspect
import keyword
import re
import sys
import warnings

import torch

from . import exceptions

#: PyTorch's modules, without `torch.`, each of which must be here whole
MODULES = (
    *("nn nn.functional nn.init nn.parameter nn.attention nn.attention.bias nn.grad nn.parallel").split(),
    *("nn.utils nn.utils.fusion nn.utils.init nn.utils.memory_format nn.utils.parametrizations nn.utils.parametrize "
      "nn.utils.prune nn.utils.rnn nn.utils.stateless").split(),
    *("nn.modules nn.modules.activation nn.modules.adaptive nn.modules.batchnorm nn.modules.channelshuffle "
      "nn.modules.container nn.modules.conv nn.modules.distance nn.modules.dropout nn.modules.flatten nn.modules.fold "
      "nn.modules.instancenorm nn.modules.lazy nn.modules.linear nn.modules.loss nn.modules.module "
      "nn.modules.normalization nn.modules.padding nn.modules.pixelshuffle nn.modules.pooling nn.modules.rnn "
      "nn.modules.sparse nn.modules.transformer nn.modules.upsampling").split(),
    *("func linalg special fft amp optim optim.lr_scheduler optim.swa_utils utils.data utils.checkpoint "
      "distributions distributions.constraints distributions.transforms distributions.utils distributions.kl "
      "distributions.constraint_registry").split(),
    *("autograd autograd.functional autograd.graph autograd.forward_ad autograd.grad_mode "
      "random testing overrides multiprocessing utils.dlpack utils.tensorboard hub profiler").split(),
)

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
PLAIN = (bool, int, float, str, tuple, type(None))


def public(module):
    """The public names of one of PyTorch's modules: its __all__, or what it defines and does not merely import."""
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if not name.startswith("_")]
    return [name for name in dir(module) if not name.startswith("_") and _is_its_own(module, getattr(module, name))]


def _is_its_own(module, value):
    if inspect.ismodule(value):
        return value.__name__.startswith(f"{module.__name__}.")
    if inspect.isclass(value) and value.__module__ in ("torch", "torch._tensor"):
        return False
    return callable(value) and (getattr(value, "__module__", None) or "torch").startswith("torch")


def signature(owner, name, value):
    """The parameters of one of PyTorch's functions or classes by name, or None where nothing tells them."""
    if getattr(owner, f"{name}_with_indices", None) is not None:
        value = getattr(owner, f"{name}_with_indices")  # what chooses between two functions takes *args
    try:
        return dict(inspect.signature(value).parameters)
    except (ValueError, TypeError):
        return documented(name, value.__doc__ or "")


def documented(name, text):
    """The parameters that the first line of a docstring gives, as in `conv1d(input, weight, bias=None) -> Tensor`."""
    found = re.match(rf"\s*(?:[\w.]+\.)?{re.escape(name)}\(", text)
    if not found:
        return None
    line = text[found.end():].split("\n", 1)[0].split(" -> ")[0].rsplit(")", 1)[0]
    names, defaults = {}, {"__builtins__": {}, "torch": torch, "None": None, "True": True, "False": False}
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    for part in re.split(r",\s*(?![^()\[\]]*[)\]])", line):
        word, given, default = part.strip().partition("=")
        if word == "*":
            kind = inspect.Parameter.KEYWORD_ONLY
        elif word.isidentifier() and not keyword.iskeyword(word):
            names[word] = inspect.Parameter(word, kind, default=_value(default, defaults) if given else inspect.Parameter.empty)
    return names


def _value(text, names):
    try:
        return eval(text, names)
    except Exception:
        return inspect  # no plain value: it is not compared


def parameter_gaps(full, theirs, ours):
    """{"full(parameter)": what is wrong} of the parameters of one function or class."""
    gaps, order = {}, [p.name for p in ours.values() if p.kind in POSITIONAL]
    taken = {p.kind for p in ours.values()}
    positional = [p.name for p in theirs.values() if p.kind in POSITIONAL]
    for p in theirs.values():
        at = f"{full}({p.name})"
        if p.name.startswith("_") or p.kind in VARIADIC:
            continue
        if p.name not in ours:
            if inspect.Parameter.VAR_KEYWORD not in taken:
                gaps[at] = "is not accepted"
        elif p.name in positional and inspect.Parameter.VAR_POSITIONAL not in taken and (
                p.name not in order or order.index(p.name) != positional.index(p.name)):
            gaps[at] = "stands elsewhere among the positional arguments"
        elif not _same_default(p.default, ours[p.name].default):
            gaps[at] = f"is {p.default!r} by default, here {ours[p.name].default!r}"
    return gaps


def _same_default(theirs, ours):
    if not isinstance(theirs, PLAIN):
        return True
    if isinstance(ours, torch.Tensor) or not isinstance(ours, PLAIN):
        return False
    return theirs == ours


def _called(full, owner, name, theirs, ours):
    wanted = signature(owner, name, theirs)
    if wanted is None or not callable(ours):
        return {} if wanted is None else {full: "cannot be called"}
    try:
        return parameter_gaps(full, wanted, dict(inspect.signature(ours).parameters))
    except ValueError:
        return {}


def class_gaps(theirs, ours):
    """The same for the public members that a class of PyTorch's defines or inherits, under the names of where they are defined."""
    gaps, seen = {}, set()
    for base in theirs.__mro__:
        if not base.__module__.startswith("torch.") or base is torch._C.TensorBase or issubclass(torch.Tensor, base):
            continue
        owner = f"{base.__module__.removeprefix('torch.')}.{base.__name__}"
        for name, value in vars(base).items():
            full = f"{owner}.{name}"
            if name.startswith("_") or name in seen:
                continue
            seen.add(name)
            if not hasattr(ours, name):
                gaps[full] = "does not exist"
            elif inspect.isroutine(getattr(theirs, name)) and not isinstance(value, property):
                gaps |= _called(full, theirs, name, getattr(theirs, name), getattr(ours, name))
    return gaps


def gaps(name):
    """{full name: what is wrong} of one of PyTorch's modules; exceptions are not left out."""
    module, found = importlib.import_module(f"torch.{name}"), {}
    try:
        here = importlib.import_module(f"cltensor.{name}")
    except ImportError:
        return {name: "does not exist"}
    for each in public(module):
        theirs, full = getattr(module, each), f"{name}.{each}"
        ours = getattr(here, each, None)
        if ours is None and not hasattr(here, each):
            found[full] = "does not exist"
        elif inspect.isclass(theirs) and not issubclass(theirs, tuple) and not hasattr(theirs, "__members__"):
            found |= _called(full, module, each, theirs, ours) | class_gaps(theirs, ours)
        elif callable(theirs):
            found |= _called(full, module, each, theirs, ours)
    return found


def uncovered(name):
    """gaps(name) without what an exception covers."""
    return {full: what for full, what in gaps(name).items() if not exceptions.reason(full)}


def main(arguments):
    """See above."""
    if "--write" in arguments:
        exceptions.PAGE.write_text(exceptions.page(MODULES), encoding="utf-8")
        return
    for name in arguments or MODULES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = uncovered(name)
        print(f"{name}: {len(found)} gaps")
        for full, what in found.items():
            print(f"    {full}: {what}")


if __name__ == "__main__":
    main(sys.argv[1:])
