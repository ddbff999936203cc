"""What PyTorch's public modules have that ours lack: names, parameters, their order and their defaults.

    python -m tests.parity.surface                 print every gap of the modules in MODULES that no exception covers
    python -m tests.parity.surface optim fft       of these modules
    python -m tests.parity.surface --write         write docs/missing.md from tests/parity/exceptions.py

A module is held to all of it once its name stands in MODULES; what cannot exist here stands in exceptions.py, with the reason.
"""

import importlib
import inspect
import sys
import warnings

import torch

import cltensor

from . import exceptions, signatures

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
      "random testing overrides multiprocessing utils.dlpack utils.tensorboard hub profiler signal.windows").split(),
)
#: those of which the names that are here must be called alike; base/absent.py refuses others of the main namespace and of Tensor
PARTLY = ("torch", "Tensor", "sparse", "serialization", "compiler", "utils", "utils.benchmark", "utils.data.dataloader", "cuda")

HOMES = {"cuda": "opencl"}  # a module of PyTorch's: where its names are here


ABSENT = "does not exist"


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


def _called(full, owner, name, theirs, ours, method=False):
    """What is wrong with the parameters of a function, or of a method of a class, where nothing is bound yet."""
    place = {torch: "", torch.Tensor: "Tensor", torch.nn.functional: "nn"}.get(owner)
    wanted = signatures.overloads(owner, name, theirs, place)
    if wanted is None or not callable(ours):
        return {} if wanted is None else {full: "cannot be called"}
    wanted = [{n: p for n, p in each.items() if not (method and n == "self")} for each in wanted]
    return signatures.gaps(full, wanted, ours, method)


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
                gaps[full] = ABSENT
            elif inspect.isroutine(getattr(theirs, name)) and not isinstance(value, property):
                gaps |= _called(full, theirs, name, getattr(theirs, name), getattr(ours, name), inspect.isfunction(value))
    return gaps


def gaps(name):
    """{full name: what is wrong} of one of PyTorch's modules; exceptions are not left out."""
    found = _gaps(name)
    return found if name not in PARTLY else {full: what for full, what in found.items() if what != ABSENT}


def _gaps(name):
    if name in ("torch", "Tensor"):
        return _namespace_gaps(name)
    module, found = importlib.import_module(f"torch.{name}"), {}
    try:
        here = importlib.import_module(f"cltensor.{HOMES.get(name, name)}")
    except ImportError:
        return {name: ABSENT}
    for each in public(module):
        theirs, full = getattr(module, each, None), f"{name}.{each}"
        ours = getattr(here, each, None)
        if ours is None and not hasattr(here, each):
            found[full] = ABSENT
        elif inspect.isclass(theirs) and not issubclass(theirs, tuple) and not hasattr(theirs, "__members__"):
            found |= _called(full, module, each, theirs, ours) | class_gaps(theirs, ours)
        elif callable(theirs):
            found |= _called(full, module, each, theirs, ours)
    return found


def _namespace_gaps(name):
    """Of the functions of PyTorch's main namespace, or of the methods of Tensor, those that are here."""
    theirs, ours = (torch, cltensor) if name == "torch" else (torch.Tensor, cltensor.Tensor)
    found = {}
    for each in dir(theirs):
        value = getattr(theirs, each, None)
        if each.startswith("_") or not inspect.isroutine(value) or not hasattr(ours, each):
            continue
        found |= _called(f"{name}.{each}", theirs, each, value, getattr(ours, each), name == "Tensor")
    return found


def uncovered(name):
    """gaps(name) without what an exception covers."""
    return {full: what for full, what in gaps(name).items() if not exceptions.reason(full)}


def main(arguments):
    """See above."""
    if "--write" in arguments:
        exceptions.PAGE.write_text(exceptions.page(MODULES), encoding="utf-8")
        return
    for name in arguments or (*MODULES, *PARTLY):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = uncovered(name)
        print(f"{name}: {len(found)} gaps")
        for full, what in found.items():
            print(f"    {full}: {what}")


if __name__ == "__main__":
    main(sys.argv[1:])
