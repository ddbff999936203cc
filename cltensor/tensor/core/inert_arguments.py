"""Arguments of PyTorch's creation functions that allow only one value here: layout= and pin_memory=."""

import functools
import inspect

from ...base.layouts import check_layout, strided

#: how they are shown among a function's parameters
SHOWN = (inspect.Parameter("layout", inspect.Parameter.KEYWORD_ONLY, default=strided),
         inspect.Parameter("pin_memory", inspect.Parameter.KEYWORD_ONLY, default=False))


def makes_tensors(signature):
    """Whether a function makes tensors, that is, takes a dtype, a device and whether they require a gradient."""
    return {"dtype", "device", "requires_grad"} <= signature.parameters.keys()


def drop(name, arguments):
    """Take layout and pin_memory out of keyword arguments.  Raises AbsentError for a layout that is not strided."""
    if "layout" in arguments:
        check_layout(arguments.pop("layout"), name)
    arguments.pop("pin_memory", None)  # copies to a device need no pinned memory


def accepting_inert_arguments(fn):
    """Let fn, if it makes tensors, take layout= and pin_memory= too; return any other fn as it is."""
    signature = inspect.signature(fn)
    if not makes_tensors(signature):
        return fn

    @functools.wraps(fn)
    def function(*args, **kwargs):
        if kwargs:
            drop(fn.__name__, kwargs)
        return fn(*args, **kwargs)

    function.__signature__ = signature.replace(
        parameters=[*signature.parameters.values(), *(p for p in SHOWN if p.name not in signature.parameters)])
    return function
