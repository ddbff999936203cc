"""cltensor.func: functions of functions: grad, vjp, jvp, jacobians, vmap, with torch.func's names."""

from .batching import debug_unwrap
from .calls import functional_call, stack_module_state
from .derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, value_and_grad, vjp
from .map import vmap
from .modules import functionalize, replace_all_batch_norm_modules_
from .rearrange import rearrange

__all__ = ["debug_unwrap", "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp",
           "linearize", "rearrange", "replace_all_batch_norm_modules_", "stack_module_state", "value_and_grad", "vjp", "vmap"]


def __dir__():
    return sorted(__all__)
