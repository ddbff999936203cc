"""One module on several devices of this process: each takes a part of the batch, and gradients meet in the module's parameters.

Devices run what they are given at their own pace, so one thread hands out the work.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from ..base.calls import named_all as _named_all
from ..base.errors import ArgumentError, ArgumentTypeError
from ..runtime.device import device
from ..tensor.core.tensor import Tensor
from ..tensor.core.values import pick_device
from ..tensor.shape.joining import cat, stack
from .modules.module import Module

__all__ = ["DataParallel", "data_parallel", "gather", "parallel_apply", "replicate", "scatter"]


def _rebuilt(like, items):
    """items in a container of the kind of `like`."""
    return type(like)(*items) if hasattr(like, "_fields") else type(like)(items)


def scatter(inputs: Any, target_gpus: Sequence[device | str | int], dim: int = 0):
    """One value for each device, the tensors in it split along dim; a tuple of them.

    inputs: a tensor of any shape and dtype, or nested tuples, lists and dicts of tensors; any other value goes to each device as it
    is. There are fewer values where dim is shorter than the list of devices.  Raises DimensionError for dim.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> [x.shape for x in nn.parallel.scatter(ones(4, 2), [0])]
        [cltensor.Size([4, 2])]
    """
    devices = [pick_device(d) for d in target_gpus]
    if isinstance(inputs, Tensor):
        return tuple(part.to(at) for part, at in zip(inputs.chunk(len(devices), dim), devices, strict=False))
    if isinstance(inputs, Mapping):
        rows = [scatter(v, devices, dim) for v in inputs.values()]
        return tuple(type(inputs)(zip(inputs, row, strict=True)) for row in zip(*rows, strict=False)) or ({},) * len(devices)
    if isinstance(inputs, (tuple, list)):
        rows = [scatter(v, devices, dim) for v in inputs]
        return tuple(_rebuilt(inputs, row) for row in zip(*rows, strict=False)) or (inputs,) * len(devices)
    return (inputs,) * len(devices)


def gather(outputs: Sequence[Any], target_device: device | str | int, dim: int = 0):
    """What the devices returned as one value on target_device, the tensors in it joined along dim.

    outputs: for each device a tensor of any shape and dtype, or nested tuples, lists and dicts of them; 0-d tensors become a
    vector. Raises ArgumentError for dicts of different keys.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> nn.parallel.gather([ones(2), ones(3)], 0).shape
        cltensor.Size([5])
    """
    first = outputs[0]
    if isinstance(first, Tensor):
        parts = [x.to(target_device) for x in outputs]
        if all(x.ndim == 0 for x in parts) and dim == 0:
            warnings.warn("Was asked to gather along dimension 0, but all input tensors were scalars; will instead unsqueeze and "
                          "return a vector.", stacklevel=2)
            return stack(parts)
        return cat(parts, dim)
    if isinstance(first, Mapping):
        if any(x.keys() != first.keys() for x in outputs):
            raise ArgumentError("All dicts must have the same number of keys, and the same ones")
        return type(first)((k, gather([x[k] for x in outputs], target_device, dim)) for k in first)
    if first is None:
        return None
    return _rebuilt(first, [gather(each, target_device, dim) for each in zip(*outputs, strict=True)])


def replicate(network: Module, devices: Sequence[device | str | int], detach: bool = False) -> list[Module]:
    """Copies of a module, one on each device, whose parameters, of any shape and dtype, are copies that pass gradients on.

    detach: they do not.  A copy on the module's own device shares its buffers.  Raises DeviceError for a device that does not
    exist. Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.parallel.replicate(nn.Linear(2, 2), [0])
        [Linear(in_features=2, out_features=2, bias=True)]
    """
    return [_copied(network, pick_device(d), detach, {}) for d in devices]


def _copied(module, at, detach, made):
    if module not in made:
        copy = made[module] = module.__new__(type(module))
        copy.__dict__.update(module.__dict__)
        moved = {n: None if p is None else (p.detach() if detach else p).to(at) for n, p in module._parameters.items()}
        kept = {n: None if b is None else b.to(at) for n, b in module._buffers.items()}
        below = {n: None if m is None else _copied(m, at, detach, made) for n, m in module._modules.items()}
        copy.__dict__.update(_parameters=moved, _buffers=kept, _modules=below)
    return made[module]


def parallel_apply(modules: Sequence[Module], inputs: Sequence[Any], kwargs_tup: Sequence[dict[str, Any]] | None = None,
                   devices: Sequence[device | str | int | None] | None = None) -> list[Any]:
    """The results of each module for its inputs, a tuple of arguments or one argument, tensors of any shape and dtype.

    kwargs_tup: keyword arguments for each; devices: accepted, each module runs where its parameters are.
    Raises ArgumentError where the numbers of modules and inputs differ.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> nn.parallel.parallel_apply([nn.ReLU()], [(ones(2),)])
        [tensor([1., 1.])]
    """
    if len(modules) != len(inputs):
        raise ArgumentError(f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}")
    named = [{}] * len(modules) if kwargs_tup is None else kwargs_tup
    return [module(*(given if isinstance(given, (list, tuple)) else (given,)), **kwargs)
            for module, given, kwargs in zip(modules, inputs, named, strict=True)]


def data_parallel(module: Module, inputs: Any, device_ids: Sequence[device | str | int] | None = None,
                  output_device: device | str | int | None = None, dim: int = 0, module_kwargs: dict[str, Any] | None = None):
    """module(*inputs, **module_kwargs) with the batch, dimension dim of the tensors, split over several devices.

    inputs: a tuple of arguments, tensors of any shape and dtype, or one; device_ids: None for the module's own device alone;
    output_device: where the results are joined, the first device unless given.
    Raises DeviceError for a device that does not exist.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> nn.parallel.data_parallel(nn.Linear(2, 3), ones(4, 2)).shape
        cltensor.Size([4, 3])
    """
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    named = module_kwargs or {}
    if not device_ids:
        return module(*given, **named)
    devices = [pick_device(d) for d in device_ids]
    parts, names = _split(given, named, devices, dim)
    replicas = [module] if len(devices) == 1 else replicate(module, devices[:len(parts)])
    return gather(parallel_apply(replicas, parts, names), devices[0] if output_device is None else output_device, dim)


def _split(given, named, devices, dim):
    """(arguments, keyword arguments) of each device that gets a part of the batch."""
    parts, names = scatter(given, devices, dim), scatter(named, devices, dim)
    count = min(len(parts), len(names))
    return parts[:count], names[:count]


class DataParallel(Module):
    """A module whose batch, dimension dim of the tensors given, is split over several devices of this process.

    Tensors of any shape and dtype; the state_dict's names begin with "module.".  device_ids: None for the module's own device
    alone; output_device: where the results are joined, the first of them unless given.
    Raises ArgumentTypeError for what is no Module, DeviceError for a device that does not exist.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> nn.DataParallel(nn.Linear(2, 3))(ones(4, 2)).shape
        cltensor.Size([4, 3])
    """

    def __init__(self, module: Module, device_ids: Sequence[device | str | int] | None = None,
                 output_device: device | str | int | None = None, dim: int = 0):
        super().__init__()
        if not isinstance(module, Module):
            raise ArgumentTypeError(f"DataParallel: expected a Module, got {type(module).__name__}")
        self.module, self.dim = module, dim
        self.device_ids = [pick_device(d) for d in device_ids or ()]
        self.output_device = output_device if output_device is not None or not self.device_ids else self.device_ids[0]

    def forward(self, *inputs: Any, **kwargs: Any):
        if not self.device_ids:
            return self.module(*inputs, **kwargs)
        given, named = self.scatter(inputs, kwargs, self.device_ids)
        if len(self.device_ids) == 1:
            return self.module(*given[0], **named[0])
        outputs = self.parallel_apply(self.replicate(self.module, self.device_ids[:len(given)]), given, named)
        return self.gather(outputs, self.output_device)

    def replicate(self, module: Module, device_ids: Sequence[device | str | int]):
        """A copy of the module on each device."""
        return replicate(module, device_ids)

    def scatter(self, inputs: tuple[Any, ...], kwargs: dict[str, Any] | None, device_ids: Sequence[device | str | int]):
        """The arguments and the keyword arguments of each device."""
        return _split(inputs, kwargs or {}, device_ids, self.dim)

    def parallel_apply(self, replicas: Sequence[Module], inputs: Sequence[Any], kwargs: Any):
        """What each copy returns."""
        return parallel_apply(replicas, inputs, kwargs)

    def gather(self, outputs: Any, output_device: device | str | int):
        """The results as one value."""
        return gather(outputs, output_device, self.dim)


_named_all(globals())


def __dir__():
    return sorted(__all__)
