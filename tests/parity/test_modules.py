"""Every module of PyTorch's own database gives PyTorch's values and gradients, training and not, or is listed with a reason."""

import warnings
import zlib

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("expecttest", reason="PyTorch's module database needs expecttest")

import torch

import cltensor

from .compare import same
from .convert import Converter, Inconvertible, leaves
from .database import rebound

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch's test modules warn of packages they can do without
    from torch.testing._internal.common_modules import module_db

pytestmark = [pytest.mark.device, pytest.mark.parity]
MOST = 6  # inputs of a module that are run, in each mode

#: modules whose values are random while training, or always: only shapes are compared then
RANDOM = frozenset("Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout RReLU TransformerEncoder "
                   "TransformerDecoder TransformerEncoderLayer TransformerDecoderLayer Transformer".split())
ALWAYS_RANDOM = frozenset(("FractionalMaxPool2d", "FractionalMaxPool3d"))

#: modules that do not pass, and why
UNSUPPORTED = {}


def entries():
    """Every entry by name."""
    return {info.name.removeprefix("nn."): info for info in module_db}


def cases():
    """(name, whether training): both modes where they differ, in PyTorch's words."""
    for name, info in entries().items():
        for training in (True, False) if info.train_and_eval_differ else (True,):
            yield pytest.param(name, training, id=f"{name}-{'training' if training else 'evaluating'}")


def inputs(info, name, training):
    """The entry's first inputs, the same in every run."""
    torch.manual_seed(zlib.crc32(name.encode()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
    step = max(1, len(found) // MOST)
    return found[::step][:MOST]


def made(info, name, given, training):
    """(PyTorch's module, ours with its parameters), or None where an argument has no counterpart here."""
    args, kwargs = given.constructor_input.args, given.constructor_input.kwargs
    theirs = info.module_cls(*args, **kwargs).double()
    if isinstance(theirs, torch.nn.modules.lazy.LazyModuleMixin):
        theirs(*given.forward_input.args, **given.forward_input.kwargs)
    try:
        args, kwargs = Converter()((args, kwargs))
    except Inconvertible:
        return None
    ours = getattr(cltensor.nn, name)(*map(rebound, args), **{k: rebound(v) for k, v in kwargs.items()}).double()
    ours.load_state_dict({k: Converter()(v) for k, v in theirs.state_dict().items()})
    return theirs.train(training), ours.train(training)


def compared(name, theirs, ours, given, values):
    """Run both forward and, where anything has a gradient, backward."""
    forward = given.forward_input
    expected = theirs(*forward.args, **forward.kwargs)
    args, kwargs = Converter()((forward.args, forward.kwargs))
    got = ours(*args, **kwargs)
    same(f"nn.{name}", got, expected, values=values)
    pairs = [(g, e) for g, e in zip(leaves(got), leaves(expected), strict=True) if e.requires_grad]
    if not values or not pairs:
        return
    wanted = [t for t in [*leaves((forward.args, forward.kwargs)), *theirs.parameters()] if t.requires_grad]
    found = [t for t in [*leaves((args, kwargs)), *ours.parameters()] if t.requires_grad]
    seeds = [torch.randn(e.shape, dtype=e.dtype) for _, e in pairs]
    right = torch.autograd.grad([e for _, e in pairs], wanted, seeds, allow_unused=True)
    gradients = cltensor.autograd.grad([g for g, _ in pairs], found, Converter()(seeds), allow_unused=True)
    for i, (g, e) in enumerate(zip(gradients, right, strict=True)):
        if g is not None or (e is not None and e.any()):
            same(f"nn.{name}", g, torch.zeros_like(wanted[i]) if e is None else e, f"gradient of tensor {i}")


@pytest.mark.parametrize(("name", "training"), list(cases()))
def test_module(name, training):
    if name in UNSUPPORTED:
        pytest.skip(UNSUPPORTED[name])
    info = entries()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = 0
        for given in inputs(info, name, training):
            try:
                pair = made(info, name, given, training)
                if pair is not None:
                    pairs += 1
                    compared(name, *pair, given, values=not (name in ALWAYS_RANDOM or (training and name in RANDOM)))
            except Exception as error:
                error.add_note(f"{name}{given.constructor_input.args} {given.constructor_input.kwargs}: {given.desc}")
                raise
    assert pairs, "no arguments of the database have a counterpart here"
