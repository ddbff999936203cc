"""Autocast: where a region asks for it, each op runs in the precision that suits it.

Products run in 16 bits, what loses by that in float32.  Which op does what is said by its Policy, on its declaration; a function
of several ops says it with `autocasts`.  An Autocast stands where vmap's rules stand, in the context's `transform`, so that ops
outside such a region look at nothing more than before.
"""

import contextlib
import functools
from typing import NamedTuple

from ..base import dtypes
from ..base.context import context
from ..base.errors import CLTensorError
from .registry import REGISTRY
from .run_elementwise import run_elementwise
from .run_planned import run_composite, run_planned
from .tensor_base import TensorBase


class Policy(NamedTuple):
    """What autocast does to an op's inputs, by kind of region, as PyTorch does for CPUs and for CUDA.

    "low": to the region's dtype; "float32": to float32; "promote": to the widest among them; "first": to the first one's; "given":
    nothing, nor do ops inside the function; "divisor": to float32 if the first is a number; "unsafe": raises, since 16 bits are too
    few; None: nothing.
    """

    cpu: str | None
    gpu: str | None

    def arguments(self, *given):
        """given, cast as the running autocast asks; for functions that need no `autocasts` around them."""
        return context.autocast.fitted(self, given)


LOW = Policy("low", "low")
LOW_ON_GPU = Policy(None, "low")
FLOAT32 = Policy("float32", "float32")
FLOAT32_ON_CPU = Policy("float32", None)
FLOAT32_ON_GPU = Policy(None, "float32")
PROMOTE = Policy("promote", "promote")
PROMOTE_ON_CPU = Policy("promote", None)
PROMOTE_ON_GPU = Policy(None, "promote")
GIVEN_OR_LOW = Policy("given", "low")
FLOAT32_OR_GIVEN = Policy("float32", "given")
FLOAT32_OR_UNSAFE = Policy("float32", "unsafe")
FLOAT32_DIVISOR_ON_GPU = Policy(None, "divisor")  # a number over a tensor is a reciprocal
FIRST_OR_LOW = Policy("first", "low")
FLOAT32_OR_PROMOTE = Policy("float32", "promote")  # on CPUs, on GPUs

_CAST = (dtypes.float32, dtypes.float16, dtypes.bfloat16)  # float64 stays: who uses it asked for it


def autocasts(policy):
    """Decorate a function of tensors: autocast casts its arguments by `policy`, and leaves the ops it calls alone."""

    def decorate(fn):
        @functools.wraps(fn)
        def casting(*args, **kwargs):
            active = context.autocast
            return fn(*args, **kwargs) if active is None else active.call(policy, fn, args, kwargs)

        return casting

    return decorate


class Autocast:
    """The rules of a region.  kind: "cpu" or "gpu", whose policies hold; low: its dtype; cached: whether it keeps casts."""

    __slots__ = ("cache", "cached", "kind", "low")

    def __init__(self, kind, low, cached=True, cache=None):
        self.kind, self.low, self.cached = kind, low, cached
        self.cache = {} if cache is None else cache

    def alone(self):
        """The same rules with a cache of their own."""
        return Autocast(self.kind, self.low, self.cached)

    # --- what dispatch asks ------------------------------------------------------------------------------------------

    def elementwise(self, op, inputs, attrs, out, dtype, inplace):
        """Cast and run; in-place forms and out= stay as they are, as in PyTorch."""
        fitted = inputs if out is not None or op.autocast is None else self.fitted(op.autocast, inputs)
        if fitted is not inputs:
            with off():
                return run_elementwise(op, fitted, attrs, out, dtype, inplace)
        return NotImplemented if context.rules is None else context.rules.elementwise(op, inputs, attrs, out, dtype, inplace)

    def planned(self, op, inputs, attrs, values):
        """Cast and run."""
        fitted = inputs if op.autocast is None else self.fitted(op.autocast, inputs)
        if fitted is not inputs:
            with off():
                return run_planned(op, fitted, attrs, values)
        return NotImplemented if context.rules is None else context.rules.planned(op, inputs, attrs, values)

    def view(self, op, x, attrs):
        """Views have no precision."""
        return NotImplemented if context.rules is None else context.rules.view(op, x, attrs)

    def composite(self, op, inputs, values):
        """Cast, and run without autocast: the op's gradient is written for what its body computes."""
        fitted = inputs if op.autocast is None else self.fitted(op.autocast, inputs)
        with off():
            return run_composite(op, fitted, values)

    # --- casts -------------------------------------------------------------------------------------------------------

    def call(self, policy, fn, args, kwargs):
        """fn of its arguments cast by policy."""
        if getattr(policy, self.kind) is None:
            return fn(*args, **kwargs)
        names = tuple(kwargs)
        if getattr(policy, self.kind) == "unsafe":
            raise CLTensorError(f"{fn.__name__}: unsafe under autocast, 16 bits cannot tell probabilities from 0 and 1; use "
                                f"{fn.__name__}_with_logits, or autocast(..., enabled=False) around float32 tensors")
        args = self.fitted(policy, (*args, *kwargs.values()))
        cut = len(args) - len(names)
        with off():
            return fn(*args[:cut], **dict(zip(names, args[cut:], strict=True)))

    def fitted(self, policy, values):
        """values, also nested in lists and tuples, cast by policy; the same object where nothing changes."""
        wanted = getattr(policy, self.kind)
        if wanted in (None, "given") or (wanted == "divisor" and isinstance(values[0], TensorBase)):
            return values
        found = {t._spec.dtype for t in _tensors(values)}
        dtype = values[0]._spec.dtype if wanted == "first" else self._target(wanted, found)
        return values if dtype is None or not found.intersection(_CAST) - {dtype} else self._each(values, dtype)

    def _target(self, wanted, found):
        if wanted == "low":
            return self.low
        if wanted == "promote" and len(found.intersection(_CAST)) < 2:
            return None
        return dtypes.float32

    def _each(self, values, dtype):
        made = [self._cast(x, dtype) if isinstance(x, TensorBase) else self._each(x, dtype) if isinstance(x, (list, tuple)) else x
                for x in values]
        if isinstance(values, list):
            return made
        return type(values)(*made) if hasattr(values, "_fields") else tuple(made)

    def _cast(self, t, dtype):
        if t._spec.dtype is dtype or t._spec.dtype not in _CAST:
            return t
        if not (self.cached and t._req and t.is_leaf and t._spec.dtype is dtypes.float32):
            return _converted(t, dtype)
        key = id(t), dtype, context.grad
        _, version, made = self.cache.get(key, (None, None, None))
        if version != t._version or (context.grad and made._node is None):
            made = _converted(t, dtype)
            self.cache[key] = t, t._version, made
        return made


def _converted(t, dtype):
    with off():
        return run_elementwise(REGISTRY["copy"], (t,), dtype=dtype)


def _tensors(values):
    for x in values:
        if isinstance(x, TensorBase):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from _tensors(x)


@contextlib.contextmanager
def using(autocast):
    """Ops inside pass through this Autocast, or through none."""
    before, context.autocast = context.autocast, autocast
    context.arrange()
    try:
        yield
    finally:
        context.autocast = before
        context.arrange()


@contextlib.contextmanager
def own_casts():
    """What autocast casts inside serves nothing outside, and the other way round."""
    before = context.autocast_casts
    context.autocast_casts = {}
    try:
        with using(context.autocast and context.autocast.alone()):
            yield
    finally:
        context.autocast_casts = before


def off():
    """Ops inside run in the dtypes they are given."""
    return using(None)
