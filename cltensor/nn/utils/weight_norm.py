"""Weight normalisation by a hook, the older of the two; parametrizations.weight_norm is the newer."""

from __future__ import annotations

import warnings

from ...base.errors import ArgumentError, CLTensorError
from ..modules.module import Module
from ..parameter import Parameter, is_lazy
from .parametrizations import norm_except

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


class WeightNorm:
    """The hook that computes a weight of any shape, of a floating dtype, from NAME_g and NAME_v before each call.

    Raises CLTensorError for a second hook on the same weight.  Source: Salimans and Kingma 2016.

        >>> from cltensor.nn.utils.weight_norm import WeightNorm
        >>> WeightNorm("weight", 0).name
        'weight'
    """

    def __init__(self, name: str, dim: int | None):
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module):
        """The weight, from its length and its direction."""
        v = getattr(module, f"{self.name}_v")
        return v * (getattr(module, f"{self.name}_g") / norm_except(v, self.dim))

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Replace the weight of a module by its length and direction, and register the hook."""
        if any(isinstance(hook, WeightNorm) and hook.name == name for hook, _ in module._forward_pre_hooks.values()):
            raise CLTensorError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ArgumentError("The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy "
                                "forward before applying weight normalization")
        made = WeightNorm(name, dim)
        del module._parameters[name]
        module.register_parameter(f"{name}_g", Parameter(norm_except(weight, made.dim).detach()))
        module.register_parameter(f"{name}_v", Parameter(weight.detach()))
        setattr(module, name, made.compute_weight(module))
        module.register_forward_pre_hook(made)
        return made

    def remove(self, module: Module):
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[f"{self.name}_g"], module._parameters[f"{self.name}_v"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train a weight's length NAME_g and direction NAME_v apart; return the module.  Deprecated.

    dim: the dimension along which each slice has a length of its own, NAME_g being of size 1 in the others; None for one length.
    Floating dtypes.  parametrizations.weight_norm does the same by a parametrization.
    Raises CLTensorError where the weight is normalised already.  Source: Salimans and Kingma 2016.

        >>> import warnings
        >>> from cltensor import nn
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     layer = nn.utils.weight_norm(nn.Linear(4, 3))
        >>> layer.weight_g.shape
        cltensor.Size([3, 1])
    """
    warnings.warn("`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
                  FutureWarning, stacklevel=2)
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Undo weight_norm: a weight of any shape and floating dtype is a parameter again; return the module.

    Raises ArgumentError if it is not normalised.  Source: Salimans and Kingma 2016.

        >>> import warnings
        >>> from cltensor import nn
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     layer = nn.utils.weight_norm(nn.Linear(4, 3))
        >>> sorted(dict(nn.utils.remove_weight_norm(layer).named_parameters()))
        ['bias', 'weight']
    """
    for key, (hook, _) in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ArgumentError(f"weight_norm of '{name}' not found in {module}")
