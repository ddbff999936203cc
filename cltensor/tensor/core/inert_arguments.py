"""The arguments of PyTorch's creation functions that have one value here: layout= and pin_memory=."""

import functools
import inspect

from ...base.layouts import check_layout


def makes_tensors(fn):
    """Whether fn makes tensors: whether it takes a dtype and a device."""
    return {"dtype", "device"} <= inspect.signature(fn).parameters.keys()


def drop(name, arguments):
    """Take layout and pin_memory out of keyword arguments.  Raises AbsentError for a layout that is not strided."""
    if "layout" in arguments:
        check_layout(arguments.pop("layout"), name)
    arguments.pop("pin_memory", None)  # what is copied to a device needs no pinning


def accepting_inert_arguments(fn):
    """fn, which makes tensors, as a function that takes layout= and pin_memory= too; any other fn as it is."""
    if not makes_tensors(fn):
        return fn

    @functools.wraps(fn)
    def function(*args, **kwargs):
        if kwargs:
            drop(fn.__name__, kwargs)
        return fn(*args, **kwargs)

    return function
