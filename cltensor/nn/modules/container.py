"""Containers of modules: Sequential, ModuleList and ModuleDict."""

from __future__ import annotations

import itertools
import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Mapping

from ...base.context import context
from ...base.errors import ArgumentTypeError, DimensionError
from ...tensor import Tensor
from .activation import ReLU, Sigmoid, Tanh
from .conv import Conv1d, Conv2d, Conv3d
from .linear import Linear
from .module import Module, _indented
from .parameter_containers import ParameterDict as ParameterDict
from .parameter_containers import ParameterList as ParameterList

__all__ = ["Container", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]

_STORING = (Linear, Conv1d, Conv2d, Conv3d)
_ACTIVATIONS = {ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh"}


def _can_activate(layer, input):
    return (not layer._is_hooked() and getattr(layer, "padding_mode", "zeros") == "zeros" and isinstance(input, Tensor)
            and input.dtype.is_floating_point and context.given is None)


class _Numbered(Module):
    """Modules in order, named by their position."""

    def _name_at(self, index):
        names = list(self._modules)
        index = operator.index(index)
        if not -len(names) <= index < len(names):
            raise DimensionError(f"index {index} is out of range")
        return names[index]

    def _renumber(self, modules):
        self._modules.clear()
        for i, module in enumerate(modules):
            self.add_module(str(i), module)

    def __getitem__(self, index):
        return self._part(index) if isinstance(index, slice) else self._modules[self._name_at(index)]

    def __setitem__(self, index, module):
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index):
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [self._name_at(index)]:
            del self._modules[name]
        self._renumber(list(self._modules.values()))

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, modules):
        return self._part(slice(None)).extend(modules)

    def append(self, module):
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules):
        """Add modules at the end."""
        if not isinstance(modules, Iterable):
            raise ArgumentTypeError(f"{self._get_name()}.extend should be called with an iterable, but got "
                                    f"{type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index, module):
        """Put a module before position index."""
        modules = list(self)
        if not -len(modules) <= index <= len(modules):
            raise DimensionError(f"index {index} is out of range")
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: int):
        """Remove the module at position key and return it."""
        module = self[key]
        del self[key]
        return module


class Sequential(_Numbered):
    """Call modules one after another, each with the output of the one before.

    A Linear or convolution and a ReLU, Sigmoid or Tanh after it are one launch, unless a hook needs the value between them.

    Args: modules, or one OrderedDict of names and modules.
    """

    def __init__(self, *args):
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), module)

    def extend(self, sequential: Iterable[Module]):
        """Add modules at the end."""
        return super().extend(sequential)

    def forward(self, input: Tensor):
        waiting = None  # a layer that can also apply the next module's activation
        for module in self._modules.values():
            if waiting is not None:
                activation = _ACTIVATIONS.get(type(module))
                if activation is not None and not module._is_hooked():
                    input, waiting = waiting.activated(input, activation), None
                    continue
                input, waiting = waiting(input), None
            if type(module) in _STORING and _can_activate(module, input):
                waiting = module
            else:
                input = module(input)
        return input if waiting is None else waiting(input)

    def _part(self, index):
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def __mul__(self, times):
        return type(self)(*itertools.chain.from_iterable([self] * times))

    __rmul__ = __mul__


class ModuleList(_Numbered):
    """A list of modules whose parameters are registered; it has no forward of its own."""

    def __init__(self, modules: Iterable[Module] | None = None):
        super().__init__()
        self.extend([] if modules is None else modules)

    def _part(self, index):
        return type(self)(list(self)[index])

    def __repr__(self):
        """Show equal neighbours once, with their number."""
        shown, at = [], 0
        for text, group in itertools.groupby(map(repr, self)):
            n = len(list(group))
            shown.append(f"({at}): {_indented(text)}" if n == 1 else f"({at}-{at + n - 1}): {n} x {_indented(text)}")
            at += n
        return f"{self._get_name()}(" + ("\n  " + "\n  ".join(shown) + "\n" if shown else "") + ")"


class ModuleDict(Module):
    """A dict of modules whose parameters are registered, in the order they were added."""

    def __init__(self, modules: Mapping[str, Module] | None = None):
        super().__init__()
        self.update({} if modules is None else modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def keys(self):
        """The names."""
        return self._modules.keys()

    def values(self):
        """The modules."""
        return self._modules.values()

    def items(self):
        """(name, module) pairs."""
        return self._modules.items()

    def clear(self):
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str):
        """Remove the module named key and return it."""
        return self._modules.pop(key)

    def update(self, modules):
        """Add modules from a mapping or (name, module) pairs."""
        if not isinstance(modules, Iterable):
            raise ArgumentTypeError("ModuleDict.update should be called with an iterable of key/value pairs, but got "
                                    f"{type(modules).__name__}")
        for key, module in modules.items() if isinstance(modules, (Mapping, ModuleDict)) else modules:
            self[key] = module


class Container(Module):
    """A Module with the modules given by keyword; deprecated, since every Module can hold others.

    Shapes and dtypes play no part.  Raises ArgumentTypeError for what is no Module.  Source: PyTorch 2.13's interface.

        >>> import warnings
        >>> from cltensor import nn
        >>> with warnings.catch_warnings():
        ...     warnings.simplefilter("ignore")
        ...     nn.Container(first=nn.ReLU()).first
        ReLU()
    """

    def __init__(self, **kwargs: Module):
        super().__init__()
        warnings.warn("`nn.Container` is deprecated. All of its functionality is now implemented in `nn.Module`. Subclass that "
                      "instead.", FutureWarning, stacklevel=2)
        for name, module in kwargs.items():
            self.add_module(name, module)


def __dir__():
    return sorted(__all__)
