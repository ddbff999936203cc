"""while_loop: a function repeated as long as values on the device say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..base import calls
from ..base.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from ..base.layouts import contiguous_format
from ..dispatch.tensor_base import TensorBase
from ..graph.looping import listening, loop, muted, write
from ..graph.structure import flatten, unflatten


def while_loop(cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: tuple | list) -> Any:
    """Values that body_fn makes of carried_inputs, again and again, as long as cond_fn of them is true.

    carried_inputs: a tuple or list of tensors of any shape and dtype, or ints, also nested in tuples, lists and dicts.
    cond_fn(*values) returns a bool tensor of one element, or a bool; body_fn(*values) new values of the same structure, shapes and
    dtypes.  What is returned has that structure, and shares no memory with carried_inputs.  Gradients flow through the rounds run.

    Under compile a loop over tensors is part of the program: both functions run once to be captured, and a replay reads the
    condition before each round; where gradients flow through it, it runs eagerly.  A loop that carries ints, and whose condition
    looks at nothing else, is captured round by round.  Numerics: the functions' own.

    Raises ArgumentTypeError for functions that cannot be called and for other arguments, ArgumentError for no carried_inputs;
    ShapeError and DTypeError where the functions return other structures, shapes or dtypes.
    Source: torch.while_loop.

        >>> i, x = ct.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (ct.tensor(0), ct.ones(2)))
        >>> x
        tensor([8., 8.])
    """
    if not (callable(cond_fn) and callable(body_fn)):
        raise ArgumentTypeError(f"while_loop: expected two functions, got {calls.kind(cond_fn)} and {calls.kind(body_fn)}")
    if not isinstance(carried_inputs, (tuple, list)):
        raise ArgumentTypeError("while_loop: expected a tuple or list of tensors as carried_inputs, got "
                                f"{calls.kind(carried_inputs)}; write (x,) for one tensor")
    values, template = flatten(carried_inputs)
    if not values:
        raise ArgumentError("while_loop: carried_inputs holds nothing that a round could change")
    for x in values:
        if not isinstance(x, (TensorBase, int)):
            raise ArgumentTypeError(f"while_loop: carried_inputs must hold tensors or ints, got {x!r}; make a tensor of it")
    rounds = _Rounds(cond_fn, body_fn, template, values)
    values = [x.clone(memory_format=contiguous_format) if isinstance(x, TensorBase) else x for x in values]
    return rounds.result(_captured(rounds, values) or [_apart(x, values) for x in rounds.run(values)])


def _captured(rounds, values):
    """The values after the loop, while it becomes part of a captured program; None where that fails, and the recorder knows why."""
    recorder = listening()
    if recorder is None or not all(isinstance(x, TensorBase) for x in values):  # of numbers, the rounds are captured one by one
        return None
    if not loop(recorder, values, rounds.goes_on, rounds.next):
        return None
    if recorder.dry_run is None:
        muted(lambda: write(values, rounds.run(values)))
    return values


def _apart(x, own):
    return x.clone() if isinstance(x, TensorBase) and all(x is not t for t in own) else x


class _Rounds:
    """The two functions over flat lists.  bare: whether the body returns one tensor that stands in no tuple."""

    def __init__(self, cond_fn, body_fn, template, values):
        self.cond_fn, self.body_fn, self.template, self.bare = cond_fn, body_fn, template, False
        self.layouts = [_layout(x) for x in values]

    def run(self, values):
        """The values after all rounds; on the meta device, where a condition has no value, after one."""
        if any(isinstance(x, TensorBase) and x.device.meta for x in values):
            self.goes_on(*values)
            return self.next(*values)
        while bool(self.goes_on(*values)):
            values = self.next(*values)
        return values

    def goes_on(self, *values):
        """What the condition returns."""
        found = self.cond_fn(*unflatten(self.template, iter(values)))
        if isinstance(found, TensorBase):
            if found._spec.numel != 1 or found.dtype.name != "bool":
                raise ShapeError(f"while_loop: cond_fn must return a bool tensor of one element or a bool, got {found.dtype.name} "
                                 f"{list(found.shape)}; compare, and reduce with .any() or .all()")
            return found.detach()
        if not isinstance(found, (bool, int)):
            raise ArgumentTypeError(f"while_loop: cond_fn must return a bool tensor of one element or a bool, got {found!r}")
        return found

    def next(self, *values):
        """What the body returns, as a flat list.  Raises errors where that is laid out in another way than what it is given."""
        found = self.body_fn(*unflatten(self.template, iter(values)))
        self.bare = isinstance(found, TensorBase) and len(values) == 1
        new, template = flatten((found,) if self.bare else found)
        if getattr(template, "parts", None) != self.template.parts:  # a list may stand for a tuple
            raise ShapeError(f"while_loop: body_fn must return values in the structure of carried_inputs, {len(self.layouts)} in "
                             f"all, got {calls.kind(found)} of {len(new)}")
        for i, (x, wanted) in enumerate(zip(new, self.layouts, strict=True)):
            got = _layout(x)
            if got != wanted:
                error = DTypeError if got[0] == wanted[0] and got[1] == wanted[1] else ShapeError
                raise error(f"while_loop: body_fn must return values like carried_inputs, but value {i} was {_told(wanted)} and "
                            f"became {_told(got)}; convert or reshape it")
        return new

    def result(self, values):
        """The values as the caller gets them."""
        return values[0] if self.bare else unflatten(self.template, iter(values))


def _layout(x):
    """(kind, shape, dtype, device) of a value."""
    if isinstance(x, TensorBase):
        s = x._spec
        return "tensor", s.shape, s.dtype, s.device
    return (int if isinstance(x, int) else type(x)).__name__, None, None, None


def _told(layout):
    kind, shape, dtype, _ = layout
    return kind if shape is None else f"{dtype.name} {list(shape)}"
