"""Modules as functions of their parameters."""

from __future__ import annotations

from ..base.errors import ArgumentError
from ..tensor.shape.joining import stack


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights: bool = True,
                    strict: bool = False):
    """Return module(*args) with parameters and buffers from a dictionary (or several) by name; the module itself stays the same.

    The tensors given stand for the module's own, with their shapes and dtypes.  tie_weights: a tensor that the module has under two
    names is replaced under both.  strict: every parameter and buffer must be given.

    Raises ArgumentError for a name that the module does not have, and with strict for a missing one.
    Source: torch.func.functional_call.

        >>> layer = ct.nn.Linear(2, 1)
        >>> ct.func.functional_call(layer, {"weight": ct.ones(1, 2), "bias": ct.zeros(1)}, ct.tensor([[3.0, 4.0]]))
        tensor([[7.]])
    """
    given = {}
    for d in parameter_and_buffer_dicts if isinstance(parameter_and_buffer_dicts, (tuple, list)) else (parameter_and_buffer_dicts,):
        given.update(d)
    own = {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers(remove_duplicate=False))}
    unknown = [n for n in given if n not in own]
    if unknown:
        raise ArgumentError(f"functional_call: the module has no parameter or buffer named {', '.join(map(repr, unknown))}")
    if strict and len(given) < len(own):
        raise ArgumentError(f"functional_call: missing {', '.join(n for n in own if n not in given)}")
    if tie_weights:
        by_tensor = {id(own[n]): value for n, value in given.items()}
        given = {**{n: by_tensor[id(t)] for n, t in own.items() if id(t) in by_tensor}, **given}
    swapped = []
    try:
        for name, value in given.items():
            path, _, leaf = name.rpartition(".")
            owner = module.get_submodule(path)
            table = owner._parameters if leaf in owner._parameters else owner._buffers
            swapped.append((table, leaf, table[leaf]))
            table[leaf] = value
        args = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*args, **(kwargs or {}))
    finally:
        for table, leaf, value in reversed(swapped):
            table[leaf] = value


def stack_module_state(models):
    """Return (parameters, buffers) of modules with one architecture, each stacked along a new first dimension, for vmap.

    Each is a dictionary by name; parameters require grad where those of the first module do, and keep their dtype.

    Raises ArgumentError for no modules; ShapeError where shapes differ.
    Source: torch.func.stack_module_state.

        >>> parameters, buffers = ct.func.stack_module_state([ct.nn.Linear(2, 3) for _ in range(4)])
        >>> parameters["weight"].shape
        cltensor.Size([4, 3, 2])
    """
    models = list(models)
    if not models:
        raise ArgumentError("stack_module_state: Expected at least one model, got 0.")
    parameters = {n: stack([dict(m.named_parameters())[n] for m in models]).detach().requires_grad_(p.requires_grad)
                  for n, p in models[0].named_parameters()}
    buffers = {n: stack([dict(m.named_buffers())[n] for m in models]) for n, _ in models[0].named_buffers()}
    return parameters, buffers
