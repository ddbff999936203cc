"""Grad mode: whether ops record their gradient, per thread; with PyTorch's context managers."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..base.context import context


def is_grad_enabled():
    """Return whether ops that this thread calls now record their gradient.

    Never raises.  Source: torch.is_grad_enabled.

        >>> with ct.no_grad():
        ...     ct.is_grad_enabled()
        False
    """
    return context.grad


def is_inference_mode_enabled():
    """Whether inference mode is on in this thread."""
    return context.inference


class _Switch:
    """A context manager that sets fields of the context; as a decorator it does so around each call."""

    def __init__(self, **fields):
        self.fields, self.previous = fields, []

    def __enter__(self):
        self.previous.append({name: getattr(context, name) for name in self.fields})
        for name, value in self.fields.items():
            setattr(context, name, value)
        if context.forward:
            context.grad = True
        return self

    def __exit__(self, *exc):
        for name, value in self.previous.pop().items():
            setattr(context, name, value)

    def __call__(self, fn):
        if not callable(fn):
            raise TypeError(f"{type(self).__name__} decorates a function, got {fn!r}")

        if inspect.isgeneratorfunction(fn):
            return self._around_generator(fn)

        @functools.wraps(fn)
        def wrapped(*args, **kwargs):
            with _Switch(**self.fields):
                return fn(*args, **kwargs)

        return wrapped

    def _around_generator(self, fn):
        """The generator fn with the settings on while it runs, and off while its caller runs."""

        @functools.wraps(fn)
        def wrapped(*args, **kwargs):
            steps = fn(*args, **kwargs)
            resume, argument = steps.send, None
            while True:
                try:
                    with _Switch(**self.fields):
                        value = resume(argument)
                except StopIteration as end:
                    return end.value
                try:
                    resume, argument = steps.send, (yield value)
                except GeneratorExit:
                    with _Switch(**self.fields):
                        steps.close()
                    raise
                except BaseException as error:
                    resume, argument = steps.throw, error

        return wrapped

    def clone(self) -> Any:
        """A switch of the same class and settings, which is not entered.  Never raises."""
        new = copy.copy(self)
        new.previous = []
        return new


def tangents(on=True):
    """A block in which the first of the two backward passes that make a tangent runs, with zeros for gradients."""
    return _Switch(tangents=on)


class _Plain(_Switch):
    """A switch without arguments; as a decorator it works with or without parentheses."""

    def __new__(cls, orig_func=None):
        return super().__new__(cls) if orig_func is None else cls()(orig_func)


class no_grad(_Plain):
    """Ops inside do not record gradients: `with no_grad():`, `@no_grad()` or `@no_grad`.

    It concerns this thread only.  Results inside do not require grad, whatever their inputs do.

    Raises TypeError where it decorates something that cannot be called.  Source: torch.no_grad.

        >>> x = ct.ones(2, requires_grad=True)
        >>> with ct.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    def __init__(self):
        super().__init__(grad=False)


class enable_grad(_Plain):
    """Ops inside record gradients, also within no_grad: `with enable_grad():`, `@enable_grad()` or `@enable_grad`.

    It concerns this thread only.

    Raises TypeError where it decorates something that cannot be called.  Source: torch.enable_grad.

        >>> x = ct.ones(2, requires_grad=True)
        >>> with ct.no_grad(), ct.enable_grad():
        ...     y = x * 2
        >>> y.requires_grad
        True
    """

    def __init__(self, orig_func: Callable[..., Any] | None = None):
        super().__init__(grad=True)


class set_grad_enabled(_Switch):
    """Set this thread's grad mode at once; as a context manager, until the block ends; as a decorator, around each call.

    Raises TypeError where it decorates something that cannot be called.  Source: torch.set_grad_enabled.

        >>> with ct.set_grad_enabled(False):
        ...     ct.is_grad_enabled()
        False
        >>> ct.is_grad_enabled()
        True
    """

    def __init__(self, mode: bool):
        super().__init__(grad=bool(mode))
        self.before = context.grad
        context.grad = bool(mode)

    def __enter__(self):
        self.previous.append({"grad": self.before})
        context.grad = self.fields["grad"]
        return self

    def __call__(self, fn):
        context.grad = self.before
        return super().__call__(fn)

    def clone(self) -> set_grad_enabled:
        """Set the mode again, and return what ends it.  Never raises."""
        return set_grad_enabled(self.fields["grad"])


class inference_mode(_Switch):
    """No gradients inside, and results that can never enter a graph later; `inference_mode(False)` changes nothing.

    Tensors made inside, of any shape and dtype, keep no version counter, which saves a little time and memory for each op.

    Raises TypeError where it decorates something that cannot be called.  Source: torch.inference_mode.

        >>> with ct.inference_mode():
        ...     y = ct.ones(2) * 2
        >>> y.is_inference(), y.requires_grad
        (True, False)
    """

    def __new__(cls, mode=True):
        return cls()(mode) if callable(mode) else super().__new__(cls)

    def __init__(self, mode: bool = True):
        super().__init__(**({"grad": False, "inference": True} if mode else {}))


class enforce_grad_layout_policy(_Switch):
    """Whether a leaf's first gradient is copied where its strides are not the leaf's; at once, or until a block ends.

    Without the policy (enable=False) a dense gradient that nothing else holds becomes `.grad` as it is, without a copy, for
    tensors of any shape and dtype.  It concerns this thread only.

    Raises TypeError where it decorates something that cannot be called.  Source: torch.autograd.enforce_grad_layout_policy.

        >>> p = ct.empty(2, 3).T.requires_grad_()
        >>> with ct.autograd.enforce_grad_layout_policy(False):
        ...     p.backward(ct.ones(3, 2))
        >>> p.grad.shape == p.shape
        True
    """

    def __init__(self, enable: bool = True):
        super().__init__(grad_layout=bool(enable))
        self.before, context.grad_layout = context.grad_layout, bool(enable)

    def __enter__(self):
        self.previous.append({"grad_layout": self.before})
        context.grad_layout = self.fields["grad_layout"]
        return self

    def __call__(self, fn):
        context.grad_layout = self.before
        return super().__call__(fn)


class detect_anomaly(_Switch):
    """Remember the line of each forward op, and name it when its gradient fails, or is NaN.

    check_nan: whether a gradient with a NaN is an error.  Every op becomes slower, and every gradient is read: for debugging only.

    Raises AutogradError from backward() at the first gradient that is NaN.  Source: torch.autograd.detect_anomaly.

        >>> x = ct.tensor(-1.0, requires_grad=True)
        >>> with ct.autograd.detect_anomaly():
        ...     ct.sqrt(x).backward()
        Traceback (most recent call last):
        cltensor.base.errors.AutogradError: ...
    """

    def __init__(self, check_nan: bool = True):
        super().__init__(anomaly="nan" if check_nan else "trace")


def is_anomaly_enabled():
    """Whether anomaly detection is on in this thread."""
    return bool(context.anomaly)


def is_anomaly_check_nan_enabled():
    """Whether anomaly detection looks for NaN (its default)."""
    return context.anomaly != "trace"


class set_detect_anomaly(_Switch):
    """Turn anomaly detection on or off for this thread at once; as a context manager, until the block ends.

    check_nan: whether a gradient with a NaN is an error.  See detect_anomaly.

    Raises AutogradError from backward() at the first gradient that is NaN.  Source: torch.autograd.set_detect_anomaly.

        >>> with ct.autograd.set_detect_anomaly(True, check_nan=False):
        ...     ct.is_anomaly_enabled()
        True
    """

    def __init__(self, mode: bool, check_nan: bool = True):
        super().__init__(anomaly=("nan" if check_nan else "trace") if mode else False)
        self.before, context.anomaly = context.anomaly, self.fields["anomaly"]

    def __enter__(self):
        self.previous.append({"anomaly": self.before})
        context.anomaly = self.fields["anomaly"]
        return self
