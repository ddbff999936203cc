"""cltensor.compiler: functions and modules captured once and replayed, with the names of torch.compiler."""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from .base.context import context
from .base.errors import ArgumentError, ArgumentTypeError
from .base.shapes import normalize_dims
from .graph.compiled import Compiled
from .graph.dynamic import mark, unmark
from .graph.recorder import GraphRecorder
from .nn.modules.module import Module
from .tensor import Tensor

__all__ = ["allow_in_graph", "assume_constant_result", "compile", "disable", "is_compiling", "is_dynamo_compiling", "is_exporting",
           "list_backends", "mark_dynamic", "mark_static", "maybe_mark_dynamic", "reset"]

_MODES = (None, "default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")
_SHOWN = ("explain", "graph")  # of a compiled function; a module's own attributes of these names come first
_made = weakref.WeakSet()


class CompiledModule(Module):
    """A module whose calls are captured and replayed; its parameters, buffers and attributes are those of `_orig_mod`."""

    def __init__(self, module, fullgraph=False, wait=False, dynamic=False):
        super().__init__()
        self._orig_mod, self._settings = module, (fullgraph, wait, dynamic)
        self.training = module.training
        self.__dict__["_program"] = _remembered(Compiled(module, *self._settings))

    def forward(self, *args, **kwargs):
        """Call the module."""
        return self._program(*args, **kwargs)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            if name in _SHOWN and not hasattr(super().__getattr__("_orig_mod"), name):
                return getattr(self._program, name)
            return getattr(super().__getattr__("_orig_mod"), name)

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "_program"}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.__dict__["_program"] = _remembered(Compiled(self._orig_mod, *self._settings))


def compile(model: Callable[..., Any] | None = None, *, fullgraph: bool = False, dynamic: bool | None = None,
            backend: str | Callable[..., Any] | None = None, mode: str | None = None, options: dict[str, Any] | None = None,
            disable: bool = False) -> Any:
    """A function or Module that is captured at its first call and replayed afterwards, without Python between its launches.

    What runs is noted down to memory: forward and backward passes, optimiser steps, schedules, GradScaler's skipped steps, in-place
    writes, random numbers, what hooks compute.
    Chains of elementwise ops become one kernel, equal work is done once, and what nothing reads is left out.  A replay does
    what the eager call would have done: numbers such as learning rates are read anew, tensors handed out are never overwritten.
    Control flow by values on the device is captured where it is written with cond, while_loop, scan and map.
    A call is captured again where shapes, dtypes, layouts, modes, Python numbers, globals, closures, modules or settings that
    the function uses have changed; eight programs are kept, and more captures than that warn once.  A function that reads values on
    the host (`.item()`, printing, shapes that depend on values) is split there from its third call on: statements that read run in
    Python, what lies between in captured pieces.  `explain()` of what compile gives says what it has become, `graph.to_html(path)`
    draws it.

    model: left out, compile gives a decorator.  fullgraph: raise CaptureError, with the line, instead of running eagerly.
    disable: return model as it is.  options: {"wait": True} compiles the kernels of a capture at once; else another process does,
    and calls run eagerly until they are there (CLTENSOR_BACKGROUND=0 waits too).  backend and mode change nothing here.
    dynamic: True makes one program for all sizes of the arguments' dimensions: it is captured for two of them, or three, and from
    what differs follows the program for any other; `mark_dynamic` does so for chosen dimensions.  Sizes of 0 and 1, and sizes of
    which the function would ask something else (`if x.shape[0] > 10`), are captured by themselves; so is each size that it takes
    with len(), of which Python makes a plain number: write x.shape[0].
    Tensors of any shape and dtype.  Numerics: the same bits where nothing is fused, float rounding elsewhere.

    Raises ArgumentTypeError for what cannot be called, ArgumentError for an unknown mode; CaptureError at a call, with fullgraph.
    Source: torch.compile.

        >>> @ct.compile
        ... def f(x, y):
        ...     return (x * 2 + y).relu().exp()
        >>> f(ct.zeros(2), ct.ones(2))
        tensor([2.7183, 2.7183])
    """
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options,
                                 disable=disable)
    if not callable(model):
        raise ArgumentTypeError(f"compile: expected a function or a Module, got {model!r}")
    if mode not in _MODES:
        raise ArgumentError(f"compile: Unrecognized mode={mode}, should be one of {', '.join(map(str, _MODES))}")
    if disable:
        return model
    settings = fullgraph, bool((options or {}).get("wait")), bool(dynamic)
    return CompiledModule(model, *settings) if isinstance(model, Module) else _remembered(Compiled(model, *settings))


def _remembered(compiled):
    _made.add(compiled)
    return compiled


def disable(fn: Callable[..., Any] | None = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """A function that is never captured: what calls it runs eagerly.

    Tensors of any shape and dtype.  recursive is accepted; the functions that it calls are not captured either.
    Raises CaptureError where a function compiled with fullgraph=True calls it.  Source: torch.compiler.disable.

        >>> @ct.compiler.disable
        ... def double(x):
        ...     return x * 2
        >>> double(ct.ones(2))
        tensor([2., 2.])
    """
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)

    @functools.wraps(fn)
    def eager(*args, **kwargs):
        if isinstance(context.recorder, GraphRecorder):
            context.recorder.fail(f"{getattr(fn, '__name__', fn)} is not to be captured" + (f": {reason}" if reason else ""))
        return fn(*args, **kwargs)

    return eager


def is_compiling() -> bool:
    """Whether a function is being captured in this thread.  Never raises.  Source: torch.compiler.is_compiling.

        >>> ct.compiler.is_compiling()
        False
    """
    return isinstance(context.recorder, GraphRecorder) and context.recorder.captures


is_dynamo_compiling = is_compiling


def is_exporting() -> bool:
    """False: nothing is exported while it runs.  Never raises.  Source: torch.compiler.is_exporting.

        >>> ct.compiler.is_exporting()
        False
    """
    return False


def mark_dynamic(t: Tensor, index: int | Sequence[int], *, min: int | None = None, max: int | None = None) -> None:
    """Let a dimension of a tensor have any size: functions compiled are not captured anew for each size of it.

    t: an argument of a compiled function, of any dtype; index: one dimension or several; min, max: the sizes that are meant, other
    ones are captured by themselves.  The mark belongs to this tensor object; calls with tensors without it are captured for their
    size.  `compile(..., dynamic=True)` does so for all dimensions of all arguments.

    Raises DimensionError for a dimension that t does not have, ArgumentError for a size outside of min and max.
    Source: torch._dynamo.mark_dynamic.

        >>> x = ct.ones(8, 3)
        >>> ct.compiler.mark_dynamic(x, 0)
        >>> ct.compile(lambda x: x.sum())(x)
        tensor(24.)
    """
    dims = normalize_dims(index, t.ndim, "mark_dynamic")
    low, high = min or 0, math.inf if max is None else max
    for d in dims:
        if not low <= t.shape[d] <= high:
            raise ArgumentError(f"mark_dynamic: size {t.shape[d]} of dimension {d} is not within min={min} and max={max}")
    mark(t, dims, low, high)


def maybe_mark_dynamic(t: Tensor, index: int | Sequence[int]) -> None:
    """mark_dynamic: sizes that cannot share a program are captured by themselves in any case.

    Raises what mark_dynamic raises, for the same dtypes and shapes.  Source: torch._dynamo.maybe_mark_dynamic.

        >>> ct.compiler.maybe_mark_dynamic(ct.ones(8, 3), 0)
    """
    mark_dynamic(t, index)


def mark_static(t: Tensor, index: int | Sequence[int] | None = None) -> None:
    """Take back what mark_dynamic said of a dimension of t, or of all of them.

    Tensors of any shape and dtype.  Raises DimensionError for a dimension that t does not have.  Source: torch._dynamo.mark_static.

        >>> ct.compiler.mark_static(ct.ones(8, 3), 0)
    """
    unmark(t, normalize_dims(index, t.ndim, "mark_static"))


def allow_in_graph(fn: Callable[..., Any]) -> Callable[..., Any]:
    """fn as it is: what it does is captured anyway.  Never raises.  Source: torch.compiler.allow_in_graph.

        >>> ct.compiler.allow_in_graph(abs) is abs
        True
    """
    return fn


def assume_constant_result(fn: Callable[..., Any]) -> Callable[..., Any]:
    """fn as it is: its result is captured as it was.  Never raises.  Source: torch.compiler.assume_constant_result.

        >>> ct.compiler.assume_constant_result(abs) is abs
        True
    """
    return fn


def list_backends(exclude_tags: Sequence[str] | None = ("debug", "experimental")) -> list[str]:
    """The names that compile's `backend` is known by, of which none has a tag.  Never raises.

    Source: torch.compiler.list_backends.

        >>> ct.compiler.list_backends()
        ['cltensor']
    """
    return ["cltensor"]


def reset() -> None:
    """Forget what all compiled functions have captured.  Never raises.  Source: torch.compiler.reset.

        >>> ct.compiler.reset()
    """
    for compiled in list(_made):
        compiled.reset()


def __dir__():
    return sorted(__all__)
