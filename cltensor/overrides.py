"""__torch_function__ and modes, with torch.overrides' names.

A subclass of Tensor keeps its class through functions, methods and operators, and may define `__torch_function__` to change what
they do.  So may a class that is no Tensor, once this module is imported.  Of properties, modes see those of subclasses only.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from .base import calls, overriding
from .base.context import context
from .base.errors import MissingError
from .dispatch.registry import REGISTRY
from .tensor import Tensor, namespace
from .tensor.core.subclassed import nowrap

overriding.arm()

__all__ = ["BaseTorchFunctionMode", "DisableTorchFunction", "DisableTorchFunctionSubclass", "TorchFunctionMode",
           "get_default_nowrap_functions", "get_ignored_functions", "get_overridable_functions", "get_testing_overrides",
           "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic",
           "is_tensor_like", "is_tensor_method_or_property", "redispatch_function", "resolve_name", "wrap_torch_function"]

#: modules with functions of tensors
_MODULES = ("linalg", "special", "fft", "nn.functional", "nn.init", "signal.windows")


# --- modes -------------------------------------------------------------------------------------------------------------


class TorchFunctionMode:
    """A block in which every public function asks this object first: subclass it and define `__torch_function__`.

    __torch_function__(func, types, args, kwargs) returns what the call is to give, or NotImplemented to let others say.  Inside it
    the mode is not asked, so func(*args, **kwargs) goes on.  Blocks nest; the innermost is asked first.  Functions of any shapes
    and dtypes are seen, and those that make tensors.

    Raises MissingError where `__torch_function__` is not defined.
    Source: PyTorch 2.13's overrides.TorchFunctionMode.

        class Names(overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                print(func.__name__)
                return func(*args, **(kwargs or {}))

        with Names():
            cltensor.ones(2) + 1
    """

    def __torch_function__(self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        raise MissingError(f"{type(self).__name__} must define __torch_function__(self, func, types, args, kwargs)")

    def __enter__(self):
        context.modes = (*context.modes, self)
        return self

    def __exit__(self, *exc: object) -> None:
        context.modes = context.modes[:-1]


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing: every function, of any shapes and dtypes, does what it does.

    Never raises.  Source: PyTorch 2.13's overrides.BaseTorchFunctionMode.

        with overrides.BaseTorchFunctionMode():
            cltensor.ones(2)
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """func(*args, **kwargs)."""
        return func(*args, **(kwargs or {}))


class DisableTorchFunctionSubclass(overriding.Quiet):
    """A block in which subclasses of Tensor are treated as plain tensors, of any shape and dtype; modes are still asked.

    Never raises.  Source: PyTorch 2.13.

        with overrides.DisableTorchFunctionSubclass():
            y = x + 1
    """

    def __init__(self) -> None:
        super().__init__(modes=True)


class DisableTorchFunction(overriding.Quiet):
    """A block in which nobody is asked: neither subclasses of Tensor, of any shape and dtype, nor modes.

    Never raises.  Source: PyTorch 2.13.

        with overrides.DisableTorchFunction():
            y = x + 1
    """

    def __init__(self) -> None:
        super().__init__(modes=False)


# --- asking from functions of one's own ----------------------------------------------------------------------------------


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments is to be asked, or a mode is; plain tensors of any shape and dtype, and Parameters, are not.

    Never raises.  Source: PyTorch 2.13's overrides.has_torch_function.

        if overrides.has_torch_function((x, y)):
            return overrides.handle_torch_function(my_function, (x, y), x, y)
    """
    if context.asking is None:
        return False
    return bool(context.modes) or bool(context.asking and overriding.overriding(tuple(relevant_args)))


def has_torch_function_unary(tensor: Any) -> bool:
    """has_torch_function of one argument, a tensor of any shape and dtype or anything else.  Never raises.

    Source: PyTorch 2.13's overrides.has_torch_function_unary.

        overrides.has_torch_function_unary(x)
    """
    return has_torch_function((tensor,))


def has_torch_function_variadic(*args: Any) -> bool:
    """has_torch_function of several arguments, tensors of any shape and dtype or anything else.  Never raises.

    Source: PyTorch 2.13's overrides.has_torch_function_variadic.

        overrides.has_torch_function_variadic(x, y)
    """
    return has_torch_function(args)


def handle_torch_function(public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any) -> Any:
    """What those to be asked among relevant_args, tensors of any shape and dtype or others, say of public_api(*args, **kwargs).

    Raises ArgumentTypeError where each returns NotImplemented.
    Source: PyTorch 2.13's overrides.handle_torch_function.

        def my_function(x):
            if overrides.has_torch_function((x,)):
                return overrides.handle_torch_function(my_function, (x,), x)
            return x * 2
    """
    return overriding.ask(public_api, overriding.overriding(tuple(relevant_args)), args, kwargs, public_api)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a function of your own that asks: dispatcher(*args, **kwargs) gives the arguments that may be asked.

    For arguments of any shape and dtype.  The function raises ArgumentTypeError where each returns NotImplemented.
    Source: PyTorch 2.13's overrides.wrap_torch_function.

        @overrides.wrap_torch_function(lambda x: (x,))
        def my_function(x):
            return x * 2
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def wrapped(*args, **kwargs):
            relevant = tuple(dispatcher(*args, **kwargs))
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return fn(*args, **kwargs)

        return wrapped

    return decorate


def redispatch_function(func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (),
                        kwargs: dict[str, Any] | None = None) -> Any:
    """func(*args, **kwargs) without asking about this call; functions that it calls in turn ask.

    Of any shapes and dtypes.  Raises what func raises.
    Source: PyTorch 2.13's overrides.redispatch_function.

        class Logged(cltensor.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                print(func.__name__)
                return overrides.redispatch_function(func, types, args, kwargs)
    """
    if func in REGISTRY.values():
        return overriding.plain(calls.op_call_function())(func, *args, **(kwargs or {}))
    return overriding.plain(func)(*args, **(kwargs or {}))


def is_tensor_like(inp: Any) -> bool:
    """Whether something is a tensor, of any shape and dtype, or has a `__torch_function__`.  Never raises.

    Source: PyTorch 2.13's overrides.is_tensor_like.

        overrides.is_tensor_like(cltensor.ones(2))    # True
    """
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


# --- which functions there are ------------------------------------------------------------------------------------------


def get_default_nowrap_functions() -> set[Callable[..., Any]]:
    """The functions whose results Tensor's own `__torch_function__` leaves as they are: the getter of grad.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's overrides.get_default_nowrap_functions.

        cltensor.Tensor.grad.__get__ in overrides.get_default_nowrap_functions()    # True
    """
    return nowrap()


def _asks(value):
    return (inspect.isfunction(value) and overriding.plain(value) is not value) or (value in REGISTRY.values() and value.public)


@functools.cache
def _found():
    """{owner: {name: function}} of what asks: of the namespace, of modules, of Tensor."""
    package = importlib.import_module(__name__.partition(".")[0])
    found = {package: {name: value for name, value in namespace().items() if _hashable(value) and _asks(value)}}
    for name in _MODULES:
        module = importlib.import_module(f"{package.__name__}.{name}")
        found[module] = {n: v for n in dir(module) if not n.startswith("_") and _hashable(v := getattr(module, n)) and _asks(v)}
    methods = {}
    for name in dir(Tensor):
        value = inspect.getattr_static(Tensor, name)
        if isinstance(value, property) and not name.startswith("_"):
            methods[f"{name}.__get__"] = value.__get__
        elif _hashable(value) and _asks(value):
            methods[name] = value
    found[Tensor] = methods
    return found


def _hashable(value):
    return getattr(type(value), "__hash__", None) is not None


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """{module or class: its functions and methods that ask}; getters of properties stand for those.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's overrides.get_overridable_functions.

        cltensor.add in overrides.get_overridable_functions()[cltensor]    # True
    """
    return {owner: list(dict.fromkeys(functions.values())) for owner, functions in _found().items()}


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., int]]:
    """{function that asks: a function of the same parameters that returns -1}, to test a `__torch_function__` with.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's overrides.get_testing_overrides.

        overrides.get_testing_overrides()[cltensor.add](1, 2)    # -1
    """
    return {fn: _dummy(fn) for functions in _found().values() for fn in functions.values()}


def _dummy(fn):
    def dummy(*args, **kwargs):
        return -1

    try:
        dummy.__signature__ = inspect.signature(fn)
    except (TypeError, ValueError):  # the getter of a property
        dummy.__signature__ = inspect.signature(lambda self: None)
    return dummy


def get_ignored_functions() -> set[Callable[..., Any]]:
    """The public functions of the namespace that ask nobody: settings, classes, and what takes no tensors.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's overrides.get_ignored_functions.

        cltensor.is_tensor in overrides.get_ignored_functions()    # True
    """
    package = next(iter(_found()))
    values = (getattr(package, name) for name in dir(package) if not name.startswith("_"))
    return {v for v in values if callable(v) and _hashable(v) and not _asks(v)}


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether a function is a method of Tensor or the getter of one of its properties.  Never raises.

    No shape or dtype plays a part.  Source: PyTorch 2.13's overrides.is_tensor_method_or_property.

        overrides.is_tensor_method_or_property(cltensor.Tensor.add)    # True
    """
    return func in _found()[Tensor].values() or getattr(func, "__name__", "") == "__get__"


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The full name of a function that asks, such as "cltensor.Tensor.add"; None for any other.

    No shape or dtype plays a part.  Never raises.  Source: PyTorch 2.13's overrides.resolve_name.

        overrides.resolve_name(cltensor.add)    # "cltensor.add"
    """
    return next((name for name, fn in functions().items() if fn == f), None)


@functools.cache
def functions():
    """{full name: function} of what asks, such as "cltensor.Tensor.add"."""
    return {f"{'cltensor.Tensor' if owner is Tensor else owner.__name__}.{name}": fn
            for owner, inside in _found().items() for name, fn in inside.items()}


def __dir__():
    return sorted(__all__)
