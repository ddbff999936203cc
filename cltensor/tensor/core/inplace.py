"""In-place forms of functions: `name_` from `name`, by copying the result back or by becoming the view."""

import functools

from ...base import dtypes
from ...base.context import context
from ...base.errors import DTypeError, ShapeError
from ...dispatch.tensor_base import TensorBase
from ...dispatch.writable import check_leaf, check_writable


def writing(fn, name):
    """The method `name` that writes fn's result into its tensor."""

    @functools.wraps(fn)
    def method(self, *args, **kwargs):
        check_writable(name, (self,))
        if context.grad and self.requires_grad:
            check_leaf(name, self)
        result = fn(overwritten(self, *args, *kwargs.values()), *args, **kwargs)
        if result.shape != self.shape:
            raise ShapeError(f"{name}: output with shape {list(self.shape)} doesn't match the broadcast shape "
                             f"{list(result.shape)}")
        if not dtypes.can_cast(result.dtype, self.dtype):
            raise DTypeError(f"{name}: result type {result.dtype.name} can't be cast to the desired output type "
                             f"{self.dtype.name}")
        return self.copy_(result)

    return _named(method, fn, name)


def overwritten(x, *others):
    """x, which is about to be overwritten, or a clone where a gradient may need its old values."""
    tracked = context.grad and any(isinstance(t, TensorBase) and t.requires_grad for t in (x, *others))
    return x.clone() if tracked else x


def viewing(fn, name):
    """The method `name` that turns its tensor into the view that fn returns."""

    @functools.wraps(fn)
    def method(self, *args, **kwargs):
        if context.grad and self.requires_grad:
            check_leaf(name, self)
        return become(self, fn(self, *args, **kwargs))

    return _named(method, fn, name)


def become(x, view):
    """Give x the shape, strides, offset and history of `view`, a view of x; return x."""
    x._spec, x._offset = view._spec, view._offset
    if view._node is not None:
        x._set_history(view._node, view._index)
    if x._base is None:
        x._history_version += 1
    else:
        x._history_version = x._base._history_version
    return x


def _named(method, fn, name):
    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"{fn.__name__.rstrip('_')} in place: {fn.__doc__}"
    return method
