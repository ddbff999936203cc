"""Capturing: a function's call as a graph whose inputs, outputs and memories an exported program has."""

import contextlib
from dataclasses import dataclass, replace

from ..autograd.modes import no_grad
from ..base.errors import ArgumentTypeError, CaptureError
from ..base.observed_sizes import Observations
from ..dispatch.tensor_base import TensorBase
from ..graph.captured import Captured, ReturnedLeaf, ReturnedTensor, capture, tensors_of
from ..graph.compiled import Compiled
from ..graph.ir import Origin
from ..graph.passes.dead_code import drop_dead
from ..graph.recorder import Failure
from ..graph.structure import flatten
from .host_numbers import owner_of

_TRIES = 3  # calls: the first ones may make state, such as an optimiser's


@dataclass
class Taken:
    """A captured call.  uses: of the outputs; values: leaves of the result, an output's number or a plain value each; template."""

    graph: object
    actions: list
    inputs: list
    uses: list
    values: list
    template: object
    captured: object


def taken(fn, args, kwargs, device):
    """The Taken of fn(*args, **kwargs), which is called up to three times.  Raises CaptureError.

    What a call changes stays; where one is repeated to be captured better, what that changes is taken back.
    """
    return observed(fn, args, kwargs, device, contextlib.nullcontext)[0]


def observed(fn, args, kwargs, device, observing=Observations):
    """(the Taken of fn(*args, **kwargs), what it asked of sizes meanwhile).  See taken."""
    leaves, _ = flatten((args, kwargs))
    tensors, done = tensors_of(leaves), None  # done: a call that was captured, and may be captured better
    for _ in range(_TRIES):
        before = done and Standing(done[0])
        with observing() as seen, no_grad() if done and done[0].captured.backward is not None else contextlib.nullcontext():
            _, found = capture(fn, args, kwargs, device)
        if before:
            before.restore()
        if isinstance(found, Captured):
            again = done is None and (found.backward is not None or _first(found))  # without history; with gradients there
            done = captured_call(found, tensors), seen
            if not again:
                return done
        elif done is not None:  # it needs gradients inside
            return done
        else:
            reason = found
    if done is not None:
        return done
    where = next((f" (at {site})" for site in _sites(reason)), "") if isinstance(reason, Failure) else ""
    raise CaptureError(f"export.save: the function cannot be exported whole, since {reason}{where}; move that out of it")


def _first(captured):
    """Whether leaves had no .grad before the call and have one now: the next call may add to it."""
    return any(before is None and use is not None for _, before, use, _ in captured.leaves)


def _sites(reason):
    for places in reason.places[:1]:
        for code, line in list(places)[-1:] if places else ():
            yield f"{getattr(code, 'co_filename', code)}:{line}"


def function_of(fn):
    """The function or Module behind a compiled one."""
    if isinstance(fn, Compiled):
        return fn.fn
    inner = getattr(fn, "__dict__", {}).get("_program")
    fn = inner.fn if isinstance(inner, Compiled) else fn
    if not callable(fn):
        raise ArgumentTypeError(f"export.save: expected a function or a Module, got {fn!r:.80}")
    return fn


def captured_call(captured, tensors):
    """The Taken of a Captured.  tensors: those among the arguments."""
    (_, graph), *_ = captured.stages
    uses, values, seen = [], [], {}
    outputs = iter(graph.outputs)
    for result in captured.results:
        if not isinstance(result, (ReturnedLeaf, ReturnedTensor)):
            values.append(("value", result.value))
            continue
        uses.append(next(outputs))
        values.append(("output", len(uses) - 1))
    for i, first in captured.same:
        seen[i] = first
    values = [values[seen.get(i, i)] for i in range(len(values))]
    graph = drop_dead(replace(graph, outputs=tuple(uses), grads=()))
    blocks = graph.blocks()
    if any(b.origin is Origin.GRADIENT for b in blocks):
        raise CaptureError("export.save: the function adds to a .grad from before the call; begin it with zero_grad()")
    known = {b.source: b for b, _, _ in captured.arguments}
    return Taken(graph, captured.actions, [known[i] for i in range(len(tensors))], uses, values, captured.template,
                 captured)


def dense_arguments(args, kwargs):
    """The arguments with tensors of their own memory, dense and from its start."""
    def fitted(x):
        if isinstance(x, TensorBase):
            whole = x._spec.contiguous and not x._offset and x._storage.extent == x._spec.nbytes
            return x if whole and id(x._storage) not in seen and not seen.add(id(x._storage)) else _copied(x)
        if type(x) in (list, tuple):
            return type(x)(map(fitted, x))
        return {k: fitted(v) for k, v in x.items()} if type(x) is dict else x

    seen = set()
    return fitted(tuple(args)), fitted(dict(kwargs))


def _copied(x):
    made = x.detach().clone().contiguous()
    return made.requires_grad_(True) if x.requires_grad else made


class Standing:
    """Memory that a call writes and the numbers that it counts, to be put back."""

    def __init__(self, call):
        written = {v.block for node in call.graph.nodes for v in node.writes()}
        self.memory = [(b.source, b.source.clone()) for b in written if b.origin is Origin.HELD]
        owners = {id(o): o for o in map(owner_of, (a.compute for a in call.actions)) if o is not None}
        self.owners = [(o, o._host_state()) for o in owners.values()]

    def restore(self):
        """Put all of it back."""
        for storage, before in self.memory:
            storage.copy_(before)
        for owner, before in self.owners:
            owner._restore_host_state(before)
