"""The recorded graph: what nodes save and how, edges, and hooks over several tensors; with torch.autograd.graph's names."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..base import calls
from ..base.context import context
from ..base.errors import ArgumentError, ArgumentTypeError, AutogradError
from ..dispatch.node import AccumulateGrad, Node, edge_of
from ..dispatch.saved import Packing
from ..dispatch.tensor_base import TensorBase
from .mutation import allow_mutation_on_saved_tensors

__all__ = ["GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
           "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]


class saved_tensors_hooks:
    """Inside, what ops save for their gradient is packed: pack_hook(tensor) is kept, and unpack_hook(that) read back.

    Tensors of any shape and dtype arrive; unpack_hook returns a tensor of the same shape and dtype.  Of nested blocks the innermost
    counts.  The hooks run without grad mode, once for every tensor saved, that of a Function's save_for_backward too.  Gradients of
    gradients go through what was unpacked as through the tensor itself.

    Raises AutogradError inside disable_saved_tensors_hooks, or where pack_hook changes its tensor; ArgumentTypeError where
    unpack_hook returns no tensor.
    Source: PyTorch 2.13's autograd.graph.saved_tensors_hooks.

        with autograd.graph.saved_tensors_hooks(lambda x: x.half(), lambda x: x.float()):
            loss = (weights * inputs).square().sum()
        loss.backward()
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self._packing, self._before = Packing(pack_hook, unpack_hook), []

    def __enter__(self) -> None:
        if _disabled.message is not None:
            raise AutogradError(_disabled.message)
        self._before.append(context.saving)
        context.saving = self._packing

    def __exit__(self, *exc: object) -> None:
        context.saving = self._before.pop()


class save_on_cpu(saved_tensors_hooks):
    """Inside, what ops save for their gradient is kept in the host's memory, and copied back when its gradient runs.

    For tensors of any shape and dtype: less memory of a GPU for two copies.  A device that is the host's processor has its tensors
    in that memory already, so nothing is copied there; writing to them in place is then noticed.  pin_memory and device_type are
    accepted: copies to an OpenCL device need no pinned memory.

    Raises AutogradError as saved_tensors_hooks does.
    Source: PyTorch 2.13's autograd.graph.save_on_cpu.

        with autograd.graph.save_on_cpu():
            loss = model(inputs).sum()
        loss.backward()
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(_to_host, _from_host)


def _to_host(x):
    """x itself with its version where its memory is the host's, else its values as an array with their dtype and device."""
    if x.device.profile.kind == "cpu":
        return x, x._storage.version
    return on_host(x)


def on_host(x):
    """(values, dtype, device, class) of a tensor, copied to the host's memory."""
    return x.detach()._read(), x.dtype, x.device, x._plain


def _from_host(kept):
    if len(kept) == 2:  # the tensor itself and its version
        x, version = kept
        if x._storage.version != version:
            raise AutogradError("save_on_cpu: one of the variables needed for gradient computation has been modified by an "
                                f"inplace operation: a saved tensor, {x.dtype.name} {list(x.shape)}, is at version "
                                f"{x._storage.version}; "
                                f"expected version {version} instead. Use the out-of-place form, or clone() it first")
        return x
    values, dtype, device, cls = kept
    return cls._from_array(values, dtype, device)


class _Disabled:
    """The message of disable_saved_tensors_hooks, for every thread: None while hooks are allowed."""

    message = None


_disabled = _Disabled()


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Inside, saved_tensors_hooks raises AutogradError with this message: for code that does not work with hooks.

    No shape or dtype plays a part.  Raises AutogradError with the message when hooks are in force already.
    Source: PyTorch 2.13's autograd.graph.disable_saved_tensors_hooks.

        with autograd.graph.disable_saved_tensors_hooks("this part keeps its tensors itself"):
            loss = model(inputs).sum()
    """
    if context.saving is not None:
        raise AutogradError(error_message)
    before, _disabled.message = _disabled.message, error_message
    try:
        yield
    finally:
        _disabled.message = before


class GradientEdge(NamedTuple):
    """Where in the graph a tensor's gradient is computed: output `output_nr` of `node`.

    What autograd.grad and backward take in place of the tensor, which need not live any longer.  Of any shape and dtype.
    Never raises.  Source: PyTorch 2.13's autograd.graph.GradientEdge.

        edge = autograd.graph.get_gradient_edge(x)
    """

    node: Node
    output_nr: int
    ownership_token: Any = None


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The GradientEdge of a tensor that requires grad, of any shape and floating dtype.

    Raises AutogradError for a tensor without a gradient.
    Source: PyTorch 2.13's autograd.graph.get_gradient_edge.

        edge = autograd.graph.get_gradient_edge(x)
        g, = autograd.grad((x * 2).sum(), edge)
    """
    if not tensor.requires_grad:
        raise AutogradError("get_gradient_edge: It is not possible to get the gradient edge for a Tensor that does not require "
                            "gradients")
    target, index = edge_of(tensor)
    return GradientEdge(target if isinstance(target, Node) else AccumulateGrad(target), index)


def increment_version(tensor: Any) -> None:
    """Tell autograd that a tensor's memory, or that of each of several, was changed by other means than an op.

    Gradients that saved it then raise an error instead of using the new values.  For any shape and dtype.
    Raises ArgumentTypeError for anything but tensors.
    Source: PyTorch 2.13's autograd.graph.increment_version.

        autograd.graph.increment_version(x)    # after a kernel of your own wrote to x
    """
    given = [tensor] if isinstance(tensor, TensorBase) else list(tensor) if isinstance(tensor, Iterable) else [tensor]
    if not all(isinstance(t, TensorBase) for t in given):
        raise ArgumentTypeError(f"increment_version: expected a Tensor or an iterable of Tensors, got {calls.kind(tensor)}")
    for t in given:
        t._storage.version += 1


class _Handles:
    """Removes several hooks at once."""

    def __init__(self, handles):
        self.handles = tuple(handles)

    def remove(self):
        """Remove the hooks."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.remove()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: str = "all") -> _Handles:
    """Call fn with the gradients of several tensors, of any shapes and floating dtypes, in each backward pass.

    mode "all": fn(gradients) once all of them that the pass computes are there, None for the others.  mode "any": fn(gradient) with
    the first that is there.  Returns a handle whose remove() removes the hook; it may be used as a context manager.

    Raises ArgumentError for another mode, AutogradError for a tensor that does not require grad.
    Source: PyTorch 2.13's autograd.graph.register_multi_grad_hook.

        handle = autograd.graph.register_multi_grad_hook([a, b], lambda gs: print(len(gs)))
    """
    if mode not in ("all", "any"):
        raise ArgumentError(f"register_multi_grad_hook: Expects mode to be one of ('all', 'any') but got {mode}")
    tensors = list(tensors)
    seen = _All(tensors, fn) if mode == "all" else _First(fn)
    return _Handles(t.register_hook(seen.hook(i)) for i, t in enumerate(tensors))


class _All:
    """Collects the gradients of a backward pass and calls fn with them when the last one comes."""

    def __init__(self, tensors, fn):
        self.fn, self.targets = fn, [edge_of(t)[0] for t in tensors if t.requires_grad]
        self.passes = weakref.WeakKeyDictionary()  # running pass: [gradients still to come, gradients]

    def hook(self, i):
        """The hook of tensor i."""
        return lambda g: self._came(i, g)

    def _came(self, i, g):
        state = self.passes.get(context.running)
        if state is None:
            expected = sum(map(context.running.reaches, self.targets))
            state = self.passes[context.running] = [expected, [None] * len(self.targets)]
        state[0] -= 1
        state[1][i] = g
        if not state[0]:
            self.fn(state[1])


class _First:
    """Calls fn with the first gradient of each backward pass."""

    def __init__(self, fn):
        self.fn, self.passes = fn, weakref.WeakSet()

    def hook(self, i):
        """The hook of any tensor."""
        return self._came

    def _came(self, g):
        if context.running not in self.passes:
            self.passes.add(context.running)
            self.fn(g)


for _fn in (disable_saved_tensors_hooks, get_gradient_edge, increment_version, register_multi_grad_hook):
    calls.named(_fn, _fn.__name__)


def __dir__():
    return sorted(__all__)
