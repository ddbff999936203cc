"""Public functions derived from the kernels of a kind of data: their names, signatures and arguments."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

from ...base.errors import ArgumentTypeError


def named(call: Callable, like: Callable, name: str, first: str, module: str, doc: str | None) -> Callable:
    """Give a function a name, and the signature of another one with another first argument."""
    known = inspect.signature(like)
    parameters = list(known.parameters.values())
    parameters[0] = parameters[0].replace(name=first)
    call.__signature__ = known.replace(parameters=parameters)
    hints = typing.get_type_hints(like)
    call.__annotations__ = {(first if i == 0 else key): hint for i, (key, hint) in enumerate(hints.items())}
    call.__name__ = call.__qualname__ = name
    call.__module__, call.__doc__ = module, inspect.cleandoc(doc or "")
    return call


def taking(kernel: Callable, name: str, rest: tuple[str, ...]) -> Callable:
    """kernel, called with a functional's arguments `rest`, of which it gets those that it knows."""
    known = tuple(inspect.signature(kernel).parameters)[1:]
    if known == rest:
        return kernel

    def call(inpt, *args, **kwargs):
        return kernel(inpt, **chosen(name, rest, known, args, kwargs))

    return call


def chosen(name: str, rest: tuple[str, ...], known: tuple[str, ...], args: tuple[Any, ...],
           kwargs: dict[str, Any]) -> dict[str, Any]:
    """{name: value} of the arguments that a kernel knows.  Raises ArgumentTypeError for those that nobody does."""
    if len(args) > len(rest) or not kwargs.keys() <= set(rest):
        raise ArgumentTypeError(f"{name}() takes {', '.join(rest)}; got an unexpected argument: {args} and {kwargs}")
    given = dict(zip(rest, args, strict=False)) | kwargs
    return {key: value for key, value in given.items() if key in known}
