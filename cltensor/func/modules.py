"""What PyTorch's transformations ask for beforehand: batch norms without running statistics, functionalize."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base.errors import ArgumentError

_BATCH_NORM = "_BatchNorm"  # the base of nn's batch norms; nn is built on this package, so it is known by its name here


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Let every batch norm in root, root too, do without running statistics: it then writes to nothing, as vmap needs it.

    root is changed in place and returned.  Tensors of any shape and floating dtype go through as before in training; in
    evaluation the statistics of the batch are used.
    Never raises.  Source: PyTorch 2.13's func.replace_all_batch_norm_modules_.

        func.replace_all_batch_norm_modules_(model)
    """
    for module in root.modules():
        if any(base.__name__ == _BATCH_NORM for base in type(module).__mro__):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """func itself: PyTorch rewrites in-place operations for its compilers, which see no difference in the results.

    For tensors of any shape and dtype.  Raises ArgumentError for a `remove` other than "mutations" and "mutations_and_views".
    Source: PyTorch 2.13's func.functionalize.

        f = func.functionalize(lambda x: x.clone().add_(1))
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise ArgumentError(f"functionalize: remove must be 'mutations' or 'mutations_and_views', got {remove!r}")
    return func
