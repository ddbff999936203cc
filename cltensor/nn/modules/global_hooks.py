"""Hooks of all modules: functions to call around every call, and wherever a parameter, buffer or submodule is registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...base.errors import CLTensorError
from ...dispatch.node import Handle

#: what is registered, by kind; each {key: entry}, as in the tables of one module
FORWARD_PRE, FORWARD, BACKWARD_PRE, BACKWARD = {}, {}, {}, {}
REGISTRATION = {"_parameters": {}, "_buffers": {}, "_modules": {}}
_full = [True]  # whether BACKWARD's are full backward hooks


def registered(module, kind, name, value):
    """value, or what a registration hook gives instead; kind: the table of the module it goes into."""
    for hook in list(REGISTRATION[kind].values()):
        changed = hook(module, name, value)
        value = value if changed is None else changed
    return value


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(module, args) before the forward of every module, before its own hooks; its result replaces the arguments.

    Returns a handle whose remove() undoes it.  Tensors of any shape and dtype; never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> with nn.modules.module.register_module_forward_pre_hook(lambda module, args: print(type(module).__name__)):
        ...     _ = nn.ReLU()(ones(1))
        ReLU
    """
    return Handle(FORWARD_PRE, (hook, False))


def register_module_forward_hook(hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False) -> Handle:
    """Call hook(module, args, output) after the forward of every module, before its own hooks; its result replaces the output.

    with_kwargs: call hook(module, args, kwargs, output); always_call: even where forward raises, with None as output.
    Returns a handle whose remove() undoes it.  Tensors of any shape and dtype; never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> with nn.modules.module.register_module_forward_hook(lambda module, args, output: 2 * output):
        ...     nn.ReLU()(ones(1))
        tensor([2.])
    """
    return Handle(FORWARD, (hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(module, grad_output) before the gradients of every module; a tuple it returns replaces grad_output.

    Returns a handle whose remove() undoes it.  Tensors of any shape and dtype; never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> with nn.modules.module.register_module_full_backward_pre_hook(lambda module, g: print(g[0])):
        ...     nn.ReLU()(ones(1, requires_grad=True)).sum().backward()
        tensor([1.])
    """
    return Handle(BACKWARD_PRE, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(module, grad_input, grad_output) after the gradients of every module; a tuple it returns replaces grad_input.

    Returns a handle whose remove() undoes it.  Tensors of any shape and dtype.  Raises CLTensorError beside hooks of
    register_module_backward_hook.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> with nn.modules.module.register_module_full_backward_hook(lambda module, g, out: print(g[0])):
        ...     nn.ReLU()(ones(1, requires_grad=True)).sum().backward()
        tensor([1.])
    """
    return _backward(hook, True)


def register_module_backward_hook(hook: Callable[..., Any]) -> Handle:
    """register_module_full_backward_hook under its older name, for tensors of any shape and dtype.

    Raises CLTensorError beside hooks of the newer name.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> with nn.modules.module.register_module_backward_hook(lambda module, g, out: print(g[0])):
        ...     nn.ReLU()(ones(1, requires_grad=True)).sum().backward()
        tensor([1.])
    """
    return _backward(hook, False)


def _backward(hook, full):
    if BACKWARD and _full[0] is not full:
        raise CLTensorError("Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use "
                            "only one of them.")
    _full[0] = full
    return Handle(BACKWARD, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(module, name, parameter) wherever a parameter, of any shape and dtype, is registered; its result replaces it.

    Returns a handle whose remove() undoes it.  Never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> with nn.modules.module.register_module_parameter_registration_hook(lambda module, name, p: print(name)):
        ...     _ = nn.Linear(1, 1)
        weight
        bias
    """
    return Handle(REGISTRATION["_parameters"], hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(module, name, buffer) wherever a buffer, of any shape and dtype, is registered; its result replaces it.

    Returns a handle whose remove() undoes it.  Never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> with nn.modules.module.register_module_buffer_registration_hook(lambda module, name, b: 2 * b):
        ...     module = nn.Module()
        ...     module.register_buffer("mean", ones(1))
        >>> module.mean
        tensor([2.])
    """
    return Handle(REGISTRATION["_buffers"], hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> Handle:
    """Call hook(module, name, submodule) wherever a submodule is registered; its result replaces it.

    Returns a handle whose remove() undoes it.  Shapes and dtypes play no part; never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> with nn.modules.module.register_module_module_registration_hook(lambda module, name, m: print(name)):
        ...     _ = nn.Sequential(nn.ReLU())
        0
    """
    return Handle(REGISTRATION["_modules"], hook)
