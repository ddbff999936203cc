"""Crossing: what a piece of a function may take and give, so that a replay gives what the piece itself would give."""

import functools
import threading

from ..base.context import context
from ..dispatch.tensor_base import TensorBase
from .captured import is_result, tensors_of
from .liveness import inside
from .recorder import Failure, GraphRecorder
from .structure import flatten

RETURN = "return"  # stands for what a piece returns among names of variables


def value_of(x):
    """x without its history if it is a tensor that has one."""
    return x.detach() if isinstance(x, TensorBase) and x.requires_grad else x


def checked(fn, part):
    """A piece's function that fails under a recorder where what it gives would not be the same in a replay."""

    @functools.wraps(fn)
    def piece(*args):
        recorder = context.recorder
        if not isinstance(recorder, GraphRecorder):
            return fn(*args)
        before = [flatten(a) for a in args]
        result = fn(*args)
        if not recorder.failure:
            changed = [n for n, a, b in zip(part.takes, args, before, strict=True) if not _equal(flatten(a), b)]
            if changed:
                recorder.fail(_failure("changes a list or dict", changed))
            crossing = _given(result, part)
            if names := _strange(crossing) or _shared(crossing, args) or _related(crossing, args):
                recorder.fail(_failure("cannot hand on", names))
        return result

    return piece


class Watch:
    """Is called before and after some statements of a piece, and fails where a statement did nothing that a replay would do again.

    Such a statement prints, or asks for the time.
    """

    def __init__(self, part):
        self.statements, self.thread = list(inside(part.run)), threading.local()

    def __call__(self, at, *value):
        recorder = context.recorder
        if not isinstance(recorder, GraphRecorder) or recorder.failure:
            return
        if not value:
            self.thread.before = recorder.noted()
        elif getattr(self.thread, "before", None) == recorder.noted() and not tensors_of(flatten(value)[0]):
            made = Failure("it does nothing on the device")
            made.statements = (self.statements[at],)
            recorder.fail(made)


def _failure(what, names):
    made = Failure(f"a captured piece {what} ({', '.join(names)})")
    made.names = tuple(names)
    return made


def _equal(a, b):
    return a[1] == b[1] and all(x is y for x, y in zip(a[0], b[0], strict=True))


def _given(result, part):
    """[(name, value)] of what a piece gives."""
    if part.returns == "always":
        return [(RETURN, result)]
    if part.returns == "maybe":
        returned, result = result
        if returned:
            return [(RETURN, result)]
    return list(zip(part.gives, result, strict=True))


def _strange(crossing):
    """The names of what a replay cannot make."""
    return [n for n, value in crossing if not all(map(is_result, flatten(value)[0]))]


def _containers(value):
    """The lists and dicts in a value."""
    if isinstance(value, (list, dict)):
        yield value
    if isinstance(value, (list, tuple, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _containers(part)


def _shared(crossing, args):
    """The names of lists and dicts that others refer to as well: a replay makes new ones."""
    given = {id(c) for a in args for c in _containers(a)}
    found = []
    for name, value in crossing:
        own = [id(c) for c in _containers(value)]
        if len(set(own)) < len(own) or given & set(own):
            found.append(name)
        given |= set(own)
    return found


def _related(crossing, args):
    """The names of tensors that share memory with others, or have hooks: a write would not reach the others' history."""
    given, found = tensors_of(flatten(args)[0]), []
    known = {id(t._storage): t for t in given}
    for name, value in crossing:
        for t in tensors_of(flatten(value)[0]):
            if any(t is g for g in given):
                continue
            other = known.setdefault(id(t._storage), t)
            tracked = t.dtype.is_inexact and (context.grad or t.requires_grad)
            if _hooked(t) or (other is not t and tracked and name != RETURN):
                found.append(name)
    return found


def _hooked(t):
    node = t.grad_fn
    return bool(t._hooks or t._post_hooks or t._end_hooks or (node is not None and (node.hooks or node.pre_hooks or node.retained)))
