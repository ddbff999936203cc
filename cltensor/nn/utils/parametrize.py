"""Parametrizations: a module's tensor computed by modules from other tensors, which are what is trained."""

from __future__ import annotations

import contextlib
import copy
import functools
import threading
from collections.abc import Sequence

from ...autograd.modes import no_grad
from ...base.errors import ArgumentError, ArgumentTypeError, CLTensorError
from ...tensor.core.tensor import Tensor
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

__all__ = ["ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
           "transfer_parametrizations_and_params", "type_before_parametrizations"]


class _Cache(threading.local):
    """What parametrized tensors were computed inside `cached`, for each thread its own."""

    depth = 0

    def __init__(self):
        self.values = {}


_cache = _Cache()


@contextlib.contextmanager
def cached():
    """A context in which each parametrized tensor is computed once, at its first use, and kept until the context is left.

    For layers that are called several times a step, such as a shared embedding or a recurrent cell.  Contexts nest; tensors of any
    shape and dtype.  Never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn, ones
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> with nn.utils.parametrize.cached():
        ...     layer.weight is layer.weight
        True
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.values = {}


def _registered(module, name, tensor):
    """Make tensor the parameter or buffer `name` of a module."""
    (module.register_parameter if isinstance(tensor, Parameter) else module.register_buffer)(name, tensor)


def _can_invert(parametrization):
    return hasattr(parametrization, "right_inverse")


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied one after another, and the tensors that they start from.

    modules: the parametrizations; original: the tensor, of any shape and dtype, as it was.  Calling the list gives the tensor as it
    is.  `original`, or original0, original1, ... where the first right_inverse returns several, are what is trained.

    Raises ArgumentError unless shape and dtype stay those of original, which unsafe leaves unchecked.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> layer.parametrizations.weight.ntensors
        2
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False):
        if not len(modules):
            raise ArgumentError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        made = self._inverse_of(original)
        self.is_tensor = isinstance(made, Tensor)
        self.ntensors = 1 if self.is_tensor else len(made)
        if self.is_tensor and made.dtype is not original.dtype:
            raise ArgumentError("When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {made.dtype}")
        if not unsafe:
            with no_grad():
                self._check(self._run([made] if self.is_tensor else made), original)
        self._keep(made, original)

    def _inverse_of(self, value):
        """What the parametrizations, the last first, make value from."""
        with no_grad():
            for module in reversed(list(self)):
                if _can_invert(module):
                    with contextlib.suppress(NotImplementedError):
                        value = module.right_inverse(value)
        if isinstance(value, Tensor):
            return value
        if not isinstance(value, Sequence):
            raise ArgumentError(f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                                f"{type(value).__name__}")
        for i, part in enumerate(value):
            if not isinstance(part, Tensor):
                raise ArgumentError("'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                                    f"{i} of the sequence with type {type(part).__name__}.")
        return value

    def _check(self, made, original):
        if not isinstance(made, Tensor):
            raise ArgumentError(f"A parametrization must return a tensor. Got {type(made).__name__}.")
        for what in ("dtype", "shape"):
            before, after = getattr(original, what), getattr(made, what)
            if before != after:
                raise ArgumentError(f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag "
                                    f"is enabled.\nunparametrized {what}: {before}\nparametrized {what}: {after}")

    def _keep(self, made, original):
        if self.is_tensor:
            if made is not original:
                original.data = made.detach()
            _registered(self, "original", original)
            return
        for i, part in enumerate(made):
            trained = isinstance(original, Parameter)
            _registered(self, f"original{i}", Parameter(part.detach(), original.requires_grad) if trained else part)

    def _names(self):
        return ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]

    def _run(self, values):
        first, *rest = self
        value = first(*values)
        for module in rest:
            value = module(value)
        return value

    def forward(self):
        return self._run([getattr(self, name) for name in self._names()])

    def right_inverse(self, value: Tensor):
        """Make the tensor value, by setting the originals to what the right_inverses give, the last one's first."""
        with no_grad():
            for module in reversed(list(self)):
                if not _can_invert(module):
                    raise CLTensorError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            values = [value] if self.is_tensor else list(value)
            if len(values) != self.ntensors:
                raise ArgumentError(f"'right_inverse' must return {self.ntensors} tensors, got {len(values)}")
            for name, made in zip(self._names(), values, strict=True):
                self._overwrite(name, made)

    def _overwrite(self, name, made):
        own = getattr(self, name)
        if not isinstance(made, Tensor):
            raise ArgumentError(f"`right_inverse` should return tensors. Got {type(made).__name__}")
        if made.dtype is not own.dtype:
            raise ArgumentError(f"The tensor returned by `right_inverse` has dtype {made.dtype} while `{name}` has "
                                f"{own.dtype}")
        own.data = made.detach()


# --- the class of a parametrized module ------------------------------------------------------------------------------


def _property(name):
    """The attribute that computes the tensor, and whose assignment goes through right_inverse."""

    def get(self):
        if not _cache.depth:
            return self.parametrizations[name]()
        key = id(self), name
        if key not in _cache.values:
            _cache.values[key] = self.parametrizations[name]()
        return _cache.values[key]

    def put(self, value):
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


def _deepcopy(self, memo):
    made = memo[id(self)] = self.__new__(type(self))
    made.__dict__.update(copy.deepcopy(self.__dict__, memo))
    return made


def _getstate(self):
    raise CLTensorError("Serialization of parametrized modules is only supported through state_dict(); save that, and load it into "
                        "a module with the same parametrizations")


@functools.cache
def _parametrized(cls, names):
    """The subclass of cls whose attributes `names` are computed."""
    members = {name: _property(name) for name in names}
    members |= {"__getstate__": _getstate, "_parametrized_names": names, "__module__": __name__}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = _deepcopy
    return type(f"Parametrized{cls.__name__}", (cls,), members)


def _set_names(module, names):
    cls = type_before_parametrizations(module)
    module.__class__ = _parametrized(cls, tuple(names)) if names else cls


# --- public functions ------------------------------------------------------------------------------------------------


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether a module has a parametrized tensor, or whether the one of this name is.  Shapes and dtypes play no part.

    Never raises.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.utils.parametrize.is_parametrized(nn.Linear(2, 2))
        False
    """
    held = module.__dict__.get("_modules", {}).get("parametrizations")
    if not isinstance(held, ModuleDict):
        return False
    return len(held) > 0 if tensor_name is None else tensor_name in held


def type_before_parametrizations(module: Module) -> type:
    """The class of a module as it was before its first parametrization.  Shapes and dtypes play no part; never raises.

    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> nn.utils.parametrize.type_before_parametrizations(nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))).__name__
        'Linear'
    """
    cls = type(module)
    return cls.__bases__[0] if "_parametrized_names" in vars(cls) else cls


def register_parametrization(module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> Module:
    """Compute a parameter or buffer of module by parametrization from now on; return the module.

    module.NAME is parametrization(module.parametrizations.NAME.original), for a tensor of any shape and dtype.  A parametrization
    with a method right_inverse sets the original from the present value, and module.NAME = value from a later one; it may return
    several tensors, which are then the arguments of forward.  A second parametrization is applied to the result of the first.

    unsafe: do not check that shape and dtype stay as they are.
    Raises ArgumentError for a name that is no tensor of the module, or a parametrization that changes shape or dtype.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> class Symmetric(nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(1).mT
        >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
        >>> bool((layer.weight == layer.weight.mT).all())
        True
    """
    if not isinstance(parametrization, Module):
        raise ArgumentTypeError(f"register_parametrization: expected a Module as parametrization, got "
                                f"{type(parametrization).__name__}")
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        _append(module, tensor_name, parametrization, unsafe)
    elif tensor_name in module._parameters or tensor_name in module._buffers:
        original = getattr(module, tensor_name)
        made = ParametrizationList([parametrization], original, unsafe)
        _take(module, tensor_name, made)
    else:
        raise ArgumentError(f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
                            f"'{tensor_name}'")
    return module


def _take(module, name, made):
    """Let a ParametrizationList stand for the tensor `name`."""
    module._parameters.pop(name, None)
    module._buffers.pop(name, None)
    if "parametrizations" not in module._modules:
        module.parametrizations = ModuleDict()
    module.parametrizations[name] = made
    _set_names(module, list(module.parametrizations))


def _append(module, name, parametrization, unsafe):
    if not unsafe:
        with no_grad():
            _check_next(getattr(module, name), name, parametrization)
    held = module.parametrizations[name]
    held.append(parametrization)
    held.unsafe |= unsafe


def _check_next(value, name, parametrization):
    """Raise ArgumentError unless a further parametrization keeps shape and dtype, both ways."""
    made = parametrization(value)
    if not isinstance(made, Tensor):
        raise ArgumentError(f"A parametrization must return a tensor. Got {type(made).__name__}.")
    for what in ("dtype", "shape"):
        before, after = getattr(value, what), getattr(made, what)
        if before != after:
            raise ArgumentError(f"Registering a parametrization may not change the {what} of the tensor, unless the `unsafe` flag "
                                f"is enabled.\nmodule.{name}.{what}: {before}\nparametrization(module.{name}).{what}: {after}")
    if not _can_invert(parametrization):
        return
    back = parametrization.right_inverse(made)
    if not isinstance(back, Tensor):
        raise ArgumentError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    for what in ("dtype", "shape"):
        before, after = getattr(value, what), getattr(back, what)
        if before != after:
            raise ArgumentError(f"The tensor returned by parametrization.right_inverse must have the same {what} as module.{name}, "
                                f"unless the `unsafe` flag is enabled.\nmodule.{name}.{what}: {before}\nreturned {what}: {after}")


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make a parametrized tensor, of any shape and dtype, a plain parameter or buffer again; return the module.

    leave_parametrized: with its present value; else with that of `original`.
    Raises ArgumentError for a tensor that is not parametrized, or was made from several and is to lose its value.
    Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> nn.utils.parametrize.remove_parametrizations(layer, "weight")
        Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(f"Module {module} does not have a parametrization on {tensor_name}")
    held = module.parametrizations[tensor_name]
    if not held.is_tensor and not leave_parametrized:
        raise ArgumentError("Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
                            "sequence of tensors.")
    tensor = _left(getattr(module, tensor_name), held) if leave_parametrized else held.original
    del module.parametrizations[tensor_name]
    _set_names(module, list(module.parametrizations))
    if not len(module.parametrizations):
        del module.parametrizations
    _registered(module, tensor_name, tensor)
    return module


def _left(value, held):
    """The present value as a parameter or buffer: the original where there is one, else a new one."""
    if not held.is_tensor:
        return Parameter(value.detach()) if value.requires_grad else value
    held.original.data = value.detach()
    return held.original


def transfer_parametrizations_and_params(from_module: Module, to_module: Module, tensor_name: str | None = None) -> Module:
    """Give to_module the parametrizations of from_module, and share their originals, of any shape and dtype; return it.

    tensor_name: only those of this tensor.  Raises KeyError if it is not parametrized.  Source: PyTorch 2.13's interface.

        >>> from cltensor import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> other = nn.utils.parametrize.transfer_parametrizations_and_params(layer, nn.Linear(2, 2))
        >>> bool((layer.weight == other.weight).all())
        True
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        held = from_module.parametrizations[name]
        made = ParametrizationList.__new__(type(held))
        ModuleList.__init__(made, list(held))
        made.unsafe, made.is_tensor, made.ntensors = held.unsafe, held.is_tensor, held.ntensors
        for original in held._names():
            _registered(made, original, getattr(held, original))
        _take(to_module, name, made)
    return to_module


def __dir__():
    return sorted(__all__)
