"""Explaining: name the argument of a wrong type; Python alone names only the attribute or operation it lacks."""

import functools
import inspect

from .calls import kind
from .errors import ArgumentTypeError, CLTensorError

#: names of parameters that take a tensor, or an int, in every function
_TENSORS = frozenset(("input", "self", "tensor", "mat1", "mat2", "vec", "condition", "other"))
COUNTS = frozenset("k n m r N length num_samples num_classes minlength diagonal row col steps chunks".split())
_INTS = COUNTS | frozenset("""dim dim0 dim1 dims sections split_size split_size_or_sections offset index shifts kernel_size stride
    output_size indices_or_sections source destination start_dim end_dim""".split())

_COUNTED = _INTS - {"index"}  # some functions take a tensor as index

#: tensor attributes: an AttributeError for one shows that the code expected a tensor
_OF_TENSORS = frozenset("shape ndim dtype device numel requires_grad reshape expand to size detach _spec _storage _offset".split())


def explained(name, given, error, method=False):
    """A sentence on what is wrong with the arguments of the public call `name`, which raised one of Python's errors; or None.

    given: pairs (parameter name, argument); method: whether the first is a method's `self`, which does not count.
    """
    for position, (parameter, value) in enumerate(given, 0 if method else 1):
        if parameter in _TENSORS and _foreign(value):
            return f"{name}(): argument '{parameter}' (position {position}) must be Tensor, not {kind(value)}"
        if parameter in _INTS and isinstance(value, float):
            return f"{name}(): argument '{parameter}' must be int, not float ({value})"
        if parameter not in _COUNTED and isinstance(error, AttributeError) and error.obj is value and error.name in _OF_TENSORS:
            return f"{name}(): argument '{parameter}' (position {position}) must be Tensor, not {kind(value)}"
    return None


def explaining(fn, name):
    """The method fn with its errors explained, if it takes tensors besides `self`; else fn itself.

    A method takes no out=, other than the function of its name; but the None that NumPy passes.
    """
    signature = inspect.signature(fn)
    parameters = list(signature.parameters.values())
    writes = "out" in signature.parameters
    if not writes and not any(p.name in _TENSORS or (p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
                                                     and p.name not in _COUNTED) for p in parameters[1:]):
        return fn

    @functools.wraps(fn)
    def method(*args, **kwargs):
        if writes and kwargs.get("out") is not None:
            raise without_out(name)
        try:
            return fn(*args, **kwargs)
        except (AttributeError, TypeError) as error:
            raise told(error, fn, name, args, kwargs, method=True) from None

    if writes:
        method.__signature__ = signature.replace(parameters=[p for p in parameters if p.name != "out"])
    return method


def without_out(name):
    """The error of a method that is given out=."""
    return ArgumentTypeError(f"{name}() got an unexpected keyword argument 'out': methods take none; call "
                             f"cltensor.{name}(input, ..., out=...)")


def told(error, fn, name, args, kwargs, method=False):
    """An error that names the argument at fault, if Python's error does not; else the error itself."""
    if isinstance(error, CLTensorError):
        return error
    why = explained(name, [*zip(inspect.signature(fn).parameters, args), *kwargs.items()], error, method)  # noqa: B905
    return error if why is None else ArgumentTypeError(why)


def _foreign(value):
    marks = ("__array_interface__", "__torch_function__")
    if hasattr(type(value), "_plain"):  # a tensor
        return False
    return isinstance(value, (int, float, str, list)) or any(hasattr(value, mark) for mark in marks)
