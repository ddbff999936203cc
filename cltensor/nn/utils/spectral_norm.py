"""Spectral normalisation by a hook, the older of the two; parametrizations.spectral_norm is the newer."""

from __future__ import annotations

from ...autograd.modes import no_grad
from ...base.errors import ArgumentError, CLTensorError
from ...tensor.core.tensor import Tensor
from ..functional import normalize
from ..modules.module import Module
from ..parameter import Parameter, is_lazy
from .parametrizations import matrix_of, output_dimension, power_iteration

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The hook that divides a weight of any shape, of a floating dtype, by its largest singular value before each call.

    Raises CLTensorError for a second hook on the same weight.  Source: Miyato et al. 2018.

        >>> from cltensor.nn.utils.spectral_norm import SpectralNorm
        >>> SpectralNorm().n_power_iterations
        1
    """

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12):
        if n_power_iterations <= 0:
            raise ArgumentError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix whose rows are its slices along dim."""
        return matrix_of(weight, self.dim)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight divided by its largest singular value, the estimate of which do_power_iteration refines, v first."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = matrix_of(weight, self.dim)
        if do_power_iteration:
            power_iteration(matrix.detach().mT, v, u, self.n_power_iterations, self.eps)
            u, v = u.clone(), v.clone()
        return weight / u.dot(matrix @ v)

    def remove(self, module: Module):
        """Make the weight a parameter again, with its present value."""
        with no_grad():
            weight = self.compute_weight(module, False)
        delattr(module, self.name)
        for part in ("u", "v", "orig"):
            delattr(module, f"{self.name}_{part}")
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module, module.training))

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Replace the weight of a module by the original and the two vectors, and register the hook."""
        if any(isinstance(hook, SpectralNorm) and hook.name == name for hook, _ in module._forward_pre_hooks.values()):
            raise CLTensorError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        made = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters.get(name)
        if weight is None:
            raise ArgumentError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ArgumentError("The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the "
                                "dummy forward before applying spectral normalization")
        matrix = matrix_of(weight.detach(), dim)
        u, v = (normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps) for size in matrix.shape)
        del module._parameters[name]
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.detach())
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(made)
        return made


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide a weight by its largest singular value, estimated by power iteration at each call in training; return the module.

    dim: the dimension whose slices are the rows of the matrix; that of the outputs unless given.  Floating dtypes.  The state_dict
    has NAME_orig, and the vectors NAME_u (rows,) and NAME_v (columns,).  parametrizations.spectral_norm does the same by a
    parametrization.  Raises ArgumentError for no iterations or a weight that is None, CLTensorError where it is normalised already.
    Source: Miyato et al. 2018.

        >>> from cltensor import nn
        >>> sorted(nn.utils.spectral_norm(nn.Linear(4, 3)).state_dict())
        ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    SpectralNorm.apply(module, name, n_power_iterations, output_dimension(module) if dim is None else dim, eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Undo spectral_norm: a weight of any shape and floating dtype is a parameter again; return the module.

    Raises ArgumentError if it is not normalised.  Source: Miyato et al. 2018.

        >>> from cltensor import nn
        >>> sorted(nn.utils.remove_spectral_norm(nn.utils.spectral_norm(nn.Linear(4, 3))).state_dict())
        ['bias', 'weight']
    """
    for key, (hook, _) in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ArgumentError(f"spectral_norm of '{name}' not found in {module}")
