"""Pruning: a parameter times a mask of zeros and ones, by elements or whole channels, chosen by size or at random."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd.modes import no_grad
from ...base.errors import ArgumentError, ArgumentTypeError
from ...tensor.core.tensor import Tensor
from ...tensor.shape.joining import cat
from ..modules.module import Module
from .convert_parameters import parameters_to_vector
from .pruning_methods import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    pruning_hooks,
)

__all__ = ["BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
           "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
           "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove"]


def identity(module: Module, name: str) -> Module:
    """Give a parameter of any shape and dtype a mask of ones, without pruning it; return the module.

    It becomes NAME_orig, and NAME_mask a buffer.  Raises AttributeError for a name that the module lacks.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> sorted(nn.utils.prune.identity(nn.Linear(2, 2), "bias").state_dict())
        ['bias_mask', 'bias_orig', 'weight']
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune elements of a parameter, of any shape and floating dtype, at random: amount of them, or that fraction.

    Returns the module.  Raises ArgumentError for an amount that makes no sense.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.utils.prune.random_unstructured(nn.Linear(4, 2), "weight", 0.5).weight_mask.sum()
        tensor(4.)
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prune the elements of a parameter, of any shape and floating dtype, nearest to 0: amount of them, or that fraction.

    importance_scores: numbers of the parameter's shape to choose by instead.  Returns the module.
    Raises ArgumentError for an amount that makes no sense, AssertedShapeError for scores of another shape.
    Source: Han et al. 2015.

        >>> from cltensor import nn
        >>> nn.utils.prune.l1_unstructured(nn.Linear(4, 2), "weight", 3).weight_mask.sum()
        tensor(5.)
    """
    L1Unstructured.apply(module, name, amount, importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune channels, slices along dim, of a parameter at random: amount of them, or that fraction; return the module.

    The parameter has two dimensions or more and a floating dtype.  Raises ArgumentError for an amount that makes no sense or one
    dimension, DimensionError for dim.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.utils.prune.random_structured(nn.Linear(4, 2), "weight", 1, dim=0).weight_mask.sum()
        tensor(4.)
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Module, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None) -> Module:
    """Prune the channels, slices along dim, of a parameter with the smallest n-norm: amount of them, or that fraction.

    The parameter has two dimensions or more and a floating dtype.  importance_scores: numbers of its shape to choose by instead.
    Returns the module.  Raises ArgumentError for an amount that makes no sense or one dimension, DimensionError for dim.
    Source: Li et al. 2017.

        >>> from cltensor import nn
        >>> nn.utils.prune.ln_structured(nn.Linear(4, 2), "weight", 0.5, n=2, dim=1).weight_mask.sum()
        tensor(4.)
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune a parameter, of any shape and floating dtype, by a mask of zeros and ones of its shape; return the module.

    Raises AssertedShapeError for a mask of another shape.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, tensor
        >>> nn.utils.prune.custom_from_mask(nn.Linear(4, 2), "bias", tensor([0, 1])).bias_mask
        tensor([0., 1.])
    """
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
                        importance_scores: dict[tuple[Module, str], Tensor] | None = None, **kwargs):
    """Prune elements of several parameters together, by one pruning method of all their values.

    parameters: (module, name) pairs, of any shapes and one floating dtype; pruning_method: a class of the type "unstructured", made
    with kwargs; importance_scores: what to choose by instead, by the same pairs.
    Raises ArgumentTypeError for another type of method or scores that are no dict, ArgumentError for amounts.
    Source: Han et al. 2015.

        >>> from cltensor import nn
        >>> a, b = nn.Linear(2, 2), nn.Linear(2, 2)
        >>> nn.utils.prune.global_unstructured([(a, "weight"), (b, "weight")], nn.utils.prune.L1Unstructured, amount=3)
        >>> (a.weight_mask.sum() + b.weight_mask.sum()).item()
        5.0
    """
    if not isinstance(parameters, Iterable):
        raise ArgumentTypeError("global_unstructured(): parameters is not an Iterable")
    if importance_scores is not None and not isinstance(importance_scores, dict):
        raise ArgumentTypeError("global_unstructured(): importance_scores must be of type dict")
    pairs, scores = list(parameters), importance_scores or {}
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise ArgumentTypeError('Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
                                f"{pruning_method} of type {method.PRUNING_TYPE}")
    with no_grad():
        values = parameters_to_vector([scores.get(pair, getattr(*pair)) for pair in pairs])
        before = [getattr(module, f"{name}_mask", None) for module, name in pairs]
        masks = [getattr(*pair).detach() * 0 + 1 if mask is None else mask for pair, mask in zip(pairs, before, strict=True)]
        method._tensor_name = "all"
        container = PruningContainer(method)
        mask = container.compute_mask(values.detach(), cat([m.reshape(-1) for m in masks]))
    at = 0
    for module, name in pairs:
        tensor = getattr(module, name)
        custom_from_mask(module, name, mask[at:at + tensor.numel()].reshape(tensor.shape))
        at += tensor.numel()


def remove(module: Module, name: str) -> Module:
    """Make a pruned parameter, of any shape and dtype, a plain one with the same zeros; return the module.

    Raises ArgumentError if it is not pruned.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> layer = nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", 1)
        >>> sorted(nn.utils.prune.remove(layer, "weight").state_dict())
        ['bias', 'weight']
    """
    for key, method in pruning_hooks(module, name):
        method.remove(module)
        del module._forward_pre_hooks[key]
        return module
    raise ArgumentError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Whether a parameter, of any shape and dtype, of a module or of one below it is pruned.  Never raises.

    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.utils.prune.is_pruned(nn.Linear(2, 2))
        False
    """
    return any(isinstance(hook, BasePruningMethod) for each in module.modules() for hook, _ in each._forward_pre_hooks.values())


def __dir__():
    return sorted(__all__)
