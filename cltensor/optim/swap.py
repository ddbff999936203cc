"""swap_in_optimizer_params_and_state: an optimiser on other parameters and another state, for a while."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from ..base.errors import ArgumentError
from ..tensor import Tensor
from .optimizer import Optimizer
from .saved_state import counted, settings_for


@contextlib.contextmanager
def swap_in_optimizer_params_and_state(optimizer: Optimizer, swapin_parameters: dict[str, Tensor],
                                       swapin_optim_state: dict[str, Any]) -> Iterator[None]:
    """Let an optimiser work on other parameters and another state inside a `with` block; its own come back after it.

    swapin_parameters: {name: tensor}, in the order of the optimiser's own, of any shape and dtype; swapin_optim_state: in the form
    of optimizer.state_dict().  Tensors are used as they are: what is written to them stays.

    Raises ArgumentError where the numbers of parameters or groups differ.  Source: the interface is PyTorch 2.13's.

        with optim.swap_in_optimizer_params_and_state(optimizer, dict(copy.named_parameters()), saved):
            optimizer.step()
    """
    own = optimizer.param_groups, optimizer.state
    settings = settings_for(optimizer.param_groups, swapin_optim_state, optimizer.defaults)
    wanted = sum(len(group["params"]) for group in settings)
    if len(swapin_parameters) != wanted:
        raise ArgumentError(f"swap_in_optimizer_params_and_state: the optimizer has {wanted} parameters, got "
                            f"{len(swapin_parameters)}; give one for each, in their order")
    given = iter(swapin_parameters.values())
    by_number, groups, state = {}, [], defaultdict(dict)
    for group in settings:
        params = [next(given) for _ in group["params"]]
        by_number.update(zip(group["params"], params, strict=True))
        groups.append({**group, "params": params})
    for number, kept in swapin_optim_state["state"].items():
        state[by_number.get(number, number)] = counted(kept, optimizer.counts)
    optimizer.param_groups, optimizer.state = groups, state
    try:
        yield
    finally:
        optimizer.param_groups, optimizer.state = own
