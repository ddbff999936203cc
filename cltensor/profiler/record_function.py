"""record_function: a name for a part of a program, in what is profiled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from ..base.context import context

_F = TypeVar("_F", bound=Callable[..., Any])


class record_function:
    """Give a part of a program a name, under which a running profile lists it; a context manager and a decorator.

    name: the name; args: a text that is listed with it.  It costs next to nothing while no profile runs; blocks may be nested, and
    run in any thread.

    Never raises.  Source: torch.profiler.record_function.

        >>> with ct.profiler.profile(activities=[ct.profiler.ProfilerActivity.CPU]) as prof:
        ...     with ct.profiler.record_function("doubling"):
        ...         y = ct.ones(3) * 2
        >>> [e.count for e in prof.key_averages() if e.key == "doubling"]
        [1]
    """

    def __init__(self, name: str, args: str | None = None):
        self.name, self.args, self._open = name, args, None

    def __enter__(self) -> record_function:
        profile = context.profile
        if profile is not None:
            self._open = profile, profile.enter("user", self.name if self.args is None else f"{self.name}({self.args})")
        return self

    def __exit__(self, *exc: Any) -> None:
        if self._open is not None:
            profile, frame = self._open
            self._open = None
            profile.leave(frame)

    def __call__(self, fn: _F) -> _F:
        """Decorate a function: each call of it is a part of this name."""
        @functools.wraps(fn)
        def named(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name, self.args):
                return fn(*args, **kwargs)

        return named  # type: ignore[return-value]
