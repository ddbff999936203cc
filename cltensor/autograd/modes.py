"""Grad mode: whether ops record their gradient, per thread; with PyTorch's context managers."""

from __future__ import annotations

import functools
import inspect

from ..base.context import context


def is_grad_enabled():
    """Whether ops called now record their gradient."""
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
            with self.again():
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
                    with self.again():
                        value = resume(argument)
                except StopIteration as end:
                    return end.value
                try:
                    resume, argument = steps.send, (yield value)
                except GeneratorExit:
                    with self.again():
                        steps.close()
                    raise
                except BaseException as error:
                    resume, argument = steps.throw, error

        return wrapped

    def again(self):
        """A fresh switch with the same settings."""
        return _Switch(**self.fields)


class _Plain(_Switch):
    """A switch without arguments; as a decorator it works with or without parentheses."""

    def __new__(cls, fn=None):
        return super().__new__(cls) if fn is None else cls()(fn)


class no_grad(_Plain):
    """Ops inside do not record gradients: `with no_grad():`, `@no_grad()` or `@no_grad`."""

    def __init__(self):
        super().__init__(grad=False)


class enable_grad(_Plain):
    """Ops inside record gradients, also within no_grad."""

    def __init__(self):
        super().__init__(grad=True)


class set_grad_enabled(_Switch):
    """Set grad mode at once; as a context manager, until the block ends."""

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


class inference_mode(_Switch):
    """No gradients, and results that can never enter a graph later; `inference_mode(False)` does nothing."""

    def __new__(cls, mode=True):
        return cls()(mode) if callable(mode) else super().__new__(cls)

    def __init__(self, mode: bool = True):
        super().__init__(**({"grad": False, "inference": True} if mode else {}))


class detect_anomaly(_Switch):
    """Remember the line of each forward op, and name it when its gradient fails or is NaN."""

    def __init__(self, check_nan: bool = True):
        super().__init__(anomaly="nan" if check_nan else "trace")


def is_anomaly_enabled():
    """Whether anomaly detection is on in this thread."""
    return bool(context.anomaly)


def is_anomaly_check_nan_enabled():
    """Whether anomaly detection looks for NaN (its default)."""
    return context.anomaly != "trace"


class set_detect_anomaly(_Switch):
    """Turn anomaly detection on or off for this thread at once; as a context manager, until the block ends."""

    def __init__(self, mode: bool, check_nan: bool = True):
        super().__init__(anomaly=("nan" if check_nan else "trace") if mode else False)
        self.before, context.anomaly = context.anomaly, self.fields["anomaly"]

    def __enter__(self):
        self.previous.append({"anomaly": self.before})
        context.anomaly = self.fields["anomaly"]
        return self
